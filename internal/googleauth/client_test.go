package googleauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func record(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestReadClient(t *testing.T) {
	installed := func(more string) string {
		return `{"installed": {"client_id": "id", "client_secret": "GOCSPX-secret"` + more + `}}`
	}
	c, err := ReadClient(write(t, installed("")))
	if err != nil {
		t.Fatal(err)
	}
	if c.endpoint.AuthURL != "https://accounts.google.com/o/oauth2/auth" || c.endpoint.TokenURL != "https://oauth2.googleapis.com/token" {
		t.Errorf("a client without addresses leads to %+v", c.endpoint)
	}
	bad := func(text, want string) {
		t.Helper()
		path := write(t, text)
		_, err := ReadClient(path)
		e, ok := errors.AsType[*ClientError](err)
		if !ok || !strings.HasPrefix(e.Error(), path+" ") || !strings.Contains(e.Error(), want) || strings.Contains(e.Error(), "GOCSPX") {
			t.Errorf("%.80s: got %v, want %s", text, err, want)
		}
	}
	bad("", "is not JSON")
	bad("[]", "is not JSON")
	bad(`{"installed": {"client_id": "`+strings.Repeat("x", maxClient)+`", "client_secret": "s"}}`, "is not JSON")
	bad("{}", "holds no client")
	bad(`{"web": {"client_id": "id", "client_secret": "GOCSPX-secret"}}`, "is a client of type Web application")
	bad(`{"type": "service_account", "private_key": "GOCSPX"}`, "is the key of a service account")
	bad(`{"type": "authorized_user"}`, "is what this command makes")
	bad(`{"installed": {"client_id": "id"}}`, "lacks the client's id or its secret")
	bad(installed(`, "token_uri": "http://example.com/token"`), "names an address that is not https")
	bad(installed(`, "auth_uri": "http://localhost.example.com/"`), "names an address that is not https")
	bad(installed(`, "auth_uri": "https://user@accounts.google.com/"`), "names an address that is not https")
	none := filepath.Join(t.TempDir(), "none.json")
	_, err = ReadClient(none)
	if e, ok := errors.AsType[*ClientError](err); !ok || e.Error() != none+" cannot be read: no such file or directory" {
		t.Errorf("a file that is not there: got %v", err)
	}
}
