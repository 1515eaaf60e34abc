package postmaster

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/collectors"
)

// keyFile writes credentials of a service account.
func keyFile(t *testing.T, url string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "reader@project.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": url + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, string(text))
}

// TestServiceAccount: it acts for the subject, with the scopes that are needed and no others.
func TestServiceAccount(t *testing.T) {
	s := newGmail(t)
	var claims struct{ Sub, Scope string }
	refused := ""
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.FormValue("assertion"), ".")
		if len(parts) != 3 {
			t.Errorf("assertion of %d parts", len(parts))
			return
		}
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || json.Unmarshal(text, &claims) != nil {
			t.Errorf("claims %q: %v", text, err)
		}
		w.Header().Set("Content-Type", "application/json")
		if refused != "" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": %q, "error_description": "Refused for reader@project.iam.gserviceaccount.com"}`, refused)
			return
		}
		fmt.Fprintf(w, `{"access_token": "%s1", "token_type": "Bearer", "expires_in": 3600}`, accessToken)
	})
	r := newRig(t, func(o *Options) {
		o.CredentialsFile, o.Subject = keyFile(t, s.URL), "admin@example.com"
		o.Domains = nil
	})
	r.bodies["/v2/domains"] = sample(t, "v2_domains_list.json")
	r.bodies["/v2/domains#SYNTHETIC"] = `{}`
	r.steady("example.com", "mail.example.com")
	r.passOK(t)
	if claims.Sub != "admin@example.com" || claims.Scope != strings.Join(Scopes(V2, true), " ") {
		t.Errorf("claims %+v", claims)
	}
	r.domains = []string{"example.com"}
	r.passOK(t)
	if claims.Scope != "https://www.googleapis.com/auth/postmaster.traffic.readonly" {
		t.Errorf("scope for domains that are given: %q", claims.Scope)
	}
	for code, says := range map[string]string{"unauthorized_client": "domain-wide delegation", "invalid_grant": "subject"} {
		refused = code
		if e := r.failure(t); e.Reason != collectors.ReasonAuth || !strings.Contains(e.Hint, says) {
			t.Errorf("%s: %v", code, e)
		}
	}
}

func TestUnusableCredentials(t *testing.T) {
	for _, tt := range []struct{ name, text, says string }{
		{"not JSON", "-----BEGIN PRIVATE KEY-----", "not JSON"},
		{"another type", `{"type": "external_account"}`, "neither"},
		{"a client", `{"installed": {"client_secret": "` + clientSecret + `"}}`, "neither"},
		{"no key", `{"type": "service_account", "private_key": "PRIVATE KEY"}`, ""},
		{"large", strings.Repeat(" ", maxCredentials+1), "larger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.CredentialsFile = writeFile(t, tt.text) })
			if e := r.failure(t); e.Reason != collectors.ReasonAuth || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("error: %v", e)
			}
			if len(r.calls) != 0 {
				t.Errorf("%d calls were made", len(r.calls))
			}
		})
	}
	r := newRig(t, func(o *Options) { o.Subject = "admin@example.com" })
	if e := r.failure(t); !strings.Contains(e.Error(), "only a service account") {
		t.Errorf("subject: %v", e)
	}
	r = newRig(t, func(o *Options) { o.CredentialsFile = filepath.Join(t.TempDir(), "none.json") })
	if e := r.failure(t); !strings.Contains(e.Error(), "no such file") {
		t.Errorf("missing: %v", e)
	}
}

// TestDefaultCredentials: without a file those of the environment are taken, with their quota project.
func TestDefaultCredentials(t *testing.T) {
	r := newRig(t, func(o *Options) { o.CredentialsFile = "" })
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", writeFile(t, fmt.Sprintf(
		`{"type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": "r", "quota_project_id": "mine", "token_uri": "%s/token"}`, r.URL)))
	r.steady("example.com")
	r.before = func(_ http.ResponseWriter, req *http.Request, _ int) bool {
		if got := req.Header.Get("X-Goog-User-Project"); got != "mine" {
			t.Errorf("quota project %q, want mine", got)
		}
		return false
	}
	r.passOK(t)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	if e := r.failure(t); e.Reason != collectors.ReasonAuth {
		t.Errorf("missing: %v", e)
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		says string // empty where the options are good
	}{
		{"least", Options{Name: "gmail"}, ""},
		{"no name", Options{}, "needs a name"},
		{"api", Options{Name: "gmail", API: "v3"}, "neither v1 nor v2"},
		{"window", Options{Name: "gmail", Window: 121}, "from 1 to 120"},
		{"backfill", Options{Name: "gmail", Backfill: -1}, "from 1 to 120"},
		{"rate", Options{Name: "gmail", RequestsPerSecond: -1}, "positive"},
		{"domain", Options{Name: "gmail", Domains: []string{"Example.com"}}, "lower case"},
		{"path", Options{Name: "gmail", Domains: []string{"example.com/.."}}, "not a domain"},
		{"endpoint", Options{Name: "gmail", Endpoint: "localhost:80"}, "endpoint"},
		{"endpoint with secret", Options{Name: "gmail", Endpoint: "https://u:p@localhost"}, "endpoint"},
	} {
		_, err := New(tt.o)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}
