package faults

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// withAccount is a rig whose daemon reads a Google account of two domains.
func withAccount(t *testing.T, now time.Time) *rig {
	t.Helper()
	r := newRig(t, simulator.GmailBench(now, 2, 5), sqs.QueueOptions{})
	credentials := filepath.Join(r.dir, "postmaster.json")
	if err := r.sim.WriteAuthorizedUser(credentials); err != nil {
		t.Fatal(err)
	}
	r.accounts = fmt.Sprintf("  postmaster:\n    - {credentials_file: %q, endpoint: %q, every: 1s, requests_per_second: 100}\n", credentials, r.sim.URL())
	r.configure(t)
	return r
}

// position is how far a domain of the account has been read.
func (r *rig) position(t *testing.T, domain string) string {
	t.Helper()
	reader := r.reader(t)
	defer reader.Close()
	positions, err := reader.Positions(t.Context(), "postmaster")
	if err != nil {
		t.Fatal(err)
	}
	return positions[domain]
}

// TestKilledWhileGmailIsRead kills the daemon each time that a part of four months has been stored. It goes on from there, and
// at the end every day is as Gmail has it.
func TestKilledWhileGmailIsRead(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const domain = "d000.example.com"
	r := withAccount(t, now)
	queries := func() int { return r.sim.Postmaster().Requests()[postmaster.OpBatchQuery] }
	last := "v2/" + now.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	const perStart = 4 // questions enough for a part of the days, too few for two
	kills, at, before := 0, "", 0
	for kills < 10 {
		// It gets this far and no further, however fast it reads.
		heal := r.sim.Postmaster().Inject(postmaster.Fault{Kind: postmaster.FaultHang, Op: postmaster.OpBatchQuery, Skip: perStart})
		d := r.start(t)
		eventually(t, "more of Gmail's days are stored", func() string {
			if now := r.position(t, domain); now <= at {
				return fmt.Sprintf("read up to %q", now)
			}
			return ""
		})
		d.kill()
		heal()
		kills++
		at = r.position(t, domain)
		if at >= last { // at midnight a day is added
			break
		}
		before = queries()
	}
	if kills < 3 || at < last {
		t.Errorf("after %d kills it was read up to %s, want %s after some", kills, at, last)
	}
	// What is read again is the window: far less than everything.
	if after := queries(); before == 0 || after-before >= before {
		t.Errorf("%d batches before the last start, %d after it", before, after-before)
	}
	d := r.start(t)
	eventually(t, "a pass ends", func() string {
		for _, s := range d.sources(t).Sources {
			if s.Name == "postmaster/postmaster" && s.State == "ok" {
				return ""
			}
		}
		return "none has"
	})
	d.stop(t)
	r.holdsGmail(t, now, domain)
	r.holdsGmail(t, now, "d001.example.com")
}

// holdsGmail compares the ledger's spam rates with those that Gmail shows, day by day.
func (r *rig) holdsGmail(t *testing.T, now time.Time, domain string) {
	t.Helper()
	reader := r.reader(t)
	defer reader.Close()
	rows, err := reader.Readings(t.Context(), ledger.ReadingQuery{Metric: observation.PostmasterSpamRate, From: now.AddDate(0, 0, -130), To: now})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, row := range rows {
		if day := row.Start.UTC().Format(time.DateOnly); row.Key.Subject == domain && row.Value != nil {
			if _, twice := got[day]; twice {
				t.Errorf("%s of %s is there twice", day, domain)
			}
			got[day] = *row.Value
		}
	}
	shown := 0
	for n := 1; n <= 120; n++ {
		day := now.UTC().AddDate(0, 0, -n)
		truth, key := r.sim.Postmaster().Truth(domain, day, ""), day.Format(time.DateOnly)
		rate, ok := got[key]
		if ok != truth.Published || math.Abs(rate-truth.Rate) > 1e-6 && ok {
			t.Errorf("%s on %s: %v (known: %v), Gmail shows %+v", domain, key, rate, ok, truth)
		}
		if truth.Published {
			shown++
		}
	}
	if shown < 110 || len(got) != shown {
		t.Errorf("%d days of %s are known, Gmail shows %d", len(got), domain, shown)
	}
}
