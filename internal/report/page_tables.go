package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/view"
)

// gmailTable is Gmail day by day: domains first, then campaigns with identifiers of their own.
func (r *Report) gmailTable() gmailTable {
	var t gmailTable
	days := r.gmailDays()
	for _, day := range days {
		t.Days = append(t.Days, dayOf(day.String()))
	}
	for i := range r.Domains {
		d := &r.Domains[i]
		if len(d.Days) == 0 {
			continue // nothing was ever read of it: that is said among what is not known
		}
		row := gmailRow{Name: d.Domain.Domain}
		for _, day := range d.Days {
			row.Cells = append(row.Cells, r.gmailDayCell(day.Day, day.SpamRate, day.State))
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		if len(c.GmailDays) == 0 || len(t.Rows) >= maxGmailRows {
			continue
		}
		row := gmailRow{Name: "campaign " + label(c.Tenant, c.ID)}
		for i, day := range days {
			told := r.gmailDayCell(day, nil, r.domainDay(c.GmailDays[0].Domain, i))
			for _, d := range c.GmailDays {
				if d.Day == day {
					told = r.gmailDayCell(day, &d.SpamRate, campaign.ReportOK)
				}
			}
			row.Cells = append(row.Cells, told)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// gmailDays are the days of the period, none when Gmail was never read.
func (r *Report) gmailDays() []campaign.Day {
	var days []campaign.Day
	for i := range r.Domains {
		for _, d := range r.Domains[i].Days {
			days = append(days, d.Day)
		}
		if len(days) > 0 {
			break
		}
	}
	return days
}

// dayOver says that a day was over when the report was made: of others Gmail cannot have told.
func (r *Report) dayOver(day campaign.Day) bool {
	return day.String() < r.AsOf.UTC().Format(time.DateOnly)
}

// domainDay is the state of the day of a domain, of which a campaign's figures come: without a rate of the campaign's own the
// day is missing, or came and said nothing of it.
func (r *Report) domainDay(domain string, day int) campaign.ReportState {
	for i := range r.Domains {
		if d := &r.Domains[i]; d.Domain.Domain == domain && day < len(d.Days) && d.Days[day].State != campaign.ReportNoData {
			return campaign.ReportNotReported
		}
	}
	return campaign.ReportNoData
}

// maxGmailRows bounds the table of Gmail's days.
const maxGmailRows = 60

func (r *Report) gmailDayCell(day campaign.Day, rate *float64, state campaign.ReportState) cell {
	switch {
	case rate == nil && !r.dayOver(day):
		return cell{Value: "not yet", Weak: true}
	case rate == nil && state == campaign.ReportNotReported:
		return cell{Value: "not reported", Weak: true}
	case rate == nil:
		return cell{Value: "missing", Weak: true}
	case *rate >= gmailStop:
		return cell{Value: percent(*rate), Bad: LevelUrgent}
	case *rate >= gmailAct:
		return cell{Value: percent(*rate), Bad: LevelAct}
	default:
		return cell{Value: percent(*rate)}
	}
}

func (r *Report) accountRows() []accountRow {
	var all []accountRow
	for i := range r.Accounts {
		a := &r.Accounts[i]
		row := accountRow{
			Name: accountName(a), Standing: strings.ToLower(a.Standing.Verdict), Bounce: sesWords(&a.BounceRate, a.Bounces),
			Complaint: sesWords(&a.ComplaintRate, a.Complaints), Quota: "not known", Coverage: "not known",
		}
		if row.Standing == "" {
			row.Standing = "not known"
		}
		switch {
		case a.Quota.Unlimited:
			row.Quota = "without limit"
		case a.Quota.Highest != nil:
			row.Quota = "at most " + percent(*a.Quota.Highest) + " used"
		}
		if s := a.Coverage.Events.Share; s != nil {
			row.Coverage = percent(*s) + " of events arrived"
		}
		all = append(all, row)
	}
	return all
}

// sesWords is a rate of SES's, with the lines and how it went.
func sesWords(rate *view.AccountRate, points []Point) string {
	s := rate.Rate
	if s == nil {
		return "not known"
	}
	text := fmt.Sprintf("%s (reviewed at %s, paused at %s)", percent(s.Value), percent(s.Review), percent(s.Pause))
	if len(points) > 1 {
		first := points[0]
		text += fmt.Sprintf("; on %s it was %s", first.At.UTC().Format("2 Jan"), percent(first.Value))
	}
	if s.ReachesIn != nil {
		text += fmt.Sprintf("; at this pace the next line is reached in %s", counted(int64(*s.ReachesIn/24+0.5), "day", "days"))
	}
	return text
}

// lossRows are the receipt rules of which something went wrong.
func (r *Report) lossRows() []lossRow {
	var all []lossRow
	for i := range r.Inbound.Rules {
		rule := &r.Inbound.Rules[i]
		failed, lost := rule.Events["publish_failure"], rule.Events["publish_expired"]
		if rule.Problem == nil && failed == 0 && lost == 0 || rule.ReceiptRule == "" {
			continue
		}
		row := lossRow{
			Rule: rule.ReceiptRule, Purpose: string(rule.Purpose), Campaigns: some(rule.Campaigns, 3),
			Received: "not known", Failed: count(failed), Lost: count(lost), Problem: "none at the end",
		}
		if rule.Events != nil {
			row.Received = count(rule.Events["received"])
		}
		if rule.Shared {
			row.Campaigns = "all"
		}
		if rule.Problem != nil {
			row.Problem = rule.Problem.Text
		}
		all = append(all, row)
	}
	return all
}

func (r *Report) alertRows() []alertRow {
	var all []alertRow
	for _, a := range r.Alerts {
		row := alertRow{Severity: a.Severity, Rule: a.Rule, Subject: a.Subject, When: "since " + r.moment(a.Started)}
		if a.Ended != nil {
			row.When = r.moment(a.Started) + " to " + r.moment(*a.Ended)
		}
		if a.Fired > 1 {
			row.When += fmt.Sprintf(", %d times", a.Fired)
		}
		row.Figure = a.figure()
		all = append(all, row)
	}
	return all
}

// figure is the alert's figure beside its line. That of a condition is a number that tells people nothing.
func (a *Alert) figure() string {
	if a.Value == nil || a.Line == nil {
		return ""
	}
	unit := alerts.Count
	if *a.Value <= 1 && *a.Line < 1 {
		unit = alerts.Ratio // older editions were kept without the signal
	}
	if s, ok := alerts.ParseSignal(a.Signal); ok {
		unit = s.Definition().Unit
	}
	switch unit {
	case alerts.Condition:
		return ""
	case alerts.Ratio:
		return percent(*a.Value) + ", line " + percent(*a.Line)
	default:
		return unit.Format(*a.Value) + ", line " + unit.Format(*a.Line)
	}
}
