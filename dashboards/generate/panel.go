package main

import (
	"fmt"
	"slices"
	"strings"
)

// board is one dashboard.
type board struct {
	uid, title, about string
	// span is how far back it looks when it is opened.
	span     string
	filters  []filter
	sections []section
}

// filter is a variable that queries use in a matcher. Its values are asked of the data source, or are choices.
type filter struct {
	name, label string
	values      string
	choices     []string
	chosen      string
	multi, all  bool
}

// section is a row of panels of one height; their widths make up the whole width.
type section struct {
	title  string
	height int
	panels []panel
}

// panel answers one question.
type panel struct {
	kind  kind
	title string
	// about says what is shown and what to make of it; basis which mail, or whatever else, it speaks of, and by which clock;
	// source who says so. With the unit they make the description.
	about, basis, source string
	width                int
	unit                 unit
	lines                lines
	queries              []query
	// states names values, for what is no quantity.
	states []state
	// columns are those of a table, in order. Of other panels they name the series that have lines of their own.
	columns []column
	// sorted is the column by which a table begins, descending unless ascending; limit is how many rows it shows.
	sorted    string
	ascending bool
	limit     int
	// link leads to another board.
	link *link
	// named shows the name of a stat's series beside its value.
	named bool
	// stacked adds the series of a graph up.
	stacked bool
	// top is the end of a graph's or bar's scale where it is known; 0 leaves it to Grafana.
	top float64
}

type kind string

const (
	stat     kind = "stat"
	graph    kind = "timeseries"
	table    kind = "table"
	bars     kind = "bargauge"
	timeline kind = "state-timeline"
)

// unit is what a figure is measured in: its name for people, and Grafana's.
type unit struct{ name, grafana string }

var (
	share      = unit{"share, in per cent", "percentunit"}
	recipients = unit{"recipients", "short"}
	perMinute  = unit{"recipients a minute", "short"}
	perHour    = unit{"an hour", "short"}
	count      = unit{"number", "short"}
	seconds    = unit{"time", "s"}
	octets     = unit{"bytes", "bytes"}
	dollars    = unit{"US dollars", "currencyUSD"}
	none       = unit{"none: a state", "none"}
	version    = unit{"none: a name", "none"}
)

// decimals are those that are worth showing: increases of counters are estimates of whole numbers.
func (u unit) decimals() (n int, ok bool) {
	switch u {
	case share:
		return 2, true
	case recipients, count:
		return 0, true
	default:
		return 0, false
	}
}

// lines are where a figure becomes bad; worse is 0 where there is no second one. Below says that low is bad, mild that a single
// line is no reason to hurry.
type lines struct {
	bad, worse  float64
	below, mild bool
}

// The official lines.
var (
	// gmailSpam: stay below 0.1 %, never reach 0.3 %. https://support.google.com/a/answer/81126
	gmailSpam = lines{bad: 0.001, worse: 0.003}
	// complaints: Yahoo states the same two for its own users. https://senders.yahooinc.com/best-practices/
	complaints = lines{bad: 0.001, worse: 0.003}
	// sesBounces and sesComplaints: SES reviews an account at the first and may pause it at the second.
	// https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html
	sesBounces    = lines{bad: 0.05, worse: 0.10}
	sesComplaints = lines{bad: 0.001, worse: 0.005}
)

// Lines that nobody states are those of the built-in alert rules.
var (
	blocks   = lines{bad: 0.02, worse: 0.10}
	delays   = lines{bad: 0.20, worse: 0.50}
	quota    = lines{bad: 0.80, worse: 0.95}
	coverage = lines{bad: 0.95, worse: 0.50, below: true}
	auth     = lines{bad: 0.95, worse: 0.80, below: true}
	one      = lines{bad: 1}
	oneMild  = lines{bad: 1, mild: true}
)

// query is one of a panel; legend names its series.
type query struct {
	expr, legend string
}

// column is one of a table: a label, or the value of the query at index value-1.
type column struct {
	title  string
	label  string
	value  int
	unit   unit
	lines  lines
	states []state
	link   *link
	width  int
}

// state names a value and gives it a colour.
type state struct {
	value float64
	text  string
	color string
}

// link leads to a board, with variables set.
type link struct {
	title, uid string
	set        []string
}

func (l *link) model() object {
	address := slices.Concat([]string{"/d/" + l.uid + "?${datasource:queryparam}", "${job:queryparam}", "${__url_time_range}"}, l.set)
	return object{"title": l.title, "url": strings.Join(address, "&"), "targetBlank": false}
}

// description is what the panel's info mark shows.
func (p *panel) description() string {
	return fmt.Sprintf("%s\n\n**Unit:** %s. **Basis:** %s. **Source:** %s.", p.about, p.unitName(), p.basis, p.source)
}

// unitName is that of the panel, or those of its columns.
func (p *panel) unitName() string {
	if p.kind != table {
		return p.unit.name
	}
	var names []string
	for _, c := range p.columns {
		if c.value > 0 && !strings.Contains(strings.Join(names, "; "), c.unit.name) {
			names = append(names, c.unit.name)
		}
	}
	return strings.Join(names, "; ")
}

func (p *panel) model() object {
	m := object{
		"type": string(p.kind), "title": p.title, "description": p.description(), "datasource": datasource(),
		"targets": p.targets(), "options": p.options(), "transparent": false,
		"fieldConfig": object{"defaults": p.defaults(), "overrides": p.overrides()},
	}
	if p.link != nil {
		m["links"] = []object{p.link.model()}
	}
	if p.kind == table {
		m["transformations"] = p.transformations()
	}
	return m
}

func (p *panel) targets() []object {
	list := make([]object, len(p.queries))
	for i, q := range p.queries {
		over := p.kind == graph || p.kind == timeline
		t := object{
			"refId": refID(i), "datasource": datasource(), "expr": q.expr, "legendFormat": q.legend, "editorMode": "code",
			"range": over, "instant": !over, "format": "time_series",
		}
		if p.kind == table {
			t["format"] = "table"
		}
		list[i] = t
	}
	return list
}

func refID(i int) string { return string(rune('A' + i)) }
