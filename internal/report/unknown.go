package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// unknown tells what the figures do not hold, so that nobody takes a gap for good news.
func (b *builder) unknown() {
	r := b.report
	r.Unknown = []Note{}
	b.unknownTime()
	b.unknownComplaints()
	b.unknownGmail()
	b.unknownCoverage()
	if len(r.Inbound.Regions) == 0 {
		b.note("Incoming mail", "CloudWatch's counts of receipt rules were not read for this period: whether replies and unsubscribes arrive is not known.")
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		sent := c.Recipients[observation.Sent]
		switch {
		case c.ID == observation.Unidentified && sent > 0:
			b.note("Campaigns", fmt.Sprintf("%s say of no campaign that they belong to it; they are shown as %s.",
				counted(sent, "mail", "mails"), c.ID))
		case c.ID == observation.Other && sent > 0:
			b.note("Campaigns", fmt.Sprintf("There were more campaigns than are told apart: %s of the rest are shown as %s.",
				counted(sent, "mail", "mails"), c.ID))
		}
	}
}

func (b *builder) note(topic, text string) {
	b.report.Unknown = append(b.report.Unknown, Note{topic, text})
}

// unknownTime tells of times of which events are missing, and of mail that is too young.
func (b *builder) unknownTime() {
	r := b.report
	counted := b.read.Counted()
	switch {
	case counted.IsZero():
		b.note("Time", "No events that say how much was sent or delivered were ever counted, so that no rate is known.")
	case counted.After(r.Period.Start):
		b.note("Time", "Mail is counted since "+r.moment(counted)+": what was sent before is not in any figure.")
	}
	for _, gap := range b.read.Gaps() {
		b.note("Time", fmt.Sprintf("Not a single event came from %s to %s, which is longer than ever in the weeks before. Either nothing "+
			"was sent, or what happened is missing.", r.moment(gap.From), r.moment(gap.To)))
	}
	if r.AsOf.Before(r.Period.End) {
		b.note("Time", "The period is not over: figures are as of "+r.moment(r.AsOf)+".")
	}
	var young []string
	for _, d := range r.Days {
		if d.Immature && d.Recipients[observation.Sent]+d.Recipients[observation.Delivered] > 0 {
			young = append(young, dayOf(d.From))
		}
	}
	if len(young) > 0 {
		b.note("Young mail", fmt.Sprintf("Complaints come for three days after the mail, soft bounces for one. Figures of %s may still grow; "+
			"a later edition says by how much.", listed(young)))
	}
	if r.AsOf.Sub(r.Period.Start) > 100*24*time.Hour {
		b.note("Time", "The period is so long ago that the ledger holds days of its own time zone, no hours.")
	}
}

// unknownComplaints tells of whom complaint rates speak, and what is not published.
func (b *builder) unknownComplaints() {
	f := &b.report.Totals.Signals[signal.ComplaintRate]
	if f.Measured {
		b.note("Complaints", fmt.Sprintf("Complaint rates speak of %s of the deliveries: the other providers tell SES of no complaints, "+
			"Gmail and Apple among them.", percent(f.MeasuredShare)))
	}
	what := map[signal.Signal]string{
		signal.DeliveryRate: "deliveries", signal.HardBounceRate: "bounces", signal.ComplaintRate: "complaints",
		signal.UnsubscribeRate: "unsubscribes", signal.SuppressedRate: "suppressed mail",
	}
	var missing []string
	for _, s := range signal.Signals() {
		if name, ok := what[s]; ok && b.report.Totals.Signals[s].State == signal.NoData {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		b.note("Events", "The configuration sets publish too little to know rates of "+listed(missing)+".")
	}
}

// unknownGmail tells which of Gmail's days are missing.
func (b *builder) unknownGmail() {
	r := b.report
	if len(r.Domains) == 0 {
		b.note("Gmail", "Gmail Postmaster Tools tell nothing of these days. Gmail sends SES no complaints, so that what its users report "+
			"is not known.")
		return
	}
	absent := map[string][]string{} // domains by the days that are missing
	var order []string
	for i := range r.Domains {
		d := &r.Domains[i]
		if d.Access != "" {
			b.note("Gmail", fmt.Sprintf("%s cannot be read (%s).", d.Domain.Domain, strings.ReplaceAll(d.Access, "_", " ")))
			continue
		}
		var days []string
		for _, day := range d.Days {
			if day.State == campaign.ReportNoData && r.dayOver(day.Day) {
				days = append(days, dayOf(day.Day.String()))
			}
		}
		if key := listed(days); key != "" {
			if absent[key] == nil {
				order = append(order, key)
			}
			absent[key] = append(absent[key], d.Domain.Domain)
		}
	}
	for _, days := range order {
		b.note("Gmail", fmt.Sprintf("Gmail told nothing of %s for %s: too little mail, or its figures are late. A missing day is not a good day.",
			days, some(absent[days], 5)))
	}
}

// unknownCoverage tells how much of the accounts' mail events came of.
func (b *builder) unknownCoverage() {
	if len(b.report.Accounts) == 0 {
		b.note("Coverage", "CloudWatch's counts were not read for this period, so that it is not known whether events of all mail arrived.")
	}
	for i := range b.report.Accounts {
		a := &b.report.Accounts[i]
		c := &a.Coverage.Events
		switch {
		case c.Finding == signal.Excess:
			b.note("Coverage", "For "+accountName(a)+" more events were counted than CloudWatch knows of: a share cannot be told.")
		case c.Share != nil && c.State != signal.Insufficient:
			b.note("Coverage", fmt.Sprintf("For %s, events of %s of what CloudWatch counted arrived (%s hours compared).", accountName(a),
				percent(*c.Share), count(int64(a.Coverage.Hours))))
		default:
			b.note("Coverage", "For "+accountName(a)+" it is not known whether events of all mail arrived.")
		}
		b.unknownSets(a)
	}
}

// unknownSets names the configuration sets of which no event arrived.
func (b *builder) unknownSets(a *Account) {
	told := 0
	for i := range a.Coverage.Sets {
		s := &a.Coverage.Sets[i]
		if s.Events.Finding != signal.Deaf {
			continue
		}
		if told++; told > 5 {
			b.note("Coverage", "So it is with more configuration sets of "+accountName(a)+".")
			return
		}
		b.note("Coverage", fmt.Sprintf("Of configuration set %s of %s nothing arrived, of %s that CloudWatch counted: its mail is in no figure.",
			s.ConfigurationSet, accountName(a), counted(s.Events.Denominator, "event", "events")))
	}
}
