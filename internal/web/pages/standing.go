package pages

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// standing is how far a sender is from the lines at which somebody acts upon all of its mail.
type standing struct {
	// Who judges, and what: "SES", "123456789012 · us-east-1".
	Who, What, Href string
	Level           level
	Verdict         string
	VerdictLevel    level
	Meters          []meter
}

// meter is a value against two lines.
type meter struct {
	Name  string
	Value cell
	Graph template.HTML
}

func accountURL(a *view.Account) string {
	return "/sources#" + url.PathEscape("ses-"+a.Account+"-"+a.Region)
}

func accountName(account, region string) string {
	if region == "" {
		return account
	}
	return account + " in " + region
}

// accounts says how SES sees every account, and what about that needs attention.
func (s *Site) accounts(all view.Accounts) (stands []standing, found []finding) {
	for i := range all.Accounts {
		a := &all.Accounts[i]
		st := standing{Who: "SES", What: a.Account + " · " + a.Region, Href: accountURL(a)}
		f := finding{Kind: kindAccount, Name: accountName(a.Account, a.Region), Href: st.Href}
		verdict := a.Standing.Verdict
		switch {
		case verdict == "":
			st.Verdict = stateWord(a.Standing.State.String())
		case a.Standing.SendingEnabled != nil && !*a.Standing.SendingEnabled:
			st.Verdict, st.VerdictLevel = "sending paused", critical
			f.add(reason{Level: critical, Text: "SES does not let this account send."})
		case verdict == "HEALTHY":
			st.Verdict = "healthy"
		default:
			st.Verdict, st.VerdictLevel = strings.ToLower(verdict), critical
			f.add(reason{Level: critical, Text: "SES says " + verdict + " of this account."})
		}
		st.Level = st.VerdictLevel
		for _, m := range []struct {
			name, of string
			rate     *view.AccountRate
		}{{"Complaints", "complaint", &a.ComplaintRate}, {"Bounces", "bounce", &a.BounceRate}} {
			meter, l := accountMeter(m.name, m.rate)
			st.Meters, st.Level = append(st.Meters, meter), max(st.Level, l)
			if l >= warning {
				r := m.rate.Rate
				reached, line := "over the line for review", r.Review
				if r.Level == signal.LevelPause {
					reached, line = "over the line at which SES may pause it", r.Pause
				}
				f.add(reason{Level: l, Text: fmt.Sprintf("SES's own %s rate is %s, %s (%s).",
					m.of, percent(r.Value), reached, linePercent(line)), Where: reachesNote(r)})
			}
		}
		if q := &a.Quota; q.Used != nil && *q.Used >= 0.8 {
			f.add(reason{Level: warning, Text: fmt.Sprintf("%s of the quota of 24 hours is used.", percent(*q.Used))})
		}
		found = append(found, recommendations(a)...)
		if len(f.Reasons) > 0 {
			found = append(found, f)
		}
		found = append(found, coverageFinding(a)...)
		stands = append(stands, st)
	}
	return stands, found
}

func accountMeter(name string, r *view.AccountRate) (meter, level) {
	m := meter{Name: name}
	lines := signal.BounceLines()
	if name == "Complaints" {
		lines = signal.ComplaintLines()
	}
	if r.Rate == nil {
		m.Value = cell{Text: stateWord(r.State.String()), Unknown: true, Tip: "SES gives no rate: " + stateWord(r.State.String()) + "."}
		m.Graph = gauge(0, false, lines.Review, lines.Pause, fine)
		return m, fine
	}
	l := map[signal.Level]level{signal.LevelReview: warning, signal.LevelPause: critical}[r.Rate.Level]
	m.Value = cell{Text: percent(r.Rate.Value), Level: l, Tip: fmt.Sprintf(
		"SES's own rate, as of the hour from %s, over a volume of mail that SES does not disclose. SES reviews at %s and may pause at %s. "+
			"Ours by the events of seven days: %s.", utc(r.Rate.Hour), linePercent(lines.Review), linePercent(lines.Pause), ourRate(&r.Ours))}
	if r.State != signal.OK {
		m.Value.Notes = append(m.Value.Notes, stateWord(r.State.String()))
	}
	m.Graph = gauge(r.Rate.Value, true, lines.Review, lines.Pause, l)
	return m, l
}

func ourRate(o *view.OurRate) string {
	if o.Value == nil {
		return stateWord(o.State.String())
	}
	return fmt.Sprintf("%s (%s of %s)", percent(*o.Value), count(o.Numerator), count(o.Denominator))
}

func reachesNote(r *view.SESRate) string {
	if r.ReachesIn == nil {
		return ""
	}
	return fmt.Sprintf("At its pace it reaches the next line in %s.", duration(time.Duration(*r.ReachesIn*float64(time.Hour))))
}

// recommendations are what SES itself says must be done, of high impact.
func recommendations(a *view.Account) (found []finding) {
	for _, list := range []*view.AccountFinding{&a.Recommendations, &a.Entities} {
		for i := range list.Items {
			item := &list.Items[i]
			if item.Impact != "HIGH" && (item.Status == "" || item.Status == "ENABLED") {
				continue
			}
			name := resourceName(item.Resource)
			l := warning
			if item.Status == "DISABLED" {
				l = critical
			}
			found = append(found, finding{Level: l, Kind: "SES finding", Name: name, Href: accountURL(a), Reasons: []reason{{
				Level: l, Text: "SES says: " + item.Description,
				Where: "Account " + a.Account + " in " + a.Region + ".",
			}}})
		}
	}
	return found
}

// resourceName is what people call an ARN: "tenant/globex".
func resourceName(arn string) string {
	colons := 0
	for i, c := range arn {
		if c == ':' {
			if colons++; colons == 5 {
				return arn[i+1:]
			}
		}
	}
	return arn
}

func coverageFinding(a *view.Account) []finding {
	f := finding{Kind: "coverage", Name: accountName(a.Account, a.Region), Href: accountURL(a)}
	e := &a.Coverage.Events
	deaf := deafParts(&a.Coverage)
	switch {
	case e.Finding == signal.Short && e.Share != nil && *e.Share < 0.95:
		f.add(reason{Level: warning, Text: fmt.Sprintf(
			"Only %s of the events that CloudWatch counted arrive here; rates speak of that part alone.", percent(*e.Share))})
	case e.Finding == signal.Excess:
		f.add(reason{Level: warning, Text: "More events were counted here than by CloudWatch."})
	case e.Finding == signal.Deaf && len(deaf) == 0:
		deaf = []string{"events"}
	}
	for _, what := range deaf {
		f.add(reason{Level: critical, Text: "CloudWatch counts " + what + ", and none of them arrives here: nothing is known of them."})
	}
	if len(f.Reasons) == 0 {
		return nil
	}
	return []finding{f}
}

// deafShown bounds what is named of an account's events of which none arrives.
const deafShown = 5

// deafParts names the events of which none arrives: the types of all mail, then the configuration sets.
func deafParts(c *view.EventCoverage) (all []string) {
	var types []string
	for i := range c.Of {
		if c.Of[i].Finding == signal.Deaf {
			types = append(types, stateWord(c.Of[i].Of))
		}
	}
	if len(types) > 0 {
		all = append(all, "events ("+strings.Join(types, ", ")+")")
	}
	for i := range c.Sets {
		if s := &c.Sets[i]; s.Events.Finding == signal.Deaf && c.Events.Finding != signal.Deaf {
			all = append(all, fmt.Sprintf("%s events of configuration set %s", count(s.Events.Denominator), s.ConfigurationSet))
		}
	}
	if n := len(all) - deafShown; n > 0 {
		all = append(all[:deafShown], "events of "+plural(int64(n), "more configuration set", "more configuration sets"))
	}
	return all
}

// domains says how Gmail sees every domain, the worst first, and what about that needs attention.
func (s *Site) domains(all view.Domains) (stands []standing, found []finding) {
	for i := range all.Domains {
		d := &all.Domains[i]
		st := standing{Who: "Gmail", What: d.Domain, Href: "/gmail#" + url.PathEscape("domain-"+d.Domain)}
		m, l := domainMeter(d)
		st.Meters, st.Level = []meter{m}, l
		if d.Access != "" {
			st.Verdict = "cannot be read: " + stateWord(d.Access)
		}
		if l >= warning && !repeats(d, all.Domains) {
			f := finding{Kind: kindDomain, Name: d.Domain, Href: st.Href}
			f.add(reason{Level: l, Text: fmt.Sprintf(
				"Gmail users report %s of the mail from %s as spam (%s, %s). Gmail asks to stay below 0.1\u00a0%% and never to reach 0.3\u00a0%%.",
				percent(d.Spam.Rate), d.Domain, day(d.Spam.Day), ago(d.Spam.AgeDays)), Where: blamed(d)})
			found = append(found, f)
		}
		stands = append(stands, st)
	}
	slices.SortStableFunc(stands, func(a, b standing) int { return cmp.Compare(b.Level, a.Level) })
	return stands, found
}

// repeats says that Gmail says the very same of a domain above this one: it is the same mail once more.
func repeats(d *view.Domain, all []view.Domain) bool {
	return slices.ContainsFunc(all, func(above view.Domain) bool {
		return strings.HasSuffix(d.Domain, "."+above.Domain) && above.Spam != nil && above.Spam.Day == d.Spam.Day &&
			gmailLevel(above.Spam.Rate) >= gmailLevel(d.Spam.Rate)
	})
}

// blamed names the campaigns whose own identifiers have the domain's highest rates.
func blamed(d *view.Domain) string {
	var names []string
	for i := range d.Identifiers {
		id := &d.Identifiers[i]
		if id.Match == campaign.MatchOwn && id.State == campaign.ReportOK && id.SpamRate != nil && *id.SpamRate >= gmailLine &&
			len(id.Campaigns) > 0 && !slices.Contains(names, id.Campaigns[0].ID) {
			names = append(names, id.Campaigns[0].ID)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "Most reported: " + names[0] + "."
	default:
		return "Most reported: " + names[0] + ", then " + names[1] + "."
	}
}

func domainMeter(d *view.Domain) (meter, level) {
	m := meter{Name: "Spam"}
	if d.Spam == nil || d.Access != "" {
		m.Value = cell{Text: stateWord(string(d.State)), Unknown: true, Tip: gmailMeaning(d.State)}
		if d.Access != "" {
			m.Value.Tip = "Gmail shows this account nothing about the domain: " + stateWord(d.Access) + "."
		}
		m.Graph = gauge(0, false, gmailLine, gmailUpperLine, fine)
		return m, fine
	}
	l := gmailLevel(d.Spam.Rate)
	m.Value = cell{Text: percent(d.Spam.Rate), Level: l, Tip: fmt.Sprintf(
		"Gmail's rate of spam reports of %s (%s). Gmail asks to stay below 0.1\u00a0%% and never to reach 0.3\u00a0%%. It came %s. %d of %d days of this window are reported.",
		day(d.Spam.Day), ago(d.Spam.AgeDays), utc(d.Spam.FirstSeen), d.DaysReported, d.DaysInWindow)}
	if d.Spam.State != campaign.ReportOK {
		m.Value.Notes, l = append(m.Value.Notes, stateWord(string(d.Spam.State))), min(l, near)
		m.Value.Level = l
	}
	m.Graph = gauge(d.Spam.Rate, true, gmailLine, gmailUpperLine, l)
	m.Value.Notes = append(m.Value.Notes, ago(d.Spam.AgeDays))
	return m, l
}

// trouble says what is wrong with the sources, by which figures cannot be trusted.
func trouble(all *web.Sources) (found []finding) {
	if !all.Ledger.Writable {
		found = append(found, finding{Level: critical, Kind: "ledger", Name: "cannot store", Href: "/sources", Reasons: []reason{{
			Level: critical, Text: "Nothing can be stored now, so nothing is received. " + all.Ledger.Error}}})
	}
	for i := range all.Sources {
		src := &all.Sources[i]
		if src.State != "error" && src.State != "stale" {
			continue
		}
		text := "It could not be read: " + src.Reason + "."
		if src.State == "stale" {
			text = "No pass has succeeded for long."
		}
		found = append(found, finding{Level: warning, Kind: kindSource, Name: src.Name, Href: "/sources", Reasons: []reason{{
			Level: warning, Text: text, Where: src.Error}}})
	}
	if n := all.Quarantine.Messages; n > 0 {
		found = append(found, finding{Level: near, Kind: "quarantine", Name: plural(n, "message", "messages"), Href: "/sources#quarantine",
			Reasons: []reason{{Level: near, Text: "These could not be understood and are counted nowhere."}}})
	}
	return found
}
