package pages

import (
	"fmt"
	"html/template"
	"regexp"
	"time"
)

// functions are what templates may call.
func functions() template.FuncMap {
	return template.FuncMap{
		"utc":         utc,
		"timed":       timed,
		"iso":         func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"count":       count,
		"percent":     percent,
		"ago":         ago,
		"adviceURL":   adviceURL,
		"campaignURL": campaignURL,
		"stateWord":   stateWord,
		"plural":      func(n int, one, many string) string { return plural(int64(n), one, many) },
		"plural64":    plural,
		"args":        args,
	}
}

// args hands several values to a template under names.
func args(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("args needs pairs, not %d values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("args: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// moments are the times in sentences that the view makes.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`)

// timed marks the times in a sentence, so that they are shown in the reader's zone as all others.
func timed(text string) template.HTML {
	return template.HTML(moments.ReplaceAllStringFunc(template.HTMLEscapeString(text), func(m string) string { //nolint:gosec // it is escaped
		t, err := time.Parse("2006-01-02 15:04 UTC", m)
		if err != nil {
			return m
		}
		return `<time datetime="` + t.Format(time.RFC3339) + `">` + m + "</time>"
	}))
}
