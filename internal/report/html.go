package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"time"
)

// maxRows is how many campaigns a page shows. The others are in CSV and JSON.
const maxRows = 200

//go:embed page.html
var pageHTML string

// HTML writes the report as one self-contained page: it loads nothing and runs nothing.
func HTML(w io.Writer, r *Report) error {
	t, err := pageTemplate(r)
	if err != nil {
		return err
	}
	p := newPage(r, maxRows)
	if p.Charts, err = charts(r, true, false); err != nil {
		return err
	}
	var b bytes.Buffer // a page is whole or not there
	if err := t.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

func pageTemplate(r *Report) (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{
		"moment": func(t time.Time) string { return r.moment(t) },
		"next":   func(i int) int { return i + 1 },
		"svg":    inlineSVG,
	}).Parse(pageHTML)
}

// inlineSVG is a chart as part of a page: without what makes it a file, and unseen by screen readers, which are told of it by
// the words around it. Texts in it were escaped when it was drawn.
func inlineSVG(svg []byte) template.HTML {
	_, rest, found := bytes.Cut(svg, []byte("<svg "))
	if !found {
		return ""
	}
	return template.HTML(`<svg aria-hidden="true" focusable="false" ` + string(rest)) //nolint:gosec // it was drawn here
}
