package ses

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

func TestPassTakesEveryKindOfMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	for _, name := range []string{
		"sqs_body_sns_envelope_bounce.json", "sqs_body_eventbridge_delivered.json", "sqs_body_sns_raw_bounce.json",
		"sqs_body_eventbridge_sending_disabled.json", "sqs_body_sns_raw_plaintext_validation.txt", "sqs_body_poison_not_json.txt",
	} {
		if err := r.queue.Send(sample(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	if r.pass(t) {
		t.Error("six messages are no full receive")
	}
	batches, confirms := r.sink.taken()
	if d := cmp.Diff([]summary{{Key: 1, Messages: 6, Events: 3, Statuses: 1, Unreadable: 1}}, batches); d != "" {
		t.Errorf("batches (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]collectors.Confirm{{Key: 1}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
	got := r.lastStats(t)
	if got.Lag < 0 || got.Lag > patience {
		t.Errorf("lag %s", got.Lag)
	}
	got.Lag = 0
	if want := (Stats{Source: "ses-events", Events: 3, Statuses: 1, Setups: 1, Quarantined: 1}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	r.wantQueue(t, 0, 0, 6)
	r.wantBudgetFree(t)
}

func TestPassSaysWhenThereIsMore(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 12)
	if visible, inFlight, err := r.QueueDepth(t.Context()); err != nil || visible != 12 || inFlight != 0 {
		t.Errorf("depth %d, %d, %v; want 12, 0", visible, inFlight, err)
	}
	if !r.pass(t) || !r.lastStats(t).Full {
		t.Error("ten of twelve messages are a full receive")
	}
	if r.pass(t) || r.lastStats(t).Full {
		t.Error("two messages are no full receive")
	}
	if r.pass(t) {
		t.Error("no message is no full receive")
	}
	if got, want := r.lastStats(t), (Stats{Source: "ses-events"}); got != want {
		t.Errorf("stats of an empty receive %+v", got)
	}
	if batches, confirms := r.sink.taken(); len(batches) != 2 || len(confirms) != 2 {
		t.Errorf("%d batches, %d confirms; an empty receive puts nothing", len(batches), len(confirms))
	}
}

func TestNothingIsDeletedThatWasNotStored(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 3)
	full := errors.New("disk full")
	r.sink.do = func(context.Context, collectors.Batch) error { return full }
	if e := r.failure(t); e.Reason != collectors.ReasonLedger || !errors.Is(e, full) {
		t.Errorf("reason %s, error %v", e.Reason, e)
	}
	if _, confirms := r.sink.taken(); len(confirms) != 0 {
		t.Errorf("confirmed %v, although nothing was committed", confirms)
	}
	if got := r.lastStats(t); got.Kept != 3 || got.Events != 0 {
		t.Errorf("stats %+v, want 3 kept", got)
	}
	r.wantQueue(t, 0, 3, 0)
	r.wantBudgetFree(t)
}

func TestMessagesThatTheSinkRefusesStay(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 5)
	r.sink.do = func(context.Context, collectors.Batch) error {
		return &collectors.KeptError{Messages: []int{3, 1, 3, 99, -1}, Err: errors.New("the quarantine is full")}
	}
	r.pass(t)
	_, confirms := r.sink.taken()
	if d := cmp.Diff([]collectors.Confirm{{Key: 1, Kept: []int{1, 3}}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
	if got := r.lastStats(t); got.Kept != 2 || got.Events != 3 || got.Undeleted != 0 {
		t.Errorf("stats %+v", got)
	}
	r.wantQueue(t, 0, 2, 3)

	r.send(t, 2)
	r.sink.do = func(context.Context, collectors.Batch) error { return &collectors.KeptError{Messages: []int{0, 1}} }
	r.pass(t)
	if _, confirms := r.sink.taken(); len(confirms) != 1 {
		t.Errorf("confirmed %v, although nothing of the second batch was committed", confirms[1:])
	}
	r.wantQueue(t, 0, 4, 3)
}

func TestDeletionOfEntriesIsTriedTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 10)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: "DeleteMessageBatch", Times: 1, EntryShare: 0.5})
	r.pass(t)
	if _, confirms := r.sink.taken(); len(confirms) != 1 || len(confirms[0].Kept) != 0 {
		t.Errorf("confirms %v, want one that keeps nothing", confirms)
	}
	r.wantQueue(t, 0, 0, 10)
}

func TestFailedDeletionsAreConfirmedAsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 10)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: "DeleteMessageBatch", EntryShare: 0.7, Error: "ReceiptHandleIsInvalid"})
	r.pass(t) // some deletions failed, but not all: the pass goes well
	_, confirms := r.sink.taken()
	if len(confirms) != 1 {
		t.Fatalf("%d confirms", len(confirms))
	}
	kept := confirms[0].Kept
	s := r.queue.Stats()
	if len(kept) == 0 || len(kept) != s.InFlight || int(s.Deleted) != 10-len(kept) || !slices.IsSorted(kept) {
		t.Errorf("kept %v; the queue deleted %d and holds %d", kept, s.Deleted, s.InFlight)
	}
	if got := r.lastStats(t); got.Undeleted != len(kept) || got.Events != 10 {
		t.Errorf("stats %+v", got)
	}
}

func TestPassFailsWhenNothingCanBeDeleted(t *testing.T) {
	t.Parallel()
	f := func(fault sqs.Fault, reason collectors.Reason) {
		t.Helper()
		r := newRig(t, sqs.QueueOptions{})
		r.send(t, 3)
		fault.Op = "DeleteMessageBatch"
		r.server.Inject(fault)
		if e := r.failure(t); e.Reason != reason || e.Op != "delete from" {
			t.Errorf("%s %s: %v", e.Op, e.Reason, e)
		}
		_, confirms := r.sink.taken()
		if d := cmp.Diff([]collectors.Confirm{{Key: 1, Kept: []int{0, 1, 2}}}, confirms); d != "" {
			t.Errorf("confirms (-want +got):\n%s", d)
		}
		r.wantQueue(t, 0, 3, 0)
		r.wantBudgetFree(t)
	}
	f(sqs.Fault{Kind: sqs.FaultEntries}, collectors.ReasonUnavailable)
	f(sqs.Fault{Kind: sqs.FaultError, Error: "InternalFailure"}, collectors.ReasonUnavailable)
	f(sqs.Fault{Kind: sqs.FaultError, Error: "AccessDenied"}, collectors.ReasonAuth)
	f(sqs.Fault{Kind: sqs.FaultReset}, collectors.ReasonUnavailable)
}

func TestLostAnswerOfADeletionIsMadeGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 3)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultLostAnswer, Op: "DeleteMessageBatch", Times: 1})
	r.pass(t)
	if _, confirms := r.sink.taken(); len(confirms) != 1 || len(confirms[0].Kept) != 0 {
		t.Errorf("confirms %v, want one that keeps nothing", confirms)
	}
	r.wantQueue(t, 0, 0, 3)
}

func TestConfirmationThatFailsGoesWithALaterOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.send(t, 1)
	r.sink.confirmErr = func() error { return errors.New("database away") }
	if e := r.failure(t); e.Reason != collectors.ReasonLedger || e.Op != "confirm messages of" {
		t.Errorf("%s %s", e.Op, e.Reason)
	}
	r.wantQueue(t, 0, 0, 1)
	r.send(t, 1)
	r.sink.confirmErr = nil
	r.pass(t)
	_, confirms := r.sink.taken()
	if d := cmp.Diff([]collectors.Confirm{{Key: 1}, {Key: 2}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
}

// extensions reports each extension of visibility that succeeded.
type extensions struct {
	control
	done chan struct{}
}

func (e extensions) extend(ctx context.Context, messages []Message, visibility time.Duration) error {
	err := e.control.extend(ctx, messages, visibility)
	if err == nil {
		e.done <- struct{}{}
	}
	return err
}

func TestVisibilityIsExtendedWhileStoringIsSlow(t *testing.T) {
	t.Parallel()
	var wrong string
	// A machine may be so busy that an extension is late for a short timeout.
	for _, visibility := range []time.Duration{4 * time.Second, 16 * time.Second, time.Minute} {
		if wrong = storesSlowly(t, visibility); wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

// storesSlowly makes a pass in which storing takes longer than messages stay invisible by themselves, and says what is wrong
// with what becomes of them.
func storesSlowly(t *testing.T, visibility time.Duration) (wrong string) {
	t.Helper()
	r := newRig(t, sqs.QueueOptions{VisibilityTimeout: visibility})
	r.send(t, 3)
	done := make(chan struct{}, 10)
	r.control = extensions{r.control, done}
	received := time.Now()
	r.sink.do = func(context.Context, collectors.Batch) error {
		<-done
		<-done
		time.Sleep(time.Until(received.Add(visibility * 9 / 8)))
		if s := r.queue.Stats(); s.Visible != 0 || s.InFlight != 3 {
			wrong = fmt.Sprintf("longer than the timeout after the receive: %+v", s)
		}
		return nil
	}
	r.pass(t)
	_, confirms := r.sink.taken()
	if s := r.queue.Stats(); wrong == "" && (s.Deleted != 3 || len(confirms) != 1 || len(confirms[0].Kept) != 0) {
		wrong = fmt.Sprintf("%+v, confirms %v, want three deleted and one that keeps nothing", s, confirms)
	}
	return wrong
}

func TestDeletionAfterVisibilityLapsedIsNotCertain(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{VisibilityTimeout: 2 * time.Second})
	r.send(t, 2)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultError, Op: "ChangeMessageVisibilityBatch", Error: "AccessDenied"})
	r.sink.do = func(context.Context, collectors.Batch) error { time.Sleep(2500 * time.Millisecond); return nil }
	r.pass(t)
	_, confirms := r.sink.taken()
	if d := cmp.Diff([]collectors.Confirm{{Key: 1, Kept: []int{0, 1}}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
	if got := r.lastStats(t); got.Undeleted != 2 {
		t.Errorf("stats %+v", got)
	}
}

func TestMessagesAreLetGoInTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.letGo = 100 * time.Millisecond
	r.send(t, 1)
	r.sink.do = func(ctx context.Context, _ collectors.Batch) error { <-ctx.Done(); return ctx.Err() }
	if e := r.failure(t); e.Reason != collectors.ReasonLedger || !errors.Is(e, errLetGo) {
		t.Errorf("reason %s, error %v", e.Reason, e)
	}
	r.wantQueue(t, 0, 1, 0)
}

func TestStopInMidPassStillStoresAndDeletes(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.grace = patience
	r.send(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	r.sink.do = func(work context.Context, _ collectors.Batch) error {
		cancel()
		time.Sleep(50 * time.Millisecond)
		return work.Err()
	}
	if _, err := r.Pass(ctx, r.sink); err != nil {
		t.Fatal(err)
	}
	r.wantQueue(t, 0, 0, 4)
	_, confirms := r.sink.taken()
	if d := cmp.Diff([]collectors.Confirm{{Key: 1}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
}

func TestStopInMidPassIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.grace = 100 * time.Millisecond
	r.send(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	r.sink.do = func(work context.Context, _ collectors.Batch) error {
		cancel()
		<-work.Done()
		return work.Err()
	}
	began := time.Now()
	_, err := r.Pass(ctx, r.sink)
	if took := time.Since(began); took > letGo/2 || !errors.Is(err, errStopping) {
		t.Errorf("after %s: %v", took, err)
	}
	r.wantQueue(t, 0, 4, 0)
}

func TestDeletionAfterStopIsBoundedAndConfirmed(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.grace = 200 * time.Millisecond
	r.send(t, 2)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultHang, Op: "DeleteMessageBatch"})
	ctx, cancel := context.WithCancel(t.Context())
	r.sink.do = func(context.Context, collectors.Batch) error { cancel(); return nil }
	if _, err := r.Pass(ctx, r.sink); err == nil {
		t.Error("nothing was deleted, and the pass went well")
	}
	_, confirms := r.sink.taken()
	if d := cmp.Diff([]collectors.Confirm{{Key: 1, Kept: []int{0, 1}}}, confirms); d != "" {
		t.Errorf("confirms (-want +got):\n%s", d)
	}
}

func TestStopEndsALongPoll(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.transport.wait = longPoll
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	began := time.Now()
	_, err := r.Pass(ctx, r.sink)
	if took := time.Since(began); took >= longPoll || !errors.Is(err, context.Canceled) {
		t.Errorf("after %s: %v", took, err)
	}
	r.wantBudgetFree(t)
}

func TestManyPassesAtOnce(t *testing.T) {
	t.Parallel()
	const n = 600
	r := newRig(t, sqs.QueueOptions{Shuffle: 50, Duplicates: 0.05})
	r.send(t, n)
	r.server.Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: "DeleteMessageBatch", Share: 0.2, EntryShare: 0.3})
	r.server.Inject(sqs.Fault{Kind: sqs.FaultTruncate, Op: "ReceiveMessage", Times: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				if full, err := r.Pass(t.Context(), r.sink); err == nil && !full {
					return
				}
			}
		})
	}
	wg.Wait()
	batches, confirms := r.sink.taken()
	keys := make(map[uint64]bool)
	for _, b := range batches {
		keys[b.Key] = true
	}
	if len(keys) != len(batches) || len(confirms) != len(batches) {
		t.Errorf("%d batches, %d keys, %d confirms", len(batches), len(keys), len(confirms))
	}
	// The messages of the truncated answers stay invisible.
	if s := r.queue.Stats(); s.Visible != 0 || len(r.sink.ids) < n-20 {
		t.Errorf("%d of %d messages stored, queue %+v", len(r.sink.ids), n, s)
	}
	r.wantBudgetFree(t)
}
