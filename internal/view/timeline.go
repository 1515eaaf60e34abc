package view

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Timeline is what became of a campaign's mail, by when it was sent.
type Timeline struct {
	// Start and End bound the mail; Width is how much send time a point holds.
	Start time.Time
	End   time.Time
	Width time.Duration
	// Since is from when on what was sent or delivered is published: whatever was sent before is not known to be nothing.
	// It is End where neither is.
	Since time.Time
	// Points are in order, one for every Width, whether there was mail or not. Mail to the mailbox simulator is in none.
	Points []TimelinePoint
}

// TimelinePoint is the mail that was sent from Start on, for one Width.
type TimelinePoint struct {
	Start      time.Time
	Recipients Recipients
	// Reported are the complaints at reporting providers, ReportedOf the deliveries there: what a complaint rate is made of.
	Reported, ReportedOf int64
	// Coverage is what all origins of the mail published. Without mail there is none.
	Coverage signal.Coverage
}

// timelines are how finely a stretch of time is told, the shortest first.
func timelines() []struct{ over, width time.Duration } {
	const day = 24 * time.Hour
	return []struct{ over, width time.Duration }{
		{day, 30 * time.Minute}, {7 * day, 3 * time.Hour}, {historyDays * day, day},
	}
}

// Timeline says it of the mail of so long, five weeks at most; over more than a week in days of UTC. It reads five weeks of
// the campaign's cohorts.
func (v *View) Timeline(ctx context.Context, tenant, id string, over time.Duration) (Timeline, error) {
	now := v.moment()
	t := newTimeline(&now, over)
	rows, err := v.history(ctx, tenant, id, &now)
	if err != nil {
		return Timeline{}, fmt.Errorf("read the timeline of campaign %q of tenant %q: %w", id, tenant, err)
	}
	t.add(rows, now.eras)
	return t, nil
}

// newTimeline is one without mail.
func newTimeline(now *moment, over time.Duration) Timeline {
	t := Timeline{End: now.asOf.UTC(), Since: now.asOf.UTC()}
	if since := now.eras.begin(); since < t.End.Unix() {
		t.Since = time.Unix(since, 0).UTC()
	}
	for _, grain := range timelines() {
		if t.Width = grain.width; over <= grain.over {
			break
		}
	}
	over = min(over, historyDays*24*time.Hour)
	t.Start = t.End.Truncate(t.Width).Add(t.Width - max(over.Truncate(t.Width), t.Width))
	for at := t.Start; at.Before(t.End); at = at.Add(t.Width) {
		t.Points = append(t.Points, TimelinePoint{Start: at})
	}
	return t
}

func (t *Timeline) add(rows []ledger.CohortRow, e *eras) {
	for i := range rows {
		row := &rows[i]
		at := int(row.Start.Sub(t.Start) / t.Width)
		if row.Cell.Provider == signal.Simulator || row.Start.Before(t.Start) || at >= len(t.Points) {
			continue
		}
		p, coverage := &t.Points[at], e.coverage(row.Cell.Origin, row.Start.Unix())
		if p.Recipients != (Recipients{}) {
			coverage &= p.Coverage
		}
		p.Coverage = coverage
		p.Recipients[row.Cell.Outcome] += row.N
		if e.reports(row.Cell.Provider, row.Start.Unix()) {
			switch row.Cell.Outcome {
			case observation.Complained:
				p.Reported += row.N
			case observation.Delivered:
				p.ReportedOf += row.N
			}
		}
	}
}
