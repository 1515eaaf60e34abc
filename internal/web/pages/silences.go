package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

// maxForm bounds what a form may send.
const maxForm = 32 << 10

// silenceForm asks for a silence.
type silenceForm struct {
	Matchers string
	// Rows is how many lines of text there is room for.
	Rows      int
	Durations []choice
}

func newSilenceForm(matchers ...string) *silenceForm {
	return &silenceForm{Matchers: strings.Join(matchers, "\n"), Rows: max(len(matchers)+1, 3), Durations: []choice{
		{"1h", "1 hour", false}, {"4h", "4 hours", true}, {"24h", "1 day", false}, {"72h", "3 days", false}, {"168h", "7 days", false},
	}}
}

// addSilence takes the form for a silence.
func (s *Site) addSilence(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fault(w, r, &badQuery{[]string{"The form cannot be read"}})
		return
	}
	wanted, faults := silenceOf(r.PostForm, s.Now())
	if len(faults) > 0 {
		s.fault(w, r, &badQuery{faults})
		return
	}
	added, err := s.Alerts.AddSilence(r.Context(), wanted)
	switch {
	case errors.Is(err, watch.ErrSilence), errors.Is(err, watch.ErrSilences):
		s.fault(w, r, &badQuery{[]string{err.Error()}})
	case err != nil:
		s.fault(w, r, err)
	default:
		s.Log.Info("silence added", "silence", added.ID, "ends_at", added.EndsAt, "by", added.CreatedBy)
		s.lead(w, r, "/alerts#silences", http.StatusSeeOther)
	}
}

func silenceOf(form url.Values, now time.Time) (out alerts.Silence, faults []string) {
	out = alerts.Silence{StartsAt: now, CreatedBy: strings.TrimSpace(form.Get("created_by")), Comment: strings.TrimSpace(form.Get("comment"))}
	for text := range strings.Lines(form.Get("matchers")) {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		m, err := alerts.ParseMatcher(text)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%q: %v", text, err))
		}
		out.Matchers = append(out.Matchers, m)
	}
	span, err := watch.ParseSpan(form.Get("duration"))
	if err != nil {
		faults = append(faults, "The duration "+err.Error())
	}
	out.EndsAt = now.Add(span)
	for _, x := range []struct{ text, fault string }{
		{out.CreatedBy, "Say who wants it: nobody lifts a silence that nobody understands"}, {out.Comment, "Say why"},
	} {
		if x.text == "" {
			faults = append(faults, x.fault)
		}
	}
	if len(out.Matchers) == 0 {
		faults = append(faults, "Say which alerts, such as rule=CampaignBlockRate")
	}
	return out, faults
}

// endSilence takes the button that ends a silence.
func (s *Site) endSilence(w http.ResponseWriter, r *http.Request) {
	ended, err := s.Alerts.EndSilence(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, watch.ErrNoSilence), errors.Is(err, watch.ErrSilenceEnded):
		s.fault(w, r, &badQuery{[]string{err.Error()}})
	case err != nil:
		s.fault(w, r, err)
	default:
		s.Log.Info("silence ended", "silence", ended.ID)
		s.lead(w, r, "/alerts#silences", http.StatusSeeOther)
	}
}
