package smtp

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/emersion/go-smtp"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

// Stage is a step of the conversation.
type Stage uint8

// The stages, in their order.
const (
	StageConnect Stage = iota
	StageHello
	StageAuth
	StageMail
	StageRcpt
	// StageData comes when the whole mail has been sent.
	StageData
)

// FaultKind is what an injected fault does.
type FaultKind uint8

// The kinds of faults.
const (
	// FaultReply refuses with a reply.
	FaultReply FaultKind = iota
	// FaultHang says nothing more.
	FaultHang
	// FaultReset resets the connection.
	FaultReset
)

// Fault is something that goes wrong while it is injected.
type Fault struct {
	Kind  FaultKind
	Stage Stage
	// To selects a recipient at StageRcpt, all when empty.
	To string
	// Code, Enhanced and Text are the reply of FaultReply.
	Code     int
	Enhanced [3]int
	Text     string
}

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) { return s.faults.Inject(f, fault.When{}) }

func (s *Server) pick(stage Stage, about string) *Fault {
	return s.faults.First(func(f *Fault) bool { return f.Stage == stage && (f.To == "" || f.To == about) })
}

// strike lets a fault happen; a nil error says that there was none.
func (s *Server) strike(stage Stage, about string, conn net.Conn) error {
	f := s.pick(stage, about)
	if f == nil {
		return nil
	}
	switch f.Kind {
	case FaultReply:
		return &smtp.SMTPError{Code: f.Code, EnhancedCode: f.Enhanced, Message: f.Text}
	case FaultHang:
		<-s.closing
	case FaultReset:
		reset(conn)
	}
	return errClosed
}

func reset(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}

// troubled is a listener that fails connections before the greeting.
type troubled struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l *troubled) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		f := l.server.pick(StageConnect, "")
		if f == nil {
			return conn, nil
		}
		l.server.joined.Go(func() { l.server.disturb(conn, f) })
	}
}

func (s *Server) disturb(conn net.Conn, f *Fault) {
	switch f.Kind {
	case FaultReply:
		_, _ = fmt.Fprintf(conn, "%d %d.%d.%d %s\r\n", f.Code, f.Enhanced[0], f.Enhanced[1], f.Enhanced[2], f.Text)
	case FaultHang:
		<-s.closing
	case FaultReset:
		reset(conn)
	}
	_ = conn.Close()
}
