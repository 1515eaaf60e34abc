package report

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/view"
)

// gmailTable is Gmail day by day: domains first, then campaigns with identifiers of their own.
func (r *Report) gmailTable() gmailTable {
	var t gmailTable
	if len(r.Domains) == 0 {
		return t
	}
	for _, d := range r.Domains[0].Days {
		t.Days = append(t.Days, dayOf(d.Day.String()))
	}
	for i := range r.Domains {
		d := &r.Domains[i]
		row := gmailRow{Name: d.Domain.Domain}
		for _, day := range d.Days {
			row.Cells = append(row.Cells, gmailDayCell(day.SpamRate, day.State))
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		if len(c.GmailDays) == 0 || len(t.Rows) >= maxGmailRows {
			continue
		}
		row := gmailRow{Name: "campaign " + label(c.Tenant, c.ID)}
		for i, day := range r.Domains[0].Days {
			told := gmailDayCell(nil, r.domainDay(c.GmailDays[0].Domain, i))
			for _, d := range c.GmailDays {
				if d.Day == day.Day {
					told = gmailDayCell(&d.SpamRate, campaign.ReportOK)
				}
			}
			row.Cells = append(row.Cells, told)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// domainDay is the state of the day of a domain, of which a campaign's figures come: without a rate of the campaign's own the
// day is missing, or came and said nothing of it.
func (r *Report) domainDay(domain string, day int) campaign.ReportState {
	for i := range r.Domains {
		if d := &r.Domains[i]; d.Domain.Domain == domain && d.Days[day].State != campaign.ReportNoData {
			return campaign.ReportNotReported
		}
	}
	return campaign.ReportNoData
}

// maxGmailRows bounds the table of Gmail's days.
const maxGmailRows = 60

func gmailDayCell(rate *float64, state campaign.ReportState) cell {
	switch {
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
		if a.Value != nil && a.Line != nil {
			row.Figure = fmt.Sprintf("%s, line %s", decimal(*a.Value, 4), decimal(*a.Line, 4))
			if *a.Value <= 1 && *a.Line < 1 {
				row.Figure = percent(*a.Value) + ", line " + percent(*a.Line)
			}
		}
		all = append(all, row)
	}
	return all
}
