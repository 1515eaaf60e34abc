package pager

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// FaultKind is what an injected fault does to a request.
type FaultKind = fault.Kind

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay = fault.Delay
	// FaultHang never answers.
	FaultHang = fault.Hang
	// FaultReset resets the connection.
	FaultReset = fault.Reset
	// FaultTruncate takes what was sent, promises the whole answer and closes the connection after half of it.
	FaultTruncate = fault.Truncate
)

// The kinds of faults that only those who take notifications have.
const (
	// FaultStatus answers Fault.Status with Fault.Body and takes nothing.
	FaultStatus = fault.Own + iota
	// FaultEcho answers Fault.Status with all that was sent: the address, the headers and the body.
	FaultEcho
	// FaultRedirect answers Fault.Status with Fault.Location.
	FaultRedirect
)

// Fault is something that goes wrong with requests while it is injected.
type Fault struct {
	Kind FaultKind
	// Path selects requests by the beginning of their path; empty selects all.
	Path string
	// Skip is how many selected requests it spares at first, Share the share of the others that it strikes, 0 meaning all;
	// Times is how many it strikes at most, 0 meaning any number.
	Skip  int
	Share float64
	Times int
	// Delay passes before anything else.
	Delay time.Duration
	// Status, Body and Location are those of the answer.
	Status         int
	Body, Location string
	// RetryAfter is the header of FaultStatus, rounded up to seconds; none when 0.
	RetryAfter time.Duration
}

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	return s.faults.Inject(f, fault.When{Skip: f.Skip, Share: f.Share, Times: f.Times})
}

// pick returns the first fault that strikes a request.
func (s *Server) pick(path string) *Fault {
	return s.faults.First(func(f *Fault) bool { return strings.HasPrefix(path, f.Path) })
}

// before does what a fault does before the request is looked at; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, body []byte, f *Fault) bool {
	if f == nil {
		return true
	}
	effect := fault.Effect{Kind: f.Kind, Delay: f.Delay}
	if !effect.Do(w, r, s.closing) {
		return false
	}
	switch f.Kind {
	case FaultStatus:
		wire.RetryAfter(w, f.RetryAfter)
		write(w, f.Status, []byte(f.Body))
	case FaultEcho:
		text := fmt.Sprintf("%s %s: %v: %s", r.Method, r.URL, r.Header, body)
		write(w, f.Status, encode(answer{Status: text, Message: text, Errors: []string{text}}))
	case FaultRedirect:
		w.Header().Set("Location", f.Location)
		write(w, f.Status, nil)
	default:
		return true
	}
	return false
}

// truncate promises the whole answer, sends half of it, and ends the connection and the request.
func truncate(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+2))
	w.WriteHeader(status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
