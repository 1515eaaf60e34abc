package faults

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The bounds on campaigns when the configuration says nothing.
const (
	maxTracked  = 20_000
	maxExported = 500
)

// TestAMillionCampaignNames lets a sender make up a campaign for every mail: a part comes by the queue and fills all places,
// and a million more come by replay beside the running daemon, through the same intake. Names, series and memory are
// bounded, and every mail is counted.
func TestAMillionCampaignNames(t *testing.T) {
	t.Parallel()
	const live, replayed = 25_000, 1_000_000
	r := oneQueue(t)
	m := newMail("NAME", 0)
	template := strings.ReplaceAll(m.sent(t), "0100NAME-00000000", "0100-NAME")
	made := 0
	next := func(dst []byte) []byte {
		made++
		return append(dst, strings.ReplaceAll(template, "NAME", fmt.Sprintf("flood-%07d", made))...)
	}
	r.queue(events).Fill(func(dst []byte) ([]byte, bool) {
		if made == live {
			return dst, false
		}
		return next(dst), true
	}, live)
	began := time.Now()
	d := r.start(t)
	r.drained(t, events)
	eventually(t, "the queue's part is counted", func() string {
		if n := sum(r.tallies(t)); n != live {
			return fmt.Sprint(n)
		}
		return ""
	})

	file := filepath.Join(r.dir, "flood.ndjson")
	writeLines(t, file, replayed, next)
	status, out := r.run(t, "replay", "--assume-new", file)
	if status != 0 || !strings.Contains(out, fmt.Sprintf("%d counted", replayed)) {
		t.Fatalf("replay: status %d: %s", status, out)
	}
	eventually(t, "all are counted", func() string {
		if n := sum(r.tallies(t)); n != live+replayed {
			return fmt.Sprint(n)
		}
		return ""
	})
	// A name has a place for a day, so midnight gives out as many again.
	days := int(dayOf(time.Now())-dayOf(began)) + 1
	if n := len(r.tallies(t)); n <= maxTracked/2 || n > days*maxTracked+1 {
		t.Errorf("the ledger has %d campaigns, want %d and (other)", n, maxTracked)
	}
	if n := int(d.metric(t, "mailvane_names_tracked", "dimension", "campaign")); n > days*maxTracked || n < maxTracked {
		t.Errorf("%d names are tracked, want %d", n, maxTracked)
	}
	if n := int(d.metric(t, "mailvane_names_folded_total", "dimension", "campaign")); n < live+replayed-days*maxTracked {
		t.Errorf("%d events lost their name, want %d", n, live+replayed-maxTracked)
	}
	_, body := d.ask(t, http.MethodGet, "/metrics")
	if series := strings.Count(body, "\n") - strings.Count(body, "\n# "); series > 20*maxExported {
		t.Errorf("there are %d series", series)
	}
	exported := make(map[string]bool)
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, "mailvane_campaign_recipients_total{"); ok {
			_, name, _ := strings.Cut(rest, `campaign="`)
			name, _, _ = strings.Cut(name, `"`)
			exported[name] = true
		}
	}
	if len(exported) > maxExported+1 || !exported["(other)"] {
		t.Errorf("%d campaigns are exported, want %d and (other)", len(exported), maxExported)
	}
	used := d.memory(t)
	t.Logf("the daemon used at most %d MB, its ledger has %d MB", used/megabyte, d.sources(t).Ledger.Bytes/megabyte)
	if limit := int64(760 * megabyte); used > limit {
		t.Errorf("the daemon used %d MB, more than %d", used/megabyte, limit/megabyte)
	}
	d.stop(t)
}

func sum(tallies map[string]int64) (n int64) {
	for _, m := range tallies {
		n += m
	}
	return n
}

func dayOf(at time.Time) int64 { return at.Unix() / 86400 }

// writeLines writes a file of so many lines.
func writeLines(t *testing.T, path string, n int, next func(dst []byte) []byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	var line []byte
	for range n {
		line = append(next(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
