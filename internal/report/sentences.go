package report

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// sentences tells the period in three: what was sent, what to do, and where that leaves the sender.
func (b *builder) sentences() {
	r := b.report
	r.Sentences = []string{r.volume(), r.verdict(), r.place()}
}

// volume says how much was sent and what became of it.
func (r *Report) volume() string {
	sent := r.Totals.Recipients[observation.Sent]
	if mail := max(sent, r.Totals.Recipients[observation.Delivered]); mail == 0 {
		return r.noMail()
	}
	s := fmt.Sprintf("%s sent %s", counted(int64(r.Totals.Campaigns), "campaign", "campaigns"), counted(sent, "mail", "mails"))
	if sent == 0 {
		s = fmt.Sprintf("%s had %s delivered", counted(int64(r.Totals.Campaigns), "campaign", "campaigns"),
			counted(r.Totals.Recipients[observation.Delivered], "mail", "mails"))
	}
	if r.AsOf.Before(r.Period.End) {
		s += " so far"
	}
	if f := &r.Totals.Signals[signal.DeliveryRate]; f.Known {
		s += ", of which " + percent(f.Value) + " were delivered"
	}
	return s + r.volumeBefore() + "."
}

// noMail says why there is no campaign to tell of.
func (r *Report) noMail() string {
	switch {
	case r.Uncounted:
		return "How much was sent is not known: no mail was counted yet in this period."
	case r.AsOf.Before(r.Period.End):
		return "No mail was sent in this period so far, as far as is known."
	default:
		return "No mail was sent in this period, as far as is known."
	}
}

// volumeBefore compares with the weeks before. A week that is not over, or was not counted as a whole, is compared with none.
func (r *Report) volumeBefore() string {
	if r.Before == nil || r.Period.Len() != 7 || r.Weeks[len(r.Weeks)-1].Partial {
		return ""
	}
	weeks, before := int64(0), int64(0)
	for _, w := range r.Weeks[:len(r.Weeks)-1] {
		if n := w.Recipients[observation.Sent]; n > 0 && !w.Partial {
			weeks, before = weeks+1, before+n
		}
	}
	if weeks == 0 || before == 0 {
		return ""
	}
	usual := float64(before) / float64(weeks)
	switch x := float64(r.Totals.Recipients[observation.Sent]) / usual; {
	case x > 1.1:
		return "; that is " + percent(x-1) + " more than in an average week before"
	case x < 0.9:
		return "; that is " + percent(1-x) + " less than in an average week before"
	default:
		return "; that is as much as in an average week before"
	}
}

// verdict says what to do, and why.
func (r *Report) verdict() string {
	stop, urgent, act := r.duties((*Action).cause)
	var parts []string
	switch {
	case len(stop) == 1:
		first := &r.Actions[0]
		parts = append(parts, "stop "+first.named()+": "+first.Title)
	case len(stop) > 1:
		parts = append(parts, "stop "+some(stop, 3))
	}
	if len(urgent) > 0 {
		parts = append(parts, "look after "+some(urgent, 3)+" today")
	}
	if len(act) > 0 {
		parts = append(parts, "mend "+some(act, 3))
	}
	if len(parts) == 0 {
		parts = append(parts, "no campaign must be stopped or mended, as far as is known")
	}
	others := int64(0)
	for _, a := range r.Actions {
		if a.About != AboutCampaign && a.Level != LevelWatch {
			others++
		}
	}
	if others > 0 {
		parts = append(parts, counted(others, "thing beside campaigns needs", "things beside campaigns need")+" attention")
	}
	return capital(strings.Join(parts, "; ")) + "."
}

// named is the name of an action's campaign.
func (a *Action) named() string { return label(a.Tenant, a.Subject) }

// cause is the name of an action's campaign, with the figure that is wrong.
func (a *Action) cause() string {
	if a.Value == nil {
		return a.named()
	}
	what := "spam at Gmail"
	if s, ok := signal.Parse(a.Signal); ok {
		what, _ = signalWords(s)
	}
	return fmt.Sprintf("%s (%s %s)", a.named(), percent(*a.Value), what)
}

// duties tells of the campaigns to stop, the streams to look after today, and the campaigns to mend, in the order of the actions.
func (r *Report) duties(tell func(*Action) string) (stop, urgent, act []string) {
	for i := range r.Actions {
		a := &r.Actions[i]
		name := tell(a)
		switch {
		case a.About != AboutCampaign:
		case a.Stop:
			stop = append(stop, name)
		case a.Level == LevelUrgent:
			urgent = append(urgent, name)
		case a.Level == LevelAct:
			act = append(act, name)
		}
	}
	return stop, urgent, act
}

// place says how far it is to the lines of SES and Gmail, and how much is known of that.
func (r *Report) place() string {
	var parts []string
	var worst *view.SESRate
	var name string
	for i := range r.Accounts {
		a := &r.Accounts[i]
		for _, rate := range []struct {
			name string
			rate *view.SESRate
		}{{"bounce rate", a.BounceRate.Rate}, {"complaint rate", a.ComplaintRate.Rate}} {
			if rate.rate != nil && (worst == nil || rate.rate.Value/rate.rate.Review > worst.Value/worst.Review) {
				worst, name = rate.rate, rate.name
			}
		}
	}
	switch {
	case worst == nil:
	case worst.Value >= worst.Review:
		parts = append(parts, fmt.Sprintf("SES's %s of an account is %s, beyond the %s from which on it is reviewed", name, percent(worst.Value),
			percent(worst.Review)))
	default:
		parts = append(parts, fmt.Sprintf("with SES all rates keep below their lines, the nearest being a %s of %s, which is reviewed at %s", name,
			percent(worst.Value), percent(worst.Review)))
	}
	if d := r.worstDomain(); d != nil {
		verb := "keeps"
		if d.Highest.Rate >= gmailAct {
			verb = "is beyond"
		}
		if verb == "keeps" {
			parts = append(parts, fmt.Sprintf("at Gmail all domains keep below its line of %s (at most %s)", percent(gmailAct), percent(d.Highest.Rate)))
		} else {
			parts = append(parts, fmt.Sprintf("at Gmail %s reached %s on %s, and its line is %s", d.Domain.Domain, percent(d.Highest.Rate),
				dayOf(d.Highest.Day.String()), percent(gmailAct)))
		}
	}
	if len(parts) == 0 {
		return "How SES and Gmail see the sender is not known: nothing of theirs was read for this period."
	}
	s := strings.Join(parts, "; ")
	return capital(s) + "."
}

// worstDomain is the domain with the highest rate of the period, nil when none has a rate.
func (r *Report) worstDomain() (worst *Domain) {
	for i := range r.Domains {
		if d := &r.Domains[i]; d.Highest != nil && (worst == nil || d.Highest.Rate > worst.Highest.Rate) && !r.above(d) {
			worst = d
		}
	}
	return worst
}
