package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

const (
	// maxMail bounds a mail that is kept.
	maxMail = 1 << 20
	// patience is how long a silent client keeps its connection.
	patience = 30 * time.Second
)

// Options says what kind of server it is.
type Options struct {
	// TLS offers STARTTLS, or, with Implicit, begins with TLS. Nil is a server without.
	TLS      *tls.Config
	Implicit bool
	// User and Password, when not empty, must be given before a mail, by one of the Mechanisms; PLAIN when there are none.
	User, Password string
	Mechanisms     []string
}

// Mail is one that was taken.
type Mail struct {
	From string
	To   []string
	Data []byte
	// Hello is the name that the client gave; TLS says that nobody could read it on the way; User who authenticated.
	Hello string
	TLS   bool
	User  string
}

// Server is a running server.
type Server struct {
	options  Options
	listener net.Listener
	server   *smtp.Server
	closing  chan struct{}
	close    sync.Once
	joined   sync.WaitGroup
	faults   *fault.Set[Fault]

	mu    sync.Mutex // protects mails
	mails []Mail
}

// Start listens. The context bounds the start only; Close ends the server.
func Start(ctx context.Context, o Options) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the mail server: %w", err)
	}
	s := &Server{options: o, listener: listener, closing: make(chan struct{}), faults: fault.NewSet[Fault](0)}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if err := s.strike(StageHello, "", c.Conn()); err != nil {
			return nil, err
		}
		return &session{server: s, conn: c}, nil
	}))
	s.server.Domain = "mail.simulator"
	s.server.AllowInsecureAuth = o.TLS == nil
	s.server.MaxMessageBytes = maxMail
	s.server.ReadTimeout, s.server.WriteTimeout = patience, patience
	s.server.ErrorLog = silence{}
	var serve net.Listener = &troubled{listener, s}
	if o.TLS != nil && o.Implicit {
		serve = tls.NewListener(serve, o.TLS)
	} else {
		s.server.TLSConfig = o.TLS
	}
	s.joined.Go(func() { _ = s.server.Serve(serve) })
	return s, nil
}

// Address is where it listens: host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Mails are those that were taken.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Close ends the server and all connections.
func (s *Server) Close() {
	s.close.Do(func() { close(s.closing) })
	_ = s.server.Close()
	_ = s.listener.Close() // which the library does not know before it has begun to serve
	s.joined.Wait()
}

// silence is a log that nobody reads: what goes wrong with a connection is seen at its other end.
type silence struct{}

// Printf implements smtp.Logger.
func (silence) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silence) Println(...any) {}

// session is one connection's.
type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	mail   Mail
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if err := s.server.strike(StageMail, from, s.conn.Conn()); err != nil {
		return err
	}
	if s.server.options.User != "" && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	_, secure := s.conn.TLSConnectionState()
	s.mail = Mail{From: from, Hello: s.conn.Hostname(), TLS: secure, User: s.user}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.server.strike(StageRcpt, to, s.conn.Conn()); err != nil {
		return err
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.server.strike(StageData, "", s.conn.Conn()); err != nil {
		return err
	}
	s.mail.Data = data
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

var errClosed = errors.New("closed")
