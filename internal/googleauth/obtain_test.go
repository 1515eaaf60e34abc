package googleauth

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2/google"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

// TestObtain: what is obtained is stored for the owner alone and gets tokens.
func TestObtain(t *testing.T) {
	r := newRig(t, postmaster.Options{})
	c, err := r.obtain(r.agree)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{postmaster.ScopeTraffic, postmaster.ScopeDomain}, c.Scopes); diff != "" || c.Lifetime != 0 {
		t.Errorf("scopes (-want +got):\n%slifetime %s", diff, c.Lifetime)
	}
	path := filepath.Join(t.TempDir(), "google.json")
	store(t, path, c, false)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := google.CredentialsFromJSONWithType(t.Context(), data, google.AuthorizedUser)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := got.TokenSource.Token(); err != nil || token.AccessToken == "" {
		t.Errorf("a token of the file: %v", err)
	}
}

func store(t *testing.T, path string, c *Credentials, replace bool) {
	t.Helper()
	p, err := Reserve(path, replace)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Store(c); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".mailvane-*"))
	if err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestTesting: Google tells when the consent to an app in Testing ends.
func TestTesting(t *testing.T) {
	r := newRig(t, postmaster.Options{Testing: true})
	c, err := r.obtain(r.agree)
	if err != nil || c.Lifetime != 7*24*time.Hour-time.Second {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestStrangers: whoever does not know the state is turned away, and the flow goes on.
func TestStrangers(t *testing.T) {
	r := newRig(t, postmaster.Options{})
	c, err := r.obtain(func(address string) {
		to := r.come(address)
		for change, want := range map[string]int{
			"/?code=x": http.StatusBadRequest, "/?state=wrong&code=x": http.StatusBadRequest, "/favicon.ico": http.StatusNotFound,
			"/?state=&error=access_denied": http.StatusBadRequest, "/other?" + to.RawQuery: http.StatusNotFound,
		} {
			if status, text := r.get("http://" + to.Host + change); status != want {
				t.Errorf("%s: %d %s, want %d", change, status, text, want)
			}
		}
		answer, err := http.Post(to.String(), "text/plain", nil)
		if err != nil || answer.StatusCode != http.StatusNotFound {
			t.Errorf("a POST: %v, %v", answer, err)
		}
		if status, text := r.get(to.String()); status != http.StatusOK {
			t.Errorf("the answer: %d %s", status, text)
		}
	})
	if err != nil || c == nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestOneAnswer: the page says so when it is opened again.
func TestOneAnswer(t *testing.T) {
	d := newDesk("state")
	for i, want := range []int{http.StatusOK, http.StatusConflict} {
		w := record(d, "/?state=state&code=code-"+string(rune('0'+i)))
		if w.Code != want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("answer %d: %d %s", i, w.Code, w.Body)
		}
	}
	if a := <-d.got; a.code != "code-0" || a.err != nil {
		t.Errorf("%+v", a)
	}
}

// TestRefusals: what can go wrong is told apart, with what to do.
func TestRefusals(t *testing.T) {
	user := func(u postmaster.User) func(*rig) { return func(r *rig) { r.google.SetUser(u) } }
	fault := func(name string) func(*rig) {
		return func(r *rig) {
			r.google.Inject(postmaster.Fault{Kind: postmaster.FaultError, Op: postmaster.OpToken, Error: name})
		}
	}
	with := func(key, value string) func(*url.URL) {
		return func(to *url.URL) {
			q := to.Query()
			q.Set(key, value)
			to.RawQuery = q.Encode()
		}
	}
	for _, c := range []struct {
		name   string
		set    func(*rig)
		change func(to *url.URL)
		want   string
	}{
		{"denied", user(postmaster.User{Error: "access_denied"}), nil,
			"the answer was access_denied: access was not allowed (" + hintDenied + ")"},
		{"policy", user(postmaster.User{Error: "admin_policy_enforced"}), nil, "the answer was admin_policy_enforced (" + hintPolicy + ")"},
		{"unknown", user(postmaster.User{Error: "odd\nerror"}), nil, "the answer was odd (" + hintAgain + ")"},
		{"no code", nil, with("code", ""), "the answer holds no code (" + hintAgain + ")"},
		{"long code", nil, with("code", strings.Repeat("x", maxCode+1)), "the answer holds no code (" + hintAgain + ")"},
		{"foreign code", nil, with("code", "other"), "exchange the code: the answer was invalid_grant: Malformed auth code. (" + hintAgain + ")"},
		{"boxes", user(postmaster.User{Ticked: []string{postmaster.ScopeDomain}}), nil,
			"not all was allowed: " + postmaster.ScopeTraffic + " is missing (run the command again and tick every box)"},
		{"no refresh token", user(postmaster.User{NoRefreshToken: true}), nil, "no refresh token came, although access_type=offline and " +
			"prompt=consent were asked for (take the app's access away at https://myaccount.google.com/connections and run the command " +
			"again; in an organisation, its administrator may have to trust the app)"},
		{"wrong secret", func(r *rig) { r.client.secret = "GOCSPX-other" }, nil,
			"exchange the code: the answer was invalid_client: The OAuth client was not found. (" + hintClient + ")"},
		{"deleted", fault("deleted_client"), nil, "exchange the code: the answer was deleted_client: An injected error. (" + hintClient + ")"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, postmaster.Options{})
			if c.set != nil {
				c.set(r)
			}
			got, err := r.obtain(func(address string) {
				to := r.come(address)
				if c.change != nil {
					c.change(to)
				}
				r.get(to.String())
			})
			if _, ok := errors.AsType[*RefusalError](err); !ok || got != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStolenCode: a code that was given to one who asked with another challenge is refused by the server, so that a program
// that lies in wait for answers gains nothing.
func TestStolenCode(t *testing.T) {
	r := newRig(t, postmaster.Options{})
	_, err := r.obtain(func(address string) {
		u, err := url.Parse(address)
		if err != nil {
			t.Error(err)
			return
		}
		q := u.Query()
		if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 26 {
			t.Errorf("asked with %s", u)
		}
		q.Set("code_challenge", strings.Repeat("A", 43))
		u.RawQuery = q.Encode()
		r.get(r.come(u.String()).String())
	})
	want := "exchange the code: the answer was invalid_grant: Invalid code verifier. (" + hintAgain + ")"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFaultyServer: answers that are none end the flow with an error that quotes nothing.
func TestFaultyServer(t *testing.T) {
	for name, f := range map[string]postmaster.Fault{
		"status":   {Kind: postmaster.FaultStatus, Status: http.StatusServiceUnavailable},
		"reset":    {Kind: postmaster.FaultReset},
		"truncate": {Kind: postmaster.FaultTruncate},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, postmaster.Options{})
			f.Op = postmaster.OpToken
			r.google.Inject(f)
			if c, err := r.obtain(r.agree); err == nil || !strings.HasPrefix(err.Error(), "exchange the code: ") {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	r := newRig(t, postmaster.Options{})
	o := r.options(func(string) {})
	o.Timeout = 50 * time.Millisecond
	if _, err := Obtain(t.Context(), o); !errors.Is(err, errTimeout) {
		t.Errorf("got %v", err)
	}
	stop := errors.New("told to stop")
	ctx, cancel := cancelled(t)
	if _, err := Obtain(ctx, r.options(func(string) { cancel(stop) })); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestReserve(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "google.json")
	store(t, path, &Credentials{file: []byte("first")}, false)
	if _, err := Reserve(path, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	store(t, path, &Credentials{file: []byte("second")}, true)
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "second" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	// A file that came while the user was asked is not replaced either.
	path = filepath.Join(folder, "other.json")
	p, err := Reserve(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Store(&Credentials{file: []byte("third")}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that came: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "none", "google.json")} {
		if _, err := Reserve(path, true); err == nil {
			t.Errorf("%s was reserved", path)
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".mailvane-*")); err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
