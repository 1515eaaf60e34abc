package pages

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

const (
	// campaignsPage is how many campaigns are on a page; maxCampaignsPage how many may be asked for.
	campaignsPage    = 25
	maxCampaignsPage = 200
	// maxCSV bounds a table as a file, as the API bounds its lists.
	maxCSV = 50_000
	// maxChoices bounds the values that a filter offers; any can be given in the address.
	maxChoices = 300
	// standingDomains bounds the domains on the overview.
	standingDomains = 6
)

// overviewPage is the page at /.
type overviewPage struct {
	frame
	Findings []finding
	// More is how many campaigns beyond a line are only in the table.
	More     int
	Standing []standing
	// DomainsMore is how many domains are only on their own page.
	DomainsMore int
	Totals      []cell
	Filter      filter
	Campaigns   *table
	Pager       pager
	Sources     []sourceLine
}

// filter is the form above the campaigns.
type filter struct {
	Match, Tenant, Owner, Provider, Sort, Window string
	Tenants, Owners, Providers                   []choice
	Active                                       bool
	Clear                                        string
}

type choice struct {
	Value, Text string
	Selected    bool
}

// pager leads through a long table.
type pager struct {
	From, To, Total int
	Previous, Next  string
}

func (s *Site) overview(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	ask := view.Query{Window: q.window(), Tenant: q.text("tenant"), Owner: q.text("owner"), Provider: q.text("provider")}
	var sort, match string
	ask.Sort, sort = q.sort("sent")
	ask.Match, match = q.match()
	page, limit := q.number("page", 1, 1, 1<<20), q.number("limit", campaignsPage, 1, maxCampaignsPage)
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	if q.text("format") != "" {
		ask.Limit = maxCSV
		s.csv(w, r, q, s.campaignTable(r, s.View.Campaigns(ask), sort, match))
		return
	}
	ask.Limit, ask.Offset = limit, (page-1)*limit
	found := s.View.Campaigns(ask)
	sources, err := s.Sources(r.Context())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p := overviewPage{frame: s.frame("Overview", "Overview"), Campaigns: s.campaignTable(r, found, sort, match)}
	p.windows(r, ask.Window)
	p.AsOf = found.Window.AsOf
	known := facets{map[string]bool{}, map[string]bool{}}
	if err := s.attend(r.Context(), &p, &known, &sources); err != nil {
		s.fault(w, r, err)
		return
	}
	p.Filter = s.filter(q, ask, sort, match, &known)
	p.Pager = pagerOf(r, page, limit, found.Total)
	p.Sources = sourceLines(&sources)
	p.Totals = s.totals(ask.Window)
	s.render(w, http.StatusOK, "overview", p)
}

// attend gathers what needs attention and how the sender stands.
func (s *Site) attend(ctx context.Context, p *overviewPage, known *facets, sources *web.Sources) (err error) {
	all := linesOf(s.Rules(), alerts.ByCampaign)
	names := s.suspects(&all, known)
	told := map[string]bool{}
	for _, n := range names[:min(len(names), maxFindings)] {
		if f := s.about(n, &all); len(f.Reasons) > 0 {
			p.Findings = append(p.Findings, f)
			for _, rule := range s.View.Brief(n.Tenant, n.Campaign, signal.Week).Inbound {
				if !rule.Shared {
					told[rule.ReceiptRule] = true
				}
			}
		}
	}
	p.More = max(len(names)-maxFindings, 0)
	inbound := s.View.Inbound(signal.Week).Select(view.InboundQuery{Problem: view.AnyProblem, Limit: maxFindings})
	for i := range inbound.Rules {
		if rule := &inbound.Rules[i]; !told[rule.ReceiptRule] {
			f := finding{Kind: kindReceiptRule, Name: rule.ReceiptRule, Href: "/inbound"}
			f.add(inboundReason(rule))
			p.Findings = append(p.Findings, f)
		}
	}
	domains := s.View.Domains(view.DomainQuery{Window: signal.Week, BySpamRate: true, Limit: standingDomains})
	stands, found := s.domains(domains)
	p.Standing, p.Findings = append(p.Standing, stands...), append(p.Findings, found...)
	p.DomainsMore = domains.Total - len(domains.Domains)
	stands, found = s.accounts(s.View.Accounts())
	p.Standing, p.Findings = append(p.Standing, stands...), append(p.Findings, found...)
	p.Findings = append(p.Findings, trouble(sources)...)
	p.Findings, err = s.heed(ctx, p.Findings)
	sortFindings(p.Findings)
	return err
}

// totals are all mail of the window.
func (s *Site) totals(w signal.Window) []cell {
	t := s.View.Totals(w)
	all, of := linesOf(s.Rules(), alerts.ByCampaign), spanOf(w, t.Window.AsOf)
	cells := []cell{sentCell(&t.Figures, of)}
	cells[0].Notes = []string{"sent"}
	for _, sig := range []signal.Signal{signal.DeliveryRate, signal.ComplaintRate, signal.HardBounceRate, signal.BlockRate} {
		c := rate(sig, &t.Signals[sig], &all[sig], of)
		c.Notes = append(c.Notes, lowerFirst(signalWords[sig].name))
		cells = append(cells, c)
	}
	return cells
}

// sentCell is how much mail there is: what was sent, or delivered where no Send events are published.
func sentCell(f *view.Figures, of span) cell {
	sent, delivered := f.Recipients[observation.Sent], f.Recipients[observation.Delivered]
	switch {
	case sent > 0:
		partly := ""
		if delivered > sent {
			partly = "Of part of it only the delivery is published, so more was sent. "
		}
		return cell{Text: count(sent), values: []any{sent, delivered}, Tip: fmt.Sprintf(
			"%s sent, %s delivered, counted in recipients. %s%s", count(sent), count(delivered), partly, of)}
	case delivered > 0:
		return cell{Text: count(delivered), values: []any{nil, delivered}, Notes: []string{"delivered"},
			Tip: fmt.Sprintf("%s delivered; how many were sent is not published. %s", count(delivered), of)}
	default:
		return cell{Text: "no mail", Unknown: true, values: []any{nil, nil}, Tip: "Nothing is known of any mail but to the mailbox simulator. " + of.String()}
	}
}

// campaignRates are the columns of rates in lists of campaigns.
var campaignRates = []signal.Signal{
	signal.ComplaintRate, signal.HardBounceRate, signal.BlockRate, signal.DelayRate, signal.UnsubscribeRate,
}

func (s *Site) campaignTable(r *http.Request, found view.Campaigns, sort, match string) *table {
	api := r.URL.Query()
	for _, own := range []string{"page", "limit", "format", "table"} {
		api.Del(own)
	}
	if match != "" {
		api.Set("match", match)
	}
	t := &table{
		ID: "campaigns", Caption: "Campaigns", CSV: with(r.URL, "format", "csv", "page", "", "limit", ""),
		JSON: address("/api/v1/campaigns", api), Empty: "No campaign had mail in this window that fits.",
	}
	order := func(name string) string { return with(r.URL, "sort", name, "page", "") + "#campaigns" }
	t.Columns = []column{
		{Title: "Campaign", Sort: order("name"), Sorted: sort == "name", fields: []string{"tenant", "campaign", "owner", "stream"}},
		{Title: "Mail", Tip: "Recipients that mail was sent to, and when in the last 7 days.", Numeric: true, Sort: order("sent"),
			Sorted: sort == "sent", fields: []string{"sent", "delivered"}},
		{Title: "Gmail spam", Tip: "What Gmail users report as spam, by Gmail's newest day.", Numeric: true,
			Sort: order("gmail_spam_rate"), Sorted: sort == "gmail_spam_rate", fields: gmailFields},
	}
	for _, sig := range campaignRates {
		t.Columns = append(t.Columns, column{Title: signalWords[sig].name, Tip: sig.Definition().Description, Numeric: true,
			Sort: order(sig.String()), Sorted: sort == sig.String(), fields: rateFields(sig.String())})
	}
	names := make([]campaign.Name, len(found.Campaigns))
	for i := range found.Campaigns {
		names[i] = campaign.Name{Tenant: found.Campaigns[i].Tenant, Campaign: found.Campaigns[i].ID}
	}
	window, _ := signal.ParseWindow(queryOf(r).text("window"))
	if queryOf(r).text("window") == "" {
		window = signal.Week
	}
	all, of := linesOf(s.Rules(), alerts.ByCampaign), spanOf(window, found.Window.AsOf)
	paces := s.View.Paces(names)
	for i := range found.Campaigns {
		t.Rows = append(t.Rows, campaignRow(&found.Campaigns[i], &paces[i], &all, of, window))
	}
	return t
}

func campaignRow(c *view.Campaign, pace *view.Pace, all *[signal.Count]lines, of span, w signal.Window) row {
	name := cell{Text: c.ID, Href: campaignURL(c.Tenant, c.ID, w), values: []any{c.Tenant, c.ID, c.Owner, c.Stream}}
	if c.Tenant != "" {
		name.Marks = append(name.Marks, mark{Text: c.Tenant, Tip: "tenant"})
	}
	if c.Stream {
		name.Marks = append(name.Marks, mark{Text: "stream", Tip: "sent all the time, in no sends"})
	}
	if f := c.Inbound; f != nil && !f.Shared {
		r := inboundReason(&view.InboundRule{Purpose: f.Purpose, ReceiptRule: f.ReceiptRule, Problem: &view.InboundProblem{Kind: f.Problem}})
		name.Marks = append(name.Marks, mark{Text: strings.ToLower(purposeWords[f.Purpose]) + " " + f.Problem, Tip: "receipt rule " + f.ReceiptRule, Level: r.Level})
	}
	if c.Owner != "" {
		name.Notes = append(name.Notes, c.Owner)
	}
	mail := sentCell(&c.Figures, of)
	mail.Graph = paceGraph(pace)
	out := row{Cells: []cell{name, mail, gmailCell(c.Gmail)}}
	for _, sig := range campaignRates {
		out.Cells = append(out.Cells, rate(sig, &c.Signals[sig], &all[sig], of))
	}
	for i := range out.Cells {
		out.Level = max(out.Level, out.Cells[i].Level)
	}
	return out
}

func (s *Site) filter(q *query, ask view.Query, sort, match string, known *facets) filter {
	f := filter{
		Match: q.text("match"), Tenant: ask.Tenant, Owner: ask.Owner, Provider: ask.Provider, Sort: sort, Window: ask.Window.String(),
		Active: match != "" || ask.Tenant != "" || ask.Owner != "" || ask.Provider != "",
		Clear:  address("/", url.Values{"window": {ask.Window.String()}, "sort": {sort}}) + "#campaigns",
	}
	f.Tenants, f.Owners = choices(known.tenants, ask.Tenant, nil), choices(known.owners, ask.Owner, nil)
	providers := map[string]bool{}
	for _, p := range s.View.Providers(ask.Window, view.Sort{}).Providers {
		providers[p.ID] = true
	}
	f.Providers = choices(providers, ask.Provider, s.names)
	return f
}

func choices(values map[string]bool, selected string, names map[string]string) []choice {
	var all []choice
	if selected != "" {
		values[selected] = true
	}
	for _, v := range slices.Sorted(maps.Keys(values)) {
		if v == "" || len(all) >= maxChoices && v != selected {
			continue
		}
		text := v
		if names[v] != "" {
			text = names[v]
		}
		all = append(all, choice{v, text, v == selected})
	}
	slices.SortStableFunc(all, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	return all
}

func pagerOf(r *http.Request, page, limit, total int) pager {
	p := pager{From: min((page-1)*limit+1, total), To: min(page*limit, total), Total: total}
	if page > 1 {
		p.Previous = with(r.URL, "page", strconv.Itoa(page-1)) + "#campaigns"
	}
	if p.To < total {
		p.Next = with(r.URL, "page", strconv.Itoa(page+1)) + "#campaigns"
	}
	return p
}
