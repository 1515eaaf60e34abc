package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// identifiersShown bounds the identifiers on the page; the CSV has them all.
const identifiersShown = 100

// gmailPage is the page of what Gmail says.
type gmailPage struct {
	frame
	Domain      string
	Findings    []finding
	Domains     []domainSection
	Identifiers *table
	Unknown     *table
	Never       *table
	Advice      []view.Advice
	Use         *table
}

// domainSection is a domain with what Gmail says about it.
type domainSection struct {
	ID, Title string
	Standing  standing
	Access    string
	Days      *table
	Measures  *table
	Needs     []string
}

func (s *Site) gmail(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	window, domain := q.window(), strings.ToLower(q.text("domain"))
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	ids := s.View.Identifiers(view.IdentifierQuery{Window: window, Domain: domain})
	domains := s.View.Domains(view.DomainQuery{Window: window, Domain: domain, BySpamRate: true, Limit: 50})
	p := gmailPage{frame: s.frame("Gmail", "Gmail"), Domain: domain, Advice: ids.Advice}
	p.windows(r, window)
	p.AsOf = domains.Window.AsOf
	stands, found := s.domains(domains)
	p.Findings = found
	byName := map[string]standing{}
	for _, st := range stands {
		byName[st.What] = st
	}
	tables := []*table{domainTable(r, &domains)}
	for i := range domains.Domains {
		section := domainSectionOf(r, &domains.Domains[i], byName[domains.Domains[i].Domain], s.View.DomainDays(domains.Domains[i].Domain))
		p.Domains, tables = append(p.Domains, section), append(tables, section.Days, section.Measures)
	}
	p.Identifiers = identifierTable(r, "identifiers", "Identifiers that Gmail reports", ids.Identifiers, window)
	p.Unknown = identifierTable(r, "unknown", "Reported in our name, but not sent by us", ids.Unknown, window)
	p.Never, p.Use = neverTable(r, &ids), useTable(r, &ids)
	for i := range p.Unknown.Rows {
		p.Unknown.Rows[i].Level = near
	}
	if s.csv(w, r, q, append(tables, p.Identifiers, p.Unknown, p.Never, p.Use)...) {
		return
	}
	p.Identifiers.Rows = p.Identifiers.Rows[:min(len(p.Identifiers.Rows), identifiersShown)]
	s.render(w, http.StatusOK, "gmail", p)
}

// domainTable is the list of domains as a file.
func domainTable(r *http.Request, all *view.Domains) *table {
	t := &table{ID: "domains", Caption: "Domains", CSV: with(r.URL, "format", "csv")}
	t.Columns = []column{{Title: "Domain", fields: []string{"domain", "access", "state"}},
		{Title: "Spam reports", fields: []string{"spam_rate", "day", "days_reported", "days_in_window"}}}
	for i := range all.Domains {
		d := &all.Domains[i]
		values := []any{nil, nil, d.DaysReported, d.DaysInWindow}
		if d.Spam != nil {
			values[0], values[1] = d.Spam.Rate, d.Spam.Day.String()
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{values: []any{d.Domain, d.Access, string(d.State)}}, {values: values}}})
	}
	return t
}

func domainSectionOf(r *http.Request, d *view.Domain, st standing, days []view.ShownDay) domainSection {
	out := domainSection{ID: "domain-" + d.Domain, Title: d.Domain, Standing: st}
	switch d.Access {
	case "unverified":
		out.Access = "The domain is not verified for this Google account: Gmail shows nothing about it."
	case "no_access":
		out.Access = "This Google account may not see the domain."
	case "":
	default:
		out.Access = "The domain cannot be read: " + stateWord(d.Access) + "."
	}
	if len(days) > 0 {
		out.Days = dayTable(d.Domain, days)
		out.Days.CSV = with(r.URL, "format", "csv", "table", out.Days.ID)
	}
	out.Measures = &table{ID: "measures-" + d.Domain, Caption: "What else Gmail says of " + d.Domain,
		CSV: with(r.URL, "format", "csv", "table", "measures-"+d.Domain), JSON: address("/api/v1/domains", url.Values{"domain": {d.Domain}})}
	out.Measures.Columns = []column{{Title: "What", fields: []string{"metric", "detail"}}, {Title: "Value", Numeric: true, fields: []string{"value", "state"}},
		{Title: "Day", fields: []string{"day"}}}
	for i := range d.Measures {
		m := &d.Measures[i]
		switch m.Metric {
		case observation.PostmasterAuthRate, observation.PostmasterTLSRate, observation.PostmasterErrorRate:
			out.Measures.Rows = append(out.Measures.Rows, measureRow(m))
		case observation.PostmasterCompliance, observation.PostmasterVerdict:
			if m.Value != nil && *m.Value == 0 {
				need := strings.ToLower(strings.ReplaceAll(m.Detail, "_", " "))
				if _, what, ok := strings.Cut(need, "/"); ok && !strings.HasPrefix(m.Detail, "subdomain/") || !ok {
					out.Needs = append(out.Needs, what)
				}
			}
		}
	}
	return out
}

func measureRow(m *view.Measure) row {
	name := map[string]string{
		observation.PostmasterAuthRate: "Passes " + strings.ToUpper(m.Detail), observation.PostmasterTLSRate: "Encrypted, " + m.Detail,
		observation.PostmasterErrorRate: "Refused or put off: " + strings.ToLower(strings.ReplaceAll(m.Detail, "_", " ")),
	}[m.Metric]
	value := cell{Text: stateWord(string(m.State)), Unknown: true}
	if m.Value != nil {
		value = cell{Text: percent(*m.Value)}
		if m.Metric == observation.PostmasterAuthRate && *m.Value < 0.95 {
			value.Level = warning
		}
	}
	value.values = []any{nil, string(m.State)}
	if m.Value != nil {
		value.values[0] = *m.Value
	}
	return row{Cells: []cell{{Text: name, values: []any{m.Metric, m.Detail}}, value,
		{Text: day(m.Day), Notes: []string{ago(m.AgeDays)}, values: []any{m.Day.String()}}}}
}

// daysShown is how many days of a domain are listed.
const daysShown = 14

// dayTable tells a domain's days, the newest first, with those that did not arrive.
func dayTable(domain string, days []view.ShownDay) *table {
	t := &table{ID: "days-" + domain, Caption: "Days of " + domain}
	t.Columns = []column{{Title: "Day", fields: []string{"day"}}, {Title: "Spam reports", Numeric: true, fields: []string{"spam_rate", "arrived"}},
		{Title: "Deliveries", Numeric: true, fields: []string{"deliveries"}}}
	for i := range days[:min(len(days), daysShown)] {
		x := &days[i]
		c, mail := cell{Text: "no data", Unknown: true, Tip: "This day has not arrived."},
			cell{Text: "–", Unknown: true, Tip: "Deliveries are told of the last ten days, as far as they are counted.", values: []any{nil}}
		if x.Deliveries != nil {
			mail = whole(*x.Deliveries)
		}
		switch {
		case x.SpamRate != nil:
			c = cell{Text: percent(*x.SpamRate), Level: gmailLevel(*x.SpamRate)}
			if x.Late {
				c.Notes = append(c.Notes, "came late")
			}
			if x.Revised {
				c.Notes = append(c.Notes, "revised")
			}
		case x.Arrived:
			c = cell{Text: "not reported", Unknown: true, Tip: "The day arrived without a rate: too little mail, or none."}
		}
		c.values = []any{nil, x.Arrived}
		if x.SpamRate != nil {
			c.values[0] = *x.SpamRate
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: day(x.Day), values: []any{x.Day.String()}}, c, mail}})
	}
	return t
}

// identifierTable lists identifiers. Those by every domain that signed are the same mail once more, and left to the API.
func identifierTable(r *http.Request, id, caption string, all []view.DomainIdentifier, w signal.Window) *table {
	t := &table{ID: id, Caption: caption, CSV: with(r.URL, "format", "csv", "table", id),
		JSON: address("/api/v1/identifiers", only(r, "window", "domain")), Empty: "None."}
	t.Columns = []column{
		{Title: "Identifier", fields: []string{"value", "field", "domain"}}, {Title: "Whose mail", fields: []string{"match", "campaigns"}},
		{Title: "Spam reports", Numeric: true, fields: []string{"spam_rate", "state"}},
		{Title: "Deliveries", Tip: "To Gmail with it on that day.", Numeric: true, fields: []string{"delivered"}}, {Title: "Day", fields: []string{"day"}},
	}
	for i := range all {
		x := &all[i]
		if x.Aggregation == observation.PostmasterAllDKIM {
			continue
		}
		field := x.Domain
		if x.Field != "" {
			field = "field " + x.Field + " · " + x.Domain
		}
		delivered := cell{Text: "–", Unknown: true, Tip: "It is joined to no mail.", values: []any{nil}}
		if x.Delivered != nil {
			delivered = whole(*x.Delivered)
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: x.Value, Notes: []string{field}, values: []any{x.Value, x.Field, x.Domain}}, whoseCell(x, w),
			reported(x.SpamRate, x.State, x.CarryOver, x.Match != campaign.MatchOwn), delivered,
			{Text: day(x.Day), Notes: []string{ago(x.AgeDays)}, values: []any{x.Day.String()}},
		}})
	}
	return t
}

func whoseCell(x *view.DomainIdentifier, w signal.Window) cell {
	var names []string
	for _, c := range x.Campaigns {
		names = append(names, c.ID+" "+percent(c.Share))
	}
	c := cell{values: []any{string(x.Match), strings.Join(names, "; ")}}
	switch x.Match {
	case campaign.MatchOwn:
		c.Text, c.Tip = "its own", "One campaign has at least 90\u00a0% of this mail, so the rate is that campaign's."
		if len(x.Campaigns) > 0 {
			c.Text, c.Href = x.Campaigns[0].ID, campaignURL(x.Campaigns[0].Tenant, x.Campaigns[0].ID, w)
		}
	case campaign.MatchShared:
		c.Text, c.Tip = fmt.Sprintf("shared by %d", x.SharedBy), "Several campaigns use it, so its rate blames none of them."
		c.Notes = names[:min(len(names), 4)]
	case campaign.MatchAccount:
		c.Text, c.Tip = "the whole account", "SES sets this field; it is the same for all mail of the account in the region."
	case campaign.MatchSender:
		c.Text, c.Tip = "all of SES's mail", "The last field says who runs the sending system."
	case campaign.MatchUnknown:
		c.Text, c.Level, c.Tip = "not ours", near, "No mail with this identifier was sent by us: somebody else sends in our name, or mail that we do not know of."
	case campaign.MatchEarlier:
		c.Text, c.Tip = "earlier mail", "We sent with it, but not in the days that this speaks of."
	default:
		c.Text, c.Unknown = stateWord(string(x.Match)), true
	}
	return c
}

func neverTable(r *http.Request, ids *view.Identifiers) *table {
	t := &table{ID: "never", Caption: "Sent in volume, but never reported", CSV: with(r.URL, "format", "csv", "table", "never"),
		JSON: address("/api/v1/identifiers", only(r, "window", "domain")), Empty: "None."}
	t.Columns = []column{{Title: "Identifier", fields: []string{"value", "field", "domain"}},
		{Title: "Deliveries", Tip: "To Gmail on its best day.", Numeric: true, fields: []string{"delivered"}}, {Title: "Best day", fields: []string{"day"}}}
	for i := range ids.NeverReported {
		x := &ids.NeverReported[i]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: x.Value, Notes: []string{"field " + x.Field + " · " + x.Domain},
			values: []any{x.Value, x.Field, x.Domain}}, whole(x.Delivered), {Text: day(x.Day), values: []any{x.Day.String()}}}})
	}
	return t
}

func useTable(r *http.Request, ids *view.Identifiers) *table {
	t := &table{ID: "use", Caption: "How Feedback-IDs are used, last ten days", CSV: with(r.URL, "format", "csv", "table", "use"),
		JSON: address("/api/v1/identifiers", only(r, "window", "domain")), Empty: "No mail."}
	t.Columns = []column{{Title: "From domain", fields: []string{"domain"}}, {Title: "Mail", Numeric: true, fields: []string{"mail"}},
		{Title: "Without field a", Numeric: true, fields: []string{"without_a"}}, {Title: "Without field b", Numeric: true, fields: []string{"without_b"}},
		{Title: "Without both", Numeric: true, fields: []string{"without_a_and_b"}}}
	share := func(v float64) cell { return cell{Text: percent(v), values: []any{v}} }
	for i := range ids.Use {
		x := &ids.Use[i]
		both := share(x.WithoutAB)
		if x.WithoutAB > 0.05 {
			both.Level = near
		}
		t.Rows = append(t.Rows, row{Cells: []cell{plain(x.Domain), whole(x.Mail), share(x.WithoutA), share(x.WithoutB), both}})
	}
	return t
}

// adviceURL leads to the identifiers of the domain that an advice is about.
func adviceURL(domain string) string { return "/gmail?domain=" + url.QueryEscape(domain) }
