package smtp

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/simulator/smtp"
)

const (
	user     = "AKIAIOSFODNN7EXAMPLE"
	password = "correct-horse-battery-staple"
)

// rig is a server and the way to it.
type rig struct {
	t      *testing.T
	server *smtp.Server
	trust  *x509.CertPool
	mu     sync.Mutex // protects log
	log    bytes.Buffer
}

// certificates are those of a server at 127.0.0.1, and the pool that trusts them.
func certificates(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, pool
}

func newRig(t *testing.T, change func(*smtp.Options)) *rig {
	t.Helper()
	r := &rig{t: t}
	o := smtp.Options{User: user, Password: password}
	o.TLS, r.trust = certificates(t)
	if change != nil {
		change(&o)
	}
	var err error
	if r.server, err = smtp.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	return r
}

// Write keeps the log.
func (r *rig) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *rig) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func secret(text string) func() (string, error) { return func() (string, error) { return text, nil } }

func (r *rig) options() Options {
	return Options{
		Notifier: "oncall", Address: r.server.Address(), TLS: &tls.Config{RootCAs: r.trust, MinVersion: tls.VersionTLS12},
		Username: secret(user), Password: secret(password), Timeout: time.Minute,
		Log: slog.New(slog.NewTextHandler(r, nil)),
	}
}

func (r *rig) send(change func(*Options)) error {
	r.t.Helper()
	o := r.options()
	if change != nil {
		change(&o)
	}
	return sendTo(r.t, o)
}

func sendTo(t *testing.T, o Options) error {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(t.Context(), letter())
	if err != nil {
		discreet(t, err.Error())
	}
	return err
}

// letter goes to two people.
func letter() *mail.Message {
	return &mail.Message{
		From: netmail.Address{Name: "Mailvane", Address: "alerts@example.com"},
		To: []netmail.Address{
			{Name: "Ada Byron", Address: "ada.byron@example.org"}, {Address: "grace@example.net"},
		},
		Subject: "CampaignComplaints", Text: "It is.\n.\nReally.\n", HTML: "<p>It is.</p>", ID: "0123", Thread: "4567",
		Date: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC),
	}
}

// discreet holds that a text names nobody and no secret.
func discreet(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{user, password, "ada", "byron", "grace", "alerts@", "Really"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
			t.Errorf("%q reveals %q", text, s)
		}
	}
}

// reasonOf is the reason of an error that must be typed.
func reasonOf(t *testing.T, err error) alerts.DeliveryReason {
	t.Helper()
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok {
		t.Fatalf("%v is no *alerts.DeliveryError", err)
	}
	if e.Notifier != "oncall" {
		t.Errorf("the error names %q", e.Notifier)
	}
	return e.Reason
}
