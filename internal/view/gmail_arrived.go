package view

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
)

// ShownDay is what Gmail told of a domain's day, whether or not we know of the mail.
type ShownDay struct {
	Day campaign.Day
	// Arrived says that anything came of the day.
	Arrived bool
	// SpamRate is nil when the day arrived without one.
	SpamRate *float64
	// Deliveries are those to personal Gmail addresses of mail from the domain and its subdomains; nil for days of more than
	// ten days ago, and where they are not, or not all, counted.
	Deliveries *int64
	// Late says that the rate came more than four days after the day's end, although the domain was read before that. What a
	// first pass brings of the months before is not late.
	Late bool
	// Revised says that the rate was another one at first.
	Revised bool
}

// DomainDays are the days of a domain from the newest that arrived to the oldest that is looked at, fourteen days ago, by the
// source that WalkGmailDays takes. There are none of a domain of which none arrived.
func (v *View) DomainDays(domain string) []ShownDay {
	if g := v.gmail.Load(); g != nil {
		return g.arrived()[domain]
	}
	return nil
}

// arrivedDays makes the days of every domain.
func (b *dayBook) arrivedDays() map[string][]ShownDay {
	chosen := b.chosen()
	delivered := b.delivered(chosen)
	all := map[string][]ShownDay{}
	for name, d := range chosen {
		if len(d.arrived) == 0 {
			continue
		}
		oldest, newest := b.today-reportedDays+1, d.arrived[0].day
		days := make([]ShownDay, newest-oldest+1)
		for i := range days {
			days[i].Day = newest - campaign.Day(i)
			if b.counts && b.known(days[i].Day) {
				days[i].Deliveries = new(delivered[domainDay{name, days[i].Day}])
			}
		}
		begun := d.readSince()
		for _, a := range d.arrived {
			days[newest-a.day].Arrived = true
		}
		for _, m := range d.spam {
			if m.day > newest { // the marker is still to come
				continue
			}
			due := (m.day + 1).Start(b.zone).Add(lateAfter)
			x := &days[newest-m.day]
			x.SpamRate, x.Arrived = &m.value, true
			x.Late, x.Revised = m.firstSeen.After(due) && begun.Before(due), m.lastChanged.After(m.firstSeen)
		}
		all[name] = days
	}
	return all
}

// readSince is when the first of the days came.
func (d *gmailDomain) readSince() (first time.Time) {
	for _, a := range d.arrived {
		if first.IsZero() || a.firstSeen.Before(first) {
			first = a.firstSeen
		}
	}
	return first
}
