package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// killPath is set in the environment of a child: the ledger that it writes. killFirst is the first Put that it sends.
	killPath, killFirst = "LEDGER_KILL_PATH", "LEDGER_KILL_FIRST"
	kills               = 12
	killPuts            = 1_000_000
	killEntries         = 10
	killCallers         = 8
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killPath); path != "" {
		if err := commitUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// commitUntilKilled commits Puts of a known stream from several goroutines and prints the number of each acknowledged one.
func commitUntilKilled(path string) error {
	first, err := strconv.Atoi(os.Getenv(killFirst))
	if err != nil {
		return err
	}
	l, err := Open(context.Background(), Options{Path: path, FreeDisk: plenty})
	if err != nil {
		return err
	}
	fmt.Println("open")
	var printing sync.Mutex
	for c := range killCallers {
		go func() {
			for n := first + c; n < first+killPuts; n += killCallers {
				if _, err := l.Commit(context.Background(), killPut(n)); err != nil {
					panic(err)
				}
				printing.Lock()
				fmt.Println(n)
				printing.Unlock()
			}
		}()
	}
	for {
		time.Sleep(20 * time.Millisecond)
		if err := l.Fold(context.Background()); err != nil {
			return err
		}
		if _, err := l.Maintain(context.Background()); err != nil {
			return err
		}
	}
}

// killPut is the n-th Put of the stream. Its last entry repeats one of the Put before.
func killPut(n int) ledger.Put {
	p := ledger.Put{Source: "queue", Key: uint64(n + 1)}
	at := time.Now()
	for i := range killEntries {
		id := uint64(n*killEntries + i)
		if i == killEntries-1 && n > 0 {
			id = uint64((n-1)*killEntries + 3)
		}
		o := observation.Sent
		if id%7 == 0 {
			o = observation.HardBounced
		}
		p.Entries = append(p.Entries, ledger.Entry{
			ID: id*0x9E3779B97F4A7C15 + 1, Message: i, Type: observation.EventSend, SentAt: at.Add(-time.Hour), At: at,
			Cell: ledger.Cell{
				Campaign: observation.Campaign{Name: "c" + strconv.Itoa(int(id%20))}, Provider: "gmail", Outcome: o,
			},
		})
	}
	return p
}

// TestKilledAtAnyInstant kills a process that commits, folds and maintains, again and again, and then sends what had not
// been acknowledged once more, as a queue does. Every event is counted once.
func TestKilledAtAnyInstant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	acknowledged := map[int]bool{}
	next := 0
	for i := range kills {
		// One is killed some time after it has opened the ledger, the next after so many acknowledgements, however long that takes.
		puts := i % 2 * (2 + rnd.IntN(100))
		for n := range runAndKill(t, path, next, puts, time.Duration(rnd.IntN(120))*time.Millisecond) {
			acknowledged[n] = true
			next = max(next, n+killCallers+1)
		}
	}
	if len(acknowledged) < kills {
		t.Fatalf("only %d Puts were acknowledged", len(acknowledged))
	}
	l, err := Open(t.Context(), Options{Path: path, FreeDisk: plenty})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ids := map[uint64]bool{}
	for n := range next {
		p := killPut(n)
		for _, e := range p.Entries {
			ids[e.ID] = true
		}
		result, err := l.Commit(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for i, fate := range result.Fates {
			if acknowledged[n] && fate != ledger.Duplicate {
				t.Fatalf("entry %d of Put %d was acknowledged and is not known", i, n)
			}
		}
	}
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := total(t, l); got != int64(len(ids)) {
		t.Errorf("counted %d, want %d", got, len(ids))
	}
	checkIntegrity(t, l)
}

// runAndKill runs a child from the Put first on, kills it some time after it has opened the ledger and acknowledged so many
// Puts, and returns those that it acknowledged.
func runAndKill(t *testing.T, path string, first, puts int, wait time.Duration) map[int]bool {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killPath+"="+path, killFirst+"="+strconv.Itoa(first))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
	done := map[int]bool{}
	for {
		if len(done) == puts {
			time.AfterFunc(wait, func() { _ = child.Process.Signal(syscall.SIGKILL) })
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(line[:len(line)-1])
		if err != nil {
			t.Fatal(err)
		}
		done[n] = true
	}
	_ = child.Wait() // it was killed
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the child ended by itself: %s", child.ProcessState)
	}
	return done
}

func total(t *testing.T, r ledger.Reader) (n int64) {
	t.Helper()
	c, err := r.Cohorts(t.Context(), ledger.CohortQuery{To: time.Now().Add(100 * day)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range c.Rows {
		n += row.N
	}
	return n
}

func checkIntegrity(t *testing.T, l *Ledger) {
	t.Helper()
	var answer string
	if err := l.db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity: %s %v", answer, err)
	}
}
