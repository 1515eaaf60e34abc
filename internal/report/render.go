package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Format is a form in which a report can be written.
type Format string

// The formats.
const (
	FormatHTML     Format = "html"
	FormatMarkdown Format = "md"
	FormatCSV      Format = "csv"
	FormatJSON     Format = "json"
)

// Formats lists the formats.
func Formats() []Format { return []Format{FormatHTML, FormatMarkdown, FormatCSV, FormatJSON} }

// MediaType is what HTTP and mail call the format.
func (f Format) MediaType() string {
	switch f {
	case FormatHTML:
		return "text/html; charset=utf-8"
	case FormatMarkdown:
		return "text/markdown; charset=utf-8"
	case FormatCSV:
		return "text/csv; charset=utf-8"
	default:
		return "application/json"
	}
}

// Write writes a report in a format. An unknown format is an error.
func Write(w io.Writer, r *Report, f Format) error {
	switch f {
	case FormatHTML:
		return HTML(w, r)
	case FormatMarkdown:
		return Markdown(w, r)
	case FormatCSV:
		return CSV(w, r)
	case FormatJSON:
		return JSON(w, r)
	}
	return fmt.Errorf("%q is no format of a report", f)
}

// JSON writes the report as it is kept. It writes campaigns one by one, for there may be many thousands.
func JSON(w io.Writer, r *Report) error {
	around := *r
	around.Campaigns = nil
	text, err := json.Marshal(&around)
	if err != nil {
		return err
	}
	// Quotes within strings are escaped, so that this is found once.
	before, after, _ := bytes.Cut(text, []byte(`,"campaigns":null,`))
	out := bufio.NewWriterSize(w, 1<<16) // Flush tells of any error before it
	fmt.Fprintf(out, `%s,"campaigns":[`, before)
	comma := ""
	for i := range r.Campaigns {
		one, err := json.Marshal(&r.Campaigns[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s%s", comma, one)
		comma = ","
	}
	fmt.Fprintf(out, "],%s\n", after)
	return out.Flush()
}

// Parse reads what JSON wrote.
func Parse(in io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	if r.Format != 1 {
		return nil, fmt.Errorf("read a report: its form %d was made by another version", r.Format)
	}
	return &r, nil
}
