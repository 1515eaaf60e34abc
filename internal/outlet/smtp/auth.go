package smtp

import (
	"errors"
	"net/smtp"
	"slices"
	"strings"
)

// authenticate proves who sends, by PLAIN (RFC 4616) or by the older LOGIN, which Exchange and others still want.
func (s *Server) authenticate(client *smtp.Client, c credentials) error {
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	var auth smtp.Auth
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		auth = smtp.PlainAuth("", c.user, c.password, s.host)
	case slices.Contains(mechanisms, "LOGIN"):
		auth = &login{answers: []string{c.user, c.password}}
	default:
		return &fault{stage: stageAuth, err: errNoAuth}
	}
	if err := client.Auth(auth); err != nil {
		return &fault{stage: stageAuth, err: err}
	}
	return nil
}

// login is AUTH LOGIN: the server asks for the user, then for the password, in words that differ from server to server
// (draft-murchison-sasl-login). It is used over TLS only, because New takes no password without.
type login struct{ answers []string }

var errAsksOn = errors.New("the server asks for more than a user and a password")

// Start implements smtp.Auth.
func (l *login) Start(*smtp.ServerInfo) (mechanism string, first []byte, err error) {
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth.
func (l *login) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(l.answers) == 0 {
		return nil, errAsksOn
	}
	answer := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(answer), nil
}
