package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	_ "time/tzdata" // Schedules are in named zones, also on machines without a zone database.

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/schedule/calendar"
)

// monday is when the weekly report is due, in the zone of the rig.
var monday = time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)

const week = 7 * 24 * time.Hour

// sink is a destination that notes what arrives, and fails as it is told.
type sink struct {
	arrived []string
	tries   int
	// fail, when not nil, is asked before anything arrives.
	fail func() error
}

// Deliver implements Outlet.
func (s *sink) Deliver(ctx context.Context, i *Issue) error {
	s.tries++
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return err
		}
	}
	s.arrived = append(s.arrived, fmt.Sprintf("%s %s.%d %s", i.Plan, i.Report.Period.ID(), i.Edition, i.Report.Owner))
	return nil
}

func failing(reason alerts.DeliveryReason, after time.Duration) func() error {
	return func() error {
		return &alerts.DeliveryError{Notifier: "x", Reason: reason, RetryAfter: after, Err: errors.New("it failed")}
	}
}

// rig is a ledger, a clock, two destinations and the publisher between them.
type rig struct {
	*testing.T
	path   string
	now    time.Time
	ledger *sqlite.Ledger
	// between, when not nil, stands between the publisher and the ledger.
	between func(Ledger) Ledger
	plan    Plan
	folder  *sink
	mail    *sink
	// orders are what was read, and asked what was made of it.
	orders []Order
	asked  []asked
	// unread, when not nil, is why nothing can be read, refuse why no report can be made of an owner.
	unread    error
	refuse    func(owner string) error
	tried     []Try
	made      []string
	publisher *Publisher
}

func newRig(t *testing.T) *rig {
	r := &rig{
		T: t, path: filepath.Join(t.TempDir(), "ledger.db"), now: monday.Add(-time.Hour), folder: new(sink), mail: new(sink),
	}
	r.plan = Plan{Name: "weekly", Schedule: r.schedule("Mon 08:00", "UTC"), Owners: []string{""}}
	r.plan.Destinations = []Destination{{Name: "email", Kind: "email", Outlet: r.mail}, {Name: "folder", Kind: "dir", Outlet: r.folder}}
	r.start()
	t.Cleanup(func() { _ = r.ledger.Close() })
	return r
}

func (r *rig) schedule(text, zone string) calendar.Schedule {
	r.Helper()
	location, err := time.LoadLocation(zone)
	r.must(err)
	s, err := calendar.Parse(text, location)
	r.must(err)
	return s
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// start opens the ledger and makes a publisher, as a process does.
func (r *rig) start() {
	r.Helper()
	l, err := sqlite.Open(r.Context(), sqlite.Options{
		Path: r.path, Now: func() time.Time { return r.now }, FreeDisk: func(string) (uint64, error) { return 1 << 40, nil },
		Logger: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	r.ledger = l
	var between Ledger = l
	if r.between != nil {
		between = r.between(l)
	}
	r.publisher = New(Options{
		Ledger: between, Read: r.read, Link: func() string { return "https://mailvane.example.com" },
		Now: func() time.Time { return r.now }, Random: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler),
		Tried: func(t Try) { r.tried = append(r.tried, t) },
		Made:  func(plan string, err error) { r.made = append(r.made, fmt.Sprint(plan, " ", err)) },
	}, []Plan{r.plan})
}

func (r *rig) restart() {
	r.Helper()
	r.must(r.ledger.Close())
	r.start()
}

// asked is a report that was asked for.
type asked struct {
	owner    string
	previous *report.Report
}

func (r *rig) read(_ context.Context, o Order) (Facts, error) {
	r.orders = append(r.orders, o)
	if r.unread != nil {
		return nil, r.unread
	}
	return &facts{r, o}, nil
}

// facts make empty reports.
type facts struct {
	rig   *rig
	order Order
}

// Report implements Facts.
func (f *facts) Report(_ context.Context, owner string, previous *report.Report) (*report.Report, error) {
	f.rig.asked = append(f.rig.asked, asked{owner, previous})
	if f.rig.refuse != nil {
		if err := f.rig.refuse(owner); err != nil {
			return nil, err
		}
	}
	return &report.Report{
		Format: 1, Period: f.order.Period, Owner: owner, Campaign: f.order.Campaign, MadeAt: f.rig.now, Sentences: []string{"It went well."},
	}, nil
}

// pass makes both passes.
func (r *rig) pass() {
	r.Helper()
	r.must(r.publisher.MakeDue(r.Context()))
	r.must(r.publisher.DeliverDue(r.Context()))
}

// passAt moves the clock and makes both passes.
func (r *rig) passAt(t time.Time) {
	r.Helper()
	r.now = t
	r.pass()
}

func (r *rig) same(what string, got, want any) {
	r.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		r.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// kept lists what the ledger has, the oldest first.
func (r *rig) kept() (all []string) {
	r.Helper()
	reports, err := NewArchive(r.ledger).List(r.Context(), Query{})
	r.must(err)
	for i := range reports {
		k := &reports[len(reports)-1-i]
		all = append(all, fmt.Sprintf("%s %s.%d %s", k.Name, k.Period, k.Edition, k.Owner))
	}
	return all
}

// states are those of the deliveries of a report, by destination.
func (r *rig) states(number int64) map[string]string {
	r.Helper()
	k, _, err := NewArchive(r.ledger).Open(r.Context(), number)
	r.must(err)
	states := make(map[string]string)
	for _, d := range k.Deliveries {
		states[d.Destination] = fmt.Sprintf("%s %d %s", d.State, d.Attempts, d.Reason)
	}
	return states
}

// dying is a ledger of a process that dies at the given one of its writes: nothing that comes after the point happens. The write
// itself does when after is set.
type dying struct {
	Ledger
	left  *int
	after bool
}

var errDied = errors.New("the process died")

// write says whether a write takes place, and what its caller would hear.
func (d dying) write(do func() error) error {
	*d.left--
	switch {
	case *d.left > 0:
		return do()
	case *d.left == 0 && d.after:
		return errors.Join(do(), errDied)
	default:
		return errDied
	}
}

// AddReport implements ledger.ReportWriter.
func (d dying) AddReport(ctx context.Context, r ledger.Report) (stored ledger.Report, err error) {
	err = d.write(func() error { stored, err = d.Ledger.AddReport(ctx, r); return err })
	return stored, err
}

// SettleReport implements ledger.ReportWriter.
func (d dying) SettleReport(ctx context.Context, number int64, destination string, delivery ledger.Delivery) error {
	return d.write(func() error { return d.Ledger.SettleReport(ctx, number, destination, delivery) })
}

// PutReportSchedule implements ledger.ReportWriter.
func (d dying) PutReportSchedule(ctx context.Context, s ledger.ReportSchedule) error {
	return d.write(func() error { return d.Ledger.PutReportSchedule(ctx, s) })
}
