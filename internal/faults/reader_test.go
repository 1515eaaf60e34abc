package faults

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestSlowReader keeps a query open on the ledger, as a person with a tool may, while the daemon writes much. Counting goes
// on, the write-ahead log grows behind the reader, and is short again when it has gone. Readers of the program itself work
// meanwhile.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	d := r.start(t)
	r.send(t, sentMails(t, "before", 100)...)
	want := map[string]int64{"before/other/sent": 100}
	r.counts(t, want)

	db, err := sql.Open("sqlite", "file://"+r.ledger+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var seen int64
	read := func() int64 {
		var n int64
		if err := tx.QueryRowContext(t.Context(), "SELECT sum(sent) FROM cohort").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if seen = read(); seen != 100 {
		t.Fatalf("the reader sees %d, want 100", seen)
	}

	// What is not understood is stored whole, so it fills the log quickest.
	const bodies, long = 170, 128 << 20
	for i := range bodies {
		r.send(t, fmt.Sprint(i)+strings.Repeat("x", 1<<20-100))
	}
	r.send(t, sentMails(t, "during", 500)...)
	r.drained(t, events)
	want["during/other/sent"] = 500
	r.counts(t, want)
	if n := read(); n != seen {
		t.Errorf("the reader sees %d, and saw %d: it has not held its place", n, seen)
	}
	if n := walSize(t, r); n < long {
		t.Errorf("the log has %d bytes: too few to tell anything", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	r.send(t, sentMails(t, "after", 10)...)
	want["after/other/sent"] = 10
	r.counts(t, want)
	eventually(t, "the log is short again", func() string {
		if n := walSize(t, r); n > 1<<20 {
			return fmt.Sprintf("%d bytes", n)
		}
		return ""
	})
	d.stop(t)
}

func walSize(t *testing.T, r *rig) int64 {
	t.Helper()
	info, err := os.Stat(r.ledger + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
