package view

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func group(reason string) string {
	if reason == "content_spam" {
		return "content"
	}
	return "other"
}

// slot is where recipients are counted, spelled out.
type slot struct {
	Span             span
	Tenant, Campaign string
	Provider, Reason string
	Outcome          observation.Outcome
	Coverage         signal.Coverage
	Reporting        bool
}

// running spells out the sums that a view keeps.
func running(v *View) map[slot]int64 {
	all := map[slot]int64{}
	for n, c := range v.sums.campaigns {
		for _, cell := range c.cells {
			for s, count := range cell.n {
				if count != 0 {
					k := cell.key
					all[slot{span(s), n.tenant, n.campaign, v.sums.providers.names[k.provider()],
						v.sums.reasons.names[k.reason()], k.outcome(), k.coverage(), k.reporting()}] = count
				}
			}
		}
	}
	return all
}

// afresh sums the same spans from the ledger.
func afresh(t *testing.T, r Reader, asOf time.Time) map[slot]int64 {
	t.Helper()
	ctx := t.Context()
	rows, err := r.Published(ctx)
	if err != nil {
		t.Fatal(err)
	}
	versions, err := r.Versions(ctx, ledger.VersionReporting)
	if err != nil {
		t.Fatal(err)
	}
	e, err := readEras(rows, versions, r.Zone())
	if err != nil {
		t.Fatal(err)
	}
	all := map[slot]int64{}
	for s := range spanCount {
		from := asOf.Truncate(spans[s].grain).Add(-spans[s].length)
		cohorts, err := r.Cohorts(ctx, ledger.CohortQuery{From: from, To: asOf.AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range cohorts.Rows {
			c, start := row.Cell, row.Start.Unix()
			at := slot{s, c.Campaign.Tenant, c.Campaign.Name, c.Provider, c.Reason, c.Outcome,
				e.coverage(c.Origin, start), e.reports(c.Provider, start)}
			all[at] += row.N
			if at.Outcome = possible; row.Possible != 0 {
				all[at] += row.Possible
			}
		}
	}
	return all
}

// erasAreDue is the first time at which a refresh reads the eras.
func erasAreDue(v *View, asOf time.Time) time.Time {
	if asOf.Before(v.erasDue) {
		return v.erasDue
	}
	return asOf
}

func checkSums(t *testing.T, v *View, r Reader, when string) {
	t.Helper()
	want, got := afresh(t, r, v.AsOf()), running(v)
	if !maps.Equal(want, got) { // a difference of large maps takes long to make
		t.Fatalf("%s: sums (-want +got):\n%s", when, cmp.Diff(want, got))
	}
}

// world makes random mail.
type world struct {
	random *rand.Rand
	ledger *memory
}

func (w *world) origin() observation.Origin {
	return observation.Origin{Account: "1", Region: "eu-west-1", ConfigurationSet: fmt.Sprint(w.random.IntN(3))}
}

func (w *world) row() ledger.CohortRow {
	ages := []time.Duration{time.Hour, 3 * time.Hour, 25 * time.Hour, 80 * time.Hour, 8 * 24 * time.Hour}
	age := time.Duration(w.random.Int64N(int64(ages[w.random.IntN(len(ages))]))) - 10*time.Minute
	outcomes := observation.Outcomes()
	row := ledger.CohortRow{
		Start: w.ledger.asOf.Add(-age).Truncate(5 * time.Minute), Width: 5 * time.Minute,
		N: 1 + w.random.Int64N(9),
		Cell: ledger.Cell{
			Origin:   w.origin(),
			Campaign: observation.Campaign{Tenant: fmt.Sprint(w.random.IntN(2)), Name: fmt.Sprint(w.random.IntN(3))},
			Provider: []string{"gmail", "yahoo", "aol", signal.Simulator}[w.random.IntN(4)],
			Outcome:  outcomes[w.random.IntN(len(outcomes))],
		},
	}
	switch row.Cell.Outcome {
	case observation.Opened, observation.Clicked, observation.OpenedByBot, observation.ClickedByBot:
		row.Start, row.Width = row.Start.Truncate(time.Hour), time.Hour
	case observation.HardBounced, observation.Delayed:
		row.Cell.Reason = []string{"", "content_spam", "bad_mailbox"}[w.random.IntN(3)]
	case observation.Complained:
		row.Possible = row.N * 2
	}
	return row
}

func (w *world) happen() {
	for range w.random.IntN(3) {
		rows := make([]ledger.CohortRow, w.random.IntN(6))
		for i := range rows {
			rows[i] = w.row()
		}
		w.ledger.fold(rows...)
	}
	if w.random.IntN(10) == 0 {
		types := observation.EventTypes()
		first := w.ledger.asOf.Add(-time.Duration(w.random.Int64N(int64(60 * time.Hour))))
		w.ledger.publish(w.origin(), types[w.random.IntN(len(types))], first)
	}
	if w.random.IntN(60) == 0 {
		since := w.ledger.asOf.Add(-time.Duration(w.random.Int64N(int64(time.Hour))))
		w.ledger.report(since, []string{"aol", "yahoo"}[:w.random.IntN(3)]...)
	}
	if w.random.IntN(200) == 0 {
		w.ledger.forgotten = w.ledger.through()
	}
}

func (w *world) wait() {
	steps := []time.Duration{time.Second, time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour}
	step := steps[w.random.IntN(len(steps))]
	if w.random.IntN(25) == 0 {
		step = 50 * time.Hour
	}
	w.ledger.asOf = w.ledger.asOf.Add(1 + time.Duration(w.random.Int64N(int64(step))))
}

// Whatever is committed, at whatever point between two readings, the running sums are those of the cohorts read afresh.
func TestRunningSumsAreTheCohorts(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := &world{random: random, ledger: &memory{asOf: noon.Add(time.Duration(random.IntN(3600)) * time.Second)}}
		v := New(w.ledger, Options{Group: group})
		for step := range 50 {
			w.happen()
			w.wait()
			w.ledger.between = func() {
				if random.IntN(8) == 0 {
					w.happen()
				}
			}
			if err := v.Refresh(t.Context()); err != nil && !errors.Is(err, errReset) {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			// The second refresh sees all that happened during the first.
			w.ledger.between = nil
			w.ledger.asOf = erasAreDue(v, w.ledger.asOf)
			if err := v.Refresh(t.Context()); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			checkSums(t, v, w.ledger, fmt.Sprintf("seed %d, step %d", seed, step))
		}
	}
}

// A refresh that is cut short anywhere leaves sums from which the next one carries on.
func TestRefreshCutShort(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	w := &world{random: random, ledger: &memory{asOf: noon}}
	v := New(w.ledger, Options{Group: group})
	for step := range 80 {
		w.happen()
		w.wait()
		left := random.IntN(12)
		w.ledger.between = func() {
			if left--; left == 0 {
				w.ledger.fail = context.Canceled
			}
		}
		if err := v.Refresh(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("step %d: %v", step, err)
		}
		w.ledger.between, w.ledger.fail = nil, nil
		for range 2 { // the first may finish an earlier change of eras only
			w.ledger.asOf = erasAreDue(v, w.ledger.asOf)
			if err := v.Refresh(t.Context()); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		checkSums(t, v, w.ledger, fmt.Sprint("step ", step))
	}
}

// What is folded while mail is recounted goes to the new cells where that has been done, to the old ones elsewhere.
func TestFoldsDuringRecount(t *testing.T) {
	m := &memory{asOf: noon}
	v := New(m, Options{Group: group})
	check(t, v.Refresh(t.Context()))
	home := observation.Origin{Account: "1"}
	m.publish(home, observation.EventSend, noon.Add(-8*time.Hour))
	m.between = func() {
		for _, ago := range []time.Duration{9 * time.Hour, 6 * time.Hour, 0} {
			cell := ledger.Cell{Origin: home, Outcome: observation.Sent}
			m.fold(ledger.CohortRow{Start: noon.Add(-ago), Width: fineGrain, N: 1, Cell: cell})
		}
	}
	m.asOf = v.erasDue
	check(t, v.Refresh(t.Context()))
	m.between = nil
	check(t, v.Refresh(t.Context()))
	checkSums(t, v, m, "after the recount")
}

// Another process does not know what the daemon folds; its view reads everything at once when a fold comes in between.
func TestRebuildWithoutChanges(t *testing.T) {
	w := &world{random: rand.New(rand.NewPCG(1, 9)), ledger: &memory{asOf: noon}}
	for range 20 {
		w.happen()
	}
	w.ledger.between = func() {
		w.ledger.fold(w.row())
		w.ledger.forgotten = w.ledger.through()
	}
	v := New(w.ledger, Options{Group: group})
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ledger.between = nil
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkSums(t, v, w.ledger, "at the end")
}

// An idle ledger is not read: a refresh costs the status and the changes.
func TestQuietRefreshReadsNothing(t *testing.T) {
	m := &memory{asOf: noon}
	v := New(m, Options{Group: group})
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.reads, m.asOf = 0, noon.Add(4*time.Minute)
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m.reads != 0 {
		t.Errorf("%d readings of cohorts", m.reads)
	}
}

func TestDropForgetsWhatIsOver(t *testing.T) {
	m := &memory{asOf: noon}
	m.fold(ledger.CohortRow{Start: noon, Width: fineGrain, N: 3, Cell: ledger.Cell{Outcome: observation.Sent}})
	v := New(m, Options{Group: group})
	for range 9 * 24 {
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.asOf = m.asOf.Add(time.Hour)
	}
	if n := len(v.sums.campaigns); n != 0 {
		t.Errorf("%d campaigns are left", n)
	}
}
