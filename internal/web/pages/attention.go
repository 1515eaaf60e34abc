package pages

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// maxFindings bounds the campaigns that the overview tells of in sentences; the table has them all.
	maxFindings = 12
	// mostly is the part of something that lies in one place for that place to be named alone.
	mostly = 0.6
	// gmailEnough is how many deliveries of the week a campaign must have at Gmail for its rate to count as critical.
	gmailEnough = 1000
)

// finding is something that needs attention, in sentences.
type finding struct {
	Level level
	// Kind is what it is about: a campaign, a receipt rule, an SES account …
	Kind, Name, Tenant string
	Href               string
	Reasons            []reason
	// Alerts are those that fire about it.
	Alerts []link
	// score orders findings of one level, the larger first.
	score float64
}

// The kinds of findings that alerts can be about.
const (
	kindCampaign    = "campaign"
	kindReceiptRule = "receipt rule"
	kindDomain      = "Gmail domain"
	kindAccount     = "SES account"
	kindSource      = "source"
)

// reason is why: what happens, where, and what that usually means.
type reason struct {
	Level level
	// Text says it with numbers, Where at which provider, Means what follows.
	Text, Where, Means string
}

func (f *finding) add(r reason) {
	f.Reasons = append(f.Reasons, r)
	f.Level = max(f.Level, r.Level)
}

// watched are the rates that attention is paid to, and the windows that they are looked at in: complaints come in for days.
func watched() []struct {
	signal signal.Signal
	in     []signal.Window
} {
	return []struct {
		signal signal.Signal
		in     []signal.Window
	}{
		{signal.ComplaintRate, []signal.Window{signal.Week}},
		{signal.HardBounceRate, []signal.Window{signal.Day, signal.Week}},
		{signal.BlockRate, []signal.Window{signal.Day, signal.Week}},
	}
}

// facets are what campaigns can be filtered by.
type facets struct{ tenants, owners map[string]bool }

// suspects walks over all campaigns once and names those with something beyond a line, the worst first. A walk is what the
// overview of ten thousand campaigns can afford; the rest is asked for by name.
func (s *Site) suspects(all *[signal.Count]lines, f *facets) []campaign.Name {
	worst := map[campaign.Name]float64{}
	s.View.Walk(view.ByCampaign, func(c *view.Subject) bool {
		f.tenants[c.Tenant], f.owners[c.Owner] = true, true
		for _, watch := range watched() {
			for _, w := range watch.in {
				l := &all[watch.signal]
				figure := c.Figure(watch.signal, w)
				if level := l.levelOf(&figure); level >= warning {
					n := campaign.Name{Tenant: c.Tenant, Campaign: c.Campaign}
					worst[n] = max(worst[n], float64(level)*1000+figure.Low/l.warning.at)
				}
			}
		}
		return true
	})
	s.View.WalkGmail(func(g *view.GmailSubject) bool {
		if g.Own != nil && g.Own.Rate != nil && g.Own.State == campaign.ReportOK && gmailLevel(*g.Own.Rate) >= warning {
			n := campaign.Name{Tenant: g.Tenant, Campaign: g.Campaign}
			worst[n] = max(worst[n], float64(gmailLevel(*g.Own.Rate))*1000+*g.Own.Rate/gmailLine)
		}
		return true
	})
	names := make([]campaign.Name, 0, len(worst))
	for n := range worst {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b campaign.Name) int {
		return cmp.Or(cmp.Compare(worst[b], worst[a]), cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Tenant, b.Tenant))
	})
	return names
}

// about says what is wrong with a campaign. A finding without reasons is none.
func (s *Site) about(n campaign.Name, all *[signal.Count]lines) finding {
	f := finding{Kind: kindCampaign, Name: n.Campaign, Tenant: n.Tenant, Href: campaignURL(n.Tenant, n.Campaign, signal.Week)}
	brief := map[signal.Window]view.Detail{}
	for _, w := range []signal.Window{signal.Day, signal.Week} {
		brief[w] = s.View.Brief(n.Tenant, n.Campaign, w)
	}
	for _, watch := range watched() {
		var best reason
		for _, w := range watch.in {
			d := brief[w]
			figure := &d.Campaign.Signals[watch.signal]
			if l := all[watch.signal].levelOf(figure); l >= warning && l > best.Level {
				best = s.rateReason(watch.signal, &d, l, &all[watch.signal], w)
			}
		}
		if best.Level > fine {
			f.add(best)
		}
	}
	week := brief[signal.Week]
	if r, ok := s.gmailReason(week.Campaign.Gmail); ok {
		f.add(r)
	}
	for i := range week.Inbound {
		if rule := &week.Inbound[i]; !rule.Shared && (len(f.Reasons) > 0 || rule.Problem.Kind != view.ProblemSilent) {
			f.add(inboundReason(rule))
		}
	}
	slices.SortStableFunc(f.Reasons, func(a, b reason) int { return cmp.Compare(b.Level, a.Level) })
	f.score = float64(len(f.Reasons))
	return f
}

func (s *Site) rateReason(sig signal.Signal, d *view.Detail, l level, at *lines, w signal.Window) reason {
	figure := &d.Campaign.Signals[sig]
	line := at.warning.at
	if l == critical {
		line = at.critical.at
	}
	n := fmt.Sprintf("%s of %s", count(figure.Numerator), count(figure.Denominator))
	r := reason{Level: l}
	window := "of the last " + windowWords[w]
	switch sig {
	case signal.ComplaintRate:
		r.Text = fmt.Sprintf("%s of its mail %s is reported as spam: %s delivered where complaints are told (line: %s).",
			percent(figure.Value), window, n, linePercent(line))
		r.Where = s.where(d, func(p *view.Provider) int64 { return p.Recipients[observation.Complained] })
		r.Means = "These people did not want this mail. Gmail is not among them: it tells SES of no complaint."
	case signal.HardBounceRate:
		r.Text = fmt.Sprintf("%s of its mail %s bounced hard: %s attempted (SES acts on accounts at %s).",
			percent(figure.Value), window, n, linePercent(line))
		r.Where = s.where(d, func(p *view.Provider) int64 { return p.Recipients[observation.HardBounced] })
		r.Means = s.mainReason(d, "recipient", observation.HardBounced,
			"Most of these addresses do not exist: so looks a list that was bought, or not written to for long.")
	case signal.BlockRate:
		r.Text = fmt.Sprintf("%s of its mail %s was refused for what it is or who sent it: %s attempted.",
			percent(figure.Value), window, n)
		r.Where = s.where(d, func(p *view.Provider) int64 { return p.Signals[signal.BlockRate].Numerator })
		r.Means = s.mainReason(d, "", 0, "")
	}
	return r
}

// where names the provider at which most of something happened, with its share of that provider's mail.
func (s *Site) where(d *view.Detail, of func(*view.Provider) int64) string {
	var most *view.Provider
	var all int64
	places := 0
	for i := range d.Providers {
		p := &d.Providers[i]
		n := of(p)
		all += n
		if n > 0 {
			places++
		}
		if most == nil || n > of(most) {
			most = p
		}
	}
	if all == 0 {
		return ""
	}
	n, mail := of(most), max(most.Recipients[observation.Sent], most.Recipients[observation.Delivered])
	share := ""
	if mail > 0 && n <= mail {
		share = ", " + percent(float64(n)/float64(mail)) + " of its mail there"
	}
	switch {
	case n == all:
		return fmt.Sprintf("All at %s%s.", s.provider(most.ID), share)
	case float64(n) >= mostly*float64(all):
		return fmt.Sprintf("Mostly at %s: %s of %s%s.", s.provider(most.ID), count(n), count(all), share)
	default:
		return fmt.Sprintf("At %s; most at %s: %s of %s%s.", plural(int64(places), "provider", "providers"), s.provider(most.ID),
			count(n), count(all), share)
	}
}

// mainReason says for which reason most mail was refused: in one group, of one outcome, where these are given.
func (s *Site) mainReason(d *view.Detail, group string, outcome observation.Outcome, means string) string {
	byReason, all := map[string]int64{}, int64(0)
	best := ""
	for i := range d.Reasons {
		r := &d.Reasons[i]
		if outcome != 0 && r.Outcome != outcome.String() || outcome == 0 && (!signal.Blocks(r.Group) || r.Outcome == observation.Delayed.String()) {
			continue
		}
		byReason[r.Reason] += r.N
		all += r.N
		if best == "" || byReason[r.Reason] > byReason[best] {
			best = r.Reason
		}
	}
	if best == "" {
		return ""
	}
	word, definition := reasonWord(best)
	text := fmt.Sprintf("Main reason given, in %s of %s: %s.", count(byReason[best]), count(all), word)
	if definition != "" {
		text = fmt.Sprintf("Main reason given, in %s of %s: %s — %s", count(byReason[best]), count(all), word, definition)
	}
	if means != "" && strings.HasPrefix(best, "bad_") && group != "" {
		text += " " + means
	}
	return text
}

func (s *Site) gmailReason(g *view.Gmail) (r reason, ok bool) {
	if g == nil || g.SpamRate == nil || g.State != campaign.ReportOK {
		return r, false
	}
	r.Level = gmailLevel(*g.SpamRate)
	if r.Level < warning {
		return r, false
	}
	if g.Delivered < gmailEnough {
		r.Level = warning
	}
	line := "line: 0.1\u00a0%; 0.3\u00a0% must never be reached"
	if *g.SpamRate >= gmailUpperLine {
		line = "the line never to reach: 0.3\u00a0%"
	}
	r.Text = fmt.Sprintf("Gmail users report %s of it as spam (%s, %s; %s).", percent(*g.SpamRate), day(g.Day), ago(*g.AgeDays), line)
	r.Where = "At Gmail, by an identifier that this campaign alone uses."
	if g.ComplaintsUpperBound != nil {
		r.Means = fmt.Sprintf("%s on %d reported of %d days, of %s.", upperBound(*g.ComplaintsUpperBound),
			g.DaysReported, g.DaysInWindow, plural(g.Delivered, "delivery", "deliveries"))
	}
	return r, true
}

var purposeWords = map[view.Purpose]string{
	view.PurposeUnsubscribe: "Unsubscribes", view.PurposeReply: "Replies", view.PurposeDMARC: "DMARC reports", view.PurposeOther: "Inbound mail",
}

func inboundReason(rule *view.InboundRule) reason {
	l := near
	switch rule.Problem.Kind {
	case view.ProblemLost:
		l = critical
	case view.ProblemFailing, view.ProblemDisabled:
		l = warning
	}
	what := purposeWords[rule.Purpose]
	verb := map[string]string{
		view.ProblemLost: "are being lost", view.ProblemFailing: "are not handed on", view.ProblemDisabled: "are switched off",
		view.ProblemSilent: "have stopped coming",
	}[rule.Problem.Kind]
	if rule.Purpose == view.PurposeOther {
		verb = strings.NewReplacer("are ", "is ", "have ", "has ").Replace(verb)
	}
	return reason{
		Level: l,
		Text:  what + " " + verb + ".", Where: "Receipt rule " + rule.ReceiptRule + ": " + lowerFirst(rule.Problem.Text),
		Means: rule.Problem.Means,
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func (s *Site) provider(id string) string {
	if name := s.names[id]; name != "" {
		return name
	}
	return id
}

// sortFindings puts the worst first; campaigns before what else there is.
func sortFindings(all []finding) {
	slices.SortStableFunc(all, func(a, b finding) int {
		isCampaign := func(f *finding) int {
			if f.Kind == kindCampaign {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(isCampaign(&b), isCampaign(&a)), cmp.Compare(b.score, a.score))
	})
}
