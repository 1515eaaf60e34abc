package app

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
)

// explainer holds what is known now against a rule.
type explainer struct {
	rules   *alerts.Rules
	state   *alerts.State
	sampler watch.Sampler
	now     time.Time
	// standing is that of the last round, nil without a daemon.
	standing *watch.Standing
}

func (e *explainer) answer(ctx context.Context, q RuleQuestion) (RuleAnswer, error) {
	series, ok := e.rules.SeriesOf(q.Rule)
	if !ok {
		return RuleAnswer{}, fmt.Errorf("the daemon has no rule %s; it may not have read its configuration again", q.Rule)
	}
	fits, err := subjectMatcher(q.Subject)
	if err != nil {
		return RuleAnswer{}, err
	}
	a, err := e.about(ctx, q.Rule, series, fits)
	if err != nil {
		return RuleAnswer{}, err
	}
	slices.SortStableFunc(a.Subjects, func(x, y RuleSubject) int {
		return cmp.Or(cmp.Compare(rank(&y.Explanation), rank(&x.Explanation)), cmp.Compare(nearness(&y.Explanation), nearness(&x.Explanation)),
			strings.Compare(x.Subject.String(), y.Subject.String()))
	})
	if q.Limit > 0 {
		a.Subjects = a.Subjects[:min(a.Total, q.Limit)]
	}
	return a, nil
}

// about says how all subjects that fit stand, in no order.
func (e *explainer) about(ctx context.Context, rule string, series alerts.Series, fits func(*alerts.Subject) bool) (RuleAnswer, error) {
	samples, err := e.sampler.Samples(ctx, series)
	if err != nil {
		return RuleAnswer{}, err
	}
	a := RuleAnswer{Rule: rule, Signal: series.Signal, By: series.By, AsOf: e.now.UTC().Truncate(time.Second), Subjects: []RuleSubject{}}
	if d := series.Signal.Definition(); d.Kind == alerts.Rate || d.Windowed {
		a.Window = series.Window.String()
	}
	seen := make(map[alerts.Subject]bool)
	for i := range samples {
		seen[samples[i].Subject] = true
		e.add(&a, &samples[i], fits)
	}
	absent := signal.Idle
	if len(e.state.Alerts()) > 0 {
		absent = e.sampler.Absent(series)
	}
	for _, held := range e.state.Alerts() {
		if held.Rule == rule && !seen[held.Subject] {
			e.add(&a, &alerts.Sample{
				Series: series, Subject: held.Subject, State: absent, AsOf: e.now, Figure: &signal.Figure{State: absent},
			}, fits)
		}
	}
	a.Total = len(a.Subjects)
	return a, nil
}

func (e *explainer) add(a *RuleAnswer, s *alerts.Sample, fits func(*alerts.Subject) bool) {
	if !fits(&s.Subject) {
		return
	}
	x, ok := e.rules.Explain(a.Rule, e.state, s, e.now)
	if !ok {
		return
	}
	subject := RuleSubject{Explanation: x}
	if e.standing != nil && x.Severity != alerts.None {
		id := (&alerts.Alert{Rule: a.Rule, Subject: s.Subject}).ID()
		subject.Silence = e.standing.Silenced[id]
		if by := e.standing.Muted[id]; by != "" {
			subject.MutedBy = e.named(by)
		}
	}
	a.Subjects = append(a.Subjects, subject)
}

// named is the alert of an id in words.
func (e *explainer) named(id string) string {
	for _, a := range e.standing.Alerts {
		if a.ID() == id {
			return a.Rule + " of " + a.Subject.String()
		}
	}
	return id
}

// rank orders subjects by how bad they are.
func rank(x *alerts.Explanation) int {
	switch {
	case x.Severity != alerts.None:
		return 2 + int(x.Severity)
	case x.Phase == "pending":
		return 2
	case x.Selected:
		return 1
	default:
		return 0
	}
}

// nearness is how far a figure is on its way to the nearest of its lines, 1 at the line. Of a rate the end of the interval
// counts that must cross, so that little mail is not near to anything.
func nearness(x *alerts.Explanation) float64 {
	nearest := -1.0
	for i := range x.Lines {
		e := &x.Lines[i].Evidence
		value := e.Value
		switch {
		case !e.Known:
			continue
		case e.Interval && e.Below:
			value = e.High
		case e.Interval:
			value = e.Low
		}
		part, whole := value, e.Line
		if e.Below {
			part, whole = whole, part
		}
		switch {
		case part == 0:
			nearest = max(nearest, 0)
		case whole == 0:
			nearest = math.Inf(1)
		default:
			nearest = max(nearest, part/whole)
		}
	}
	return nearest
}
