package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/simulator/smtp"
)

func TestSend(t *testing.T) {
	good := func(name string, server func(*smtp.Options), client func(*Options), want smtp.Mail) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, server)
			if err := r.send(client); err != nil {
				t.Fatal(err)
			}
			mails := r.server.Mails()
			if len(mails) != 1 {
				t.Fatalf("%d mails were taken", len(mails))
			}
			got := mails[0]
			raw, err := letter().Compose()
			if err != nil {
				t.Fatal(err)
			}
			// Boundaries are random, so only the head and the dots are compared.
			head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
			head, _, _ = strings.Cut(head, "Content-Type:")
			if !strings.HasPrefix(string(got.Data), head) || !strings.Contains(string(got.Data), "\r\n.\r\nReally.\r\n") {
				t.Errorf("the mail arrived as\n%s", got.Data)
			}
			want.From, want.To = "alerts@example.com", []string{"ada.byron@example.org", "grace@example.net"}
			got.Data = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	none := func(o *Options) { o.Username, o.Password = nil, nil }
	good("STARTTLS and PLAIN", nil, nil, smtp.Mail{Hello: "[127.0.0.1]", TLS: true, User: user})
	good("LOGIN", func(o *smtp.Options) { o.Mechanisms = []string{"LOGIN"} }, nil,
		smtp.Mail{Hello: "[127.0.0.1]", TLS: true, User: user})
	good("implicit TLS and a name", func(o *smtp.Options) { o.Implicit = true },
		func(o *Options) { o.Security, o.Hello = ImplicitTLS, "mailvane.example.com" },
		smtp.Mail{Hello: "mailvane.example.com", TLS: true, User: user})
	good("without a password", func(o *smtp.Options) { o.User = "" }, none, smtp.Mail{Hello: "[127.0.0.1]", TLS: true})
	good("a relay without TLS", func(o *smtp.Options) { o.User, o.TLS = "", nil },
		func(o *Options) { none(o); o.Security = NoTLS }, smtp.Mail{Hello: "[127.0.0.1]"})
}

// TestReplies holds what each refusal means at each stage. The texts name people, as those of real servers do.
func TestReplies(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct {
		stage    smtp.Stage
		code     int
		enhanced [3]int
		text     string
		want     alerts.DeliveryReason
		says     string
	}{
		{smtp.StageConnect, 421, [3]int{4, 7, 0}, "Try again later", alerts.DeliveryUnavailable, "421 4.7.0: Try again later"},
		{smtp.StageConnect, 554, [3]int{5, 7, 1}, "You are listed", alerts.DeliveryUnavailable, "554 5.7.1: You are listed"},
		{smtp.StageHello, 421, [3]int{4, 3, 2}, "Shutting down", alerts.DeliveryUnavailable, "421 4.3.2"},
		{smtp.StageAuth, 535, [3]int{5, 7, 8}, "No " + user + ":" + password, alerts.DeliveryAuth, "535 5.7.8"},
		{smtp.StageAuth, 534, [3]int{5, 7, 9}, "Too weak", alerts.DeliveryAuth, "534 5.7.9"},
		{smtp.StageAuth, 454, [3]int{4, 7, 0}, "Temporary failure", alerts.DeliveryUnavailable, "454 4.7.0"},
		{smtp.StageMail, 550, [3]int{5, 7, 60}, "alerts@example.com may not send as Alerts", alerts.DeliveryAuth, "550 5.7.60: <@>"},
		{smtp.StageMail, 451, [3]int{4, 7, 1}, "Greylisted", alerts.DeliveryUnavailable, "451 4.7.1: Greylisted"},
		{smtp.StageMail, 454, [3]int{4, 7, 0}, "Throttling failure: Maximum sending rate exceeded", alerts.DeliveryQuota, "Throttling"},
		{smtp.StageRcpt, 550, [3]int{5, 1, 1}, "<ada.byron@example.org> ADA.BYRON unknown", alerts.DeliveryRefused, "recipient 1 at"},
		{smtp.StageRcpt, 450, [3]int{4, 2, 1}, "grace's mailbox is busy", alerts.DeliveryUnavailable, "450 4.2.1: <@>'s mailbox"},
		{smtp.StageRcpt, 530, [3]int{5, 7, 0}, "Authenticate", alerts.DeliveryAuth, "530 5.7.0"},
		{smtp.StageData, 550, [3]int{5, 7, 1}, "Content refused", alerts.DeliveryRefused, "550 5.7.1"},
		{smtp.StageData, 552, [3]int{5, 3, 4}, "Too large", alerts.DeliveryRefused, "552 5.3.4: Too large"},
		{smtp.StageData, 452, [3]int{4, 3, 1}, "Disk full", alerts.DeliveryUnavailable, "452 4.3.1: Disk full"},
	} {
		t.Run(fmt.Sprintf("%d/%d", tt.stage, tt.code), func(t *testing.T) {
			remove := r.server.Inject(smtp.Fault{Stage: tt.stage, Code: tt.code, Enhanced: tt.enhanced, Text: tt.text})
			defer remove()
			err := sendTo(t, r.options())
			if got := reasonOf(t, err); got != tt.want {
				t.Errorf("%s, want %s: %v", got, tt.want, err)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
	if n := len(r.server.Mails()); n != 0 {
		t.Errorf("%d mails were taken", n)
	}
}

func TestFaults(t *testing.T) {
	r := newRig(t, nil)
	for stage := smtp.StageConnect; stage <= smtp.StageData; stage++ {
		for kind, says := range map[smtp.FaultKind]string{smtp.FaultHang: "not done within 300ms", smtp.FaultReset: ""} {
			t.Run(fmt.Sprintf("%d/%d", stage, kind), func(t *testing.T) {
				defer r.server.Inject(smtp.Fault{Stage: stage, Kind: kind})()
				err := r.send(func(o *Options) {
					if kind == smtp.FaultHang {
						o.Timeout = 300 * time.Millisecond
					}
				})
				if got := reasonOf(t, err); got != alerts.DeliveryUnavailable || !strings.Contains(err.Error(), says) {
					t.Error(err)
				}
			})
		}
	}
}

// TestEnd holds that Send returns soon after its context has ended.
func TestEnd(t *testing.T) {
	r := newRig(t, nil)
	defer r.server.Inject(smtp.Fault{Stage: smtp.StageData, Kind: smtp.FaultHang})()
	s, err := New(r.options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("shutting down")
	time.AfterFunc(100*time.Millisecond, func() { cancel(enough) })
	if err := s.Send(ctx, letter()); !errors.Is(ctx.Err(), context.Canceled) || !strings.Contains(fmt.Sprint(err), "shutting down") {
		t.Error(err)
	}
}

// TestSomeRefused holds that one dead mailbox does not keep the mail from the others.
func TestSomeRefused(t *testing.T) {
	r := newRig(t, nil)
	r.server.Inject(smtp.Fault{Stage: smtp.StageRcpt, To: "ada.byron@example.org", Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "No ada.byron"})
	if err := r.send(nil); err != nil {
		t.Fatal(err)
	}
	if got := r.server.Mails()[0].To; !cmp.Equal(got, []string{"grace@example.net"}) {
		t.Errorf("taken for %q", got)
	}
	if log := r.logged(); !strings.Contains(log, `recipient=1 of=2 code="550 5.1.1"`) {
		t.Errorf("the log says %s", log)
	}
	discreet(t, r.logged())
	if err := r.send(func(o *Options) { o.Log = nil }); err != nil {
		t.Errorf("without a log: %v", err)
	}
	// When all are refused, one for good, it is tried again for the other's sake.
	r.server.Inject(smtp.Fault{Stage: smtp.StageRcpt, To: "grace@example.net", Code: 452, Enhanced: [3]int{4, 2, 2}, Text: "Full"})
	if err := r.send(nil); reasonOf(t, err) != alerts.DeliveryUnavailable || !strings.Contains(err.Error(), "recipient 2") {
		t.Error(err)
	}
}

func TestSecurity(t *testing.T) {
	bad := func(name string, server func(*smtp.Options), client func(*Options), want alerts.DeliveryReason, says string) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, server)
			err := r.send(client)
			if reasonOf(t, err) != want || !strings.Contains(err.Error(), says) {
				t.Error(err)
			}
			if len(r.server.Mails()) != 0 {
				t.Error("a mail was taken")
			}
		})
	}
	bad("no STARTTLS", func(o *smtp.Options) { o.TLS = nil }, nil, alerts.DeliveryUnavailable, "offers no STARTTLS")
	bad("a certificate of nobody known", nil, func(o *Options) { o.TLS = nil }, alerts.DeliveryUnavailable, "unknown authority")
	bad("a certificate of somebody else", nil, func(o *Options) { o.TLS.ServerName = "smtp.example.org" },
		alerts.DeliveryUnavailable, "certificate is valid for")
	bad("implicit TLS to a plain server", nil, func(o *Options) { o.Security = ImplicitTLS }, alerts.DeliveryUnavailable, "start TLS")
	bad("a wrong password", nil, func(o *Options) { o.Password = secret("wrong") }, alerts.DeliveryAuth, "535 5.7.8")
	bad("no password", nil, func(o *Options) { o.Username, o.Password = nil, nil }, alerts.DeliveryAuth, "530 5.7.0")
	bad("no AUTH", func(o *smtp.Options) { o.User = "" }, nil, alerts.DeliveryAuth, "neither AUTH PLAIN nor AUTH LOGIN")
	bad("no known AUTH", func(o *smtp.Options) { o.Mechanisms = []string{"XOAUTH2"} }, nil, alerts.DeliveryAuth, "neither AUTH PLAIN")
	bad("a password that cannot be read", nil,
		func(o *Options) {
			o.Password = func() (string, error) { return "", errors.New("open smtp.key: no such file") }
		},
		alerts.DeliveryAuth, "read the password: open smtp.key")
}

// script answers each line of a client with the next of its own, whatever the client says.
func script(t *testing.T, lines ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, line := range lines {
			if _, err := fmt.Fprint(conn, line); err != nil {
				return
			}
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

// TestOddServers holds what becomes of servers that no library plays.
func TestOddServers(t *testing.T) {
	hello := "250-odd\r\n250 STARTTLS\r\n"
	bad := func(says string, lines ...string) {
		t.Helper()
		err := sendTo(t, Options{Notifier: "oncall", Address: script(t, lines...), Timeout: time.Minute})
		if reasonOf(t, err) != alerts.DeliveryUnavailable || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	bad("454 4.7.0: TLS not available", "220 odd\r\n", hello, "454 4.7.0 TLS not available\r\n")
	bad("501 5.5.4", "220 odd\r\n", hello, "501 5.5.4 Syntax\r\n")
	bad("the server hung up", "220 odd\r\n", hello)
	bad("greet at", "HTTP/1.1 400 ada.byron@example.org grace\r\n")
	bad("greet at", strings.Repeat("220-on and on\r\n", 100_000))
	bad("start TLS at", "220 odd\r\n", hello, "220 go ahead\r\n", "this is no TLS\r\n")
	closed := script(t)
	if err := sendTo(t, Options{Notifier: "oncall", Address: closed, Timeout: time.Minute}); reasonOf(t, err) != alerts.DeliveryUnavailable {
		t.Error(err)
	}
}

// TestFarewell holds that a mail that was taken is not sent again because of how the server says goodbye.
func TestFarewell(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		_, _ = fmt.Fprint(conn, "220 rude\r\n")
		for data := false; ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch {
			case data && line == ".\r\n":
				_, _ = fmt.Fprint(conn, "250 taken\r\n")
				return
			case data:
			case strings.HasPrefix(line, "DATA"):
				data = true
				_, _ = fmt.Fprint(conn, "354 go on\r\n")
			default:
				_, _ = fmt.Fprint(conn, "250 ok\r\n")
			}
		}
	}()
	if err := sendTo(t, Options{Notifier: "oncall", Address: l.Addr().String(), Security: NoTLS}); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	bad := func(o Options, says string) {
		t.Helper()
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	bad(Options{Address: "smtp.example.com"}, "host:port")
	bad(Options{Address: ":587"}, "host:port")
	bad(Options{Address: "smtp.example.com:587", Username: secret(user)}, "a user needs a password")
	bad(Options{Address: "smtp.example.com:587", Password: secret(password)}, "a user needs a password")
	bad(Options{Address: "smtp.example.com:25", Security: NoTLS, Username: secret(user), Password: secret(password)}, "without TLS")
	given := &tls.Config{MinVersion: tls.VersionTLS13}
	s, err := New(Options{Address: "smtp.example.com:587", TLS: given})
	if err != nil || s.TLS.ServerName != "smtp.example.com" || given.ServerName != "" {
		t.Errorf("%v: the name to check is %q, the given configuration's %q", err, s.TLS.ServerName, given.ServerName)
	}
}
