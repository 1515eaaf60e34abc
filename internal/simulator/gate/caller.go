package gate

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Caller is who signed a request, and for what.
type Caller struct {
	// Account is the 12 digits of the account that the credentials belong to, ARN names the caller.
	Account, ARN string
	// Region and Service are those of the signature's scope, such as monitoring for CloudWatch.
	Region, Service string
}

// Service is the service that a request was signed for, empty when it was not signed.
func Service(r *http.Request) string {
	c, _ := parse(r)
	return c.Service
}

// parse reads the scope of a signature of version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
func parse(r *http.Request) (c Caller, e *Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return c, NewError("MissingAuthenticationToken")
	}
	parameters, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	_, credential, found := strings.Cut(parameters, "Credential=")
	if !ok || !found || !strings.Contains(parameters, "SignedHeaders=") || !strings.Contains(parameters, "Signature=") {
		return c, NewError("IncompleteSignature")
	}
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return c, NewError("SignatureDoesNotMatch")
	}
	c.Region, c.Service = scope[2], scope[3]
	return c, nil
}

// Identify finds out who signed a request for one of the services. It does not verify the signature: any access key is one
// of the gate's own account, unless the security token is that of a Session.
func (g *Gate) Identify(r *http.Request, services ...string) (Caller, *Error) {
	c, e := parse(r)
	if e != nil {
		return c, e
	}
	c.Account, c.ARN = g.account, "arn:aws:iam::"+g.account+":user/simulator"
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
