package watch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/signal"
)

// TestKilledBetween kills the process at each point between a transition and its delivery, and starts another.
func TestKilledBetween(t *testing.T) {
	for name, test := range map[string]struct {
		// die takes the snapshot from which the next process goes on.
		die func(d *desk, w *Watcher, pager *phone)
		// want are the deliveries, once each under ids of its own.
		want int
	}{
		"before the commit": {func(d *desk, _ *Watcher, _ *phone) { d.snapshot() }, 1},
		"after the commit": {func(d *desk, w *Watcher, _ *phone) {
			d.round(w)
			d.snapshot()
		}, 1},
		"while it is sent": {func(d *desk, w *Watcher, pager *phone) {
			pager.answer = func(context.Context, int, *alerts.Notification) error {
				d.snapshot()
				return nil
			}
			d.round(w)
			d.run(map[string]alerts.Notifier{"pager": pager})
			d.after(time.Second)
			pager.will(nil)
		}, 2},
		"after it was sent": {func(d *desk, w *Watcher, pager *phone) {
			d.round(w)
			d.run(map[string]alerts.Notifier{"pager": pager})
			d.after(time.Second)
			d.snapshot()
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *desk) {
				pager := newPhone(nil)
				d.set("events", 150)
				test.die(d, d.watcher("pager"), pager)
				d.stop()
				d.restart()
				w := d.watcher("pager")
				d.run(map[string]alerts.Notifier{"pager": pager})
				for range 3 {
					d.round(w)
					d.after(time.Second)
				}
				same(d, "history", d.kinds(), []string{"triggered"})
				same(d, "outbox", d.outbox(), []string{"pager opened delivered"})
				same(d, "deliveries", len(pager.heard(d)), test.want)
				for _, id := range pager.ids {
					same(d, "id", id, pager.ids[0])
				}
			})
		})
	}
}

const (
	// killPath is set in the environment of a child: the ledger that it keeps alerts in.
	killPath = "WATCH_KILL_PATH"
	kills    = 12
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killPath); path != "" {
		if err := watchUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// restless is a sampler whose sources cross their lines now and then.
type restless struct{ random *rand.Rand }

func (r restless) Samples(_ context.Context, series alerts.Series) ([]alerts.Sample, error) {
	var all []alerts.Sample
	for i := range 5 {
		all = append(all, alerts.Sample{
			Series: series, Subject: alerts.Subject{Source: fmt.Sprint(i)}, State: signal.OK, Value: float64(r.random.IntN(3)*100 + 50),
		})
	}
	return all, nil
}

func (restless) Absent(alerts.Series) signal.State { return signal.Idle }

// printer is a notifier that prints what it delivers. Now and then it fails, before or after that.
type printer struct {
	mu     *sync.Mutex
	random *rand.Rand
}

func (p printer) Notify(_ context.Context, n *alerts.Notification) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	fate := p.random.IntN(10)
	if fate != 0 {
		fmt.Printf("%s %d %s %s\n", n.Key, n.Sequence, n.Change, n.ID)
	}
	if fate <= 1 {
		return &alerts.DeliveryError{Notifier: "pager", Reason: alerts.DeliveryQuota, Err: io.ErrUnexpectedEOF}
	}
	return nil
}

// watchUntilKilled makes rounds and delivers as fast as it can.
func watchUntilKilled(path string) error {
	ctx := context.Background()
	l, err := sqlite.Open(ctx, sqlite.Options{Path: path, FreeDisk: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	rules, err := alerts.Compile([]alerts.Rule{lag()})
	if err != nil {
		return err
	}
	router, err := alerts.NewRouter(nil, []string{"pager"}, []string{"pager"})
	if err != nil {
		return err
	}
	// Time runs fast, so that what failed is soon tried again.
	began := time.Now()
	now := func() time.Time { return began.Add(100 * time.Since(began)) }
	store := NewStore(l, now)
	pager := printer{new(sync.Mutex), rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))}
	sender := NewSender(SenderOptions{Outbox: store, Now: now, Random: rand.Float64, Log: quiet()}, map[string]alerts.Notifier{"pager": pager})
	watcher := NewWatcher(WatcherOptions{
		Store: store, Sampler: restless{random}, Silences: NewSilences(l, now, nil), Now: now, Log: quiet(), Committed: sender.Wake,
	}, rules, router)
	fmt.Println("open")
	go func() { _ = sender.Run(ctx) }()
	for {
		if err := watcher.Round(ctx); err != nil {
			return err
		}
		sender.Wake()
		time.Sleep(5 * time.Millisecond)
	}
}

// TestKilledAtAnyInstant kills a process that evaluates and delivers, again and again. Whatever it was doing: each key's
// notifications arrive in their order, one that arrives again does so at once and under its id, and in the end everything has
// been delivered or overtaken, and what was heard last is how things stand.
func TestKilledAtAnyInstant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	var heard []string
	for range kills {
		heard = append(heard, runAndKill(t, path, 5+random.IntN(20), time.Duration(random.IntN(10_000))*time.Microsecond)...)
	}
	checkHeard(t, heard)
	synctest.Test(t, func(t *testing.T) { settleRest(t, path) })
}

// runAndKill runs a child, kills it some time after it has made so many deliveries, and returns what it delivered.
func runAndKill(t *testing.T, path string, deliveries int, wait time.Duration) (heard []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child said %q", lines.Text())
	}
	for lines.Scan() {
		heard = append(heard, lines.Text())
		if len(heard) == deliveries {
			time.AfterFunc(wait, func() { _ = child.Process.Signal(syscall.SIGKILL) })
		}
	}
	_ = child.Wait() // it was killed
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the child ended by itself: %s", child.ProcessState)
	}
	return heard
}

func checkHeard(t *testing.T, heard []string) {
	t.Helper()
	type told struct {
		sequence   int64
		change, id string
	}
	byKey := make(map[string]*told)
	ids := make(map[string]bool)
	for _, line := range heard {
		var key string
		var now told
		if _, err := fmt.Sscan(line, &key, &now.sequence, &now.change, &now.id); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		last := byKey[key]
		if last == nil {
			last = &told{}
			byKey[key] = last
		}
		switch {
		case now.sequence < last.sequence:
			t.Fatalf("%s after %d", line, last.sequence)
		case now.sequence == last.sequence && now.id != last.id:
			t.Fatalf("%s again under another id than %s", line, last.id)
		case now.id != last.id && ids[now.id]:
			t.Fatalf("%s came before", line)
		}
		ids[now.id] = true
		*last = now
	}
	if len(byKey) < 5 || len(heard) < 5*kills {
		t.Fatalf("only %d deliveries of %d keys", len(heard), len(byKey))
	}
	t.Logf("%d deliveries of %d notifications", len(heard), len(ids))
}

// settleRest delivers what the last child left, and looks whether anything is lost.
func settleRest(t *testing.T, path string) {
	l, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, FreeDisk: func(string) (uint64, error) { return 1 << 40, nil }, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	later := func() time.Time { return time.Now().Add(50 * 365 * 24 * time.Hour) }
	store := NewStore(l, later)
	ctx, cancel := context.WithCancel(t.Context())
	pager := newPhone(nil)
	sender := NewSender(SenderOptions{Outbox: store, Now: later, Random: rand.Float64, Log: quiet()}, map[string]alerts.Notifier{"pager": pager})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = sender.Run(ctx)
	}()
	time.Sleep(time.Minute)
	cancel()
	<-done
	counts, err := store.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.State != alerts.EntryDelivered && c.State != alerts.EntryOvertaken {
			t.Errorf("%d are %s", c.N, c.State)
		}
	}
	wantHeardAsStored(t, store)
}

// wantHeardAsStored holds that what the notifier heard last of each key is what is remembered of its group.
func wantHeardAsStored(t *testing.T, store *Store) {
	t.Helper()
	stored, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range stored.Groups {
		g := &stored.Groups[i]
		messages, err := store.Messages(t.Context(), MessageQuery{Key: g.Key, State: alerts.EntryDelivered, Page: Page{Limit: 1}})
		if err != nil || len(messages) != 1 {
			t.Fatalf("%s: %d delivered, %v", g.Key, len(messages), err)
		}
		last := &messages[0].Notification
		if last.Sequence != g.Sequence || last.Resolved != (len(g.Members) == 0) {
			t.Errorf("%s: heard %s, number %d; the group has %d members, number %d", g.Key, last.Change, last.Sequence, len(g.Members), g.Sequence)
		}
	}
	if len(stored.Groups) == 0 || strings.TrimSpace(stored.Groups[0].Key) == "" {
		t.Error("nothing was stored")
	}
}
