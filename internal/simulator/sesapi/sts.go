package sesapi

import (
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/gate"
)

var (
	roleForm    = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/[\w+=,.@/-]+$`)
	sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// assume answers AssumeRole
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). Any role of any account can be assumed.
func (s *Server) assume(caller gate.Caller, r *http.Request) (element, *gate.Error) {
	role, name := r.PostForm.Get("RoleArn"), r.PostForm.Get("RoleSessionName")
	account := roleForm.FindStringSubmatch(role)
	if account == nil || !sessionForm.MatchString(name) {
		return element{}, gate.Errorf("ValidationError", "%s cannot assume %q as %q: one of the names is invalid", caller.ARN, role, name)
	}
	seconds := 3600
	if text := r.PostForm.Get("DurationSeconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 900 || n > 43_200 {
			return element{}, gate.Errorf("ValidationError", "DurationSeconds must be between 900 and 43200.")
		}
		seconds = n
	}
	session := gate.Session{Role: role, Name: name, Expires: s.now().Add(time.Duration(seconds) * time.Second).Truncate(time.Second)}
	return element{children: []element{
		{name: "AssumedRoleUser", children: []element{leaf("AssumedRoleId", "AROASIMULATED:"+name), leaf("Arn", session.ARN())}},
		{name: "Credentials", children: []element{leaf("AccessKeyId", "ASIA"+account[1]), leaf("SecretAccessKey", "simulated"),
			leaf("SessionToken", session.Token()), leaf("Expiration", session.Expires.UTC().Format(time.RFC3339))}},
	}}, nil
}
