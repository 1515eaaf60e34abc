package postmaster

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
)

// ServiceEmail is the address of the service account, Subject the user for whom it may act.
const (
	ServiceEmail = "simulator@simulator.iam.gserviceaccount.com"
	Subject      = "postmaster@example.com"
)

// serviceAccount is the key of a service account.
type serviceAccount struct{ key *rsa.PublicKey }

// ServiceAccount delegates the domain to a service account, for DefaultScopes when none are named, and returns its
// credentials file. It may act for Subject; without a subject it gets tokens that no domain lets in.
func (s *Server) ServiceAccount(base string, scopes ...string) ([]byte, error) {
	if len(scopes) == 0 {
		scopes = DefaultScopes()
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make the key of a service account: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the key of a service account: %w", err)
	}
	s.tokens.mu.Lock()
	s.tokens.grants[ServiceEmail] = &grant{scopes: scopes, service: &serviceAccount{&key.PublicKey}}
	s.tokens.mu.Unlock()
	return encode(map[string]string{"type": "service_account", "project_id": "simulator", "private_key_id": "simulator",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": ServiceEmail, "client_id": "000000000000", "token_uri": base + TokenPath}), nil
}

// claims are those of a service account's assertion (RFC 7523).
type claims struct {
	Issuer  string `json:"iss"`
	Scope   string `json:"scope"`
	Aud     string `json:"aud"`
	Subject string `json:"sub"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
}

// assert issues an access token for a signed assertion.
func (s *Server) assert(r *http.Request) (*issued, *tokenError) {
	bad := func(why string) (*issued, *tokenError) {
		return nil, &tokenError{http.StatusBadRequest, "invalid_grant", why}
	}
	parts := strings.Split(r.PostForm.Get("assertion"), ".")
	if len(parts) != 3 {
		return bad("Invalid JWT.")
	}
	var c claims
	body, err1 := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil || json.Unmarshal(body, &c) != nil {
		return bad("Invalid JWT.")
	}
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.grants[c.Issuer]
	if g == nil || g.service == nil || g.revoked {
		return bad("Invalid grant: account not found")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch {
	case rsa.VerifyPKCS1v15(g.service.key, crypto.SHA256, sum[:], signature) != nil:
		return bad("Invalid JWT Signature.")
	case !strings.HasSuffix(c.Aud, r.Host+TokenPath):
		return bad("Invalid JWT: Failed audience check.")
	case c.Expires <= c.Issued, c.Expires-c.Issued > 3600: // the client's clock need not be the simulator's
		return bad("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
	case c.Subject != "" && c.Subject != Subject:
		return nil, &tokenError{http.StatusUnauthorized, "unauthorized_client", "Client is unauthorized to retrieve access tokens " +
			"using this method, or client not authorized for any of the scopes requested."}
	}
	return s.issue(g, c.Scope, c.Subject == "")
}
