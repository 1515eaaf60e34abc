package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

func keptReports() []rule {
	return []rule{
		{name: "a report is stored whole with its deliveries and seen at once", check: reportStored},
		{name: "another process sees a report at once", check: reportElsewhere, needs: func(p Place) bool { return p.OpenReader != nil }},
		{name: "what was due is stored once, and a second time stores nothing", check: reportOnce},
		{name: "editions are counted by name, owner and period", check: editionsCounted},
		{name: "a report beyond the bound is not stored", check: reportBounded},
		{name: "reports are listed newest first, by name, owner and period, without bodies", check: reportsListed},
		{name: "each delivery stands on its own, and what is settled stays settled", check: deliveriesSettled},
		{name: "a schedule is replaced by its name", check: schedulesKept},
		{name: "reports go after 25 months with their deliveries and no earlier; schedules stay", check: reportsRetained},
		{name: "an unclear COMMIT of a report gives its caller the truth", check: unclearReport, needs: func(p Place) bool { return p.FailCommit != nil }},
		{name: "a crash at every point of a report stores it whole or not at all", check: dieInReports, needs: func(p Place) bool { return p.DieAt != nil }},
	}
}

// report is the nth of a name; a week lies between them. It has two deliveries, which wait.
func (r *rig) report(name, owner string, n int) ledger.Report {
	due := start.AddDate(0, 0, 7*n)
	waits := ledger.Delivery{State: waiting, NextAt: r.now()}
	return ledger.Report{
		Name: name, Owner: owner, Due: due, MadeAt: r.now(), Start: due.AddDate(0, 0, -7), End: due, Period: fmt.Sprint("week ", n),
		Body: []byte{0, 1, 0xff, byte(n)},
		Deliveries: []ledger.ReportDelivery{
			{Destination: "email", Kind: "email", Delivery: waits}, {Destination: "folder", Kind: "dir", Delivery: waits},
		},
	}
}

func (r *rig) publish(report ledger.Report) ledger.Report {
	r.Helper()
	stored, err := r.ledger().AddReport(r.Context(), report)
	r.must("add a report", err)
	return stored
}

// reports lists what is stored of a query, in one time zone.
func (r *rig) reports(l ledger.Reader, q ledger.ReportQuery) []ledger.Report {
	r.Helper()
	all, err := l.Reports(r.Context(), q)
	r.must("reports", err)
	return all
}

func numbers(reports []ledger.Report) []int64 {
	var all []int64
	for i := range reports {
		all = append(all, reports[i].Number)
	}
	return all
}

// undelivered lists the deliveries that are open, as number/destination.
func (r *rig) undelivered() []string {
	r.Helper()
	var all []string
	for _, report := range read(r, "undelivered", r.ledger().UndeliveredReports) {
		for _, d := range report.Deliveries {
			all = append(all, fmt.Sprintf("%d/%s", report.Number, d.Destination))
		}
	}
	return all
}

func (r *rig) whole(l ledger.Reader, number int64) ledger.Report {
	r.Helper()
	report, err := l.Report(r.Context(), number)
	r.must("report", err)
	return report
}

func reportStored(r *rig) {
	want := r.report("weekly", "growth", 1)
	stored := r.publish(want)
	want.Number, want.Edition, want.Size = stored.Number, 1, len(want.Body)
	r.same("what was stored", stored, want)
	for _, restart := range []func(){func() {}, r.crash} {
		restart()
		r.same("read", r.whole(r.ledger(), stored.Number), want)
		listed := want
		listed.Body = nil
		r.same("listed", r.reports(r.ledger(), ledger.ReportQuery{}), []ledger.Report{listed})
		r.same("undelivered", r.undelivered(), []string{"1/email", "1/folder"})
	}
	if _, err := r.ledger().Report(r.Context(), 99); !errors.Is(err, ledger.ErrNotFound) {
		r.Fatalf("a report that is not there: %v, want %v", err, ledger.ErrNotFound)
	}
	empty := r.report("other", "", 1)
	empty.Body, empty.Deliveries = nil, nil
	r.same("a report without anything", len(r.whole(r.ledger(), r.publish(empty).Number).Body), 0)
}

func reportElsewhere(r *rig) {
	r.ledger()
	other, closeOther, err := r.place.OpenReader()
	r.must("open a reader", err)
	defer closeOther()
	stored := r.publish(r.report("weekly", "", 1))
	r.same("elsewhere", r.whole(other, stored.Number), stored)
}

func reportOnce(r *rig) {
	first := r.publish(r.report("weekly", "growth", 1))
	again := r.report("weekly", "growth", 1)
	again.Period, again.Deliveries[0].Destination = "another", "another"
	if _, err := r.ledger().AddReport(r.Context(), again); !errors.Is(err, ledger.ErrConflict) {
		r.Fatalf("a second time: %v, want %v", err, ledger.ErrConflict)
	}
	r.same("undelivered", r.undelivered(), []string{"1/email", "1/folder"})
	r.same("stored", r.whole(r.ledger(), first.Number), first)
	r.publish(r.report("weekly", "", 1))
	r.publish(r.report("monthly", "growth", 1))
	r.publish(r.report("weekly", "growth", 2))
	r.same("reports", len(r.reports(r.ledger(), ledger.ReportQuery{})), 4)
}

func editionsCounted(r *rig) {
	edition := func(name, owner, period string, n, want int) {
		r.Helper()
		report := r.report(name, owner, n)
		report.Period = period
		r.same("edition", r.publish(report).Edition, want)
	}
	edition("weekly", "", "46", 1, 1)
	edition("weekly", "", "46", 2, 2)
	edition("weekly", "", "47", 3, 1)
	edition("weekly", "growth", "46", 2, 1)
	edition("other", "", "46", 2, 1)
	r.crash()
	edition("weekly", "", "46", 4, 3)
}

func reportBounded(r *rig) {
	large := r.report("weekly", "", 1)
	large.Body = []byte(strings.Repeat("x", ledger.MaxReport+1))
	if _, err := r.ledger().AddReport(r.Context(), large); !errors.Is(err, ledger.ErrTooLarge) {
		r.Fatalf("a report too large: %v, want %v", err, ledger.ErrTooLarge)
	}
	r.same("reports", len(r.reports(r.ledger(), ledger.ReportQuery{})), 0)
	large.Body = large.Body[1:]
	r.same("size", len(r.whole(r.ledger(), r.publish(large).Number).Body), ledger.MaxReport)
}

func reportsListed(r *rig) {
	for n := 1; n <= 2; n++ {
		r.publish(r.report("weekly", "", n))
		r.publish(r.report("weekly", "growth", n))
	}
	r.publish(r.report("other", "", 1))
	f := func(what string, q ledger.ReportQuery, want ...int64) {
		r.Helper()
		r.same(what, numbers(r.reports(r.ledger(), q)), want)
	}
	f("all", ledger.ReportQuery{}, 5, 4, 3, 2, 1)
	f("of a name", ledger.ReportQuery{Name: "weekly"}, 4, 3, 2, 1)
	f("of an owner", ledger.ReportQuery{Owner: new("growth")}, 4, 2)
	f("of no owner", ledger.ReportQuery{Name: "weekly", Owner: new("")}, 3, 1)
	f("of a period", ledger.ReportQuery{Period: "week 1"}, 5, 2, 1)
	f("a page", ledger.ReportQuery{Limit: 2}, 5, 4)
	f("the next page", ledger.ReportQuery{Limit: 2, Before: 4}, 3, 2)
	f("none", ledger.ReportQuery{Name: "weekly' OR ''='"})
	for _, report := range r.reports(r.ledger(), ledger.ReportQuery{}) {
		if report.Body != nil || len(report.Deliveries) != 2 {
			r.Fatalf("report %d is listed with a body of %d bytes and %d deliveries", report.Number, len(report.Body), len(report.Deliveries))
		}
	}
}

func deliveriesSettled(r *rig) {
	first, second := r.publish(r.report("weekly", "", 1)), r.publish(r.report("weekly", "", 2))
	settle := func(number int64, destination string, d ledger.Delivery) error {
		return r.ledger().SettleReport(r.Context(), number, destination, d)
	}
	failed := ledger.Delivery{State: waiting, Attempts: 3, NextAt: r.now().Add(time.Minute), Reason: "unavailable", Error: "connection refused"}
	r.must("put off", settle(first.Number, "email", failed))
	r.must("deliver", settle(first.Number, "folder", ledger.Delivery{State: delivered, Attempts: 1, NextAt: r.now()}))
	r.must("give up", settle(second.Number, "email", ledger.Delivery{State: dead, Attempts: 1, NextAt: r.now(), Reason: "refused"}))
	for _, restart := range []func(){func() {}, r.crash} {
		restart()
		r.same("undelivered", r.undelivered(), []string{"1/email", "2/folder"})
		got := r.whole(r.ledger(), first.Number).Deliveries
		r.same("put off", got[0], ledger.ReportDelivery{Destination: "email", Kind: "email", Delivery: failed})
		if got[1].State != delivered || !got[1].SettledAt.Equal(r.now()) {
			r.Fatalf("delivered: %+v", got[1])
		}
		for _, d := range []struct {
			number      int64
			destination string
		}{{first.Number, "folder"}, {second.Number, "email"}, {first.Number, "nowhere"}, {99, "email"}} {
			if err := settle(d.number, d.destination, failed); !errors.Is(err, ledger.ErrNotFound) {
				r.Fatalf("%d/%s: %v, want %v", d.number, d.destination, err, ledger.ErrNotFound)
			}
		}
	}
}

func schedulesKept(r *rig) {
	put := func(name, schedule string, through time.Time) {
		r.Helper()
		s := ledger.ReportSchedule{Name: name, Schedule: schedule, Through: through}
		r.must("put a schedule", r.ledger().PutReportSchedule(r.Context(), s))
	}
	put("weekly", "Mon 08:00", r.now())
	put("daily", "08:00", r.now())
	put("weekly", "Tue 08:00", r.now().Add(time.Hour))
	r.crash()
	r.same("schedules", read(r, "schedules", r.ledger().ReportSchedules), []ledger.ReportSchedule{
		{Name: "daily", Schedule: "08:00", Through: r.now()}, {Name: "weekly", Schedule: "Tue 08:00", Through: r.now().Add(time.Hour)},
	})
}

func reportsRetained(r *rig) {
	old := r.publish(r.report("weekly", "", 1))
	r.must("put a schedule", r.ledger().PutReportSchedule(r.Context(), ledger.ReportSchedule{Name: "weekly", Through: r.now()}))
	made := r.now()
	r.clock.set(made.AddDate(0, 3, 0))
	r.publish(r.report("weekly", "", 2))
	r.clock.set(made)
	count := func(number int64) func() int {
		return func() (n int) {
			for _, report := range r.reports(r.ledger(), ledger.ReportQuery{}) {
				if report.Number == number && len(report.Deliveries) == 2 {
					n++
				}
			}
			return n
		}
	}
	r.keeps(months(ledger.ReportMonths), 2*day, count(old.Number))
	r.same("undelivered", r.undelivered(), []string{"2/email", "2/folder"})
	r.same("schedules", len(read(r, "schedules", r.ledger().ReportSchedules)), 1)
}

func unclearReport(r *rig) {
	for i, applied := range []bool{true, false} {
		r.place.FailCommit(r.ledger(), applied)
		if _, err := r.ledger().AddReport(r.Context(), r.report("weekly", "", i)); err != nil {
			r.Logf("the caller was told: %v", err)
			r.publish(r.report("weekly", "", i))
		}
		r.crash()
		r.same("reports", len(r.reports(r.ledger(), ledger.ReportQuery{})), i+1)
	}
}

// dieInReports dies at each point of storing a report, delivering it and following its schedule, and goes on as a daemon does
// that starts again.
func dieInReports(r *rig) {
	for point := 1; ; point++ {
		report := r.report("weekly", "", point)
		settled := ledger.Delivery{State: delivered, Attempts: 1, NextAt: r.now()}
		schedule := ledger.ReportSchedule{Name: "weekly", Through: report.Due}
		reached := r.place.DieAt(r.ledger(), point)
		// A dying ledger may answer anything.
		stored, _ := r.ledger().AddReport(r.Context(), report)
		_ = r.ledger().PutReportSchedule(r.Context(), schedule)
		_ = r.ledger().SettleReport(r.Context(), stored.Number, "email", settled)
		r.crash()
		seen := r.reports(r.ledger(), ledger.ReportQuery{Limit: 1})
		if len(seen) == 0 || !seen[0].Due.Equal(report.Due) {
			r.same("schedules that went on", len(followed(r, report.Due)), 0)
			seen = []ledger.Report{r.publish(report)}
		} else if _, err := r.ledger().AddReport(r.Context(), report); !errors.Is(err, ledger.ErrConflict) {
			r.Fatalf("a report that survived was stored again: %v", err)
		}
		r.same("reports", len(r.reports(r.ledger(), ledger.ReportQuery{})), point)
		whole := r.whole(r.ledger(), seen[0].Number)
		r.same("body", whole.Body, report.Body)
		r.same("deliveries", len(whole.Deliveries), 2)
		r.must("put a schedule", r.ledger().PutReportSchedule(r.Context(), schedule))
		for _, d := range whole.Deliveries {
			if d.State == waiting {
				r.must("settle", r.ledger().SettleReport(r.Context(), whole.Number, d.Destination, settled))
			}
		}
		r.same("undelivered", r.undelivered(), []string(nil))
		if !reached() {
			r.wantPoints(point, 6)
			return
		}
	}
}

// followed lists the schedules that have been followed through a time.
func followed(r *rig, through time.Time) (all []ledger.ReportSchedule) {
	r.Helper()
	for _, s := range read(r, "schedules", r.ledger().ReportSchedules) {
		if s.Through.Equal(through) {
			all = append(all, s)
		}
	}
	return all
}
