package view

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// steady is an account of which CloudWatch and we counted the same for 30 hours.
func steady() *bookkeeper {
	b := audit()
	b.access(0)
	b.closed(40)
	for h := 1; h <= 40; h++ {
		b.counted(h, observation.AccountSend, "", 1000)
		b.counted(h, observation.AccountDelivery, "", 950)
		b.counted(h, observation.AccountBounce, "", 50)
		b.own(h, "promo", observation.Sent, 1000)
		b.own(h, "promo", observation.Delivered, 950)
		b.own(h, "promo", observation.HardBounced, 50)
	}
	return b
}

// without drops our counts of hours from one up to another ago.
func (b *bookkeeper) without(from, to int) {
	kept := b.ownTime[:0]
	for _, row := range b.ownTime {
		age := int(noon.Truncate(time.Hour).Sub(row.Start) / time.Hour)
		if age < from || age > to {
			kept = append(kept, row)
		}
	}
	b.ownTime = kept
}

func checkCoverage(t *testing.T, c Coverage, state signal.State, finding signal.Finding, share float64) {
	t.Helper()
	got := -1.0
	if c.Share != nil {
		got = *c.Share
	}
	if c.State != state || c.Finding != finding || got != share {
		t.Errorf("coverage %+v, share %v; want %s, %q, %v", c, got, state, finding, share)
	}
}

func (e *EventCoverage) of(name string) CoverageOf {
	for _, o := range e.Of {
		if o.Of == name {
			return o
		}
	}
	return CoverageOf{}
}

func TestCoverage(t *testing.T) {
	e := steady().look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.OK, "", 1)
	checkCoverage(t, e.ConfigurationSet, signal.OK, "", 1)
	if e.Hours != coverageHours || !e.To.Equal(noon.Truncate(time.Hour).Add(-time.Hour)) || e.Uncompared != 1 {
		t.Errorf("%d hours up to %s, %d sets uncompared; want %d up to an hour ago, 1", e.Hours, e.To, e.Uncompared, coverageHours)
	}
	if c := e.of(observation.AccountComplaint); c.State != signal.Idle || c.Share != nil {
		t.Errorf("complaints %+v, want idle: CloudWatch keeps the count and had none", c)
	}
}

// Events that are on their way are no loss: neither those of the last hour, nor those of a queue that is behind, nor those
// that a failing source will bring.
func TestCoverageWithDelay(t *testing.T) {
	b := steady()
	b.without(0, 1)
	checkCoverage(t, b.look(t, Options{}).Coverage.Events, signal.OK, "", 1)

	b.without(0, 7)
	e := b.look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.OK, signal.Short, 18.0/24)
	if c := e.of(observation.AccountSend); c.ShortHours != 6 {
		t.Errorf("%d hours short, want 6", c.ShortHours)
	}
	e = b.look(t, Options{Lag: func() time.Duration { return 6 * time.Hour }}).Coverage
	checkCoverage(t, e.Events, signal.OK, "", 1)
	if len(e.Explains) == 0 {
		t.Error("nothing says that events are behind")
	}
	checkCoverage(t, b.look(t, Options{FailingSince: func() time.Time { return noon.Add(-7 * time.Hour) }}).Coverage.Events, signal.OK, "", 1)
}

// Events that were counted twice are neither a share above 1 nor do they hide what is missing.
func TestCoverageWithDuplicates(t *testing.T) {
	b := steady()
	for h := 10; h < 16; h++ {
		b.own(h, "promo", observation.Sent, 900)
	}
	e := b.look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.Error, signal.Excess, -1)
	if c := e.of(observation.AccountSend); c.Share != nil || c.Ours != 24*1000+6*900 || c.CloudWatch != 24_000 || c.ExcessHours != 6 {
		t.Errorf("sends %+v", c)
	}
	if c := e.of(observation.AccountDelivery); *c.Share != 1 {
		t.Errorf("deliveries %+v, want all", c)
	}
	b.without(4, 9)
	e = b.look(t, Options{}).Coverage
	if c := e.of(observation.AccountSend); c.Finding != signal.Excess || c.ShortHours != 6 || c.ExcessHours != 6 {
		t.Errorf("sends %+v, want six hours in excess and six short", c)
	}
}

func TestDeafLoop(t *testing.T) {
	b := steady()
	for h := 1; h <= 40; h++ {
		b.counted(h, observation.AccountComplaint, "", 1)
	}
	e := b.look(t, Options{}).Coverage
	if e.Events.State != signal.Error || e.Events.Finding != signal.Deaf {
		t.Errorf("events %+v, want deaf: CloudWatch says complaints, we saw none", e.Events)
	}
	if c := e.of(observation.AccountComplaint); c.Finding != signal.Deaf || *c.Share != 0 {
		t.Errorf("complaints %+v", c)
	}
	// Suppressed recipients may be what CloudWatch calls complaints: then nobody can say that the loop is deaf.
	b.own(5, "promo", observation.Suppressed, 30)
	if c := b.look(t, Options{}).Coverage.Of[3]; c.Finding != "" || c.Maybe != 30 {
		t.Errorf("complaints %+v, want no finding", c)
	}
}

// A configuration set whose events are not published is found where CloudWatch has its counts, and in the account's share.
func TestCoverageOfSets(t *testing.T) {
	b := steady()
	for h := 1; h <= 40; h++ {
		b.counted(h, observation.AccountSend, "promo", 1000)
		b.counted(h, observation.AccountSend, "mute", 500)
		b.counted(h, observation.AccountSend, "", 2000) // 500 of them without any set
	}
	e := b.look(t, Options{}).Coverage
	if len(e.Sets) != 2 || e.Sets[0].ConfigurationSet != "mute" || e.Sets[0].Events.Finding != signal.Deaf {
		t.Fatalf("sets %+v, want mute first, deaf", e.Sets)
	}
	checkCoverage(t, e.Sets[1].Events, signal.OK, "", 1)
	checkCoverage(t, e.ConfigurationSet, signal.OK, signal.Short, 0.75)
	checkCoverage(t, e.Events, signal.OK, signal.Short, 0.666667)
}

// Hours before our counts began, and hours that CloudWatch was not read for, are on neither side.
func TestCoverageBegins(t *testing.T) {
	b := steady()
	b.published = nil
	b.publish(home, observation.EventSend, noon.Add(-8*time.Hour-20*time.Minute))
	b.without(9, 40)
	e := b.look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.OK, "", 1)
	if e.Hours != 7 {
		t.Errorf("%d hours, want the 7 that are whole", e.Hours)
	}
	gap := steady()
	gap.readings = deleteHours(gap.readings, 10, 14)
	e = gap.look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.OK, "", 1)
	if e.Hours != coverageHours-5 {
		t.Errorf("%d hours, want %d", e.Hours, coverageHours-5)
	}
	// No event ever came: expected since CloudWatch is read, not since the two weeks that were read at first.
	never := steady()
	never.published, never.ownTime = nil, nil
	for i := range never.readings {
		never.readings[i].FirstSeen = noon.Add(-5 * time.Hour)
	}
	e = never.look(t, Options{}).Coverage
	checkCoverage(t, e.Events, signal.Error, signal.Deaf, 0)
	if e.Hours != 4 {
		t.Errorf("%d hours, want 4", e.Hours)
	}
	checkCoverage(t, e.FeedbackID, signal.NoData, "", -1)
}

func deleteHours(rows []ledger.ReadingRow, from, to int) (kept []ledger.ReadingRow) {
	for _, r := range rows {
		if age := int(noon.Truncate(time.Hour).Sub(r.Start) / time.Hour); age < from || age > to {
			kept = append(kept, r)
		}
	}
	return kept
}

func TestFeedbackShare(t *testing.T) {
	b := steady()
	use := func(hours int, stamp observation.Stamp, n int64) {
		b.uses = append(b.uses, ledger.UseRow{
			Hour: noon.Truncate(time.Hour).Add(-time.Duration(hours) * time.Hour), Account: home.Account, Region: home.Region,
			Stamp: stamp, Sent: n,
		})
	}
	use(3, observation.Stamp{A: "spring"}, 300)
	use(3, observation.Stamp{B: "bulk"}, 100)
	use(4, observation.Stamp{C: "1.us-east-1.hash", FeedbackFrom: "AmazonSES"}, 600)
	use(1, observation.Stamp{A: "too young"}, 10_000)
	checkCoverage(t, b.look(t, Options{}).Coverage.FeedbackID, signal.OK, "", 0.4)
}

// Mail whose events do not say whose it is belongs to no account, and is counted.
func TestUnplaced(t *testing.T) {
	b := steady()
	b.place.Account = ""
	b.own(3, "promo", observation.Sent, 77)
	b.place.Account = home.Account
	v := New(b.memory, Options{Group: group})
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshAccounts(t.Context()))
	if got := v.Accounts().Unplaced; got != 77 {
		t.Errorf("%d unplaced, want 77", got)
	}
}

// Two accounts, and one account in two regions, are kept apart.
func TestAccountsApart(t *testing.T) {
	b := steady()
	b.place.Region = "us-west-2"
	b.access(0)
	b.closed(40)
	b.counted(3, observation.AccountSend, "", 5000)
	v := New(b.memory, Options{Group: group})
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshAccounts(t.Context()))
	all := v.Accounts().Accounts
	if len(all) != 2 || all[0].Region != home.Region || all[1].Region != "us-west-2" {
		t.Fatalf("accounts %+v", all)
	}
	checkCoverage(t, all[0].Coverage.Events, signal.OK, "", 1)
	checkCoverage(t, all[1].Coverage.Events, signal.Error, signal.Deaf, 0)
}
