package pages

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/web"
)

// sourceWords are the kinds of sources for people.
var sourceWords = map[string]string{
	"ses": "SES events (SQS)", "postmaster": "Gmail Postmaster Tools", "receipt_rules": "Receipt rules (CloudWatch)",
	"account": "SES account (CloudWatch)", "dmarc": "DMARC reports",
}

func stateLevel(state string) level {
	switch state {
	case "error":
		return critical
	case "stale":
		return warning
	default:
		return fine
	}
}

// sourceLine is a source in short.
type sourceLine struct {
	Name, Kind, State string
	Level             level
	Last              *time.Time
}

func sourceLines(all *web.Sources) []sourceLine {
	lines := make([]sourceLine, 0, len(all.Sources))
	for i := range all.Sources {
		src := &all.Sources[i]
		_, name, _ := strings.Cut(src.Name, "/")
		lines = append(lines, sourceLine{name, kindWord(src.Kind), stateWord(src.State), stateLevel(src.State), src.LastSuccess})
	}
	return lines
}

func kindWord(kind string) string {
	if word := sourceWords[kind]; word != "" {
		return word
	}
	return kind
}

// sourceTable lists what is read.
func sourceTable(all *web.Sources) *table {
	t := &table{ID: "sources", Caption: "What is read", JSON: "/api/v1/sources", CSV: "/sources?format=csv&table=sources",
		Empty: "Nothing is read: no collector is configured."}
	t.Columns = []column{
		{Title: "Source", fields: []string{"source", "kind"}}, {Title: "State", fields: []string{"state", "reason"}},
		{Title: "Last read", fields: []string{"last_success"}},
		{Title: "Behind", Tip: "How old the newest message was when it was received.", Numeric: true, fields: []string{"lag_seconds", "queue_depth"}},
		{Title: "Passes", Tip: "Succeeded and failed since the start.", Numeric: true, fields: []string{"passes_succeeded", "passes_failed"}},
		{Title: "CloudWatch cost", Tip: "By list price, since the start.", Numeric: true, fields: []string{"cloudwatch_metrics", "cloudwatch_dollars"}},
	}
	for i := range all.Sources {
		src := &all.Sources[i]
		name := cell{Text: src.Name, Notes: []string{kindWord(src.Kind)}, values: []any{src.Name, src.Kind}}
		for _, d := range src.Unreadable {
			name.Notes = append(name.Notes, d.Domain+": "+stateWord(d.Access))
		}
		state := cell{Marks: []mark{{Text: stateWord(src.State), Level: stateLevel(src.State)}}, values: []any{src.State, src.Reason}}
		if src.State == "ok" {
			state.Marks = []mark{{Text: "ok"}}
		}
		if src.Error != "" && src.State != "ok" {
			state.Notes = append(state.Notes, src.Error)
		}
		t.Rows = append(t.Rows, row{Level: stateLevel(src.State), Cells: []cell{
			name, state, at(src.LastSuccess, "never"), lagCell(src.Queue), passesCell(&src.Passes), costCell(src.CloudWatch),
		}})
	}
	return t
}

func lagCell(q *web.QueueInfo) cell {
	if q == nil {
		return cell{Text: "–", Unknown: true, Tip: "Not a queue.", values: []any{nil, nil}}
	}
	c := cell{Text: duration(time.Duration(q.LagSeconds * float64(time.Second))), values: []any{q.LagSeconds, nil}}
	if q.Depth != nil {
		c.Tip = plural(*q.Depth, "message waits", "messages wait") + " in the queue or are in flight."
		c.values[1] = *q.Depth
	}
	return c
}

func passesCell(p *web.Passes) cell {
	c := cell{Text: count(p.Succeeded), values: []any{p.Succeeded, p.Failed}}
	if p.Failed > 0 {
		c.Notes = append(c.Notes, plural(p.Failed, "failure", "failures"))
	}
	return c
}

func costCell(u *web.CloudWatchUse) cell {
	if u == nil {
		return cell{Text: "–", Unknown: true, Tip: "Asks nothing of CloudWatch.", values: []any{nil, nil}}
	}
	return cell{Text: fmt.Sprintf("$%.4f", u.Dollars), Tip: fmt.Sprintf("%s metrics in %s, by list price.", count(u.Metrics),
		plural(u.Requests, "request", "requests")), values: []any{u.Metrics, u.Dollars}}
}

// sourcesPage is the page of what is read.
type sourcesPage struct {
	frame
	Findings     []finding
	Sources      *table
	Ledger       []fact
	Accounts     []accountSection
	Published    *table
	Names        *table
	Unclassified *table
	Quarantine   *table
	// Replayable are the reasons of which all messages can be tried again.
	Replayable []choice
}

// fact is a name and a value.
type fact struct {
	Name  string
	Value cell
}

func (s *Site) sources(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	all, err := s.Sources(r.Context())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	all.SES = s.View.Accounts()
	p := sourcesPage{frame: s.frame("Sources", "Sources")}
	p.AsOf = all.AsOf
	p.Sources = sourceTable(&all)
	p.Ledger = ledgerFacts(&all)
	p.Published, p.Names, p.Unclassified = publishedTable(&all), namesTable(&all), s.unclassifiedTable(&all)
	if s.Quarantine != nil {
		messages, err := s.Quarantine.List(r.Context(), quarantineShown)
		if err != nil {
			s.fault(w, r, err)
			return
		}
		p.Quarantine = quarantineTable(messages)
		if !s.ReadOnly {
			p.Replayable = reasonChoices(messages)
		}
	}
	stands, _ := s.accounts(all.SES)
	p.Findings = trouble(&all)
	tables := []*table{p.Sources, p.Published, p.Names, p.Unclassified, p.Quarantine}
	for i := range all.SES.Accounts {
		section := accountSectionOf(&all.SES.Accounts[i], &stands[i])
		p.Accounts = append(p.Accounts, section)
		tables = append(tables, section.Coverage, section.Tenants, section.Listed)
	}
	if s.csv(w, r, q, tables...) {
		return
	}
	s.render(w, http.StatusOK, "sources", p)
}

func ledgerFacts(all *web.Sources) []fact {
	l := &all.Ledger
	writable := cell{Text: "yes"}
	if !l.Writable {
		writable = cell{Text: "no", Level: critical, Tip: l.Error}
	}
	facts := []fact{
		{"Can store", writable},
		{"Size", cell{Text: bytesWord(l.Bytes), Tip: "and " + bytesWord(l.WALBytes) + " of log before it."}},
		{"Held", cell{Text: count(all.Held), Tip: "Untagged notifications that wait up to 15 minutes for their tagged copy."}},
	}
	for _, class := range []string{"routine", "exceptional"} {
		if seconds, ok := l.Horizon[class]; ok {
			facts = append(facts, fact{"Repeats known for", cell{Text: duration(time.Duration(seconds * float64(time.Second))),
				Tip: "How far back a repeated event is recognised, of the " + class + " class.", Notes: []string{class}}})
		}
	}
	return facts
}

func publishedTable(all *web.Sources) *table {
	t := &table{ID: "published", Caption: "Which events arrive", CSV: "/sources?format=csv&table=published", JSON: "/api/v1/sources",
		Empty: "No event has arrived yet."}
	t.Columns = []column{
		{Title: "Configuration set", fields: []string{"account", "region", "configuration_set"}},
		{Title: "Basis of rates", Tip: "What rates of bounces are divided by.", fields: []string{"basis"}},
		{Title: "Event types", Wide: true, fields: []string{"types"}}, {Title: "Newest mail", fields: []string{"last"}},
	}
	for i := range all.Published {
		p := &all.Published[i]
		name := p.ConfigurationSet
		if name == "" {
			name = "none"
		}
		var newest time.Time
		types := ""
		for _, d := range choices(keys(p.Types), "", nil) {
			if types != "" {
				types += ", "
			}
			types += d.Text
			if last := p.Types[d.Value].Last; last.After(newest) {
				newest = last
			}
		}
		basis := map[string]cell{
			"attempted": {Text: "attempted", Tip: "Sent, less what SES did not try to deliver."},
			"settled":   {Text: "settled", Tip: "Delivered and bounced, as no Send events arrive."},
			"none":      {Text: "no rate", Unknown: true, Tip: "Too few types arrive for any rate."},
		}[p.Basis]
		if basis.Text == "" {
			basis.Text = p.Basis
		}
		basis.values = []any{p.Basis}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: name, Notes: []string{p.Account + " · " + p.Region}, values: []any{p.Account, p.Region, p.ConfigurationSet}},
			basis, {Text: types, values: []any{types}}, at(&newest, "never"),
		}})
	}
	return t
}

func keys[V any](m map[string]V) map[string]bool {
	out := make(map[string]bool, len(m))
	for k := range m {
		out[k] = true
	}
	return out
}

func namesTable(all *web.Sources) *table {
	t := &table{ID: "names", Caption: "Names that are counted apart", CSV: "/sources?format=csv&table=names", JSON: "/api/v1/sources"}
	t.Columns = []column{
		{Title: "Of", fields: []string{"dimension"}}, {Title: "Counted apart", Numeric: true, fields: []string{"tracked"}},
		{Title: "Folded", Tip: "Events that lost their name because a bound was reached.", Numeric: true, fields: []string{"folded_events"}},
	}
	for _, n := range all.Names {
		folded := whole(n.Folded)
		if n.Folded > 0 {
			folded.Level = warning
		}
		name := plain(stateWord(n.Dimension))
		name.values = []any{n.Dimension}
		t.Rows = append(t.Rows, row{Cells: []cell{name, whole(n.Tracked), folded}})
	}
	return t
}

func (s *Site) unclassifiedTable(all *web.Sources) *table {
	t := &table{ID: "unclassified", Caption: "Replies whose reason is not known", CSV: "/sources?format=csv&table=unclassified",
		JSON: "/api/v1/sources", Empty: "None in the last 14 days."}
	t.Columns = []column{
		{Title: "Provider", fields: []string{"provider"}}, {Title: "Outcome", fields: []string{"outcome"}},
		{Title: "Reply", Tip: "With everything personal replaced.", Wide: true, fields: []string{"text"}},
		{Title: "Times", Numeric: true, fields: []string{"n"}}, {Title: "Last", fields: []string{"last"}},
	}
	for i := range all.Unclassified {
		u := &all.Unclassified[i]
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: s.provider(u.Provider), values: []any{u.Provider}}, {Text: outcomeWord(u.Outcome), values: []any{u.Outcome}},
			plain(u.Text), whole(u.N), at(&u.Last, "never"),
		}})
	}
	return t
}
