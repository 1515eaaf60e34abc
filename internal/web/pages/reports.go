package pages

import (
	"fmt"
	"net/http"

	"github.com/mailvane/mailvane/internal/publish"
)

// reportsPage is the page of the reports that are kept.
type reportsPage struct {
	frame
	Reports []reportRow
	Table   *table
}

type reportRow struct {
	publish.Kept
	About   string
	Formats []link
}

// reportsShown bounds the list.
const reportsShown = 200

func (s *Site) reports(w http.ResponseWriter, r *http.Request) {
	kept, err := s.Reports.List(r.Context(), publish.Query{Limit: reportsShown})
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p := reportsPage{frame: s.frame("Reports", "Reports")}
	p.Table = &table{ID: "reports", Caption: "Reports", CSV: "/reports?format=csv", JSON: "/api/v1/reports", Columns: []column{
		{fields: []string{"number", "name", "owner", "period", "made_at"}},
	}}
	for i := range kept {
		k := &kept[i]
		x := reportRow{Kept: *k, About: "all campaigns"}
		if k.Owner != "" {
			x.About = "campaigns of " + k.Owner
		}
		for _, f := range []struct{ name, text string }{{"html", "Read"}, {"md", "Markdown"}, {"csv", "CSV"}, {"json", "JSON"}} {
			x.Formats = append(x.Formats, link{Text: f.text, Href: fmt.Sprintf("/api/v1/reports/%d?format=%s", k.Number, f.name)})
		}
		p.Reports = append(p.Reports, x)
		p.Table.Rows = append(p.Table.Rows, row{Cells: []cell{{values: []any{k.Number, k.Name, k.Owner, k.Period, k.MadeAt.UTC().Format("2006-01-02T15:04:05Z")}}}})
	}
	if s.csv(w, r, queryOf(r), p.Table) {
		return
	}
	s.render(w, http.StatusOK, "reports", p)
}
