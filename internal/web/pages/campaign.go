package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// providersShown is how many providers a campaign's page lists unless all are asked for.
	providersShown = 12
	reasonsShown   = 12
	sendsShown     = 12
)

// ranges are the stretches of time that a timeline can show.
var ranges = []struct {
	name, text string
	over       time.Duration
}{
	{"24h", "24 hours", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour}, {"5w", "5 weeks", 35 * 24 * time.Hour},
}

// campaignPage is the page of one campaign. What the running sums hold is its head, which people see while the rest is read.
type campaignPage struct {
	frame
	Name, Tenant, Owner string
	Stream              bool
	Finding             finding
	// Judged says that something is known by which the campaign could be beyond a line.
	Judged      bool
	Figures     []fact
	Ranges      []link
	TimelineURL string
	// Below sends the head and then reads the rest.
	Below func() *campaignStory
}

// campaignStory is what the page of a campaign says below its figures.
type campaignStory struct {
	// Unread says that the ledger could not be read: there is no timeline, no sample, no send.
	Unread       bool
	Timeline     *table
	Providers    *table
	AllProviders link
	Reasons      []reasonRow
	ReasonTable  *table
	AllReasons   link
	Identifiers  *table
	GmailMail    bool
	Inbound      []view.InboundRule
	Sends        *table
	AllSends     link
	Earlier      *table
}

// reasonRow is why mail was refused or put off, with what the provider said.
type reasonRow struct {
	Cells   []cell
	Samples []view.Sample
}

func (s *Site) campaign(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	window, tenant, id := q.window(), q.text("tenant"), r.PathValue("id")
	all, over := q.choice("show", "", "all") == "all", q.choice("range", "5w", "24h", "7d", "5w")
	csv := q.text("format") != ""
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	story := s.View.Story(tenant, id, window)
	read := sync.OnceValue(func() error { return story.Read(r.Context()) })
	if csv || !story.Known() {
		if err := read(); err != nil {
			s.fault(w, r, err)
			return
		}
	}
	lines, of := linesOf(s.Rules(), alerts.ByCampaign), spanOf(window, story.Window.AsOf)
	if csv {
		x := s.storyOf(r, story, rangeOf(over), &lines, of)
		s.csv(w, r, q, x.Providers, x.ReasonTable, x.Identifiers, x.Sends, x.Earlier, x.Timeline)
		return
	}
	p, err := s.headOf(r, story, &lines, of)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p.windows(r, window)
	for _, x := range ranges {
		p.Ranges = append(p.Ranges, link{x.text, with(r.URL, "range", x.name) + "#timeline", x.name == over})
	}
	page := s.open(w, http.StatusOK)
	p.Below = func() *campaignStory {
		page.flush()
		err := read()
		if err != nil && r.Context().Err() == nil {
			s.Log.Error("rest of a page not shown", "page", r.URL.Path, "err", err)
		}
		x := s.storyOf(r, story, rangeOf(over), &lines, of)
		x.Unread = err != nil
		if !all {
			x.cut(r)
		}
		return x
	}
	page.write("campaign", p)
}

// headOf tells what the running sums hold of a campaign, and what alerts say of it.
func (s *Site) headOf(r *http.Request, story *view.Story, all *[signal.Count]lines, of span) (p campaignPage, err error) {
	tenant, id := story.Campaign.Tenant, story.Campaign.ID
	p = campaignPage{
		frame: s.frame("Overview", id), Name: id, Tenant: tenant, Owner: story.Campaign.Owner, Stream: story.Campaign.Stream,
		Judged: s.judged(tenant, id), Figures: figuresOf(&story.Campaign, all, of), TimelineURL: timelineURL(r),
	}
	p.AsOf = story.Window.AsOf
	p.Finding, err = s.findingOf(r.Context(), campaign.Name{Tenant: tenant, Campaign: id}, all)
	return p, err
}

// timelineURL leads to what the charts of a campaign's page draw.
func timelineURL(r *http.Request) string {
	return address("/campaigns/"+url.PathEscape(r.PathValue("id"))+"/timeline.json", only(r, "tenant", "range"))
}

func rangeOf(name string) time.Duration {
	for _, x := range ranges {
		if x.name == name {
			return x.over
		}
	}
	return 0
}

// findingOf is what is wrong with one campaign, with the alerts that fire about it.
func (s *Site) findingOf(ctx context.Context, n campaign.Name, all *[signal.Count]lines) (finding, error) {
	found, err := s.heed(ctx, []finding{s.about(n, all)})
	return found[0], err
}

// judged says whether anything is known of a campaign's week by which it could be beyond a line.
func (s *Site) judged(tenant, id string) bool {
	d := s.View.Brief(tenant, id, signal.Week)
	for _, watch := range watched() {
		if d.Campaign.Signals[watch.signal].Known {
			return true
		}
	}
	return d.Campaign.Gmail != nil && d.Campaign.Gmail.SpamRate != nil
}

// cut shortens long tables, and says how to see all.
func (x *campaignStory) cut(r *http.Request) {
	if n := len(x.Providers.Rows); n > providersShown+3 {
		x.Providers.Rows = x.Providers.Rows[:providersShown]
		x.AllProviders = link{Text: fmt.Sprintf("Show all %d providers", n), Href: with(r.URL, "show", "all") + "#providers"}
	}
	if n := len(x.Reasons); n > reasonsShown+3 {
		x.Reasons = x.Reasons[:reasonsShown]
		x.AllReasons = link{Text: fmt.Sprintf("Show all %d reasons", n), Href: with(r.URL, "show", "all") + "#reasons"}
	}
	if x.Sends != nil && len(x.Sends.Rows) > sendsShown+3 {
		x.AllSends = link{Text: fmt.Sprintf("Show all %d sends", len(x.Sends.Rows)), Href: with(r.URL, "show", "all") + "#sends"}
		x.Sends.Rows = x.Sends.Rows[:sendsShown]
	}
}

// figuresOf are the figures at the head of a campaign.
func figuresOf(c *view.Campaign, all *[signal.Count]lines, of span) []fact {
	facts := []fact{{"Mail", sentCell(&c.Figures, of)}, {"Gmail spam", gmailCell(c.Gmail)}}
	for _, sig := range []signal.Signal{
		signal.ComplaintRate, signal.HardBounceRate, signal.BlockRate, signal.DelayRate, signal.UnsubscribeRate, signal.DeliveryRate,
	} {
		facts = append(facts, fact{signalWords[sig].name, rate(sig, &c.Signals[sig], &all[sig], of)})
	}
	return facts
}

// storyOf tells all that was read of a campaign.
func (s *Site) storyOf(r *http.Request, story *view.Story, over time.Duration, all *[signal.Count]lines, of span) *campaignStory {
	d, line := &story.Detail, story.Timeline(over)
	p := &campaignStory{Timeline: timelineTable(r, &line), Inbound: d.Inbound}
	p.Timeline.JSON = timelineURL(r)
	api := address("/api/v1/campaigns/"+url.PathEscape(d.Campaign.ID), only(r, "tenant", "window"))
	csvOf := func(name string) string { return with(r.URL, "format", "csv", "table", name, "show", "") }
	p.Providers = s.providerTable(d.Providers, all, of)
	p.Providers.ID, p.Providers.Caption = "providers", "Providers × outcomes"
	p.Providers.CSV, p.Providers.JSON = csvOf("providers"), api
	p.ReasonTable = &table{ID: "reasons", CSV: csvOf("reasons"), JSON: api, Columns: []column{
		{Title: "Provider", fields: []string{"provider"}}, {Title: "Outcome", fields: []string{"outcome"}},
		{Title: "Reason", fields: []string{"reason", "group"}}, {Title: "Recipients", Numeric: true, fields: []string{"n"}},
	}}
	for i := range d.Reasons {
		x := &d.Reasons[i]
		word, definition := reasonWord(x.Reason)
		cells := []cell{
			{Text: s.provider(x.Provider), values: []any{x.Provider}}, {Text: outcomeWord(x.Outcome), values: []any{x.Outcome}},
			{Text: word, Tip: definition, Notes: []string{x.Group}, values: []any{x.Reason, x.Group}}, whole(x.N),
		}
		p.ReasonTable.Rows = append(p.ReasonTable.Rows, row{Cells: cells})
		p.Reasons = append(p.Reasons, reasonRow{Cells: cells, Samples: merged(x.Samples)})
	}
	if g := d.Campaign.Gmail; g != nil {
		p.GmailMail = true
		p.Identifiers = s.ownIdentifiers(d, csvOf("identifiers"), api)
	}
	switch {
	case d.EarlierWeeks != nil:
		p.Earlier = earlierTable(d, all, of)
		p.Earlier.CSV, p.Earlier.JSON = csvOf("earlier"), api
	case !d.Campaign.Stream:
		p.Sends = sendTable(d.Sends, all, d.Window.AsOf)
		p.Sends.CSV, p.Sends.JSON = csvOf("sends"), api
	}
	return p
}

const (
	samplesShown = 3
	idsShown     = 3
)

// merged makes one of samples with the same text: each send keeps its own.
func merged(samples []view.Sample) []view.Sample {
	var out []view.Sample
	for _, x := range samples {
		i := slices.IndexFunc(out, func(o view.Sample) bool { return o.Text == x.Text })
		if i < 0 {
			out = append(out, x)
			continue
		}
		ids := slices.Concat(out[i].MessageIDs, x.MessageIDs)
		if x.Last.After(out[i].Last) {
			out[i].Last, ids = x.Last, slices.Concat(x.MessageIDs, out[i].MessageIDs)
		}
		out[i].N += x.N
		out[i].MessageIDs = ids
	}
	for i := range out {
		out[i].MessageIDs = out[i].MessageIDs[:min(len(out[i].MessageIDs), idsShown)]
	}
	return out[:min(len(out), samplesShown)]
}

// only is a request's query cut down to some names.
func only(r *http.Request, names ...string) url.Values {
	out := url.Values{}
	for _, n := range names {
		if v := r.URL.Query().Get(n); v != "" {
			out.Set(n, v)
		}
	}
	return out
}

// ownIdentifiers lists what Gmail says about a campaign's identifiers, and who shares them.
func (s *Site) ownIdentifiers(d *view.Detail, csv, api string) *table {
	t := &table{ID: "identifiers", Caption: "Identifiers at Gmail", CSV: csv, JSON: api,
		Empty: "Mail of this campaign carried no Feedback-ID that Gmail could report."}
	t.Columns = []column{
		{Title: "Identifier", Tip: "One field of the header Feedback-ID, as Gmail reports it.", fields: []string{"value", "field", "domain"}},
		{Title: "Whose mail", Tip: "How many campaigns used it in the three days up to that day, and this one's part.", fields: []string{"shared_by", "share"}},
		{Title: "Spam reports", Numeric: true, fields: []string{"spam_rate", "state"}}, {Title: "Day", fields: []string{"day"}},
	}
	for i := range d.Campaign.Gmail.Identifiers {
		x := &d.Campaign.Gmail.Identifiers[i]
		whose := cell{Text: "its own", values: []any{x.SharedBy, x.Share}, Tip: "At least 90\u00a0% of the deliveries with it are this campaign's, so the rate is this campaign's."}
		if x.SharedBy > 1 {
			whose.Text, whose.Notes = fmt.Sprintf("shared by %d", x.SharedBy), []string{percent(x.Share) + " is this campaign's"}
			whose.Tip, whose.Href = "Several campaigns use it, so its rate blames none of them.", "/gmail?domain="+url.QueryEscape(x.Domain)+"#identifiers"
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: x.Value, Notes: []string{"field " + x.Field + " · " + x.Domain}, values: []any{x.Value, x.Field, x.Domain}}, whose,
			reported(x.SpamRate, x.State, x.CarryOver, x.SharedBy > 1),
			{Text: day(x.Day), Notes: []string{ago(x.AgeDays)}, values: []any{x.Day.String()}},
		}})
	}
	return t
}

// reported is a rate that Gmail gives of an identifier.
func reported(v *float64, state campaign.ReportState, carryOver, shared bool) cell {
	c := cell{values: []any{nil, string(state)}}
	if v == nil {
		c.Text, c.Unknown, c.Tip = stateWord(string(state)), true, gmailMeaning(state)
		return c
	}
	c.Text, c.values[0] = percent(*v), *v
	c.Level = gmailLevel(*v)
	c.Tip = "Gmail's lines are 0.1\u00a0% and 0.3\u00a0%."
	if shared {
		c.Level, c.Tip = min(c.Level, near), c.Tip+" Several campaigns use the identifier: the rate blames none of them."
	}
	if carryOver {
		c.Notes, c.Level = append(c.Notes, "earlier mail"), fine
		c.Tip += " Nearly all of this mail was sent before that day."
	}
	if state != campaign.ReportOK {
		c.Notes, c.Level = append(c.Notes, stateWord(string(state))), min(c.Level, near)
	}
	return c
}

// sendRates are the columns of rates in lists of sends.
var sendRates = []signal.Signal{signal.ComplaintRate, signal.HardBounceRate, signal.BlockRate, signal.DelayRate, signal.UnsubscribeRate}

func sendTable(sends []view.Send, all *[signal.Count]lines, asOf time.Time) *table {
	t := &table{ID: "sends", Caption: "Sends of the last five weeks", Empty: "No mail in the last five weeks."}
	t.Columns = []column{{Title: "Send", fields: []string{"name", "start", "end"}}, {Title: "Mail", Numeric: true, fields: []string{"sent", "delivered"}}}
	for _, sig := range sendRates {
		t.Columns = append(t.Columns, column{Title: signalWords[sig].name, Tip: sig.Definition().Description, Numeric: true, fields: rateFields(sig.String())})
	}
	for i := range sends {
		x := &sends[i]
		name := cell{Time: &x.Start, Notes: []string{"for " + duration(x.End.Sub(x.Start))},
			values: []any{x.Name, x.Start.Format(time.RFC3339), x.End.Format(time.RFC3339)}}
		if x.Name != "" {
			name.Notes = append(name.Notes, x.Name)
		}
		of := span{"this send, in all its life", asOf}
		cells := []cell{name, sentCell(&x.Figures, of)}
		for _, sig := range sendRates {
			c := rate(sig, &x.Signals[sig], &all[sig], of)
			if v, ok := x.Compared[sig.String()]; ok {
				if note := verdictNote(v); note != "" {
					c.Notes = append(c.Notes, note)
				}
			}
			cells = append(cells, c)
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t
}

// verdictNote says how a rate differs from the one before, and nothing where that may be chance.
func verdictNote(c signal.Comparison) string {
	switch c.Verdict {
	case signal.Higher:
		return "↑ from " + percent(c.Before)
	case signal.Lower:
		return "↓ from " + percent(c.Before)
	default:
		return ""
	}
}

// earlierTable sets a stream's window against the same hours of the weeks before.
func earlierTable(d *view.Detail, all *[signal.Count]lines, of span) *table {
	e := d.EarlierWeeks
	t := &table{ID: "earlier", Caption: "Against the same hours of the " + plural(int64(e.Weeks), "week", "weeks") + " before"}
	t.Columns = []column{{Title: "Rate", fields: []string{"rate"}}, {Title: "Now", Numeric: true, fields: rateFields("now")},
		{Title: "Before", Numeric: true, fields: rateFields("before")}, {Title: "Change", fields: []string{"change"}}}
	before := span{"the same hours of the last " + plural(int64(e.Weeks), "week", "weeks"), of.asOf}
	for _, sig := range append([]signal.Signal{signal.DeliveryRate}, sendRates...) {
		change := cell{Text: "–", Unknown: true, Tip: "Too little mature mail to compare.", values: []any{nil}}
		if v, ok := e.Compared[sig.String()]; ok {
			change = cell{Text: map[signal.Verdict]string{signal.Higher: "higher", signal.Lower: "lower", signal.Unclear: "as before"}[v.Verdict],
				Tip: fmt.Sprintf("Of mature mail: %s now, %s before.", percent(v.Value), percent(v.Before))}
			change.values = []any{change.Text}
			if v.Verdict == signal.Higher && !sig.Definition().HigherIsBetter || v.Verdict == signal.Lower && sig.Definition().HigherIsBetter {
				change.Level = near
			}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: signalWords[sig].name, values: []any{sig.String()}}, rate(sig, &d.Campaign.Signals[sig], &all[sig], of),
			rate(sig, &e.Signals[sig], &all[sig], before), change}})
	}
	return t
}
