package faults

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
)

const megabyte = 1_000_000

// stands waits until the daemon says, everywhere, that it cannot commit for lack of disk.
func (d *daemon) stands(t *testing.T) {
	t.Helper()
	eventually(t, "the daemon is not ready", func() string {
		status, body := d.ask(t, http.MethodGet, "/-/ready")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "the ledger cannot commit") || !strings.Contains(body, "bytes of disk are free") {
			return fmt.Sprintf("%d %s", status, body)
		}
		return ""
	})
	eventually(t, "the source says why", func() string {
		s := d.source(t, events)
		if s.State != "error" || !strings.Contains(s.Error, "bytes of disk are free") {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	d.shows(t, 0, "mailvane_ledger_writable")
	if s := d.sources(t); s.Ledger.Writable || s.Ledger.Error == "" {
		t.Errorf("the ledger is %+v", s.Ledger)
	}
}

// TestDiskNearlyFull runs the daemon on a file system that has less room than it wants to leave: it stops receiving, deletes
// nothing and says why. When there is room it goes on by itself.
func TestDiskNearlyFull(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := oneQueue(t)
	small := mount(t, 400*megabyte)
	r.ledger = filepath.Join(string(small), "ledger.db")
	r.configure(t)
	d := r.start(t)
	r.send(t, sentMails(t, "before", 30)...)
	want := map[string]int64{"before/other/sent": 30}
	r.counts(t, want)
	r.drained(t, events)
	d.ready(t)

	small.resize(t, 100*megabyte)
	deleted := r.queue(events).Stats().Deleted
	r.send(t, sentMails(t, "during", 500)...)
	d.stands(t)
	// Receiving stands still: once the passes that had begun are over, and what they took is back, nothing is taken any more.
	eventually(t, "nothing is in flight", func() string {
		if s := r.queue(events).Stats(); s.InFlight > 0 {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	received := r.queue(events).Stats().Received
	time.Sleep(3 * time.Second) // longer than a gate is asked again, and than the messages are invisible
	s := r.queue(events).Stats()
	if s.Received != received || s.Deleted != deleted {
		t.Errorf("the queue went on: %+v, before %d received and %d deleted", s, received, deleted)
	}
	r.counts(t, want)

	small.resize(t, 400*megabyte)
	d.ready(t)
	r.drained(t, events)
	want["during/other/sent"] = 500
	r.counts(t, want)
	d.shows(t, 1, "mailvane_ledger_writable")
	d.stop(t)
}

// TestStartOnADiskNearlyFull starts on little disk: with a new ledger, then with one that counts. It comes up, so that people
// can see why it stands still.
func TestStartOnADiskNearlyFull(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := oneQueue(t)
	small := mount(t, 8*megabyte)
	r.ledger = filepath.Join(string(small), "ledger.db")
	r.configure(t)
	d := r.start(t)
	d.stands(t) // although no message has come yet
	r.send(t, sentMails(t, "a", 50)...)
	d.stop(t)
	if s := r.queue(events).Stats(); s.Received != 0 {
		t.Errorf("messages were received that could not be stored: %+v", s)
	}
	small.resize(t, 400*megabyte)
	d = r.start(t)
	r.counts(t, map[string]int64{"a/other/sent": 50})
	d.kill()
	small.resize(t, 8*megabyte)
	d = r.start(t)
	d.stands(t)
	r.counts(t, map[string]int64{"a/other/sent": 50})
	d.stop(t)
}

// TestDiskFull fills a file system to its last byte while the engine commits, without a reserve: what was answered with
// success is there, what was not is not, and with room again all goes on.
func TestDiskFull(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	small := mount(t, 3*megabyte)
	o := sqlite.Options{Path: filepath.Join(string(small), "ledger.db"), MinFreeDisk: 1}
	l, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	put := func(i int) error {
		_, err := l.Commit(t.Context(), numbered(i))
		return err
	}
	n := 0
	for err = nil; err == nil; n++ {
		if n == 10_000 {
			t.Fatal("the disk does not fill")
		}
		if err = put(n); n%20 == 19 && err == nil {
			err = l.Fold(t.Context())
		}
	}
	if !errors.Is(err, ledger.ErrCannotCommit) {
		t.Fatalf("with the disk full: %v, want %v", err, ledger.ErrCannotCommit)
	}
	status, err := l.Status(t.Context())
	if err != nil || !errors.Is(status.CommitErr, ledger.ErrCannotCommit) {
		t.Errorf("status: %v, %v", status.CommitErr, err)
	}
	small.resize(t, 60*megabyte)
	// The Put that failed is repeated, as its source does, and so are all before it: they are known.
	for i := range n + 20 {
		if err := put(i); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err = l.Status(t.Context()); err != nil || status.CommitErr != nil {
		t.Errorf("status with room again: %v, %v", status.CommitErr, err)
	}
	if got, want := total(t, l), int64(perPut*(n+20)); got != want {
		t.Errorf("%d are counted, want %d", got, want)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenWithTheDiskFull kills a daemon and fills its disk to the last byte. When the daemon has left something to fold it
// cannot start without room and says why; else it stands still. With room it goes on and nothing is lost.
func TestOpenWithTheDiskFull(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := oneQueue(t)
	small := mount(t, 400*megabyte)
	r.ledger = filepath.Join(string(small), "ledger.db")
	r.configure(t)
	d := r.start(t)
	r.send(t, sentMails(t, "a", 200)...)
	r.counts(t, map[string]int64{"a/other/sent": 200})
	d.kill()
	small.fill(t)
	d, address := r.launch(t)
	if d.opened(t, address) {
		d.stands(t)
		d.kill()
	} else if said := d.log.String(); d.cmd.ProcessState.ExitCode() != 1 ||
		!strings.Contains(said, "open ledger "+r.ledger+": the ledger cannot commit") {
		t.Errorf("it ended with %v and said %q, want that %s cannot commit", d.cmd.ProcessState, said, r.ledger)
	}
	if err := os.Remove(filepath.Join(string(small), "ballast")); err != nil {
		t.Fatal(err)
	}
	d = r.start(t)
	r.send(t, sentMails(t, "b", 20)...)
	r.counts(t, map[string]int64{"a/other/sent": 200, "b/other/sent": 20})
	d.stop(t)
}

// fill takes up all room of the disk, to the last byte.
func (d disk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(string(d), "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

const perPut = 50

// numbered is the i-th Put, of which each entry is another.
func numbered(i int) ledger.Put {
	p := ledger.Put{Source: "queue"}
	for j := range perPut {
		at := time.Now().Add(-time.Duration(j) * time.Minute)
		p.Entries = append(p.Entries, ledger.Entry{
			ID: uint64(i*perPut+j+1) * 0x9E3779B97F4A7C15, SentAt: at, At: at, Type: observation.EventSend,
			Cell: ledger.Cell{
				Origin:   observation.Origin{Account: "123456789012", Region: region, ConfigurationSet: "set"},
				Campaign: observation.Campaign{Name: fmt.Sprintf("campaign-%d", i%7)}, Provider: "other", Outcome: observation.Sent,
			},
		})
	}
	return p
}

// total sums what a ledger has counted.
func total(t *testing.T, l ledger.Reader) (n int64) {
	t.Helper()
	now := time.Now()
	all, err := l.Cohorts(t.Context(), ledger.CohortQuery{From: now.AddDate(-1, 0, 0), To: now.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all.Rows {
		n += row.N
	}
	return n
}
