package pages

import (
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// table is a table, described once and shown as HTML or CSV.
type table struct {
	// ID names it in the page's address and in the CSV's file name.
	ID      string
	Caption string
	Columns []column
	Rows    []row
	// CSV and JSON lead to the same table for programs; JSON is empty where the API has no such list.
	CSV, JSON string
	// Empty is what to say when there are no rows.
	Empty string
}

type column struct {
	Title string
	// Tip says what the column holds.
	Tip     string
	Numeric bool
	// Sort leads to the table in the order of this column; Sorted says that it is.
	Sort   string
	Sorted bool
	// fields are the column's names in CSV, none to leave it out.
	fields []string
	// Wide columns are for sentences.
	Wide bool
}

type row struct {
	Cells []cell
	Level level
}

// cell is what stands in a table.
type cell struct {
	Text string
	// Tip is shown on hover and on focus.
	Tip   string
	Href  string
	Level level
	// Weak figures are known, but too few to judge by; Unknown ones are the word of a state.
	Weak, Unknown bool
	// Notes stand below the text, small.
	Notes []string
	// Marks stand beside it.
	Marks []mark
	Graph template.HTML
	Time  *time.Time
	// values are the cell in CSV, one for each of the column's fields: text or numbers, nil for what is not known.
	values []any
}

// mark is a word that stands out.
type mark struct {
	Text, Tip string
	Level     level
}

// level says how bad something is.
type level uint8

const (
	fine level = iota
	// near: beyond a line, but by too little or of too few to be sure.
	near
	warning
	critical
)

func (l level) String() string { return [...]string{"", "near", "warning", "critical"}[l] }

func plain(text string) cell { return cell{Text: text, values: []any{text}} }

func whole(n int64) cell { return cell{Text: count(n), values: []any{n}} }

func at(t *time.Time, otherwise string) cell {
	if t == nil || t.IsZero() {
		return cell{Text: otherwise, Unknown: true, values: []any{nil}}
	}
	return cell{Time: t, values: []any{t.UTC().Format(time.RFC3339)}}
}

// writeCSV answers with the table as a file.
func (t *table) writeCSV(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "mailvane-"+t.ID+".csv"))
	out := csv.NewWriter(w)
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.fields...)
	}
	if err := out.Write(names); err != nil {
		return err
	}
	for _, r := range t.Rows {
		record := make([]string, 0, len(names))
		for i, c := range t.Columns {
			for f := range c.fields {
				record = append(record, field(r.Cells[i].values[f]))
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// field writes a value so that no spreadsheet takes text for a formula: a campaign is named by whoever sends mail
// (https://owasp.org/www-community/attacks/CSV_Injection).
func field(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		if strings.IndexAny(v, "\t\r\n|%") == 0 || strings.IndexAny(strings.TrimSpace(v), "=+-@＝＋－＠") == 0 {
			return "'" + v
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// csv answers with the table that the address asks for as CSV, the first where it names none, and says whether it asked.
func (s *Site) csv(w http.ResponseWriter, r *http.Request, q *query, tables ...*table) bool {
	switch q.text("format") {
	case "":
		return false
	case "csv":
	default:
		s.fault(w, r, &badQuery{[]string{"The format must be csv; the API gives JSON"}})
		return true
	}
	name := q.text("table")
	for _, t := range tables {
		if t != nil && (name == "" || name == t.ID) {
			if err := t.writeCSV(w); err != nil {
				s.Log.Error("table not written", "table", t.ID, "err", err)
			}
			return true
		}
	}
	s.fault(w, r, &badQuery{[]string{"There is no such table here"}})
	return true
}
