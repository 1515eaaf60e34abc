package dashboards_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBoards holds each board to what an importer and a reader need.
func TestBoards(t *testing.T) {
	all := readBoards(t)
	for file, b := range all {
		t.Run(b.UID, func(t *testing.T) {
			if b.ID != nil || file != b.UID+".json" || !strings.HasPrefix(b.Title, "Mailvane / ") || b.Description == "" ||
				b.SchemaVersion < 39 || !slices.Contains(b.Tags, "mailvane") || len(b.Links) == 0 {
				t.Error("a board has no id, its uid as its file's name, a title, a description, a schema version, and the tag and links that join the boards")
			}
			checkVariables(t, b)
			checkLayout(t, b)
			for i := range b.Panels {
				if p := &b.Panels[i]; p.Type != "row" {
					t.Run(p.Title, func(t *testing.T) { checkPanel(t, p, all) })
				}
			}
		})
	}
}

// checkVariables: the first says where the metrics are, and the others ask there.
func checkVariables(t *testing.T, b *board) {
	t.Helper()
	for i, v := range b.Templating.List {
		switch {
		case i == 0 && (v.Name != "datasource" || v.Type != "datasource"):
			t.Error("the first variable is not the data source")
		case v.Type == "query" && v.Datasource != datasource{"prometheus", "${datasource}"}:
			t.Errorf("variable %s does not ask the chosen data source", v.Name)
		case strings.Contains(v.Definition, "instance") || strings.Contains(v.Definition, "namespace"):
			t.Errorf("variable %s needs a label that only scraped metrics have: %s", v.Name, v.Definition)
		case v.Type == "query" && v.AllValue != ".*":
			t.Errorf("variable %s: All must match series without the label, too", v.Name)
		}
	}
}

// checkLayout: panels lie within the grid, do not overlap, have ids and titles of their own, and are few.
func checkLayout(t *testing.T, b *board) {
	t.Helper()
	taken, ids, titles := map[[2]int]string{}, map[int]bool{}, map[string]bool{}
	figures := 0
	for _, p := range b.Panels {
		g := p.GridPos
		if g.X < 0 || g.X+g.W > 24 || g.W < 3 || g.H < 1 {
			t.Errorf("%s lies at %+v, outside of the grid or too narrow", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if ids[p.ID] || titles[p.Title] || p.Title == "" {
			t.Errorf("panel %d %q: id and title must be its own", p.ID, p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		if p.Type != "row" {
			figures++
		}
	}
	if figures > 20 {
		t.Errorf("%d panels: nobody takes that in at one look", figures)
	}
}

var grafanaUnits = []string{"percentunit", "short", "s", "bytes", "currencyUSD", "none"}

func checkPanel(t *testing.T, p *panel, all map[string]*board) {
	t.Helper()
	if !slices.Contains([]string{"stat", "timeseries", "table", "bargauge", "state-timeline"}, p.Type) {
		t.Errorf("type %s", p.Type)
	}
	for _, part := range []string{"**Unit:** ", "**Basis:** ", "**Source:** "} {
		if _, after, ok := strings.Cut(p.Description, part); !ok || strings.HasPrefix(after, ".") {
			t.Errorf("the description does not say %q: %q", part, p.Description)
		}
	}
	d := &p.FieldConfig.Defaults
	if p.Type != "table" && !slices.Contains(grafanaUnits, d.Unit) {
		t.Errorf("unit %q", d.Unit)
	}
	if d.NoValue == "" {
		t.Error("does not say what is shown when there is nothing")
	}
	checkUnknown(t, d.Thresholds)
	if p.Datasource == nil || *p.Datasource != (datasource{"prometheus", "${datasource}"}) || len(p.Targets) == 0 {
		t.Errorf("data source %v, %d queries", p.Datasource, len(p.Targets))
	}
	over := p.Type == "timeseries" || p.Type == "state-timeline"
	for _, q := range p.Targets {
		if q.Datasource != *p.Datasource || q.Range != over || q.Instant == over || (q.Format == "table") != (p.Type == "table") {
			t.Errorf("query %s: %+v", q.RefID, q)
		}
		if over && !strings.Contains(q.LegendFormat, "{{") && len(p.Targets) == 1 {
			t.Errorf("query %s: its series have no names: %q", q.RefID, q.LegendFormat)
		}
	}
	if p.LibraryPanel != nil || p.Repeat != nil {
		t.Error("needs something that is not on this board")
	}
	checkColumns(t, p)
	checkLinks(t, p, all)
}

// checkUnknown holds that nothing known looks like nothing at all: for no data Grafana takes the lowest colour.
func checkUnknown(t *testing.T, th thresholds) {
	t.Helper()
	for i, s := range th.Steps {
		if (i == 0) != (s.Value == nil) || (s.Color == "#808080") != (i == 0) {
			t.Errorf("threshold %d is %+v: the lowest, and it alone, must be grey and without a value", i, s)
		}
	}
}

// checkColumns: each column of a table that shows a value has a unit.
func checkColumns(t *testing.T, p *panel) {
	t.Helper()
	shown := map[string]string{}
	for _, tr := range p.Transformations {
		if tr.ID == "organize" {
			shown = tr.Options.RenameByName
		}
	}
	if (p.Type == "table") != (len(shown) > 0) {
		t.Fatalf("%s with %d columns", p.Type, len(shown))
	}
	for field, title := range shown {
		var unit string
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				var th thresholds
				switch {
				case o.Matcher.Options != title:
				case property.ID == "unit":
					_ = json.Unmarshal(property.Value, &unit) // what is no text is no unit
				case property.ID == "thresholds":
					if err := json.Unmarshal(property.Value, &th); err != nil {
						t.Error(err)
					}
					checkUnknown(t, th)
				}
			}
		}
		if strings.HasPrefix(field, "Value") && !slices.Contains(grafanaUnits, unit) {
			t.Errorf("column %s has the unit %q", title, unit)
		}
	}
}

var (
	toBoard = regexp.MustCompile(`"url":"/d/([a-z-]+)\?([^"]*)"`)
	setting = regexp.MustCompile(`var-(\w+)=`)
)

// checkLinks: links lead to boards that are there, take data source and time with them, and set variables that the board has.
func checkLinks(t *testing.T, p *panel, all map[string]*board) {
	t.Helper()
	var texts []string
	for _, l := range p.Links {
		texts = append(texts, `"url":"`+l.URL+`"`)
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "links" {
				texts = append(texts, string(property.Value))
			}
		}
	}
	for _, text := range texts {
		text = strings.NewReplacer(`\u0026`, "&", `": "`, `":"`).Replace(text)
		m := toBoard.FindStringSubmatch(text)
		if m == nil || all[m[1]+".json"] == nil {
			t.Errorf("%s leads to no board", text)
			continue
		}
		if !strings.Contains(m[2], "${datasource:queryparam}") || !strings.Contains(m[2], "${__url_time_range}") {
			t.Errorf("%s loses the data source or the time", text)
		}
		for _, s := range setting.FindAllStringSubmatch(m[2], -1) {
			if !slices.ContainsFunc(all[m[1]+".json"].Templating.List, func(v variable) bool { return v.Name == s[1] }) {
				t.Errorf("%s has no variable %s", m[1], s[1])
			}
		}
	}
}
