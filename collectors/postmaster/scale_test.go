package postmaster

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors"
	simulator "github.com/mailvane/mailvane/internal/simulator/postmaster"
	model "github.com/mailvane/mailvane/internal/simulator/traffic"
)

// scaleDays and scaleIDs are what each domain of the tests of scale has: identifiers in both aggregations on every day.
const scaleDays, scaleIDs = 14, 50

// newScaleRig is a rig with domains that have every value there can be.
func newScaleRig(t testing.TB, domains int) *rig {
	r := newRig(t, func(o *Options) { o.Backfill = scaleDays })
	r.domains, r.sink.forget = nil, true
	rows := fullRows(dayOf(today, time.UTC)-scaleDays, scaleDays, scaleIDs)
	for n := range domains {
		name := fmt.Sprintf("d%03d.example.com", n)
		r.domains = append(r.domains, name)
		r.bodies["/v2/domains/"+name+"/complianceStatus"] = sample(t, "v2_compliance_status.json")
		r.rows[name] = rows
	}
	return r
}

// TestCallsAreFew: batches are as full as they can be, and compliance costs its call only once a day.
func TestCallsAreFew(t *testing.T) {
	const domains = 12
	r := newScaleRig(t, domains)
	r.passOK(t)
	// Identifiers fill pages with whole queries; the other values, 14 days of 36 metrics, are three pages of each domain.
	const queries = domains * (3 + (2*scaleIDs+13)/14)
	if most := queries/maxBatch + 2; len(r.sizes) > most {
		t.Errorf("%d batches, want %d at most", len(r.sizes), most)
	}
	if n := len(r.calls) - len(r.sizes); n != domains {
		t.Errorf("%d calls beside the batches, want one for each domain", n)
	}
	// Beside the values, and markers in place of the lists, there are the markers of the days, access and compliance.
	values := domains * scaleDays * (len(baseQuestions()) + 2*scaleIDs)
	if want := values + domains*(scaleDays+1+16); r.sink.count != want {
		t.Errorf("%d readings, want %d", r.sink.count, want)
	}

	batches := len(r.sizes)
	calls := len(r.calls)
	r.now = func() time.Time { return today.Add(time.Hour) }
	r.passOK(t)
	if n := len(r.calls) - calls; n != batches {
		t.Errorf("a later pass of the day made %d calls, want %d", n, batches)
	}
}

// BenchmarkPass reads 200 domains. The heap is what the process took from the system, with the server's share in it.
func BenchmarkPass(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := newScaleRig(b, 200)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		r.passOK(b)
		b.StopTimer()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(len(r.sizes)), "batches")
		b.ReportMetric(float64(len(r.calls)), "calls")
		b.ReportMetric(float64(r.sink.count), "readings")
		b.ReportMetric(float64((after.HeapSys-min(before.HeapInuse, after.HeapSys))>>20), "heap-MB")
		b.StartTimer()
	}
}

// BenchmarkPassOfTheSimulator reads as many domains and identifiers of the simulator, at ten calls a second.
func BenchmarkPassOfTheSimulator(b *testing.B) {
	now := time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)
	var domains []simulator.Domain
	for n := range 200 {
		domains = append(domains, simulator.Domain{Name: fmt.Sprintf("d%03d.example.com", n)})
	}
	google := simulator.New(simulator.Options{
		Now: func() time.Time { return now }, TokenLife: 100 * 24 * time.Hour, Source: reported{scaleIDs}, Domains: domains,
	})
	defer google.Close()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		google.ServeHTTP(w, r)
	}))
	defer s.Close()
	file := filepath.Join(b.TempDir(), "google.json")
	if err := os.WriteFile(file, google.AuthorizedUser(s.URL, simulator.ScopeTraffic, simulator.ScopeDomain), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		calls.Store(0)
		c, err := New(Options{
			Name: "gmail", CredentialsFile: file, Endpoint: s.URL, RequestsPerSecond: 10, Backfill: scaleDays, Now: func() time.Time { return now },
		})
		if err != nil {
			b.Fatal(err)
		}
		to := &sink{forget: true, positions: collectors.Positions{}}
		if err := c.Collect(b.Context(), nil, to); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(calls.Load()), "calls")
		b.ReportMetric(float64(to.count), "readings")
	}
}

// reported is mail to Gmail with so many identifiers on every day, each of which is reported.
type reported struct{ identifiers int }

func (r reported) Day(string, time.Time) (d model.GmailDay) {
	d.GmailCount = model.GmailCount{Delivered: 100_000, Inboxed: 90_000, Reports: 90}
	d.Values, d.Signed = map[string]model.GmailValue{}, map[string]model.GmailValue{}
	for i := range r.identifiers {
		name := fmt.Sprintf("campaign-%02d", i)
		v := model.GmailValue{GmailCount: model.GmailCount{Delivered: 2000, Inboxed: 1800, Reports: 4}}
		d.Values[name], d.Signed[name] = v, v
	}
	return d
}

// fullRows are all values that a domain can have in some days.
func fullRows(from day, days, ids int) (rows []row) {
	names := make([]string, ids)
	for i := range names {
		names[i] = fmt.Sprintf("campaign-%02d", i)
	}
	for d := from; d < from+day(days); d++ {
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
