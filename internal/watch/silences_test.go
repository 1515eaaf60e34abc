package watch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

func (r *rig) silences() *Silences {
	n := 0
	return NewSilences(r.flaky, r.now, func() string {
		n++
		return fmt.Sprintf("silence-%d", n)
	})
}

func (r *rig) silence(lasts time.Duration) alerts.Silence {
	matcher, err := alerts.ParseMatcher("source=events")
	if err != nil {
		r.Fatal(err)
	}
	return alerts.Silence{
		Matchers: []alerts.Matcher{matcher}, EndsAt: r.now().Add(lasts), CreatedBy: "ann", Comment: "the queue is moved",
	}
}

// TestSilencesTakeEffect has an alert fire under a silence, which is then ended: it is told then, and not before.
func TestSilencesTakeEffect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.silences()
	w := r.watcher("pager")
	added, err := s.Add(t.Context(), r.silence(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	r.set("events", 150)
	r.round(w)
	same(t, "outbox", r.outbox(), []string(nil))
	same(t, "silenced", len(w.Standing().Silenced), 1)
	r.kill()
	w, s = r.watcher("pager"), r.silences()
	r.round(w)
	same(t, "outbox after a restart", r.outbox(), []string(nil))
	list, err := s.List(t.Context())
	same(t, "list", list, []alerts.Silence{added})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(t.Context(), added.ID); err != nil {
		t.Fatal(err)
	}
	r.round(w)
	same(t, "outbox once it ended", r.outbox(), []string{"pager opened waiting"})
	if _, err := s.End(t.Context(), added.ID); !errors.Is(err, ErrSilenceEnded) || !errors.Is(err, ErrNoSilence) {
		t.Errorf("ended twice: %v", err)
	}
	if _, err := s.End(t.Context(), "another"); !errors.Is(err, ErrNoSilence) || errors.Is(err, ErrSilenceEnded) {
		t.Errorf("what was never there: %v", err)
	}
	ended, err := r.store.Silences(t.Context(), time.Time{})
	if err != nil || len(ended) != 1 || ended[0].Comment != added.Comment || !ended[0].EndsAt.Before(added.EndsAt) {
		t.Errorf("kept: %+v, %v", ended, err)
	}
}

func TestSilenceEndsByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	if _, err := r.silences().Add(t.Context(), r.silence(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.set("events", 150)
	for range 3 {
		r.round(w)
	}
	same(t, "outbox", r.outbox(), []string{"pager opened waiting"})
}

func TestSilencesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.silences()
	for name, change := range map[string]func(*alerts.Silence){
		"everything":    func(s *alerts.Silence) { s.Matchers = nil },
		"no comment":    func(s *alerts.Silence) { s.Comment = "" },
		"over before":   func(s *alerts.Silence) { s.StartsAt, s.EndsAt = r.now().Add(-2*time.Hour), r.now().Add(-time.Hour) },
		"ends at start": func(s *alerts.Silence) { s.EndsAt = r.now() },
		"for ever":      func(s *alerts.Silence) { s.EndsAt = r.now().AddDate(10, 0, 0) },
	} {
		one := r.silence(time.Hour)
		change(&one)
		if _, err := s.Add(t.Context(), one); !errors.Is(err, ErrSilence) {
			t.Errorf("%s: %v, want %v", name, err, ErrSilence)
		}
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 0 {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestSilencesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.silences()
	added, err := s.Add(t.Context(), r.silence(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for i := range alerts.MaxSilences - 1 {
		added.ID = fmt.Sprint(i)
		if err := s.put(t.Context(), &added); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Add(t.Context(), r.silence(time.Hour)); !errors.Is(err, ErrSilence) || !errors.Is(err, ErrSilences) {
		t.Errorf("one too many: %v", err)
	}
	r.round(r.watcher("pager")) // as many as there may be can be used
	if _, err := s.End(t.Context(), added.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), r.silence(time.Hour)); err != nil {
		t.Errorf("one in the place of another: %v", err)
	}
}

func TestParseSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"2h": 2 * time.Hour, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "90s": 90 * time.Second,
	} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "2", "0s", "0d", "-2h", "1d-1h", "d", "12hd", "1.5d", "99999999d", "60000d2000000h", "2h 30m", "\x00", "1d 2h", "+1d",
	} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
