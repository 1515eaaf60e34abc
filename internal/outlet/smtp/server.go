package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"time"

	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/outlet/mail"
)

// Security says how a connection is protected.
type Security uint8

// The ways. Without TLS there are no credentials: anybody could read them.
const (
	// StartTLS begins in the clear and sends nothing before the server has agreed to TLS (RFC 3207): port 587.
	StartTLS Security = iota
	// ImplicitTLS begins with TLS (RFC 8314): port 465.
	ImplicitTLS
	// NoTLS is for a relay on the same machine or network: port 25.
	NoTLS
)

const (
	// timeout bounds the sending of a mail. Servers that look into mails take their time before they take one.
	timeout = time.Minute
	// maxReplies bounds what a server may say in one connection.
	maxReplies = 1 << 20
)

// Options says which server.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// Address is host:port.
	Address  string
	Security Security
	// TLS is the configuration of TLS; the host's name is checked when it names no other.
	TLS *tls.Config
	// Username and Password are asked for each mail; without both there is no AUTH.
	Username, Password delivery.Secret
	// Hello is the name by which the client introduces itself, its IP address when empty.
	Hello string
	// Timeout bounds the sending of one mail, one minute when 0.
	Timeout time.Duration
	// Log is told when some of several recipients are refused; nobody is when it is nil.
	Log *slog.Logger
}

// Server is a server that takes mails.
type Server struct {
	Options
	host string
}

// New makes a Server. It makes no connection.
func New(o Options) (*Server, error) {
	host, _, err := net.SplitHostPort(o.Address)
	switch {
	case err != nil || host == "":
		return nil, errors.New("the server must be named as host:port, such as smtp.example.com:587")
	case (o.Username == nil) != (o.Password == nil):
		return nil, errors.New("a user needs a password, and a password a user")
	case o.Security == NoTLS && o.Password != nil:
		return nil, errors.New("without TLS no password is sent: anybody could read it")
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	o.TLS = o.TLS.Clone()
	o.TLS.ServerName = cmp.Or(o.TLS.ServerName, host)
	o.Timeout = cmp.Or(o.Timeout, timeout)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{o, host}, nil
}

// Send hands a mail over. It returns nil once the server has taken it for at least one recipient; the log tells of others. The
// error is an *alerts.DeliveryError.
func (s *Server) Send(ctx context.Context, m *mail.Message) error {
	raw, err := m.Compose()
	if err != nil {
		return s.fail(&fault{stage: stageCompose, err: err}, nil)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, &silenceError{s.Timeout})
	defer cancel()
	secrets, err := s.secrets()
	if err != nil {
		return s.fail(&fault{stage: stageSecret, err: err}, nil)
	}
	err = s.send(ctx, m, raw, secrets)
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = &fault{stage: stageConnect, err: cause} // the connection was closed because of it
	}
	return s.fail(err, append(m.Addresses(), m.From.Address, secrets.user, secrets.password))
}

// credentials are a user and a password, empty without AUTH.
type credentials struct{ user, password string }

func (s *Server) secrets() (c credentials, err error) {
	if s.Password == nil {
		return c, nil
	}
	if c.user, err = s.Username(); err != nil {
		return c, fmt.Errorf("read the user: %w", err)
	}
	if c.password, err = s.Password(); err != nil {
		return c, fmt.Errorf("read the password: %w", err)
	}
	return c, nil
}

// send makes the connection and talks.
func (s *Server) send(ctx context.Context, m *mail.Message, raw []byte, secrets credentials) error {
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return &fault{stage: stageConnect, err: err}
	}
	defer plain.Close()
	// The client knows no context: closing the connection ends whatever it waits for.
	defer context.AfterFunc(ctx, func() { _ = plain.Close() })()
	client, err := s.greet(ctx, plain)
	if err != nil {
		return err
	}
	if s.Password != nil {
		if err := s.authenticate(client, secrets); err != nil {
			return err
		}
	}
	if err := s.transfer(client, m, raw); err != nil {
		return err
	}
	_ = client.Quit() // the mail is taken, whatever the server says to the farewell
	return nil
}

// greet begins the conversation, and TLS.
func (s *Server) greet(ctx context.Context, plain net.Conn) (*smtp.Client, error) {
	conn := net.Conn(&boundedConn{Conn: plain, left: maxReplies})
	if s.Security == ImplicitTLS {
		secure := tls.Client(conn, s.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, &fault{stage: stageTLS, err: err}
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, &fault{stage: stageGreeting, err: err}
	}
	if err := client.Hello(cmp.Or(s.Hello, literal(plain.LocalAddr()))); err != nil {
		return nil, &fault{stage: stageGreeting, err: err}
	}
	if s.Security != StartTLS {
		return client, nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return nil, &fault{stage: stageTLS, err: errNoTLS}
	}
	if err := client.StartTLS(s.TLS); err != nil {
		return nil, &fault{stage: stageTLS, err: err}
	}
	return client, nil
}

// literal is the name of a client that has none (RFC 5321, section 4.1.3).
func literal(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}

// transfer hands the mail over. A recipient who is refused does not keep the others from theirs.
func (s *Server) transfer(client *smtp.Client, m *mail.Message, raw []byte) error {
	if err := client.Mail(m.From.Address); err != nil {
		return &fault{stage: stageSender, err: err}
	}
	var refused []*fault
	for i, to := range m.Addresses() {
		if err := client.Rcpt(to); err != nil {
			refused = append(refused, &fault{stage: stageRecipient, recipient: i + 1, err: err})
		}
	}
	if len(refused) == len(m.To) {
		return worst(refused)
	}
	w, err := client.Data()
	if err != nil {
		return &fault{stage: stageData, err: err}
	}
	if _, err := w.Write(raw); err != nil {
		return &fault{stage: stageData, err: err}
	}
	if err := w.Close(); err != nil {
		return &fault{stage: stageData, err: err}
	}
	for _, f := range refused {
		s.Log.Warn("a recipient of a notification was refused, the others have it", "notifier", s.Notifier,
			"recipient", f.recipient, "of", len(m.To), "code", f.code())
	}
	return nil
}

// boundedConn is a connection that ends when the other side has said too much.
type boundedConn struct {
	net.Conn
	left int
}

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
