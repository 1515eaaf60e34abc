package postmaster

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AuthPath is the path of the page on which a user gives consent.
const AuthPath = "/o/oauth2/auth"

const (
	// codeLife is how long the code of a consent may be exchanged.
	codeLife = 10 * time.Minute
	// testingLife is how long the consent given to an app in Testing holds
	// (https://developers.google.com/identity/protocols/oauth2#expiration).
	testingLife = 7 * 24 * time.Hour
)

// User is what the user does on the consent page. The zero User allows all that is asked for.
type User struct {
	// Error, when not empty, is sent back in place of a code: access_denied when the user presses Cancel.
	Error string
	// Ticked are the scopes that are allowed, all when nil.
	Ticked []string
	// NoRefreshToken keeps the refresh token back, as some administrators' policies do.
	NoRefreshToken bool
}

// SetUser changes what the user does from now on.
func (s *Server) SetUser(u User) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	s.tokens.user = u
}

// Client is the file of an OAuth client of type Desktop app, as the Google Cloud console hands it out. Its addresses lead to
// the Server at base, an address without a path.
func (s *Server) Client(base string) []byte {
	return encode(map[string]any{"installed": map[string]any{
		"client_id": ClientID, "project_id": "simulator", "auth_uri": base + AuthPath, "token_uri": base + TokenPath,
		"client_secret": ClientSecret, "redirect_uris": []string{"http://localhost"},
	}})
}

// code is what was consented to, until it is exchanged.
type code struct {
	redirect, challenge string
	scopes              []string
	// refresh says that a refresh token comes with it.
	refresh bool
	expires time.Time
}

// authorization answers the consent page: as the user does at once.
func (s *Server) authorization(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if why := refusedPage(q, redirect, err); why != "" {
		// Google shows these to the user: nothing may be sent to an address that cannot be trusted.
		http.Error(w, "Access blocked: Authorization Error\nError 400: "+why, http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.user.Error != "" {
		answer.Set("error", t.user.Error)
	} else {
		scopes := strings.Fields(q.Get("scope"))
		if t.user.Ticked != nil {
			scopes = slices.DeleteFunc(scopes, func(scope string) bool { return !slices.Contains(t.user.Ticked, scope) })
		}
		text := t.text("4/0simulator-")
		t.codes[text] = &code{
			redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scopes: scopes, expires: s.now().Add(codeLife),
			// Google gives a refresh token with the first consent, and again only to those who make the user consent again.
			refresh: q.Get("access_type") == "offline" && (!t.consented || q.Get("prompt") == "consent") && !t.user.NoRefreshToken,
		}
		t.consented = true
		answer.Set("code", text)
		answer.Set("scope", strings.Join(scopes, " "))
	}
	redirect.RawQuery = answer.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

// refusedPage says why the consent page is not shown, in Google's words.
func refusedPage(q url.Values, redirect *url.URL, err error) string {
	switch {
	case q.Get("client_id") != ClientID:
		return "invalid_client"
	case err != nil || redirect.Scheme != "http" || !loopback(redirect.Hostname()):
		return "redirect_uri_mismatch"
	case q.Get("response_type") != "code", q.Get("scope") == "":
		return "invalid_request"
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		return "invalid_request"
	default:
		return ""
	}
}

// loopback is where the answers for an app on a desktop go (RFC 8252, section 7.3).
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// exchange issues tokens for the code of a consent (RFC 6749, section 4.1.3, and RFC 7636).
func (s *Server) exchange(r *http.Request) (*issued, *tokenError) {
	bad := func(name, why string) (*issued, *tokenError) {
		return nil, &tokenError{http.StatusBadRequest, name, why}
	}
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	text := r.PostForm.Get("code")
	c := t.codes[text]
	delete(t.codes, text)
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case c == nil || !s.now().Before(c.expires):
		return bad("invalid_grant", "Malformed auth code.")
	case r.PostForm.Get("redirect_uri") != c.redirect:
		return bad("redirect_uri_mismatch", "Bad Request")
	case c.challenge != "" && r.PostForm.Get("code_verifier") == "":
		return bad("invalid_grant", "Missing code verifier.")
	case c.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge:
		return bad("invalid_grant", "Invalid code verifier.")
	}
	g := &grant{scopes: c.scopes}
	answer, e := s.issue(g, "", false)
	if e != nil || !c.refresh {
		return answer, e
	}
	answer.RefreshToken = t.text("1//0simulator-")
	if s.options.Testing {
		g.expires = s.now().Add(testingLife)
		answer.RefreshTokenExpiresIn = int(testingLife/time.Second) - 1
	}
	t.grants[answer.RefreshToken] = g
	return answer, nil
}
