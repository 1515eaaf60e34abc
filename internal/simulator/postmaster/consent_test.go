package postmaster_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

const (
	redirect = "http://127.0.0.1:1/"
	verifier = "a-verifier-that-is-at-least-forty-three-characters"
)

// consent opens the consent page and returns where it leads, nil when it shows an error.
func (w *world) consent(change ...string) (*url.URL, string) {
	w.Helper()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {postmaster.ClientID}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"the-state"},
		"scope": {postmaster.ScopeTraffic + " " + postmaster.ScopeDomain}, "access_type": {"offline"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := browser.Get(w.http.URL + postmaster.AuthPath + "?" + q.Encode())
	if err != nil {
		w.Fatal(err)
	}
	to, err := r.Location()
	status, body := w.read(r)
	if err != nil {
		if status != http.StatusBadRequest {
			w.Errorf("the page has status %d", status)
		}
		return nil, string(body)
	}
	if got := to.Query().Get("state"); got != q.Get("state") {
		w.Errorf("the state comes back as %q", got)
	}
	return to, ""
}

// exchange exchanges a code.
func (w *world) exchange(code string, change ...string) (int, []byte) {
	w.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {postmaster.ClientID}, "client_secret": {postmaster.ClientSecret},
		"code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	}
	for i := 0; i < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return w.postForm(w.http.URL+postmaster.TokenPath, form)
}

func TestConsent(t *testing.T) {
	w := start(t, func(o *postmaster.Options) { o.Testing = true })
	code := func(change ...string) string {
		to, _ := w.consent(change...)
		return to.Query().Get("code")
	}
	status, body := w.exchange(code())
	if status != http.StatusOK || w.field(body, "scope") != postmaster.ScopeTraffic+" "+postmaster.ScopeDomain {
		t.Fatalf("%d %s", status, body)
	}
	if got := w.field(body, "refresh_token_expires_in"); got != 604799.0 {
		t.Errorf("an app in Testing is told %v seconds", got)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {postmaster.ClientID}, "client_secret": {postmaster.ClientSecret},
		"refresh_token": {w.field(body, "refresh_token").(string)}}
	if status, body := w.postForm(w.http.URL+postmaster.TokenPath, form); status != http.StatusOK {
		t.Errorf("refresh: %d %s", status, body)
	}
	w.clock.add(7 * 24 * time.Hour)
	if status, body := w.postForm(w.http.URL+postmaster.TokenPath, form); status != http.StatusBadRequest || w.field(body, "error") != "invalid_grant" {
		t.Errorf("refresh after a week: %d %s", status, body)
	}

	// The second consent brings a refresh token only to those who ask for consent.
	if _, body := w.exchange(code()); strings.Contains(string(body), "refresh_token") {
		t.Errorf("a second consent: %s", body)
	}
	if _, body := w.exchange(code("prompt", "consent")); !strings.Contains(string(body), "refresh_token") {
		t.Errorf("a second consent that was asked for: %s", body)
	}
	w.server.SetUser(postmaster.User{Ticked: []string{postmaster.ScopeDomain}})
	if _, body := w.exchange(code()); w.field(body, "scope") != postmaster.ScopeDomain {
		t.Errorf("with one box ticked: %s", body)
	}
	w.server.SetUser(postmaster.User{Error: "access_denied"})
	if to, _ := w.consent(); to.Query().Get("error") != "access_denied" || to.Query().Has("code") {
		t.Errorf("the user who refuses is sent to %s", to)
	}
}

func TestConsentIsRefused(t *testing.T) {
	w := start(t)
	for want, change := range map[string][]string{
		"invalid_client":        {"client_id", "other"},
		"redirect_uri_mismatch": {"redirect_uri", "http://example.com/"},
		"invalid_request":       {"code_challenge_method", "plain"},
	} {
		if to, text := w.consent(change...); to != nil || !strings.Contains(text, want) {
			t.Errorf("%v: %v %s", change, to, text)
		}
	}
	for _, c := range []struct {
		want   string
		change []string
	}{
		{"invalid_grant", []string{"code_verifier", "another"}}, {"invalid_grant", []string{"code_verifier", ""}},
		{"invalid_grant", []string{"code", "another"}}, {"redirect_uri_mismatch", []string{"redirect_uri", "http://127.0.0.1:2/"}},
		{"invalid_client", []string{"client_secret", "another"}},
	} {
		to, _ := w.consent()
		code := to.Query().Get("code")
		if status, body := w.exchange(code, c.change...); status < 400 || w.field(body, "error") != c.want {
			t.Errorf("%v: %d %s, want %s", c.change, status, body, c.want)
		}
	}
	to, _ := w.consent()
	code := to.Query().Get("code")
	w.exchange(code)
	if status, body := w.exchange(code); status != http.StatusBadRequest || w.field(body, "error") != "invalid_grant" {
		t.Errorf("a code that was used: %d %s", status, body)
	}
	to, _ = w.consent()
	w.clock.add(10 * time.Minute)
	if status, body := w.exchange(to.Query().Get("code")); status != http.StatusBadRequest || w.field(body, "error") != "invalid_grant" {
		t.Errorf("a code that is too old: %d %s", status, body)
	}
}
