package pages

import (
	"fmt"
	"html/template"
	"time"
)

// functions are what templates may call.
func functions() template.FuncMap {
	return template.FuncMap{
		"utc":         utc,
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
