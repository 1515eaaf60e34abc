package pages

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/mailvane/mailvane/internal/view"
)

// The graphs in this file are drawn of numbers alone: no text from outside is in them. They carry no style of their own but
// classes, because the policy allows none.

const (
	paceWidth  = 5
	paceHeight = 28
)

// paceGraph draws when a campaign's mail was sent, and how much of it came to grief.
func paceGraph(p *view.Pace) template.HTML {
	var most, mail, trouble int64
	for i := range p.Mail {
		most = max(most, p.Mail[i])
		mail += p.Mail[i]
		trouble += p.Trouble[i]
	}
	if most == 0 {
		return ""
	}
	bars := func(of *[view.PaceParts]int64) string {
		var d strings.Builder
		for i, n := range of {
			if n <= 0 {
				continue
			}
			h := max(float64(n)/float64(most)*paceHeight, 0.6)
			fmt.Fprintf(&d, "M%d %.1fv%.1fh%dv-%.1fz", i*paceWidth, paceHeight-h, h, paceWidth-1, h)
		}
		return d.String()
	}
	label := fmt.Sprintf("Mail of the last 7 days: %s, most in six hours %s, in trouble %s", count(mail), count(most), count(trouble))
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="pace" viewBox="0 0 %d %d" role="img" aria-label="%s"><path class="pace-base" d="M0 %d.5h%d"/><path class="pace-mail" d="%s"/><path class="pace-bad" d="%s"/></svg>`,
		view.PaceParts*paceWidth, paceHeight+1, label, paceHeight, view.PaceParts*paceWidth, bars(&p.Mail), bars(&p.Trouble)))
}

const gaugeWidth = 240

// gauge draws a value against its two lines. The scale ends a fifth beyond the second line.
func gauge(value float64, known bool, first, second float64, l level) template.HTML {
	scale := func(v float64) float64 { return min(v/(second*1.2), 1) * gaugeWidth }
	bar := ""
	if known {
		class := l.String()
		if class == "" {
			class = "fine"
		}
		bar = fmt.Sprintf(`<rect class="gauge-bar %s" x="0" y="3" width="%.1f" height="8" rx="2"/>`, class, max(scale(value), 1.5))
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="gauge" viewBox="0 0 %d 14" preserveAspectRatio="none" aria-hidden="true"><rect class="gauge-track" x="0" y="3" width="%d" height="8" rx="2"/>%s<path class="gauge-first" d="M%.1f 0v14"/><path class="gauge-second" d="M%.1f 0v14"/></svg>`,
		gaugeWidth, gaugeWidth, bar, scale(first), scale(second)))
}
