package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/replay"
)

// The control socket is how commands that write reach the daemon that holds the ledger: HTTP over a Unix socket beside
// the ledger's file, which only its owner may open.

// socketOf is the path of a ledger's control socket.
func socketOf(ledger string) string { return ledger + ".sock" }

// maxSocketPath is the longest path that a Unix socket can have (sun_path in unix(7)).
const maxSocketPath = 107

// serveControl answers on the control socket until the stop.
func (d *Daemon) serveControl(ctx context.Context) error {
	d.mu.Lock()
	path := socketOf(string(d.config.Ledger.Path))
	d.mu.Unlock()
	if len(path) > maxSocketPath {
		return fmt.Errorf("ledger.path is too long: its socket %s would have %d bytes, and %d are allowed", path, len(path), maxSocketPath)
	}
	// The lock on the ledger is held, so a socket that is there was left by a process that is gone.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the stale control socket: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("listen on the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("close the control socket to others: %w", err), l.Close())
	}
	s := &http.Server{Handler: d.controlHandler(), ReadHeaderTimeout: 10 * time.Second}
	d.onStop("control socket", func(context.Context) error { return s.Close() })
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.served <- fmt.Errorf("control socket: %w", err)
		}
	}()
	return nil
}

func (d *Daemon) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /replay", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		sum, err := replay.Stream(r.Context(), r.Body, replay.Options{
			Sink: d.intake, Name: q.Get("name"), Region: q.Get("region"), AssumeNew: q.Get("assume_new") == "true",
		})
		answer(w, sum, err)
	})
	mux.HandleFunc("POST /quarantine/replay", asked(func(ctx context.Context, s replay.Selection) (any, error) {
		return d.replayQuarantine(ctx, s)
	}))
	mux.HandleFunc("POST /quarantine/drop", asked(func(ctx context.Context, s replay.Selection) (any, error) {
		return replay.Drop(ctx, d.ledger, s)
	}))
	mux.HandleFunc("POST /silence/add", asked(func(ctx context.Context, s alerts.Silence) (any, error) {
		return d.alertBook().AddSilence(ctx, s)
	}))
	mux.HandleFunc("POST /silence/end", asked(func(ctx context.Context, id string) (any, error) {
		return d.alertBook().EndSilence(ctx, id)
	}))
	mux.HandleFunc("POST /rules/explain", d.serveExplain)
	// Profiles are for whoever may read the ledger: curl --unix-socket ledger.db.sock http://mailvane/debug/pprof/heap
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// asked answers a command that says in JSON what it wants.
func asked[T any](do func(ctx context.Context, what T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var what T
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&what); err != nil {
			answer(w, nil, fmt.Errorf("read what is asked for: %w", err))
			return
		}
		result, err := do(r.Context(), what)
		answer(w, result, err)
	}
}

// controlAnswer is every answer of the control socket: what was done, and what stopped it.
type controlAnswer struct {
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
}

func answer(w http.ResponseWriter, result any, err error) {
	a := controlAnswer{Result: result}
	if err != nil {
		a.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // the client that is gone needs no answer
}

// controlClient talks to a running daemon.
type controlClient struct{ http *http.Client }

var errNotRunning = errors.New("no daemon runs on this ledger")

// dialControl finds the daemon of a ledger; errNotRunning says that there is none.
func dialControl(ctx context.Context, ledger string) (*controlClient, error) {
	path := socketOf(ledger)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	c, err := dial(ctx, "", "")
	switch {
	case err == nil:
		_ = c.Close() // only asked whether somebody answers
		return &controlClient{&http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("a daemon runs on this ledger, but its socket belongs to another user: %w", err)
	default:
		return nil, errNotRunning
	}
}

// replay streams a file to the daemon.
func (c *controlClient) replay(ctx context.Context, body io.Reader, o replay.Options) (replay.Summary, error) {
	q := url.Values{"name": {o.Name}, "region": {o.Region}, "assume_new": {strconv.FormatBool(o.AssumeNew)}}
	var sum replay.Summary
	err := c.post(ctx, "/replay?"+q.Encode(), body, &sum)
	return sum, err
}

func (c *controlClient) quarantineReplay(ctx context.Context, s replay.Selection) (replay.Summary, error) {
	var sum replay.Summary
	err := c.postJSON(ctx, "/quarantine/replay", s, &sum)
	return sum, err
}

func (c *controlClient) quarantineDrop(ctx context.Context, s replay.Selection) (int, error) {
	var n int
	err := c.postJSON(ctx, "/quarantine/drop", s, &n)
	return n, err
}

func (c *controlClient) postJSON(ctx context.Context, path string, body, result any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the request to the daemon: %w", err)
	}
	return c.post(ctx, path, bytes.NewReader(b), result)
}

// post fills result also when the daemon says that something stopped it.
func (c *controlClient) post(ctx context.Context, path string, body io.Reader, result any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://mailvane"+path, body)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	defer resp.Body.Close()
	a := controlAnswer{Result: result}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return fmt.Errorf("read the daemon's answer (status %s): %w", resp.Status, err)
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return nil
}
