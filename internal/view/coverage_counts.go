package view

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// countedKey is an hour of an account's own time, or of one of its configuration sets when set is not empty.
type countedKey struct {
	place placeOfMail
	set   string
	hour  int64
}

// sinceWhen is since when events of an account's mail have come: Sends, and those of any type.
type sinceWhen struct{ send, other time.Time }

// ownCounts are counts of ours by outcome.
type ownCounts [observation.OutcomeCount]int64

func (c *ownCounts) sum(outcomes []observation.Outcome) (n int64) {
	for _, o := range outcomes {
		n += c[o]
	}
	return n
}

// hourUses is the mail of an hour of sending, as it was known when so many mails of that hour had been counted.
type hourUses struct {
	sent int64
	mail map[placeOfMail]taggedMail
}

// taggedMail is how much mail was sent, and how much of it with a Feedback-ID of its own.
type taggedMail struct{ sent, tagged int64 }

// bound sets the hours of coverage: those for which the events, as far as can be known, have come.
func (v *View) bound(b *books) {
	b.lag = max(v.lag(), 0)
	end := b.asOf.Add(-coverageSettles - b.lag)
	if failing := v.failingSince(); !failing.IsZero() && failing.Before(end) {
		end = failing
	}
	b.to = end.UTC().Truncate(time.Hour)
	b.from = b.to.Add(-coverageHours * time.Hour)
}

// readCounts reads what we counted in the hours of coverage.
func (v *View) readCounts(ctx context.Context, b *books) error {
	rows, err := v.reader.OwnTime(ctx, b.from, b.to)
	if err != nil {
		return err
	}
	b.counted = map[countedKey]*ownCounts{}
	for i := range rows {
		b.count(&rows[i])
	}
	published, err := v.reader.Published(ctx)
	if err != nil {
		return err
	}
	b.published = map[placeOfMail]sinceWhen{}
	for i := range published {
		b.publish(&published[i])
	}
	return v.readTagged(ctx, b)
}

// count adds what we counted to the account's, and to the configuration set's if there is one.
func (b *books) count(row *ledger.OwnTimeRow) {
	o := &row.Origin
	if (o.Account == "" || o.Region == "") && row.Outcome == observation.Sent {
		b.unplaced += row.N
	}
	key := countedKey{placeOfMail{o.Account, o.Region}, "", row.Start.Unix()}
	for {
		if b.counted[key] == nil {
			b.counted[key] = &ownCounts{}
		}
		b.counted[key][row.Outcome] += row.N
		if key.set == o.ConfigurationSet {
			return
		}
		key.set = o.ConfigurationSet
	}
}

// publish notes since when events come.
func (b *books) publish(p *ledger.Published) {
	at := placeOfMail{p.Origin.Account, p.Origin.Region}
	since := b.published[at]
	if p.Type == observation.EventSend && (since.send.IsZero() || p.First.Before(since.send)) {
		since.send = p.First
	}
	if since.other.IsZero() || p.First.Before(since.other) {
		since.other = p.First
	}
	b.published[at] = since
}

// readTagged reads how much of the hours' mail has a Feedback-ID of its own, where more was counted since it was last read.
func (v *View) readTagged(ctx context.Context, b *books) error {
	a := b.accountant
	if a.uses == nil {
		a.uses = map[int64]hourUses{}
	}
	for hour := range a.uses {
		if hour < b.from.Unix() || hour >= b.to.Unix() {
			delete(a.uses, hour)
		}
	}
	sent := map[int64]int64{}
	for key, n := range b.counted {
		if key.set == "" {
			sent[key.hour] += n[observation.Sent]
		}
	}
	for at := b.from; at.Before(b.to); at = at.Add(time.Hour) {
		if known, ok := a.uses[at.Unix()]; ok && known.sent == sent[at.Unix()] {
			continue
		}
		rows, err := v.reader.Uses(ctx, at, at.Add(time.Hour))
		if err != nil {
			return err
		}
		hour := hourUses{sent[at.Unix()], map[placeOfMail]taggedMail{}}
		for i := range rows {
			u := &rows[i]
			n := hour.mail[placeOfMail{u.Account, u.Region}]
			n.sent += u.Sent
			if u.Stamp.A != "" || u.Stamp.B != "" {
				n.tagged += u.Sent
			}
			hour.mail[placeOfMail{u.Account, u.Region}] = n
		}
		a.uses[at.Unix()] = hour
	}
	return nil
}
