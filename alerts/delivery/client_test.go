package delivery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

const secret = "hook-0123456789-secret"

// target is a server's address with a secret in its path and another in its query.
func target(t *testing.T, handler http.HandlerFunc) *url.URL {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := CheckAddress(server.URL+"/"+secret+"?token="+secret, false)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// expect posts to u and holds the outcome against what is wanted, and against the secret.
func expect(t *testing.T, c *Client, call *Call, want alerts.DeliveryReason, text string) {
	t.Helper()
	call.Secrets = append(AddressSecrets(call.URL), call.Secrets...)
	err := c.Post(t.Context(), call)
	if want == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok || e.Reason != want || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %s and %q", err, want, text)
	}
	if all := fmt.Sprintf("%v %+v %#v %#v", err, err, err, errors.Unwrap(err)); strings.Contains(all, secret[:8]) || strings.Contains(all, secret[8:]) {
		t.Errorf("the error shows the secret: %s", all)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	status := 0
	u := target(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	c := NewClient(Options{Notifier: "hook"})
	for _, s := range []struct {
		status int
		want   alerts.DeliveryReason
	}{
		{200, ""}, {202, ""}, {204, ""}, {301, alerts.DeliveryAuth}, {304, alerts.DeliveryAuth}, {400, alerts.DeliveryRefused}, {401, alerts.DeliveryAuth},
		{403, alerts.DeliveryAuth}, {404, alerts.DeliveryAuth}, {405, alerts.DeliveryAuth}, {407, alerts.DeliveryAuth}, {408, alerts.DeliveryUnavailable},
		{410, alerts.DeliveryAuth}, {413, alerts.DeliveryRefused}, {422, alerts.DeliveryRefused}, {425, alerts.DeliveryUnavailable},
		{429, alerts.DeliveryQuota}, {500, alerts.DeliveryUnavailable}, {501, alerts.DeliveryUnavailable}, {503, alerts.DeliveryUnavailable}, {599, alerts.DeliveryUnavailable},
	} {
		status = s.status
		expect(t, c, &Call{URL: u}, s.want, fmt.Sprintf("status %d", s.status))
	}
	status = 200
	expect(t, c, &Call{URL: u, Want: 202}, alerts.DeliveryUnavailable, "status 200, not 202")
}

// TestNoFollowing holds that nothing is sent to where an answer leads.
func TestNoFollowing(t *testing.T) {
	t.Parallel()
	elsewhere := target(t, func(http.ResponseWriter, *http.Request) { t.Error("the call was repeated elsewhere") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		u := target(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.String(), status) })
		expect(t, NewClient(Options{}), &Call{URL: u}, alerts.DeliveryAuth, "leads elsewhere")
	}
}

// TestBrokenAnswers holds what is said of answers that do not come, or not as HTTP.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	raw := func(text string) *url.URL {
		return target(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte(text))
			if text == "" {
				_ = conn.(*net.TCPConn).SetLinger(0)
			}
			_ = conn.Close()
		})
	}
	c := NewClient(Options{Timeout: time.Minute})
	expect(t, c, &Call{URL: raw("")}, alerts.DeliveryUnavailable, "")
	expect(t, c, &Call{URL: raw("HTTP/1.1 2")}, alerts.DeliveryUnavailable, "")
	expect(t, c, &Call{URL: raw("HTTP/1.1 " + secret + "\r\n\r\n")}, alerts.DeliveryUnavailable, "no answer that can be understood")
	expect(t, c, &Call{URL: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n")}, alerts.DeliveryUnavailable, "")
	// What is promised and does not come changes nothing: the status has come.
	expect(t, c, &Call{URL: raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")}, "", "")
	expect(t, c, &Call{URL: raw("HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nabc")}, alerts.DeliveryRefused, "status 400")

	gone := target(t, func(http.ResponseWriter, *http.Request) {})
	gone.Host = "127.0.0.1:1"
	expect(t, c, &Call{URL: gone}, alerts.DeliveryUnavailable, "refused")
}

// dialling is a transport that cannot connect, for that reason.
func dialling(err error) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
}

// TestSecretHost holds that the most frequent troubles are told where the whole address is a secret, without a part of it.
func TestSecretHost(t *testing.T) {
	t.Parallel()
	const address = "http://hooks.example.com/" + secret
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"its host name cannot be looked up: no such host":   &net.DNSError{Err: "no such host", Name: u.Host, Server: "10.0.0.1:53", IsNotFound: true},
		"the certificate that it shows is for another host": x509.HostnameError{Certificate: &x509.Certificate{}, Host: u.Host},
		"no answer that can be understood":                  &net.DNSError{Err: "nothing at " + u.Host, Name: u.Host},
		"connection refused":                                &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
	} {
		call := &Call{URL: u, Secrets: []string{address}}
		expect(t, NewClient(Options{Transport: dialling(err)}), call, alerts.DeliveryUnavailable, want)
	}
}

// TestSilence holds that a call ends by itself, and with its caller.
func TestSilence(t *testing.T) {
	t.Parallel()
	closing := make(chan struct{})
	u := target(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-closing:
		}
	})
	t.Cleanup(func() { close(closing) })
	expect(t, NewClient(Options{Timeout: 50 * time.Millisecond}), &Call{URL: u}, alerts.DeliveryUnavailable, "no answer within 50ms")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the daemon stops")
	cancel(stop)
	if err := NewClient(Options{}).Post(ctx, &Call{URL: u}); !errors.Is(err, stop) {
		t.Errorf("%v, want the cause", err)
	}
	// A refusal whose words do not come is told by its status.
	drip := target(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-closing:
		}
	})
	// On a busy machine the status itself may take longer than that.
	timeout := 50 * time.Millisecond
	for timeout < time.Minute && !refused(NewClient(Options{Timeout: timeout}).Post(t.Context(), &Call{URL: drip})) {
		timeout *= 4
	}
	expect(t, NewClient(Options{Timeout: 4 * timeout}), &Call{URL: drip}, alerts.DeliveryRefused, "status 400")
}

func refused(err error) bool {
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	return ok && e.Reason == alerts.DeliveryRefused
}

// TestRefusalsInWords holds that what a receiver says is told, unless it repeats a part of a secret.
func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	words := ""
	u := target(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(words))
	})
	c := NewClient(Options{})
	call := func() *Call {
		return &Call{URL: u, Secrets: append(AddressSecrets(u), "pw"), Explain: func(_ int, body []byte) (string, alerts.DeliveryReason) { return string(body), "" }}
	}
	for words = range strings.SplitSeq("no such channel|a\x1b[31m red\nline|"+strings.Repeat("long ", 1000), "|") {
		expect(t, c, call(), alerts.DeliveryRefused, "status 400: "+words[:1])
	}
	for words = range strings.SplitSeq("the key is pw|bad "+secret+"|bad "+secret[3:12]+"…", "|") {
		expect(t, c, call(), alerts.DeliveryRefused, "status 400")
		if err := c.Post(t.Context(), call()); strings.Contains(err.Error(), "bad") || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q leads to %v", words, err)
		}
	}
	if e, ok := errors.AsType[*alerts.DeliveryError](c.Post(t.Context(), call())); !ok || e.RetryAfter != 7*time.Second {
		t.Errorf("%+v, want 7 s", e)
	}
}

func TestCheckAddress(t *testing.T) {
	f := func(text string, plain, good bool) {
		t.Helper()
		_, err := CheckAddress(text, plain)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
	f("https://hooks.example.com/"+secret, false, true)
	f("http://localhost:8080/", false, true)
	f("http://127.0.0.2/", false, true)
	f("http://[::1]/", false, true)
	f("http://alertmanager:9093", true, true)
	f("http://alertmanager:9093/"+secret, false, false)
	f("http://localhost.example.com/"+secret, false, false)
	f("http://0x7f000001/"+secret, false, false)
	f("https://user:"+secret+"@example.com", true, false)
	f("https://"+secret+":x/", true, false)
	f("https:///"+secret, true, false)
	f("https://:443/"+secret, true, false)
	f("https://example.com/#"+secret, true, false)
	f("ftp://example.com/"+secret, true, false)
	f("/"+secret, true, false)
	f("%zz"+secret, true, false)
}

func TestSecretFile(t *testing.T) {
	folder := t.TempDir()
	f := func(content, want string) {
		t.Helper()
		file := filepath.Join(folder, "secret")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := SecretFile(file)()
		if got != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), file) {
			t.Errorf("%.20q: %q, %v", content, got, err)
		}
	}
	f(" key\r\n", "key")
	f("two keys\n", "two keys")
	f(" \n", "")
	f(strings.Repeat("k", maxSecret+1), "")
	if _, err := SecretFile(filepath.Join(folder, "none"))(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want that the file is not there", err)
	}
}

func TestLine(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := Line(name); got != want {
			t.Errorf("Line(%q) = %q, want %q", name, got, want)
		}
	}
	f("spring-sale", "spring-sale")
	f("a\nb\tc\x00\u202e\xff", "a b c  \uFFFD")
	f(strings.Repeat("é", 300), strings.Repeat("é", 248)+"…")
}
