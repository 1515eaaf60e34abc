package ledgertest

import (
	"cmp"
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func learned() []rule {
	return []rule{
		{name: "each origin's event types are known with the first and last send time", check: publishedTypes},
		{name: "tallies by own time are hourly, by origin and outcome", check: byOwnTime},
		{name: "identifier use counts Sent anywhere and Delivered at Gmail, hourly by send time", check: identifierUse},
		{name: "identifier use is told by every field of the stamp", check: useByStamp},
		{name: "duplicates and held entries teach nothing", check: duplicatesTeachNothing},
		{name: "campaigns are listed with the day of their last tally", check: campaignsListed},
	}
}

func (r *rig) published() []ledger.Published {
	r.Helper()
	r.fold()
	rows := read(r, "published", func(ctx context.Context) ([]ledger.Published, error) { return r.ledger().Published(ctx) })
	for i := range rows {
		rows[i].First, rows[i].Last = rows[i].First.UTC(), rows[i].Last.UTC()
	}
	return sorted(rows, func(a, b ledger.Published) int {
		return cmp.Or(compareOrigins(a.Origin, b.Origin), cmp.Compare(a.Type, b.Type))
	})
}

func compareOrigins(a, b observation.Origin) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.ConfigurationSet, b.ConfigurationSet))
}

func (r *rig) ownTimes(from, to time.Time) []ledger.OwnTimeRow {
	r.Helper()
	r.fold()
	rows := read(r, "own time", func(ctx context.Context) ([]ledger.OwnTimeRow, error) { return r.ledger().OwnTime(ctx, from, to) })
	for i := range rows {
		rows[i].Start = rows[i].Start.UTC()
	}
	return sorted(rows, func(a, b ledger.OwnTimeRow) int {
		return cmp.Or(a.Start.Compare(b.Start), compareOrigins(a.Origin, b.Origin), cmp.Compare(a.Outcome, b.Outcome))
	})
}

func (r *rig) uses(from, to time.Time) []ledger.UseRow {
	r.Helper()
	r.fold()
	rows := read(r, "uses", func(ctx context.Context) ([]ledger.UseRow, error) { return r.ledger().Uses(ctx, from, to) })
	for i := range rows {
		rows[i].Hour = rows[i].Hour.UTC()
	}
	return sorted(rows, func(a, b ledger.UseRow) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Campaign.Tenant, b.Campaign.Tenant), cmp.Compare(a.Campaign.Name, b.Campaign.Name),
			cmp.Compare(a.Campaign.Send, b.Campaign.Send), cmp.Compare(a.Stamp.FromDomain, b.Stamp.FromDomain),
			cmp.Compare(a.Stamp.A, b.Stamp.A), cmp.Compare(a.Stamp.B, b.Stamp.B), cmp.Compare(a.Stamp.C, b.Stamp.C),
			cmp.Compare(a.Stamp.FeedbackFrom, b.Stamp.FeedbackFrom))
	})
}

func publishedTypes(r *rig) {
	other := observation.Origin{Account: "444455556666", Region: "us-east-1"}
	sent := r.now().Add(-6 * time.Hour)
	r.count(r.sent(1, sentAt(sent.Add(time.Hour))), r.sent(2, sentAt(sent)), r.sent(3, sentAt(sent.Add(2*time.Hour))))
	r.fold()
	r.count(
		r.sent(4, sentAt(sent.Add(-time.Hour))),
		r.entry(5, observation.HardBounced, sentAt(sent), ownTime(r.now())),
		r.entry(6, observation.Suppressed, sentAt(sent.Add(time.Hour)), ownTime(r.now())),
		r.sent(7, sentAt(sent), from(other)),
	)
	want := []ledger.Published{
		{Origin: origin, Type: observation.EventSend, First: sent.Add(-time.Hour), Last: sent.Add(2 * time.Hour)},
		{Origin: origin, Type: observation.EventBounce, First: sent, Last: sent.Add(time.Hour)},
		{Origin: other, Type: observation.EventSend, First: sent, Last: sent},
	}
	r.same("published", r.published(), want)
	r.crash()
	r.same("published after a crash", r.published(), want)
}

func byOwnTime(r *rig) {
	hour := r.now().Add(-5 * time.Hour)
	old := sentAt(r.now().Add(-3 * day))
	r.count(
		r.entry(1, observation.Complained, old, ownTime(hour.Add(-1))),
		r.entry(2, observation.Complained, old, ownTime(hour), provider("yahoo")),
		r.entry(3, observation.Complained, old, ownTime(hour.Add(time.Hour-1)), campaign("other")),
		r.entry(4, observation.HardBounced, old, ownTime(hour.Add(30*time.Minute))),
		r.entry(5, observation.HardBounced, old, ownTime(hour.Add(time.Hour)), from(observation.Origin{Account: "9"})),
	)
	r.fold()
	r.count(r.entry(6, observation.Complained, old, ownTime(hour.Add(10*time.Minute))))
	row := func(start time.Time, o observation.Origin, outcome observation.Outcome, n int64) ledger.OwnTimeRow {
		return ledger.OwnTimeRow{Start: start, Width: time.Hour, Origin: o, Outcome: outcome, N: n}
	}
	want := []ledger.OwnTimeRow{
		row(hour.Add(-time.Hour), origin, observation.Complained, 1),
		row(hour, origin, observation.HardBounced, 1),
		row(hour, origin, observation.Complained, 3),
		row(hour.Add(time.Hour), observation.Origin{Account: "9"}, observation.HardBounced, 1),
	}
	r.same("own time", r.ownTimes(hour.Add(-time.Hour), r.now()), want)
	r.same("own time of an hour", r.ownTimes(hour, hour.Add(time.Hour)), want[1:3])
	r.crash()
	r.same("own time after a crash", r.ownTimes(hour.Add(-time.Hour), r.now()), want)
}

func identifierUse(r *rig) {
	hour := r.now().Add(-30 * time.Hour)
	at := sentAt(hour.Add(59 * time.Minute))
	r.count(r.sent(1, at), r.sent(2, at, provider("yahoo")), r.sent(3, sentAt(hour.Add(time.Hour))))
	r.fold()
	r.count(
		r.entry(4, observation.Delivered, at, ownTime(r.now())),
		r.entry(5, observation.Delivered, at, provider("yahoo")),
		r.entry(6, observation.Delivered, at, provider("google_workspace")),
		r.entry(7, observation.HardBounced, at),
		r.entry(8, observation.Complained, at),
		r.entry(9, observation.Opened, at),
	)
	e := r.sent(0)
	row := ledger.UseRow{
		Hour: hour, Account: origin.Account, Region: origin.Region, Campaign: e.Cell.Campaign, Stamp: e.Stamp,
		Sent: 2, GmailDelivered: 1,
	}
	next := row
	next.Hour, next.Sent, next.GmailDelivered = hour.Add(time.Hour), 1, 0
	r.same("uses", r.uses(hour, r.now()), []ledger.UseRow{row, next})
	r.same("uses of an hour", r.uses(hour, hour.Add(time.Hour)), []ledger.UseRow{row})
	r.crash()
	r.same("uses after a crash", r.uses(hour, r.now()), []ledger.UseRow{row, next})
	r.advance(20 * day)
	r.settle()
	r.same("uses are not compacted", r.uses(hour, r.now()), []ledger.UseRow{row, next})
}

func useByStamp(r *rig) {
	base := r.sent(0)
	vary := []change{
		func(*ledger.Entry) {},
		func(e *ledger.Entry) { e.Stamp.FromDomain = "z.example.com" },
		func(e *ledger.Entry) { e.Stamp.A = "z" },
		func(e *ledger.Entry) { e.Stamp.B = "z" },
		func(e *ledger.Entry) { e.Stamp.C = "z" },
		func(e *ledger.Entry) { e.Stamp.FeedbackFrom = "z" },
		func(e *ledger.Entry) { e.Cell.Campaign.Tenant = "z" },
		func(e *ledger.Entry) { e.Cell.Campaign.Send = "z" },
		campaign("z"),
		func(e *ledger.Entry) { e.Cell.Origin.Region = "z" },
		func(e *ledger.Entry) { e.Cell.Origin.Account = "9" },
	}
	seen := map[ledger.UseRow]int{}
	for i, v := range vary {
		e := r.sent(uint64(2*i), v)
		same := r.sent(uint64(2*i+1), v)
		same.Cell.Origin.ConfigurationSet = "another"
		r.count(e, same)
		seen[ledger.UseRow{
			Hour: hourOf(base.SentAt), Account: e.Cell.Origin.Account, Region: e.Cell.Origin.Region,
			Campaign: e.Cell.Campaign, Stamp: e.Stamp, Sent: 2,
		}]++
	}
	got := map[ledger.UseRow]int{}
	for _, row := range r.uses(anytime().From, anytime().To) {
		got[row]++
	}
	r.same("uses", got, seen)
}

func duplicatesTeachNothing(r *rig) {
	r.count(r.sent(1))
	r.expect(put(r.sent(1), r.entry(1, observation.Delivered), r.held(2)), ledger.Duplicate, ledger.Duplicate, ledger.Held)
	r.fold()
	r.same("published", len(r.published()), 1)
	r.same("own time", len(r.ownTimes(anytime().From, anytime().To)), 1)
	uses := r.uses(anytime().From, anytime().To)
	if len(uses) != 1 || uses[0].Sent != 1 || uses[0].GmailDelivered != 0 {
		r.Fatalf("uses: %+v", uses)
	}
}

func campaignsListed(r *rig) {
	first := r.now()
	renamed := observation.Campaign{Tenant: "acme", Name: "spring", Send: "spring-1"}
	r.count(r.sent(1), r.sent(2, func(e *ledger.Entry) { e.Cell.Campaign = renamed }))
	r.settle()
	r.advance(5 * day)
	r.count(r.entry(3, observation.Complained, sentAt(first), ownTime(r.now())))
	check := func(what string) {
		r.Helper()
		r.fold()
		got := map[observation.Campaign]time.Time{}
		for _, c := range read(r, "campaigns", r.ledger().Campaigns) {
			got[c.Campaign] = c.LastUsed
		}
		if len(got) != 2 {
			r.Fatalf("%s: campaigns %+v", what, got)
		}
		if d := r.now().Sub(got[observation.Campaign{Name: "spring"}]); d < -day || d > day {
			r.Fatalf("%s: used now, told %s ago", what, d)
		}
		if d := first.Sub(got[renamed]); d < -day || d > day {
			r.Fatalf("%s: used 5 days ago, told %s off", what, d)
		}
	}
	check("at once")
	r.crash()
	check("after a crash")
}
