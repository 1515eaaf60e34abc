package googleauth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// maxCode bounds a code; Google's have 256 bytes at most
// (https://developers.google.com/identity/protocols/oauth2#size).
const maxCode = 4096

// desk takes the answer that the browser brings.
type desk struct {
	state string
	taken atomic.Bool
	got   chan answer
}

// answer is a code, or why there is none.
type answer struct {
	code string
	err  error
}

func newDesk(state string) *desk { return &desk{state: state, got: make(chan answer, 1)} }

// serve answers until the returned function is called, which lets the browser have its last page first.
func (d *desk) serve(l net.Listener) (stop func()) {
	s := &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // it ends with the stop
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // a browser that keeps its connection busy need not be waited for
		}
		<-done
	}
}

// wait waits for the answer.
func (d *desk) wait(ctx context.Context, timeout time.Duration) (code string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	select {
	case a := <-d.got:
		return a.code, a.err
	case <-ctx.Done():
		return "", fmt.Errorf("wait for the browser's answer: %w", context.Cause(ctx))
	}
}

// ServeHTTP takes the first answer that carries the state. Anything else is turned away and changes nothing: any page that
// the browser shows can send requests here.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	q := r.URL.Query()
	a := answer{code: q.Get("code")}
	switch problem := q.Get("error"); {
	case r.URL.Path != "/" || r.Method != http.MethodGet:
		http.Error(w, "Nothing is here.", http.StatusNotFound)
		return
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(d.state)) != 1:
		http.Error(w, "This is no answer to the question that Mailvane asks now. Open the address that it printed.", http.StatusBadRequest)
		return
	case problem != "":
		a = answer{err: answerError(problem)}
	case a.code == "" || len(a.code) > maxCode:
		a = answer{err: refusal("the answer holds no code", hintAgain)}
	}
	if !d.taken.CompareAndSwap(false, true) {
		http.Error(w, "Mailvane has its answer already.", http.StatusConflict)
		return
	}
	fmt.Fprintln(w, "Mailvane has the answer. How it went is said where you started it; this page can be closed.")
	d.got <- a
}
