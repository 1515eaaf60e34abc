package postmaster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
)

// wire answers for tokens itself and leaves all other calls to a function, without a network: the clock of a test can then
// be turned forward.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		return answerWith(strings.NewReader(`{"access_token": "` + accessToken + `1", "token_type": "Bearer", "expires_in": 3600}`)), nil
	}
	return w(r)
}

func answerWith(body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(body)}
}

// never is the body of an answer of which nothing comes before its call ends.
type never struct{ done context.Context }

func (n never) Read([]byte) (int, error) {
	<-n.done.Done()
	return 0, n.done.Err()
}

// TestHang: a call that is not answered, or only half, ends after a minute, and the pass when ten in a row have.
func TestHang(t *testing.T) {
	for name, answer := range map[string]wire{
		"no answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"half an answer": func(r *http.Request) (*http.Response, error) {
			return answerWith(io.MultiReader(strings.NewReader(`{"results": [`), never{r.Context()})), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var domains []string
				for n := range 40 {
					domains = append(domains, fmt.Sprintf("d%d.example.com", n))
				}
				r := newRigOn(t, answer, domains...)
				start := time.Now()
				e := r.failure(t)
				if e.Reason != collectors.ReasonUnavailable || !strings.Contains(e.Error(), "no whole answer within 1m0s") {
					t.Errorf("error: %v", e)
				}
				if took := time.Since(start); took != maxFailedCalls*callTimeout {
					t.Errorf("took %s, want %s", took, maxFailedCalls*callTimeout)
				}
			})
		})
	}
}

// TestOneDomainHangs: a domain of which no answer comes keeps no other from being read, however long it was not read itself.
func TestOneDomainHangs(t *testing.T) {
	for _, api := range []API{V1, V2} {
		t.Run(string(api), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				r := newRigOn(t, func(r *http.Request) (*http.Response, error) {
					asked++
					text := r.URL.Path
					n := 0
					if r.Method == http.MethodPost {
						body, q := peek(t, r)
						body.Close()
						n = len(q.Requests)
						for _, each := range q.Requests {
							text += each.Parent + " "
						}
					}
					if strings.Contains(text, "bad.example") {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return answerWith(strings.NewReader(`{"results": [` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`)), nil
				}, "a.example", "bad.example", "c.example")
				r.api = api
				r.sink.positions = collectors.Positions{
					"a.example": string(api) + "/2026-11-17", "bad.example": string(api) + "/2026-11-10", "c.example": string(api) + "/2026-11-17",
				}
				e := r.failure(t)
				if e.Reason != collectors.ReasonUnavailable || !strings.Contains(e.Error(), "bad.example: no whole answer") || strings.Contains(e.Error(), "a.example") {
					t.Errorf("error: %v", e)
				}
				want := collectors.Positions{
					"a.example": string(api) + "/2026-11-19", "bad.example": string(api) + "/2026-11-10", "c.example": string(api) + "/2026-11-19",
				}
				if d := cmp.Diff(want, r.sink.positions); d != "" || asked > 40 {
					t.Errorf("after %d calls, positions (-want +got):\n%s", asked, d)
				}
			})
		})
	}
}

// newRigOn is a rig without a server, on a wire.
func newRigOn(t *testing.T, answer wire, domains ...string) *rig {
	t.Helper()
	if domains == nil {
		domains = []string{"example.com"}
	}
	c, err := New(Options{
		Name: "gmail", Endpoint: "https://gmail.example", CredentialsFile: userFile(t, "https://gmail.example"), Domains: domains,
		Transport: answer, Now: func() time.Time { return today },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Collector: c, sink: &sink{positions: make(collectors.Positions)}}
}

// TestPace: a call a second by default, also those that are made again.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		r := newRigOn(t, func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			if len(at) == 2 {
				a := answerWith(strings.NewReader(""))
				a.StatusCode = http.StatusServiceUnavailable
				return a, nil
			}
			return answerWith(strings.NewReader(`{}`)), nil
		}, "a.example", "b.example")
		r.api = V1
		r.passOK(t)
		if err := r.Collect(t.Context(), r.sink.positions, r.sink); err != nil { // the next pass does not begin anew
			t.Error(err)
		}
		want := make([]time.Duration, 11) // four strides of each domain, one again; later, one of each
		for i := range want {
			want[i] = time.Duration(i) * time.Second
		}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("times of calls (-want +got):\n%s", d)
		}
	})
}

// TestHangOfTheTokenServer: the end of a pass ends the wait for a token too.
func TestHangOfTheTokenServer(t *testing.T) {
	s := newGmail(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the daemon stops")
	release := make(chan struct{})
	s.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel(stop)
		<-release
	})
	t.Cleanup(func() { close(release) })
	r := newRig(t, func(o *Options) { o.CredentialsFile = userFile(t, s.URL) })
	if err := r.Collect(ctx, nil, r.sink); !errors.Is(err, stop) {
		t.Errorf("got %v, want the cause of the end", err)
	}
}
