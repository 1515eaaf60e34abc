package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// actions tells what should be done, the most urgent first: campaigns, lost mail, accounts, domains, and what keeps figures
// from being known.
func (b *builder) actions() {
	r := b.report
	r.Actions = []Action{}
	for i := range r.Campaigns {
		if len(b.findings[i]) > 0 {
			r.Actions = append(r.Actions, campaignAction(&r.Campaigns[i], b.findings[i]))
		}
	}
	whole := b.Owner == "" && b.Campaign == ""
	r.Actions = append(r.Actions, b.inboundActions(whole)...)
	if whole {
		r.Actions = append(r.Actions, b.accountActions()...)
		r.Actions = append(r.Actions, b.domainActions()...)
	}
	slices.SortStableFunc(r.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Level.rank(), b.Level.rank()), cmp.Compare(first(a.Stop), first(b.Stop)))
	})
}

// first puts what is true first.
func first(v bool) int {
	if v {
		return 0
	}
	return 1
}

func campaignAction(c *Campaign, findings []finding) Action {
	f := &findings[0]
	a := Action{
		Level: f.level, About: AboutCampaign, Subject: c.ID, Tenant: c.Tenant, Owner: c.Owner, Title: f.title, Why: f.why, Sure: f.sure,
		Do: f.do, Signal: f.signal, Value: new(short(f.value)), Stop: f.level == LevelUrgent && !c.Stream,
	}
	if f.line > 0 {
		a.Line = &f.line
	}
	for _, also := range findings[1:] {
		a.Also = append(a.Also, also.short)
	}
	return a
}

// inboundActions tells of mail that does not arrive: of all of it, or of what the selected campaigns use.
func (b *builder) inboundActions(whole bool) []Action {
	var all []Action
	for i := range b.report.Inbound.Rules {
		rule := &b.report.Inbound.Rules[i]
		if rule.Problem == nil || !whole && !b.uses(rule) {
			continue
		}
		level := LevelAct
		switch {
		case rule.Problem.Kind == view.ProblemSilent:
			level = LevelWatch
		case rule.Problem.Kind == view.ProblemLost && rule.Purpose == view.PurposeUnsubscribe:
			level = LevelUrgent
		}
		all = append(all, Action{
			Level: level, About: AboutInbound, Subject: rule.ReceiptRule,
			Title: inboundTitle(rule), Why: rule.Problem.Text + " " + rule.Problem.Means,
			Sure: "CloudWatch's own counts, of SES's receipt rule in " + rule.Region + ".",
			Do:   inboundDo(rule),
		})
	}
	return all
}

// uses says whether a selected campaign uses a receipt rule, or has been flagged with it.
func (b *builder) uses(rule *view.InboundRule) bool {
	return slices.ContainsFunc(b.report.Campaigns, func(c Campaign) bool {
		return c.Inbound != nil && c.Inbound.ReceiptRule == rule.ReceiptRule || slices.Contains(rule.Campaigns, c.ID)
	})
}

func inboundTitle(rule *view.InboundRule) string {
	what := map[view.Purpose]string{
		view.PurposeUnsubscribe: "unsubscribe mails", view.PurposeReply: "replies", view.PurposeDMARC: "DMARC reports",
	}[rule.Purpose]
	if what == "" {
		what = "incoming mails"
	}
	switch rule.Problem.Kind {
	case view.ProblemLost:
		n := rule.Events["publish_expired"]
		if n == 1 {
			return "1 of the " + what + " was lost"
		}
		return count(n) + " " + what + " were lost"
	case view.ProblemFailing:
		return what + " cannot be handed on"
	case view.ProblemDisabled:
		return what + " are not taken: the rule is off"
	default:
		return "no " + what + " come any more"
	}
}

func inboundDo(rule *view.InboundRule) string {
	to := ""
	if rule.Actions != "" {
		to = " (" + rule.Actions + ")"
	}
	switch rule.Problem.Kind {
	case view.ProblemLost, view.ProblemFailing:
		return "Have whoever runs SES look at where the rule hands mail on" + to + ": most often a permission or an encryption key is missing. " +
			"Lost mails do not come back."
	case view.ProblemDisabled:
		return "Switch the rule on, or have the mail taken by another."
	default:
		return "Send a mail there. If it does not arrive, look at the MX record and at the rules before this one."
	}
}

// accountActions tells of accounts near the lines at which SES acts.
func (b *builder) accountActions() []Action {
	var all []Action
	for i := range b.report.Accounts {
		a := &b.report.Accounts[i]
		name := accountName(a)
		if v := a.Standing.Verdict; v != "" && v != "HEALTHY" {
			all = append(all, Action{
				Level: LevelUrgent, About: AboutAccount, Subject: name, Title: "SES says " + strings.ToLower(v),
				Why: "SES has put the account under review or shut it down. All mail of the account is at stake.", Sure: "SES's own word.",
				Do: "Answer the case in the AWS Support Center: what went wrong, what you changed, and why it will not happen again.",
			})
		}
		for _, rate := range []struct {
			name string
			rate *view.AccountRate
		}{{"bounce rate", &a.BounceRate}, {"complaint rate", &a.ComplaintRate}} {
			if act, ok := rateAction(name, rate.name, rate.rate); ok {
				all = append(all, act)
			}
		}
		if f := a.Coverage.Events.Finding; f == signal.Deaf || f == signal.Short && a.Coverage.Events.Share != nil && *a.Coverage.Events.Share < 0.95 {
			all = append(all, coverageAction(a, name))
		}
	}
	return all
}

// rateAction tells of a rate of SES's that is at its line, or four fifths of the way there.
func rateAction(account, name string, rate *view.AccountRate) (Action, bool) {
	s := rate.Rate
	if s == nil || s.Value < 0.8*s.Review {
		return Action{}, false
	}
	a := Action{
		Level: LevelAct, About: AboutAccount, Subject: account, Title: "the account's " + name + " is " + percent(s.Value),
		Why: fmt.Sprintf("SES looks into an account at %s and may pause it at %s: then nothing goes out any more.", percent(s.Review),
			percent(s.Pause)),
		Sure:  "SES's own figure, of " + s.Hour.UTC().Format("2 Jan 15:04 MST") + ".",
		Do:    "Stop or mend the campaigns at the top of this report first; the rate falls as good mail follows.",
		Value: new(s.Value), Line: new(s.Review),
	}
	if s.Level == signal.LevelPause || s.Level == signal.LevelReview {
		a.Level = LevelUrgent
	}
	return a, true
}

func coverageAction(a *Account, name string) Action {
	c := &a.Coverage.Events
	act := Action{
		Level: LevelAct, About: AboutCoverage, Subject: name, Title: "events are missing",
		Sure: "CloudWatch's own counts beside ours, of the same hours.",
		Do:   "Have whoever runs SES look at what the configuration sets publish: mailvane check --online names what is missing.",
	}
	if c.Share != nil {
		act.Title = "only " + percent(*c.Share) + " of its events arrived"
		act.Why = fmt.Sprintf("Of %s events that CloudWatch counted, %s arrived. The figures of this report speak of these alone.",
			count(c.Denominator), count(c.Numerator))
	} else {
		act.Why = "CloudWatch counted events of a kind of which none arrived. Figures that need them are not known."
	}
	return act
}

// domainActions tells of domains beyond Gmail's lines.
func (b *builder) domainActions() []Action {
	var all []Action
	for i := range b.report.Domains {
		d := &b.report.Domains[i]
		acted, stopped, known := 0, 0, 0
		for _, day := range d.Days {
			if day.SpamRate == nil {
				continue
			}
			known++
			if *day.SpamRate >= gmailAct {
				acted++
			}
			if *day.SpamRate >= gmailStop {
				stopped++
			}
		}
		if acted == 0 || d.Highest == nil || b.report.above(d) {
			continue
		}
		a := Action{
			Level: LevelWatch, About: AboutDomain, Subject: d.Domain.Domain,
			Title: percent(d.Highest.Rate) + " of Gmail users report its mail as spam",
			Why: fmt.Sprintf("Gmail shows %s for the domain on %s. It asks to stay below %s and never to reach %s.", percent(d.Highest.Rate),
				dayOf(d.Highest.Day.String()), percent(gmailAct), percent(gmailStop)),
			Sure: fmt.Sprintf("Gmail's own figure, told on %d of %s.", known, counted(int64(len(d.Days)), "day", "days")),
			Do: "The campaigns with the highest rates at Gmail, below, make this rate. Until it has been below 0.3" + nbsp +
				"% for seven days in a row, Gmail helps with nothing.",
			Value: new(d.Highest.Rate), Line: new(gmailAct),
		}
		if known > 1 {
			a.Why += fmt.Sprintf(" Of %d days it was above the first on %d, and above the second on %d.", known, acted, stopped)
		}
		switch {
		case stopped >= 2:
			a.Level = LevelUrgent
		case acted >= 2 || stopped > 0:
			a.Level = LevelAct
		}
		all = append(all, a)
	}
	return all
}

// above says that a domain under this one has about the same rate: then that one is told of, for the figures of a domain
// hold those of the domains under it.
func (r *Report) above(d *Domain) bool {
	return slices.ContainsFunc(r.Domains, func(o Domain) bool {
		return strings.HasSuffix(o.Domain.Domain, "."+d.Domain.Domain) && o.Highest != nil && o.Highest.Rate >= 0.9*d.Highest.Rate
	})
}

func accountName(a *Account) string { return a.Account.Account + " in " + a.Region }
