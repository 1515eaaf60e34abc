package postmaster_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

func TestAccessTokensExpire(t *testing.T) {
	w := start(t, func(o *postmaster.Options) { o.TokenLife = 0 })
	w.clock.add(time.Hour - time.Second)
	w.get("/v2/domains")
	w.clock.add(time.Second)
	if got := w.reason(w.ask("/v2/domains")); got != "UNAUTHENTICATED ACCESS_TOKEN_EXPIRED" {
		t.Errorf("after an hour: %s", got)
	}
	w.login()
	w.get("/v2/domains")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.http.URL+"/v2/domains", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	challenge := answer.Header.Get("WWW-Authenticate")
	if got := w.reason(w.read(answer)); got != "UNAUTHENTICATED CREDENTIALS_MISSING" || challenge == "" {
		t.Errorf("without a token: %s, challenge %q", got, challenge)
	}
}

func TestRevokedConsentIsTold(t *testing.T) {
	w := start(t)
	file := w.server.AuthorizedUser(w.http.URL)
	status, body := w.refresh(file)
	if status != http.StatusOK || w.field(body, "expires_in").(float64) <= 0 || w.field(body, "token_type") != "Bearer" {
		t.Fatalf("%d %s", status, body)
	}
	w.server.Revoke()
	if status, body := w.refresh(file); status != http.StatusBadRequest || w.field(body, "error") != "invalid_grant" {
		t.Errorf("a revoked token: %d %s", status, body)
	}
	if got := w.reason(w.ask("/v2/domains")); got != "UNAUTHENTICATED ACCESS_TOKEN_EXPIRED" {
		t.Errorf("an access token after it: %s", got)
	}
	w.login() // consent can be given anew
	w.get("/v2/domains")
}

func TestTokenEndpointRefuses(t *testing.T) {
	w := start(t)
	file := w.server.AuthorizedUser(w.http.URL, postmaster.ScopeTraffic)
	for want, change := range map[string][]string{
		"invalid_client":         {"client_secret", "wrong"},
		"invalid_grant":          {"refresh_token", postmaster.ServiceEmail},
		"unsupported_grant_type": {"grant_type", "password"},
		"invalid_scope":          {"scope", postmaster.ScopeTraffic + " " + postmaster.ScopeDomain},
	} {
		if status, body := w.refresh(file, change...); status < 400 || w.field(body, "error") != want {
			t.Errorf("%v: %d %s, want %s", change, status, body, want)
		}
	}
}

func TestScopesAreChecked(t *testing.T) {
	w := start(t)
	query := span("", metric("m", "SPAM_RATE", ""))
	calls := map[string][]byte{"/v2/domains": nil, "/v2/domains/example.com": nil, "/v2/domains/example.com/complianceStatus": nil,
		queryPath: query, "/v2/domainStats:batchQuery": []byte(`{"requests":[` + string(query) + `]}`), "/v1/domains": nil,
		"/v1/domains/example.com/trafficStats": nil}
	for scope, allowed := range map[string]func(path string) bool{
		postmaster.ScopeTraffic: func(p string) bool { return strings.Contains(p, "domainStats:") || strings.HasSuffix(p, "Status") },
		postmaster.ScopeDomain:  func(p string) bool { return p == "/v2/domains" || p == "/v2/domains/example.com" },
		postmaster.ScopeAll:     func(p string) bool { return strings.HasPrefix(p, "/v2/") },
		postmaster.ScopeV1:      func(p string) bool { return strings.HasPrefix(p, "/v1/") },
	} {
		w.login(scope)
		for path, body := range calls {
			status, text := w.ask(path, body...)
			switch {
			case allowed(path) && status != http.StatusOK:
				t.Errorf("%s with %s: %d %s", path, scope, status, text)
			case !allowed(path) && (status != http.StatusForbidden || w.reason(status, text) != "PERMISSION_DENIED ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
				t.Errorf("%s with %s: %d %s, want 403 for the scope", path, scope, status, text)
			}
		}
	}
}

// assertion signs an assertion with the key of a service account's file.
func assertion(t *testing.T, file []byte, claims map[string]any) string {
	t.Helper()
	var f map[string]string
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(f["private_key"]))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	all := map[string]any{"iss": f["client_email"], "aud": f["token_uri"], "iat": now, "exp": now + 3600,
		"scope": postmaster.ScopeTraffic + " " + postmaster.ScopeDomain, "sub": postmaster.Subject}
	maps.Copy(all, claims)
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestServiceAccountsActForTheirSubject(t *testing.T) {
	w := start(t)
	file, err := w.server.ServiceAccount(w.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(text string) (int, []byte) {
		return w.postForm(w.http.URL+postmaster.TokenPath, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {text}})
	}
	good := assertion(t, file, nil)
	status, body := ask(good)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	w.token = w.field(body, "access_token").(string)
	w.query(span("", metric("m", "SPAM_RATE", "")))

	// Alone it gets a token, with which there is nothing to see.
	if status, body = ask(assertion(t, file, map[string]any{"sub": ""})); status != http.StatusOK {
		t.Fatalf("without a subject: %d %s", status, body)
	}
	w.token = w.field(body, "access_token").(string)
	if text := w.get("/v2/domains"); string(text) != "{}" {
		t.Errorf("without a subject: %s", text)
	}
	if got := w.reason(w.ask("/v2/domains/example.com/complianceStatus")); got != "PERMISSION_DENIED" {
		t.Errorf("without a subject: %s", got)
	}
	for _, c := range []struct{ text, want string }{
		{assertion(t, file, map[string]any{"sub": "else@example.com"}), "unauthorized_client"},
		{assertion(t, file, map[string]any{"aud": "https://oauth2.example.com/token"}), "invalid_grant"},
		{assertion(t, file, map[string]any{"exp": time.Now().Unix() + 7200}), "invalid_grant"},
		{assertion(t, file, map[string]any{"iss": "else@example.com"}), "invalid_grant"},
		{assertion(t, file, map[string]any{"scope": postmaster.ScopeAll}), "invalid_scope"},
		{good[:strings.LastIndexByte(good, '.')+1] + "AAAA", "invalid_grant"}, {"nonsense", "invalid_grant"}, {"a.b.c", "invalid_grant"},
	} {
		if status, body := ask(c.text); status < 400 || w.field(body, "error") != c.want {
			t.Errorf("%d %s, want %s", status, body, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	w := start(t)
	for name, want := range map[string]int{"RATE_LIMIT_EXCEEDED": 429, "SERVICE_DISABLED": 403, "UNAVAILABLE": 503, "": 500} {
		remove := w.server.Inject(postmaster.Fault{Kind: postmaster.FaultError, Error: name, RetryAfter: 1500 * time.Millisecond, Op: postmaster.OpListDomains})
		r, err := w.send("/v2/domains", nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := w.read(r); status != want || r.Header.Get("Retry-After") != "2" || w.reason(status, body) == "" {
			t.Errorf("%s: %d %s %s", name, status, r.Header, body)
		}
		w.get("/v2/domains/example.com") // another operation
		remove()
	}
	w.server.Inject(postmaster.Fault{Kind: postmaster.FaultError, Error: "RATE_LIMIT_EXCEEDED", Skip: 1, Times: 1})
	for _, want := range []int{200, 429, 200} {
		r, err := w.send("/v2/domains", nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := w.read(r); status != want || r.Header.Get("Retry-After") != "" {
			t.Errorf("%d with Retry-After %q, want %d without", status, r.Header.Get("Retry-After"), want)
		}
	}
	remove := w.server.Inject(postmaster.Fault{Kind: postmaster.FaultStatus, Status: http.StatusBadGateway, Domain: "mail.example.com"})
	if status, body := w.ask("/v2/domains/mail.example.com"); status != http.StatusBadGateway || json.Valid(body) {
		t.Errorf("%d %s", status, body)
	}
	w.get("/v2/domains/example.com")
	remove()
	for _, kind := range []postmaster.FaultKind{postmaster.FaultReset, postmaster.FaultTruncate} {
		w.server.Inject(postmaster.Fault{Kind: kind, Times: 1})
		// A POST: net/http repeats a GET whose connection was reset.
		r, err := w.send(queryPath, span("", metric("m", "SPAM_RATE", "")))
		if err == nil {
			_, err = io.ReadAll(r.Body)
			r.Body.Close()
		}
		if err == nil {
			t.Errorf("fault %d did not break the answer", kind)
		}
	}
	begin := time.Now()
	w.server.Inject(postmaster.Fault{Delay: 30 * time.Millisecond, Times: 1})
	if w.get("/v2/domains"); time.Since(begin) < 30*time.Millisecond {
		t.Error("no delay")
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	w := start(t)
	remove := w.server.Inject(postmaster.Fault{Kind: postmaster.FaultHang, Op: postmaster.OpToken})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+postmaster.TokenPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := w.http.Client().Do(r); err == nil {
		answer.Body.Close()
		t.Error("the token endpoint answered")
	}
	remove()
	w.login()
}

func TestTokensDieInTheMiddle(t *testing.T) {
	w := start(t)
	w.server.Inject(postmaster.Fault{Kind: postmaster.FaultExpire, Skip: 1, Times: 1})
	w.get("/v2/domains")
	if got := w.reason(w.ask("/v2/domains")); got != "UNAUTHENTICATED ACCESS_TOKEN_EXPIRED" {
		t.Errorf("after FaultExpire: %s", got)
	}
	w.login()
	file := w.server.AuthorizedUser(w.http.URL)
	w.server.Inject(postmaster.Fault{Kind: postmaster.FaultRevoke, Times: 1})
	if got := w.reason(w.ask("/v2/domains")); got != "UNAUTHENTICATED ACCESS_TOKEN_EXPIRED" {
		t.Errorf("after FaultRevoke: %s", got)
	}
	if status, body := w.refresh(file); w.field(body, "error") != "invalid_grant" {
		t.Errorf("after FaultRevoke: %d %s", status, body)
	}
	w.server.Inject(postmaster.Fault{Kind: postmaster.FaultError, Op: postmaster.OpToken, Error: "temporarily_unavailable", Times: 1})
	if status, body := w.refresh(file); status != http.StatusBadRequest || w.field(body, "error") != "temporarily_unavailable" {
		t.Errorf("an injected error of the token endpoint: %d %s", status, body)
	}
}

func TestItemsOfABatchFailAlone(t *testing.T) {
	w := start(t)
	w.server.Inject(postmaster.Fault{Kind: postmaster.FaultError, Domain: "mail.example.com", Error: "RATE_LIMIT_EXCEEDED"})
	item := func(domain string) string {
		return `{"parent":"domains/` + domain + `",` + string(span("", metric("m", "SPAM_RATE", "")))[1:]
	}
	var answer struct {
		Results []struct {
			Response *page
			Error    *struct {
				Code    int
				Details []struct{ Reason string }
			}
		}
	}
	body := w.get("/v2/domainStats:batchQuery", []byte(`{"requests":[`+item("mail.example.com")+","+item("example.com")+`]}`)...)
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if r := answer.Results; r[0].Error == nil || r[0].Error.Code != 8 || r[0].Error.Details[0].Reason != "RATE_LIMIT_EXCEEDED" || r[1].Response == nil {
		t.Errorf("%s", body)
	}
	if got := w.reason(w.ask("/v2/domains/mail.example.com/complianceStatus")); got != "RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED" {
		t.Errorf("the same fault outside a batch: %s", got)
	}
}

func TestEqualSeedsMakeEqualTokens(t *testing.T) {
	one, two := start(t), start(t)
	if one.token != two.token || one.token == "" {
		t.Errorf("%q and %q", one.token, two.token)
	}
	if string(one.get("/v2/domains")) != string(two.get("/v2/domains")) {
		t.Error("equal servers answer differently")
	}
}
