package gate

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// Caller is who signed a request, and for what.
type Caller struct {
	// Account is the 12 digits of the account that the credentials belong to, ARN names the caller.
	Account, ARN string
	// Region and Service are those of the signature's scope, such as monitoring for CloudWatch.
	Region, Service string
}

// Identify finds out who signed a request for one of the services. It does not verify the signature: any access key is one
// of the gate's own account, unless the security token is that of a Session.
func (g *Gate) Identify(r *http.Request, services ...string) (Caller, *Error) {
	signature, err := wire.Signed(r)
	c := Caller{Account: g.account, ARN: "arn:aws:iam::" + g.account + ":user/simulator", Region: signature.Region, Service: signature.Service}
	switch {
	case errors.Is(err, wire.ErrUnsigned):
		return c, NewError("MissingAuthenticationToken")
	case errors.Is(err, wire.ErrIncomplete):
		return c, NewError("IncompleteSignature")
	}
	for _, service := range services {
		if c.Service != service {
			continue
		}
		session, ok := parseSession(r.Header.Get("X-Amz-Security-Token"))
		if ok && !g.now().Before(session.Expires) {
			return c, NewError("ExpiredToken")
		}
		if ok {
			c.Account, c.ARN = session.account(), session.ARN()
		}
		return c, nil
	}
	return c, NewError("SignatureDoesNotMatch")
}

// Session is a role that was assumed. It is kept in its token alone.
type Session struct {
	// Role is the ARN of the role, Name that of the session.
	Role, Name string
	// Expires is in whole seconds.
	Expires time.Time
}

const tokenPrefix = "simulated."

// Token is the security token of the session.
func (s Session) Token() string {
	text := strings.Join([]string{s.Role, s.Name, strconv.FormatInt(s.Expires.Unix(), 10)}, "\n")
	return tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(text))
}

// ARN is that of the assumed role.
func (s Session) ARN() string {
	role := s.Role[strings.LastIndexByte(s.Role, '/')+1:]
	return "arn:aws:sts::" + s.account() + ":assumed-role/" + role + "/" + s.Name
}

func (s Session) account() string {
	parts := strings.Split(s.Role, ":")
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// parseSession reads a token; ok is false for one of any other kind.
func parseSession(token string) (s Session, ok bool) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return s, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "\n")
	if err != nil || len(parts) != 3 {
		return s, false
	}
	seconds, err := strconv.ParseInt(parts[2], 10, 64)
	return Session{Role: parts[0], Name: parts[1], Expires: time.Unix(seconds, 0)}, err == nil
}
