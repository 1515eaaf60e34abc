package postmaster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const scopeBase = "https://www.googleapis.com/auth/"

// The scopes. Those of version 2 do not open version 1, nor the reverse.
const (
	ScopeAll     = scopeBase + "postmaster"
	ScopeTraffic = scopeBase + "postmaster.traffic.readonly"
	ScopeDomain  = scopeBase + "postmaster.domain"
	ScopeV1      = scopeBase + "postmaster.readonly"
)

// DefaultScopes are those that consent is given for when none are named: enough to read everything.
func DefaultScopes() []string { return []string{ScopeTraffic, ScopeDomain, ScopeV1} }

// scopesOf lists the scopes of which an operation needs one.
func scopesOf(op string) []string {
	switch op {
	case OpListDomains, OpGetDomain:
		return []string{ScopeAll, ScopeDomain}
	case OpComplianceStatus, OpQuery, OpBatchQuery:
		return []string{ScopeAll, ScopeTraffic}
	default:
		return []string{ScopeV1}
	}
}

// The client of the credentials that a Server hands out.
const (
	ClientID     = "000000000000-simulator.apps.googleusercontent.com"
	ClientSecret = "GOCSPX-simulator"
)

// tokens are the consents and what was issued on them.
type tokens struct {
	mu     sync.Mutex
	rand   *rand.Rand
	grants map[string]*grant
	access map[string]*access
	codes  map[string]*code
	user   User
	// consented says that the user has allowed something before.
	consented bool
}

// grant is a user's consent, by its refresh token, or the delegation to a service account, by its e-mail address.
type grant struct {
	scopes  []string
	revoked bool
	// expires is when it ends by itself, zero when it does not.
	expires time.Time
	service *serviceAccount
}

// access is what an access token is good for.
type access struct {
	scopes  []string
	expires time.Time
	// stranger says that the token is of a service account that acts for nobody: no domain lets it in.
	stranger bool
}

// Grant gives consent, to DefaultScopes when none are named, and returns the refresh token.
func (s *Server) Grant(scopes ...string) (refreshToken string) {
	if len(scopes) == 0 {
		scopes = DefaultScopes()
	}
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	refreshToken = t.text("1//0simulator-")
	t.grants[refreshToken] = &grant{scopes: scopes}
	return refreshToken
}

// text makes the text of a token. The lock is held.
func (t *tokens) text(prefix string) string {
	return fmt.Sprintf("%s%016x%016x", prefix, t.rand.Uint64(), t.rand.Uint64())
}

// AuthorizedUser gives consent as Grant does and returns a credentials file of type authorized_user. Its token_uri leads to
// the Server at base, an address without a path.
func (s *Server) AuthorizedUser(base string, scopes ...string) []byte {
	return encode(map[string]string{"type": "authorized_user", "client_id": ClientID, "client_secret": ClientSecret,
		"refresh_token": s.Grant(scopes...), "token_uri": base + TokenPath})
}

// ExpireTokens lets every access token expire.
func (s *Server) ExpireTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.access)
}

// Revoke takes all consent back that was given so far.
func (s *Server) Revoke() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.access)
	for _, g := range s.tokens.grants {
		g.revoked = true
	}
}

// issued is the answer of the token endpoint.
type issued struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	TokenType   string `json:"token_type"`
	// The refresh token comes with the exchange of a code alone; when it expires is told for an app in Testing.
	RefreshToken          string `json:"refresh_token,omitempty"`
	RefreshTokenExpiresIn int    `json:"refresh_token_expires_in,omitempty"`
}

// token answers the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) (*issued, *tokenError) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		return nil, &tokenError{http.StatusBadRequest, "invalid_request", "The form could not be read."}
	}
	switch kind := r.PostForm.Get("grant_type"); kind {
	case "refresh_token", "authorization_code":
		if id, secret := clientOf(r); id != ClientID || secret != ClientSecret {
			return nil, &tokenError{http.StatusUnauthorized, "invalid_client", "The OAuth client was not found."}
		}
		if kind == "authorization_code" {
			return s.exchange(r)
		}
		return s.refresh(r)
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		return s.assert(r)
	default:
		return nil, &tokenError{http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type."}
	}
}

func clientOf(r *http.Request) (id, secret string) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return id, secret
}

// refresh issues an access token for a refresh token.
func (s *Server) refresh(r *http.Request) (*issued, *tokenError) {
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.grants[r.PostForm.Get("refresh_token")]
	if g == nil || g.revoked || g.service != nil || !g.expires.IsZero() && !s.now().Before(g.expires) {
		return nil, &tokenError{http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked."}
	}
	return s.issue(g, r.PostForm.Get("scope"), false)
}

// issue makes an access token for the scopes asked for, all of the grant's when there are none. The lock is held.
func (s *Server) issue(g *grant, scope string, stranger bool) (*issued, *tokenError) {
	scopes := g.scopes
	if scope != "" {
		scopes = strings.Fields(scope)
	}
	for _, asked := range scopes {
		if !slices.Contains(g.scopes, asked) {
			return nil, &tokenError{http.StatusBadRequest, "invalid_scope", "Some requested scopes were invalid."}
		}
	}
	t, now := &s.tokens, s.now()
	maps.DeleteFunc(t.access, func(_ string, a *access) bool { return !now.Before(a.expires) })
	text := t.text("ya29.simulator-")
	t.access[text] = &access{scopes: scopes, expires: now.Add(s.options.TokenLife), stranger: stranger}
	return &issued{
		AccessToken: text, ExpiresIn: int(s.options.TokenLife / time.Second), Scope: strings.Join(scopes, " "), TokenType: "Bearer",
	}, nil
}

// authorize finds the access token of a call and checks its scopes.
func (s *Server) authorize(c *call) *apiError {
	text, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return newError("CREDENTIALS_MISSING")
	}
	s.tokens.mu.Lock()
	c.access = s.tokens.access[text]
	s.tokens.mu.Unlock()
	if c.access == nil || !s.now().Before(c.access.expires) {
		return newError("ACCESS_TOKEN_EXPIRED")
	}
	for _, scope := range scopesOf(c.op) {
		if slices.Contains(c.access.scopes, scope) {
			return nil
		}
	}
	return newError("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
}
