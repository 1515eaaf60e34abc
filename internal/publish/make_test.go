package publish

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// TestOnce holds that a report is made and delivered once, however often it is looked for and however often the process ends.
func TestOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass()
	r.same("before it is due", r.kept(), []string(nil))
	for range 2 {
		r.passAt(monday)
		r.passAt(monday.Add(time.Minute))
		r.restart()
	}
	want := []string{"weekly 2026-W46.1 "}
	r.same("kept", r.kept(), want)
	r.same("folder", r.folder.arrived, want)
	r.same("mail", r.mail.arrived, want)
	r.passAt(monday.Add(week))
	r.same("a week later", r.kept(), []string{"weekly 2026-W46.1 ", "weekly 2026-W47.1 "})
	r.same("told", r.made, []string{"weekly <nil>", "weekly <nil>"})
}

// TestMissed holds that after a downtime the last of what was missed is made, once.
func TestMissed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass()
	r.now = monday.Add(3*week + 5*time.Hour)
	r.restart()
	r.pass()
	r.pass()
	want := []string{"weekly 2026-W49.1 "}
	r.same("kept", r.kept(), want)
	r.same("folder", r.folder.arrived, want)
	r.passAt(monday.Add(4 * week))
	r.same("the next", r.kept(), append(want, "weekly 2026-W50.1 "))
}

// TestPeriod holds that a report speaks of the last whole week of its zone, whatever the clock was changed to meanwhile.
func TestPeriod(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, zone, since string
		due, start, end   string
		id                string
	}{
		{text: "Mon 08:00", zone: "Europe/Berlin", since: "2026-10-20T00:00:00Z", due: "2026-10-26T07:00:00Z",
			id: "2026-W43", start: "2026-10-18T22:00:00Z", end: "2026-10-25T23:00:00Z"},
		{text: "Mon 02:30", zone: "Europe/Berlin", since: "2026-03-25T00:00:00Z", due: "2026-03-30T00:30:00Z",
			id: "2026-W13", start: "2026-03-22T23:00:00Z", end: "2026-03-29T22:00:00Z"},
		{text: "Sun 02:30", zone: "Europe/Berlin", since: "2026-03-25T00:00:00Z", due: "2026-03-29T01:00:00Z",
			id: "2026-W12", start: "2026-03-15T23:00:00Z", end: "2026-03-22T23:00:00Z"},
		{text: "Sun 02:30", zone: "Europe/Berlin", since: "2026-10-20T00:00:00Z", due: "2026-10-25T00:30:00Z",
			id: "2026-W42", start: "2026-10-11T22:00:00Z", end: "2026-10-18T22:00:00Z"},
		{text: "Mon 00:00", zone: "America/New_York", since: "2026-11-20T00:00:00Z", due: "2026-11-23T05:00:00Z",
			id: "2026-W47", start: "2026-11-16T05:00:00Z", end: "2026-11-23T05:00:00Z"},
	} {
		t.Run(c.text+" "+c.id, func(t *testing.T) {
			t.Parallel()
			at := func(text string) time.Time {
				moment, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				return moment
			}
			r := newRig(t)
			r.plan.Schedule = r.schedule(c.text, c.zone)
			r.now = at(c.since)
			r.restart()
			r.pass()
			r.passAt(at(c.due).Add(-time.Second))
			r.same("a second before", len(r.orders), 0)
			r.passAt(at(c.due))
			r.passAt(at(c.due).Add(90 * time.Minute)) // the same time of the clock again, where it is put back
			if len(r.orders) != 1 {
				t.Fatalf("made %d times", len(r.orders))
			}
			p := r.orders[0].Period
			r.same("period", []string{p.ID(), p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339)}, []string{c.id, c.start, c.end})
		})
	}
}

// TestChangedSchedule holds that a schedule which is new or was changed begins now: what would have been due earlier was not
// asked for.
func TestChangedSchedule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass()
	r.plan.Schedule = r.schedule("Sun 08:00", "UTC")
	r.publisher.Apply([]Plan{r.plan})
	r.passAt(monday.Add(time.Hour))
	r.same("after the change", r.kept(), []string(nil))
	other := r.plan
	other.Name = "other"
	r.publisher.Apply([]Plan{r.plan, other})
	r.passAt(monday.Add(6 * 24 * time.Hour))
	r.same("in its turn", r.kept(), []string{"weekly 2026-W46.1 "})
	r.passAt(monday.Add(13 * 24 * time.Hour))
	r.same("the new one too", len(r.kept()), 3)
	r.publisher.Apply(nil)
	r.passAt(monday.Add(20 * 24 * time.Hour))
	r.same("without plans", len(r.kept()), 3)
}

// TestWrongClock holds that a clock that was years ahead does not end reports for years.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass()
	r.passAt(monday.AddDate(10, 0, 0))
	made := len(r.kept())
	r.passAt(monday.Add(time.Hour))
	r.passAt(monday.Add(week))
	r.same("made after the clock was put right", len(r.kept()), made+1)
}

// TestEditions holds that a second time in the same week makes an edition that knows the first, and that others do not.
func TestEditions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan.Schedule, r.plan.Owners = r.schedule("Mon,Thu 08:00", "UTC"), []string{"growth", "editorial"}
	r.restart()
	r.pass()
	r.passAt(monday)
	r.passAt(monday.Add(3 * 24 * time.Hour))
	r.plan.Campaign = "promo-*"
	r.publisher.Apply([]Plan{r.plan})
	r.now = r.now.Add(time.Hour)
	r.must(r.publisher.MakeNow(r.Context(), "weekly"))
	r.same("kept", r.kept(), []string{
		"weekly 2026-W46.1 growth", "weekly 2026-W46.1 editorial", "weekly 2026-W46.2 growth", "weekly 2026-W46.2 editorial",
		"weekly 2026-W46.3 growth", "weekly 2026-W46.3 editorial",
	})
	for i, a := range r.asked {
		switch compared := i == 2 || i == 3; {
		case compared && (a.previous == nil || a.previous.Owner != a.owner || !a.previous.MadeAt.Equal(monday)):
			t.Errorf("edition 2 is compared with %+v", a.previous)
		case !compared && a.previous != nil:
			t.Errorf("report %d is compared with one of other campaigns, or with nothing that there is", i)
		}
	}
	if err := r.publisher.MakeNow(r.Context(), "none"); !errors.Is(err, ErrNoPlan) {
		t.Errorf("a plan that is none: %v", err)
	}
}

// TestFailures holds that a report which cannot be made is tried again, without the owners that have theirs, and keeps no other
// plan from its turn.
func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan.Owners = []string{"a", "b", "c"}
	other := r.plan
	other.Name, other.Owners = "zz", []string{""}
	r.restart()
	r.publisher.Apply([]Plan{r.plan, other})
	r.pass()
	r.now = monday
	r.refuse = func(owner string) error {
		if owner == "b" {
			return errors.New("the ledger cannot be read")
		}
		return nil
	}
	for range 3 {
		if err := r.publisher.MakeDue(t.Context()); err == nil || !strings.Contains(err.Error(), "make report weekly: the ledger") {
			t.Fatalf("%v", err)
		}
	}
	r.same("kept", r.kept(), []string{"weekly 2026-W46.1 a", "zz 2026-W46.1 "})
	r.refuse = nil
	r.restart()
	r.publisher.Apply([]Plan{r.plan, other})
	r.pass()
	r.same("in the end", r.kept(), []string{"weekly 2026-W46.1 a", "zz 2026-W46.1 ", "weekly 2026-W46.1 b", "weekly 2026-W46.1 c"})
}

// TestOneRead holds that the ledger is read once for the reports of all owners, however many there are, and not at all for those
// that were made.
func TestOneRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.plan.Owners = nil
	for i := range 12 {
		r.plan.Owners = append(r.plan.Owners, fmt.Sprint("owner-", i))
	}
	r.restart()
	r.pass()
	r.unread = errors.New("the ledger cannot be read")
	r.now = monday
	if err := r.publisher.MakeDue(t.Context()); err == nil {
		t.Error("reports were made of nothing")
	}
	r.same("after a failure", []int{len(r.orders), len(r.asked)}, []int{1, 0})
	r.unread = nil
	r.pass()
	r.same("reads and reports", []int{len(r.orders), len(r.asked)}, []int{2, 12})
	r.must(r.publisher.MakeNow(t.Context(), "weekly")) // as if the schedule could not be stored
	r.same("of those that were made", len(r.orders), 2)
}

// TestKilled ends the process at each of its writes, before and after it, and goes on as a process does that starts again: each
// report is there once, and at most the delivery that was under way is repeated.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after the write %t", after), func(t *testing.T) {
			t.Parallel()
			for point := 1; killedAt(t, point, after); point++ {
				if point > 100 {
					t.Fatal("it never ends")
				}
			}
		})
	}
}

// killedAt says whether there was such a point.
func killedAt(t *testing.T, point int, after bool) bool {
	t.Helper()
	r := newRig(t)
	r.plan.Owners = []string{"a", "b"}
	r.publisher.Apply([]Plan{r.plan})
	r.pass()
	r.now = monday
	left := point
	r.between = func(l Ledger) Ledger { return dying{l, &left, after} }
	r.restart()
	_ = r.publisher.MakeDue(t.Context()) // a dying process may answer anything
	if left > 0 {
		_ = r.publisher.DeliverDue(t.Context())
	}
	r.between = nil
	r.restart()
	r.pass()
	r.pass()
	r.same("kept", r.kept(), []string{"weekly 2026-W46.1 a", "weekly 2026-W46.1 b"})
	if n := len(r.folder.arrived) + len(r.mail.arrived); n < 4 || n > 5 {
		t.Fatalf("point %d: %d deliveries of 4: %q %q", point, n, r.folder.arrived, r.mail.arrived)
	}
	open, err := r.ledger.UndeliveredReports(t.Context())
	r.must(err)
	r.same("undelivered", len(open), 0)
	if left > 0 && point < 8 { // two reports, the schedule, four deliveries, and the point beyond
		t.Fatalf("only %d writes", point-1)
	}
	return left <= 0
}

// TestUnreadable holds that a stored report of another version is neither compared with nor delivered, and ends nothing.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass()
	_, err := r.ledger.AddReport(t.Context(), ledger.Report{
		Name: "weekly", Due: monday.Add(-time.Hour), MadeAt: monday, Period: "2026-W46", Body: []byte("not what this version writes"),
		Deliveries: []ledger.ReportDelivery{{Destination: "email", Kind: "email", Delivery: ledger.Delivery{State: ledger.NotificationWaiting, NextAt: monday}}},
	})
	r.must(err)
	r.passAt(monday)
	r.same("mail", r.mail.arrived, []string{"weekly 2026-W46.2 "})
	if _, _, err := NewArchive(r.ledger).Open(t.Context(), 1); err == nil {
		t.Error("it can be opened")
	}
	open, err := r.ledger.UndeliveredReports(t.Context())
	r.must(err)
	r.same("undelivered", len(open), 0)
}
