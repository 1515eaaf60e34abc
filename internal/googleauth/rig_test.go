package googleauth

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

// rig is a Google account on the wire, and a client for it.
type rig struct {
	*testing.T
	google *postmaster.Server
	http   *httptest.Server
	client *Client
	// browsers are those that still run.
	browsers sync.WaitGroup
}

func newRig(t *testing.T, o postmaster.Options) *rig {
	t.Helper()
	r := &rig{T: t, google: postmaster.New(o)}
	r.http = httptest.NewServer(r.google)
	t.Cleanup(func() {
		r.google.Close()
		r.http.Close()
	})
	var err error
	if r.client, err = ReadClient(write(t, string(r.google.Client(r.http.URL)))); err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// get is a browser: it follows redirects and returns the page.
func (r *rig) get(address string) (int, string) {
	r.Helper()
	answer, err := http.Get(address)
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.Error(err)
	}
	return answer.StatusCode, string(text)
}

// come is where Google sends the browser after the consent page at address.
func (r *rig) come(address string) *url.URL {
	r.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(address)
	if err != nil {
		r.Fatal(err)
	}
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		r.Fatal(err)
	}
	return to
}

// obtain asks for consent, with a browser that does as it is told.
func (r *rig) obtain(browser func(address string)) (*Credentials, error) {
	r.Helper()
	c, err := Obtain(r.Context(), r.options(browser))
	r.browsers.Wait()
	if err != nil {
		r.noSecret(err.Error())
	}
	return c, err
}

func (r *rig) options(browser func(address string)) Options {
	return Options{
		Client: r.client, Scopes: []string{postmaster.ScopeTraffic, postmaster.ScopeDomain}, Timeout: 5 * time.Minute,
		Show: func(address string, _ int) {
			r.noSecret(address)
			r.browsers.Go(func() { browser(address) })
		},
	}
}

// noSecret checks a text that people see.
func (r *rig) noSecret(text string) {
	r.Helper()
	for _, secret := range []string{postmaster.ClientSecret, "1//0simulator", "ya29.", "4/0simulator"} {
		if strings.Contains(text, secret) {
			r.Errorf("%q is in %q", secret, text)
		}
	}
}

// agree is a browser whose user allows what is asked for.
func (r *rig) agree(address string) {
	if status, text := r.get(address); status != http.StatusOK || !strings.Contains(text, "Mailvane has the answer") {
		r.Errorf("the user sees %d %s", status, text)
	}
}

// cancelled is a context that ends when the test says so.
func cancelled(t *testing.T) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return ctx, cancel
}
