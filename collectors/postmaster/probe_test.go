package postmaster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	simulator "github.com/mailvane/mailvane/internal/simulator/postmaster"
	model "github.com/mailvane/mailvane/internal/simulator/traffic"
)

// probed is what a test compares of a domain.
type probed struct {
	Name, Access, Newest string
	Days                 int
	Err                  string
}

// probe probes an account of a simulated Google with credentials for some scopes.
func probe(t *testing.T, change func(*simulator.Server, *Options), scopes ...string) (Account, []probed, error) {
	t.Helper()
	now := time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)
	google := simulator.New(simulator.Options{
		Now: func() time.Time { return now }, TokenLife: 100 * 24 * time.Hour, Source: days{},
		Domains: []simulator.Domain{
			{Name: "example.com"}, {Name: "silent.example.com"}, {Name: "new.example.com", Unverified: true}, {Name: "none.example.com", Permission: "NONE"},
		},
	})
	s := httptest.NewServer(google)
	t.Cleanup(func() {
		google.Close()
		s.Close()
	})
	file := filepath.Join(t.TempDir(), "google.json")
	if err := os.WriteFile(file, google.AuthorizedUser(s.URL, scopes...), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Name: "gmail", CredentialsFile: file, Endpoint: s.URL, RequestsPerSecond: 1000, Now: func() time.Time { return now }}
	change(google, &o)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Probe(t.Context())
	var got []probed
	for _, d := range a.Domains {
		p := probed{Name: d.Name, Access: d.Access, Days: d.Days}
		if (d.Asked > 0) != (d.Access == AccessOK && d.Err == nil && err == nil) {
			t.Errorf("%s was asked for %d days", d.Name, d.Asked)
		}
		if !d.Newest.IsZero() {
			p.Newest = d.Newest.Format(time.DateOnly)
		}
		if d.Err != nil {
			p.Err = d.Err.Error()
		}
		got = append(got, p)
	}
	return a, got, err
}

// days is mail to Gmail every day, except from the silent domain.
type days struct{}

func (days) Day(domain string, _ time.Time) (d model.GmailDay) {
	if !strings.HasPrefix(domain, "silent") {
		d.GmailCount = model.GmailCount{Delivered: 10_000, Inboxed: 9000, Reports: 9}
	}
	return d
}

func TestProbe(t *testing.T) {
	figures := []probed{
		{"example.com", AccessOK, "2026-11-18", 13, ""}, {"new.example.com", AccessUnverified, "", 0, ""},
		{"none.example.com", AccessDenied, "", 0, ""}, {"silent.example.com", AccessOK, "", 0, ""},
	}
	a, got, err := probe(t, func(*simulator.Server, *Options) {}, simulator.ScopeTraffic, simulator.ScopeDomain)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(figures, got); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	scopes := []string{simulator.ScopeTraffic, simulator.ScopeDomain}
	if diff := cmp.Diff(Account{Type: "authorized_user", Needed: scopes, Granted: scopes}, Account{a.Type, a.Needed, a.Granted, nil}); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	if a.Domains[1].Advice() == "" || a.Domains[2].Advice() != hintNoAccess || a.Domains[0].Advice() != "" {
		t.Errorf("advice %q, %q, %q", a.Domains[1].Advice(), a.Domains[2].Advice(), a.Domains[0].Advice())
	}
}

// TestProbeNamed: with domains named, the list and its scope are not needed.
func TestProbeNamed(t *testing.T) {
	var google *simulator.Server
	_, got, err := probe(t, func(s *simulator.Server, o *Options) {
		google, o.Domains = s, []string{"example.com", "none.example.com", "other.example.com"}
	}, simulator.ScopeTraffic)
	if err != nil {
		t.Fatal(err)
	}
	want := []probed{
		{"example.com", AccessOK, "2026-11-18", 13, ""}, {"none.example.com", AccessDenied, "", 0, ""}, {"other.example.com", AccessDenied, "", 0, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := google.Requests(); n[simulator.OpBatchQuery] != 1 || n[simulator.OpListDomains] != 0 || n[simulator.OpComplianceStatus] != 0 {
		t.Errorf("requests %v", n)
	}
}

func TestProbeV1(t *testing.T) {
	_, got, err := probe(t, func(_ *simulator.Server, o *Options) { o.API = V1 }, simulator.ScopeV1)
	if err != nil {
		t.Fatal(err)
	}
	want := []probed{ // v1 lists no states of verification
		{"example.com", AccessOK, "2026-11-18", 13, ""}, {"new.example.com", AccessDenied, "", 0, ""},
		{"none.example.com", AccessDenied, "", 0, ""}, {"silent.example.com", AccessOK, "", 0, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProbeFailures: what was found out before a failure is told with it.
func TestProbeFailures(t *testing.T) {
	listed := []probed{
		{"example.com", AccessOK, "", 0, ""}, {"new.example.com", AccessUnverified, "", 0, ""},
		{"none.example.com", AccessDenied, "", 0, ""}, {"silent.example.com", AccessOK, "", 0, ""},
	}
	inject := func(f simulator.Fault) func(*simulator.Server, *Options) {
		return func(s *simulator.Server, _ *Options) { s.Inject(f) }
	}
	batch := simulator.OpBatchQuery
	for _, c := range []struct {
		name   string
		change func(*simulator.Server, *Options)
		scopes []string
		reason collectors.Reason
		want   []probed
	}{
		{"no scope for figures", func(*simulator.Server, *Options) {}, []string{simulator.ScopeDomain}, collectors.ReasonAuth, listed},
		{"no scope for the list", func(*simulator.Server, *Options) {}, []string{simulator.ScopeTraffic}, collectors.ReasonAuth, nil},
		{"revoked", func(s *simulator.Server, _ *Options) { s.Revoke() }, nil, collectors.ReasonAuth, nil},
		{"no file", func(_ *simulator.Server, o *Options) { o.CredentialsFile += "x" }, nil, collectors.ReasonAuth, nil},
		{"disabled", inject(simulator.Fault{Kind: simulator.FaultError, Op: simulator.OpListDomains, Error: "SERVICE_DISABLED"}), nil, collectors.ReasonConfig, nil},
		{"quota", inject(simulator.Fault{Kind: simulator.FaultError, Op: batch, Error: "RATE_LIMIT_EXCEEDED"}), nil, collectors.ReasonQuota, listed},
		{"down", inject(simulator.Fault{Kind: simulator.FaultReset, Op: batch}), nil, collectors.ReasonUnavailable, listed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got, err := probe(t, c.change, c.scopes...)
			e, ok := errors.AsType[*collectors.Error](err)
			if !ok || e.Reason != c.reason {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, got, err := probe(t, inject(simulator.Fault{Kind: simulator.FaultError, Op: batch, Domain: "silent.example.com", Error: "UNAVAILABLE"}))
	if err != nil || len(got) != 4 || got[0].Days != 13 || !strings.HasPrefix(got[3].Err, "read silent.example.com: the answer had status 503") {
		t.Errorf("one domain that fails: %+v, %v", got, err)
	}
}

// TestProbeEnds: a probe ends with its context, and says why.
func TestProbeEnds(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the caller is gone
		<-r.Context().Done()
	}))
	defer s.Close()
	c, err := New(Options{Name: "gmail", CredentialsFile: userFile(t, s.URL), Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	late := errors.New("it took too long")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, late)
	defer cancel()
	if _, err := c.Probe(ctx); !errors.Is(err, late) {
		t.Errorf("got %v", err)
	}
}
