package smtp

import (
	"crypto/subtle"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

var _ smtp.AuthSession = (*session)(nil)

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	o := &s.server.options
	switch {
	case o.User == "":
		return nil
	case o.Mechanisms == nil:
		return []string{sasl.Plain}
	default:
		return o.Mechanisms
	}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if err := s.server.strike(StageAuth, "", s.conn.Conn()); err != nil {
		return nil, err
	}
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return s.authenticate(user, password) }), nil
	case sasl.Login:
		return &login{check: s.authenticate}, nil
	default:
		return nil, smtp.ErrAuthUnknownMechanism
	}
}

func (s *session) authenticate(user, password string) error {
	o := &s.server.options
	if subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(o.User+"\x00"+o.Password)) != 1 {
		return smtp.ErrAuthFailed
	}
	s.user = user
	return nil
}

// login is the server's side of AUTH LOGIN, which the library lacks.
type login struct {
	check func(user, password string) error
	given []string
	asked int
}

// Next implements sasl.Server.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.asked > 0 {
		l.given = append(l.given, string(response))
	}
	l.asked++
	switch len(l.given) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(l.given[0], l.given[1])
	}
}
