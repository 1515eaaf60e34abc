package pages

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// providersPage is the page of mailbox providers.
type providersPage struct {
	frame
	Providers *table
	// All leads to the page with all providers, where some are left out.
	All     link
	Reasons *table
}

// providersAtOnce is how many providers their page lists unless all are asked for: every figure brings its explanation along.
const providersAtOnce = 40

// providerRates are the columns of rates in lists of providers.
var providerRates = []signal.Signal{
	signal.DeliveryRate, signal.ComplaintRate, signal.HardBounceRate, signal.SoftBounceRate, signal.BlockRate, signal.DelayRate,
	signal.UnsubscribeRate,
}

// providerTable lists providers with their outcomes.
func (s *Site) providerTable(providers []view.Provider, all *[signal.Count]lines, of span) *table {
	t := &table{Empty: "No mail in this window."}
	t.Columns = []column{{Title: "Provider", fields: []string{"provider"}}, {Title: "Mail", Numeric: true, fields: []string{"sent", "delivered"}}}
	for _, sig := range providerRates {
		t.Columns = append(t.Columns, column{Title: signalWords[sig].name, Tip: sig.Definition().Description, Numeric: true, fields: rateFields(sig.String())})
	}
	for i := range providers {
		x := &providers[i]
		out := row{Cells: []cell{{Text: s.provider(x.ID), values: []any{x.ID}}, sentCell(&x.Figures, of)}}
		for _, sig := range providerRates {
			out.Cells = append(out.Cells, rate(sig, &x.Signals[sig], &all[sig], of))
		}
		for j := range out.Cells {
			out.Level = max(out.Level, out.Cells[j].Level)
		}
		t.Rows = append(t.Rows, out)
	}
	return t
}

func (s *Site) providers(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	window := q.window()
	sort, name := q.sort("sent")
	every := q.choice("show", "", "all") == "all"
	if sort.OfCampaigns() {
		q.faults = append(q.faults, "Providers have no such order")
	}
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	found := s.View.Providers(window, sort)
	all, of := linesOf(s.Rules(), alerts.ByProvider), spanOf(window, found.Window.AsOf)
	t := s.providerTable(found.Providers, &all, of)
	t.ID, t.Caption = "providers", "Mailbox providers"
	t.CSV, t.JSON = with(r.URL, "format", "csv", "show", ""), address("/api/v1/providers", only(r, "window", "sort"))
	order := func(name string) string { return with(r.URL, "sort", name) }
	t.Columns[0].Sort, t.Columns[0].Sorted = order("name"), name == "name"
	t.Columns[1].Sort, t.Columns[1].Sorted = order("sent"), name == "sent"
	for i, sig := range providerRates {
		t.Columns[2+i].Sort, t.Columns[2+i].Sorted = order(sig.String()), name == sig.String()
	}
	for i := range found.Providers {
		x := &found.Providers[i]
		values := url.Values{"provider": {x.ID}, "window": {window.String()}}
		t.Rows[i].Cells[0].Href = address("/", values) + "#campaigns"
		t.Rows[i].Cells[0].Notes = []string{plural(int64(x.Campaigns), "campaign", "campaigns")}
	}
	p := providersPage{frame: s.frame("Providers", "Providers"), Providers: t, Reasons: s.reasonTable(r, window)}
	p.windows(r, window)
	p.AsOf = found.Window.AsOf
	if s.csv(w, r, q, t, p.Reasons) {
		return
	}
	if n := len(t.Rows); n > providersAtOnce+3 && !every {
		t.Rows = t.Rows[:providersAtOnce]
		p.All = link{Text: fmt.Sprintf("Show all %d providers", n), Href: with(r.URL, "show", "all")}
	}
	s.render(w, http.StatusOK, "providers", p)
}

// reasonsOfAll is how many reasons the page of providers lists.
const reasonsOfAll = 20

// reasonTable lists why mail was refused or put off anywhere.
func (s *Site) reasonTable(r *http.Request, w signal.Window) *table {
	t := &table{ID: "reasons", Caption: "Why mail was refused or put off", CSV: with(r.URL, "format", "csv", "table", "reasons"),
		Empty: "No mail was refused or put off in this window."}
	t.Columns = []column{
		{Title: "Provider", fields: []string{"provider"}}, {Title: "Outcome", fields: []string{"outcome"}},
		{Title: "Reason", fields: []string{"reason", "group"}}, {Title: "Recipients", Numeric: true, fields: []string{"n"}},
	}
	for i, x := range s.View.Reasons(view.ReasonQuery{Window: w}) {
		if i == reasonsOfAll {
			break
		}
		word, definition := reasonWord(x.Reason)
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: s.provider(x.Provider), values: []any{x.Provider}}, {Text: outcomeWord(x.Outcome), values: []any{x.Outcome}},
			{Text: word, Tip: definition, Notes: []string{x.Group}, values: []any{x.Reason, x.Group}}, whole(x.N),
		}})
	}
	return t
}
