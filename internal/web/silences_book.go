package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

// SilenceList lists silences: those that last, the first to end first, then those that have ended, the latest first.
type SilenceList struct {
	// Total is how many there are, whatever the limit.
	Total    int       `json:"total"`
	Silences []Silence `json:"silences"`
}

// Silence keeps alerts that match from being told while it lasts.
type Silence struct {
	ID        string           `json:"id"`
	Matchers  []alerts.Matcher `json:"matchers"`
	StartsAt  time.Time        `json:"starts_at"`
	EndsAt    time.Time        `json:"ends_at"`
	CreatedBy string           `json:"created_by"`
	Comment   string           `json:"comment"`
	State     SilenceState     `json:"state"`
	// Alerts is how many firing alerts it keeps from being told. One that several silences cover is counted with one of them.
	Alerts int `json:"alerts"`
}

// SilenceState says where a silence stands.
type SilenceState string

// The states of a silence.
const (
	SilencePending SilenceState = "pending"
	SilenceActive  SilenceState = "active"
	SilenceEnded   SilenceState = "ended"
)

func newSilence(s *alerts.Silence, now time.Time) Silence {
	out := Silence{
		ID: s.ID, Matchers: s.Matchers, StartsAt: s.StartsAt.UTC(), EndsAt: s.EndsAt.UTC(), CreatedBy: s.CreatedBy, Comment: s.Comment,
		State: SilenceActive,
	}
	switch {
	case !now.Before(s.EndsAt):
		out.State = SilenceEnded
	case now.Before(s.StartsAt):
		out.State = SilencePending
	}
	return out
}

// Silences lists silences: those that have not ended, and with ended also those of the last 90 days that have.
func (b *AlertBook) Silences(ctx context.Context, ended bool, limit int) (SilenceList, error) {
	now := b.o.Now()
	after := now
	if ended {
		after = time.Time{}
	}
	all, err := b.o.Records.Silences(ctx, after)
	if err != nil {
		return SilenceList{}, err
	}
	counts, err := b.silenced(ctx, all, now)
	if err != nil {
		return SilenceList{}, err
	}
	out := SilenceList{Total: len(all), Silences: make([]Silence, len(all))}
	for i := range all {
		out.Silences[i] = newSilence(&all[i], now)
		if out.Silences[i].State == SilenceActive {
			out.Silences[i].Alerts = counts[all[i].ID]
		}
	}
	slices.SortStableFunc(out.Silences, func(a, b Silence) int {
		if a.State == SilenceEnded && b.State == SilenceEnded {
			return b.EndsAt.Compare(a.EndsAt)
		}
		return cmp.Compare(btoi(a.State == SilenceEnded), btoi(b.State == SilenceEnded))
	})
	out.Silences = out.Silences[:min(limit, len(out.Silences))]
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// silenced counts the alerts that each silence covers.
func (b *AlertBook) silenced(ctx context.Context, silences []alerts.Silence, now time.Time) (map[string]int, error) {
	counts := make(map[string]int)
	standing, all, err := b.standing(ctx)
	if err != nil {
		return nil, err
	}
	if standing != nil {
		for _, id := range standing.Silenced {
			counts[id]++
		}
		return counts, nil
	}
	lasting := slices.DeleteFunc(slices.Clone(silences), func(s alerts.Silence) bool { return !now.Before(s.EndsAt) })
	ready, err := alerts.NewSilences(lasting)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if id, ok := covers(ready, a, now); ok {
			counts[id]++
		}
	}
	return counts, nil
}

// covers says which silence keeps an alert from being told. The alarm knows of none.
func covers(silences *alerts.Silences, a stand, now time.Time) (id string, ok bool) {
	if !a.Firing() || a.Rule == watch.AlarmRule {
		return "", false
	}
	return silences.Of(a.Alert, now)
}

// AddSilence stores a silence and returns it with its id and what it covers now. The errors are those of watch.Silences.
func (b *AlertBook) AddSilence(ctx context.Context, s alerts.Silence) (Silence, error) {
	added, err := b.o.Silences.Add(ctx, s)
	if err != nil {
		return Silence{}, err
	}
	now := b.o.Now()
	out := newSilence(&added, now)
	ready, err := alerts.NewSilences([]alerts.Silence{added})
	if err != nil {
		return out, err
	}
	_, all, err := b.standing(ctx)
	for _, a := range all {
		if _, ok := covers(ready, a, now); ok {
			out.Alerts++
		}
	}
	return out, err
}

// EndSilence ends a silence now. The errors are those of watch.Silences.
func (b *AlertBook) EndSilence(ctx context.Context, id string) (Silence, error) {
	ended, err := b.o.Silences.End(ctx, id)
	return newSilence(&ended, b.o.Now()), err
}
