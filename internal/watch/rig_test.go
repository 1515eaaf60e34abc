package watch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/signal"
)

// rig is alerts over a real ledger, with figures and notifiers that a test sets.
type rig struct {
	*testing.T
	root   string
	places int
	path   string
	ledger *sqlite.Ledger
	flaky  *flakyLedger
	store  *Store
	// live takes the time from the bubble that the test runs in.
	live bool

	mu      sync.Mutex // protects all following fields
	clock   time.Time
	values  map[string]float64
	failing map[alerts.Signal]error
	woken   int
	rounds  []Round
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		T: t, root: t.TempDir(), clock: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC), values: make(map[string]float64),
		failing: make(map[alerts.Signal]error),
	}
	r.place()
	r.open()
	t.Cleanup(func() { _ = r.ledger.Close() })
	return r
}

func (r *rig) now() time.Time {
	if r.live {
		return time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) advance(d time.Duration) {
	if r.live {
		time.Sleep(d)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

// set changes the figure of a source.
func (r *rig) set(source string, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values[source] = value
}

func (r *rig) place() {
	r.places++
	dir := filepath.Join(r.root, strconv.Itoa(r.places))
	if err := os.Mkdir(dir, 0o700); err != nil {
		r.Fatal(err)
	}
	r.path = filepath.Join(dir, "ledger.db")
}

func (r *rig) open() {
	r.Helper()
	l, err := sqlite.Open(r.Context(), sqlite.Options{
		Path: r.path, FreeDisk: func(string) (uint64, error) { return 1 << 40, nil }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		r.Fatal(err)
	}
	r.ledger = l
	r.flaky = &flakyLedger{Ledger: l}
	r.store = NewStore(r.flaky, r.now)
}

// snapshot copies what is durable, as a kill at this moment would leave it.
func (r *rig) snapshot() {
	r.Helper()
	from := r.path
	r.place()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.Fatal(err)
		}
		if err == nil {
			err = os.WriteFile(r.path+suffix, b, 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.Fatal(err)
		}
	}
}

// restart goes on from the snapshot.
func (r *rig) restart() {
	r.Helper()
	if err := r.ledger.Close(); err != nil {
		r.Fatal(err)
	}
	r.open()
}

// kill goes on from what is durable now.
func (r *rig) kill() {
	r.Helper()
	r.snapshot()
	r.restart()
}

// flakyLedger is a ledger that can be told to fail.
type flakyLedger struct {
	Ledger
	mu             sync.Mutex // protects all following fields
	commit, settle error
	settled        int
}

func (l *flakyLedger) fail(commit, settle error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commit, l.settle = commit, settle
}

func (l *flakyLedger) CommitAlerts(ctx context.Context, s ledger.AlertStep) error {
	l.mu.Lock()
	err := l.commit
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.Ledger.CommitAlerts(ctx, s)
}

func (l *flakyLedger) SettleNotification(ctx context.Context, id string, d ledger.Delivery) error {
	l.mu.Lock()
	l.settled++
	err := l.settle
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.Ledger.SettleNotification(ctx, id, d)
}

// Samples implements Sampler: each source has the value that was set.
func (r *rig) Samples(_ context.Context, series alerts.Series) ([]alerts.Sample, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.failing[series.Signal]; err != nil {
		return nil, err
	}
	var all []alerts.Sample
	for source, value := range r.values {
		all = append(all, alerts.Sample{
			Series: series, Subject: alerts.Subject{Source: source}, AsOf: r.clock, State: signal.OK, Value: value,
		})
	}
	return all, nil
}

// Absent implements Sampler.
func (r *rig) Absent(alerts.Series) signal.State { return signal.Idle }

// Describe implements alerts.Describer.
func (r *rig) Describe(_ context.Context, n *alerts.Notification) {
	n.Links = []alerts.Link{{Text: "page", URL: "https://mailvane.example.com/"}}
}

// lag is a rule over the figures of sources: above 100 warns, above 200 is critical, at once and only as long.
func lag() alerts.Rule {
	return alerts.Rule{
		Name: "Lag", Signal: alerts.QueueLag, By: alerts.BySource, KeepFiringFor: new(time.Duration),
		Warning: &alerts.Line{Above: new(100.0)}, Critical: &alerts.Line{Above: new(200.0)},
	}
}

func compile(t testing.TB, rules ...alerts.Rule) *alerts.Rules {
	t.Helper()
	c, err := alerts.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// routeTo is a router that sends everything to each of the notifiers.
func routeTo(t testing.TB, notifiers ...string) *alerts.Router {
	t.Helper()
	r, err := alerts.NewRouter(nil, notifiers, notifiers)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// watcher is one of the rule lag whose alerts go to the notifiers.
func (r *rig) watcher(notifiers ...string) *Watcher {
	r.Helper()
	return NewWatcher(WatcherOptions{
		Store: r.store, Sampler: r, Describer: r, Now: r.now, Log: quiet(), Silences: NewSilences(r.flaky, r.now, nil),
		Observe:   func(round Round) { r.rounds = append(r.rounds, round) },
		Committed: func() { r.woken++ },
	}, compile(r, lag()), routeTo(r, notifiers...))
}

func (r *rig) round(w *Watcher) {
	r.Helper()
	r.advance(30 * time.Second)
	if err := w.Round(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// kinds is the history, the oldest first.
func (r *rig) kinds() (all []string) {
	r.Helper()
	events, err := r.store.History(r.Context(), HistoryQuery{})
	if err != nil {
		r.Fatal(err)
	}
	for i := range events {
		all = append(all, string(events[len(events)-1-i].Kind))
	}
	return all
}

// outbox is every notification with its state, the oldest first: "pager opened waiting".
func (r *rig) outbox() (all []string) {
	r.Helper()
	messages, err := r.store.Messages(r.Context(), MessageQuery{})
	if err != nil {
		r.Fatal(err)
	}
	for i := range messages {
		m := &messages[len(messages)-1-i]
		all = append(all, m.Notification.Notifier+" "+string(m.Notification.Change)+" "+string(m.State))
	}
	return all
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(call{})); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// call is a try as a notifier saw it.
type call struct {
	at     time.Duration
	key    string
	change alerts.Change
}

// phone is a notifier that notes what it is told and answers as a test wants.
type phone struct {
	mu    sync.Mutex // protects all following fields
	began time.Time
	calls []call
	ids   []string
	busy  map[string]int
	most  int
	// answer is asked with the number of the call, from 1.
	answer func(ctx context.Context, n int, msg *alerts.Notification) error
	wrong  string
}

func newPhone(answer func(ctx context.Context, n int, msg *alerts.Notification) error) *phone {
	return &phone{began: time.Now(), busy: make(map[string]int), answer: answer}
}

func (p *phone) Notify(ctx context.Context, msg *alerts.Notification) error {
	p.mu.Lock()
	p.calls = append(p.calls, call{time.Since(p.began).Round(time.Millisecond), msg.Key, msg.Change})
	p.ids = append(p.ids, msg.ID)
	n := len(p.calls)
	if p.busy[msg.Key]++; p.busy[msg.Key] > 1 {
		p.wrong = "two of key " + msg.Key + " at once"
	}
	under := 0
	for _, k := range p.busy {
		under += k
	}
	p.most = max(p.most, under)
	answer := p.answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.busy[msg.Key]--
		p.mu.Unlock()
	}()
	if answer == nil {
		return nil
	}
	return answer(ctx, n, msg)
}

// heard is what the notifier was told so far.
func (p *phone) heard(t testing.TB) []call {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong != "" {
		t.Fatal(p.wrong)
	}
	return append([]call(nil), p.calls...)
}

// changes are those that the notifier was told.
func (p *phone) changes(t testing.TB) (all []alerts.Change) {
	t.Helper()
	for _, c := range p.heard(t) {
		all = append(all, c.change)
	}
	return all
}

// atOnce is the most that were under way at a time.
func (p *phone) atOnce() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// will answer so from now on.
func (p *phone) will(answer func(ctx context.Context, n int, msg *alerts.Notification) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}
