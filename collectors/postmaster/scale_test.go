package postmaster

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// TestScale counts what a pass over 200 domains, 14 days and 50 identifiers in both aggregations costs: 60 seconds at ten
// calls a second and 100 MB are the most that it may.
func TestScale(t *testing.T) {
	const domains, days, ids = 200, 14, 50
	r := newRig(t, func(o *Options) { o.Backfill = days })
	r.domains = nil
	last := dayOf(today, time.UTC) - 1
	rows := fullRows(last-days+1, last, ids)
	for n := range domains {
		name := fmt.Sprintf("d%03d.example.com", n)
		r.domains = append(r.domains, name)
		r.bodies["/v2/domains/"+name+"/complianceStatus"] = sample(t, "v2_compliance_status.json")
		r.rows[name] = rows
	}
	r.sink.forget = true
	// What the heap took from the system also holds what was let go and not yet collected, and the server's share.
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r.passOK(t)
	runtime.ReadMemStats(&after)
	held := (after.HeapSys - min(before.HeapInuse, after.HeapSys)) >> 20

	values := domains * days * (len(baseQuestions()) + 2*ids)
	batches, least := len(r.sizes), (values+maxBatch*maxPage-1)/(maxBatch*maxPage)
	t.Logf("%d batches (%d if all were full) and %d calls in all for %d rows; %d readings; %d MB of heap",
		batches, least, len(r.calls), values, r.sink.count, held)
	if batches > least+8 {
		t.Errorf("%d batches, want %d at most", batches, least+8)
	}
	if len(r.calls) != batches+domains {
		t.Errorf("%d calls beside the batches, want one for each domain", len(r.calls)-batches)
	}
	if held > 100 {
		t.Errorf("the heap grew by %d MB, want 100 at most", held)
	}
	// Beside the values, and markers in place of the lists, there are the markers of the days, access and compliance.
	if want := values + domains*(days+1+16); r.sink.count != want {
		t.Errorf("%d readings, want %d", r.sink.count, want)
	}

	r.now = func() time.Time { return today.Add(time.Hour) }
	before2 := len(r.calls)
	r.passOK(t)
	if n := len(r.calls) - before2; n != batches {
		t.Errorf("a later pass of the day made %d calls, want %d", n, batches)
	}
}

// fullRows are all values that a domain can have.
func fullRows(from, to day, ids int) (rows []row) {
	names := make([]string, ids)
	for i := range names {
		names[i] = fmt.Sprintf("campaign-%02d", i)
	}
	for d := from; d <= to; d++ {
		for _, q := range baseQuestions() {
			if q.loops == 0 {
				rows = append(rows, row{q.standard, q.filter, d, `{"floatValue": 0.5}`})
			}
		}
		for i, a := range aggregations() {
			rows = append(rows, listed(d, a, names...))
			for _, id := range names {
				q := loopQuestion(i, id)
				rows = append(rows, row{q.standard, q.filter, d, `{"floatValue": 0.001}`})
			}
		}
	}
	return rows
}
