package pager

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// FaultKind is what an injected fault does to a request.
type FaultKind uint8

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay FaultKind = iota
	// FaultStatus answers Fault.Status with Fault.Body and takes nothing.
	FaultStatus
	// FaultEcho answers Fault.Status with all that was sent: the address, the headers and the body.
	FaultEcho
	// FaultRedirect answers Fault.Status with Fault.Location.
	FaultRedirect
	// FaultHang never answers.
	FaultHang
	// FaultReset resets the connection.
	FaultReset
	// FaultTruncate takes what was sent, promises the whole answer and closes the connection after half of it.
	FaultTruncate
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

// faults are the injected ones.
type faults struct {
	mu     sync.Mutex
	rand   *rand.Rand
	active []*Fault
}

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	injected := &f
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = append(s.faults.active, injected)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.active = slices.DeleteFunc(s.faults.active, func(other *Fault) bool { return other == injected })
	}
}

// pick returns the first fault that strikes a request.
func (f *faults) pick(path string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, candidate := range f.active {
		switch {
		case !strings.HasPrefix(path, candidate.Path):
			continue
		case candidate.Skip > 0:
			candidate.Skip--
			continue
		case candidate.Share > 0 && f.rand.Float64() >= candidate.Share:
			continue
		}
		if candidate.Times > 0 {
			if candidate.Times--; candidate.Times == 0 {
				f.active = slices.Delete(slices.Clone(f.active), i, i+1)
			}
		}
		this := *candidate
		return &this
	}
	return nil
}

// before does what a fault does before the request is looked at; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, body []byte, fault *Fault) bool {
	if fault == nil {
		return true
	}
	if !wire.Wait(r, fault.Delay, s.closing) {
		return false
	}
	switch fault.Kind {
	case FaultStatus:
		wire.RetryAfter(w, fault.RetryAfter)
		write(w, fault.Status, []byte(fault.Body))
	case FaultEcho:
		text := fmt.Sprintf("%s %s: %v: %s", r.Method, r.URL, r.Header, body)
		write(w, fault.Status, encode(answer{Status: text, Message: text, Errors: []string{text}}))
	case FaultRedirect:
		w.Header().Set("Location", fault.Location)
		write(w, fault.Status, nil)
	case FaultHang:
		wire.Hang(w, r, s.closing)
	case FaultReset:
		wire.Reset(w)
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
