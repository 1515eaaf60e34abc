package ses

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// refusing is an HTTP client without a server.
type refusing struct{}

func (refusing) Do(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func TestMemoryIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 2)
	const size = 10_000
	b := &Budget{free: semaphore.NewWeighted(size), size: size}
	r.transport.budget = b
	if !b.free.TryAcquire(size - 100) {
		t.Fatal("the budget is not free")
	}
	var freed atomic.Bool
	time.AfterFunc(300*time.Millisecond, func() { freed.Store(true); b.free.Release(size - 100) })
	r.pass(t)
	if !freed.Load() {
		t.Error("the pass went on without memory")
	}
	r.wantQueue(t, 0, 0, 2)
	r.wantBudgetFree(t)
}

func TestMemoryIsNotWaitedForTooLong(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{VisibilityTimeout: 2 * time.Second})
	r.send(t, 2)
	b := &Budget{free: semaphore.NewWeighted(10_000), size: 10_000}
	r.transport.budget = b
	if !b.free.TryAcquire(b.size) {
		t.Fatal("the budget is not free")
	}
	e := r.failure(t)
	if _, ok := errors.AsType[*noRoomError](e); !ok || e.Reason != collectors.ReasonLedger {
		t.Errorf("%s: %v", e.Reason, e)
	}
	b.free.Release(b.size)
	r.wantBudgetFree(t)
}

func TestMemoryIsHeldUntilThePassEnds(t *testing.T) {
	t.Parallel()
	f := func(h http.HandlerFunc, want int64) {
		t.Helper()
		r := newRigOn(t, handler{"ReceiveMessage": h, "DeleteMessageBatch": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"Successful":[{"Id":"0"}]}`)
		}}, "/123456789012/q")
		got, err := r.transport.Receive(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		b := r.transport.budget
		switch {
		case b.free.TryAcquire(b.size - want + 1):
			t.Errorf("less than %d bytes are held", want)
		case !b.free.TryAcquire(b.size - want):
			t.Errorf("more than %d bytes are held", want)
		default:
			b.free.Release(b.size - want)
		}
		got.Release()
		r.wantBudgetFree(t)
		r.pass(t)
		r.wantBudgetFree(t)
	}
	answer := `{"Messages":[{"MessageId":"m","ReceiptHandle":"h","Body":"` + strings.Repeat("x", 5000) + `"}]}`
	f(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = io.WriteString(w, answer)
	}, int64(len(answer)))
	f(func(w http.ResponseWriter, _ *http.Request) { // chunked: the length is not told
		_, _ = io.WriteString(w, answer[:100])
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, answer[100:])
	}, int64(len(answer)))
	first := atomic.Bool{}
	f(func(w http.ResponseWriter, _ *http.Request) { // the SDK tries again after the first answer
		if first.CompareAndSwap(false, true) {
			w.Header().Set("Content-Length", "1000000")
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = io.WriteString(w, answer)
	}, int64(len(answer)))
}

func TestTooLongAnswersAreRefused(t *testing.T) {
	t.Parallel()
	f := func(h http.HandlerFunc) {
		t.Helper()
		r := newRigOn(t, handler{"ReceiveMessage": h}, "/123456789012/q")
		began := time.Now()
		e := r.failure(t)
		if _, ok := errors.AsType[*tooLargeError](e); !ok || e.Reason != collectors.ReasonMalformed {
			t.Errorf("%s: %v", e.Reason, e)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("it took %s", took)
		}
		r.wantBudgetFree(t)
	}
	f(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(1<<50))
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	f(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat("x", 1<<20); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	})
}

func TestLongErrorsAreCut(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		for chunk := strings.Repeat("x", 1<<20); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	}}, "/123456789012/q")
	if e := r.failure(t); e.Reason != collectors.ReasonConfig || len(e.Error()) > 1000 {
		t.Errorf("%s: %d bytes", e.Reason, len(e.Error()))
	}
}

func TestBodiesOfTheLargestSize(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	for range 10 {
		if err := r.queue.Send(strings.Repeat("\"é\t", sqs.MaxMessageBytes/4)); err != nil {
			t.Fatal(err)
		}
	}
	r.pass(t)
	if got := r.lastStats(t); got.Quarantined != 10 {
		t.Errorf("stats %+v", got)
	}
	r.wantQueue(t, 0, 0, 10)
	r.wantBudgetFree(t)
}

func TestChecksumsAreNotChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 1)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultWrongMD5, Op: "ReceiveMessage"})
	r.pass(t)
	r.wantQueue(t, 0, 0, 1)
}

func TestNewBudgetHoldsTheLongestAnswer(t *testing.T) {
	t.Parallel()
	if b := NewBudget(1); b.size != maxAnswer || !b.free.TryAcquire(maxAnswer) {
		t.Errorf("size %d", b.size)
	}
}
