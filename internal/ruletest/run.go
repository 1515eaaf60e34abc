package ruletest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	day = 24 * time.Hour
	// gmailDelay is how many days before the time at which it arrives a day of a daily reading began. Gmail is one to three
	// days late.
	gmailDelay = 2
	// shownDays is how many of the days that arrived are told, as a daemon does.
	shownDays = 15
)

// Run runs all tests and returns the checks that failed, in the order of the tests and of time.
func (s *Suite) Run() []Failure {
	var all []Failure
	for i := range s.Tests {
		r := newRun(s, &s.Tests[i])
		r.run()
		all = append(all, r.failures...)
	}
	return all
}

// run is one test on its way.
type run struct {
	*Suite
	test   *Test
	now    time.Time
	state  *alerts.State
	groups *alerts.Groups
	// told are the notifications since the last check of them.
	told     []*alerts.Notification
	failures []Failure
}

func newRun(s *Suite, t *Test) *run {
	return &run{Suite: s, test: t, state: &alerts.State{}, groups: &alerts.Groups{}}
}

// run makes one round after the other, and checks what is due before the next.
func (r *run) run() {
	checks := slices.Clone(r.test.Alerts)
	slices.SortStableFunc(checks, func(a, b AlertCheck) int { return cmp.Compare(a.At, b.At) })
	told := slices.Clone(r.test.Notifications)
	slices.SortStableFunc(told, func(a, b NotificationCheck) int { return cmp.Compare(a.At, b.At) })
	for at := time.Duration(0); len(checks) > 0 || len(told) > 0; at += r.Every {
		r.now = r.Start.Add(at)
		r.round()
		for len(checks) > 0 && checks[0].At < at+r.Every {
			r.checkAlerts(&checks[0])
			checks = checks[1:]
		}
		for len(told) > 0 && told[0].At < at+r.Every {
			r.checkNotifications(&told[0])
			told = told[1:]
		}
	}
}

func (r *run) round() {
	found := r.Rules.Evaluate(r.state, alerts.Input{Now: r.now, Samples: r.samples})
	r.state = r.state.With(found)
	planner := alerts.Planner{Rules: r.Rules, Router: r.Router}
	plan := planner.Plan(r.state, r.groups, found)
	r.groups = r.groups.With(plan.Changes)
	for _, c := range plan.Changes {
		if c.Notification != nil {
			r.told = append(r.told, c.Notification)
		}
	}
}

func (r *run) samples(yield func(*alerts.Sample) bool) {
	for i := range r.test.Series {
		if s, ok := r.sample(&r.test.Series[i]); ok && !yield(&s) {
			return
		}
	}
}

// sample is what a series says now; ok is false when it says nothing.
func (r *run) sample(of *Series) (s alerts.Sample, ok bool) {
	s = alerts.Sample{Series: of.Series, Subject: of.Subject, AsOf: r.now}
	if len(of.Labels) > 0 {
		s.Labels = func() []observation.Field { return of.Labels }
	}
	kind, interval := of.Signal.Definition().Kind, r.test.Interval
	if kind == alerts.Daily {
		interval = day
	}
	at := min(int(r.now.Sub(r.Start)/interval), len(of.Values)-1)
	v := &of.Values[at]
	switch {
	case kind == alerts.Daily:
		r.daily(of, &s)
		return s, true
	case v.Missing:
		return s, false
	case kind == alerts.Rate:
		figure := v.figure()
		s.Figure, s.State = &figure, figure.State
	default:
		s.Value, s.State = v.Number, v.State
	}
	return s, true
}

// daily are the days that have arrived. One of which there is no more than a state is a day on which the source was in it.
func (r *run) daily(of *Series, s *alerts.Sample) {
	first := campaign.DayOf(r.Start, time.UTC) - gmailDelay
	s.Today = campaign.DayOf(r.now, time.UTC)
	passed := int(r.now.Sub(r.Start) / day)
	for i := min(passed, len(of.Values)-1); i >= 0 && len(s.Days) < shownDays; i-- {
		v := &of.Values[i]
		switch {
		case v.Missing:
		case v.State == signal.NotReported:
			s.Days = append(s.Days, alerts.Day{Day: first + campaign.Day(i)})
		case v.State == signal.OK:
			s.Days = append(s.Days, alerts.Day{
				Day: first + campaign.Day(i), Reported: true, Value: v.Number, Deliveries: v.Deliveries, Late: v.Late,
			})
		case i == min(passed, len(of.Values)-1):
			s.State = v.State
		}
	}
	if len(s.Days) > 0 {
		s.AsOf = (s.Days[0].Day + 1).Start(time.UTC)
	}
}

// figure is a rate as a view would tell it. All of its mail is old enough, or, when it is immature, none is.
func (v *Value) figure() signal.Figure {
	f := signal.Figure{State: v.State}
	if v.State != signal.OK && v.State != signal.Immature {
		return f
	}
	f.Part = signal.Part{
		Numerator: v.Numerator, Denominator: v.Denominator, Known: true, Value: float64(v.Numerator) / float64(v.Denominator),
	}
	f.Low, f.High = signal.Wilson(v.Numerator, v.Denominator, signal.Z99)
	if v.State == signal.OK {
		f.Mature = f.Part
	}
	if v.Denominator < signal.Floor {
		f.State = signal.Insufficient
	}
	return f
}

// checkAlerts compares the alerts of a rule with those that are expected.
func (r *run) checkAlerts(c *AlertCheck) {
	var got []*alerts.Alert
	for _, a := range r.state.Alerts() {
		if a.Rule == c.Rule {
			got = append(got, a)
		}
	}
	rest := slices.Clone(got)
	var missing []WantAlert
	for _, want := range c.Want {
		i := slices.IndexFunc(rest, func(a *alerts.Alert) bool { return r.fits(a, &want) })
		if i < 0 {
			missing = append(missing, want)
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if len(missing)+len(rest) == 0 {
		return
	}
	f := r.failure(c.Place, fmt.Sprintf("%s at %s", c.Rule, duration(c.At)))
	for i := range c.Want {
		f.Want = append(f.Want, c.Want[i].String())
	}
	for _, a := range got {
		got := WantAlert{Severity: a.Severity, Subject: a.Subject, Summary: r.Rules.Summary(a, "", r.now)}
		f.Got = append(f.Got, got.String())
	}
	f.Why = r.explain(c.Rule, missing)
	r.failures = append(r.failures, f)
}

func (r *run) fits(a *alerts.Alert, want *WantAlert) bool {
	return a.Severity == want.Severity && a.Subject == want.Subject &&
		(want.Summary == "" || want.Summary == r.Rules.Summary(a, "", r.now))
}

// String is the alert in one line.
func (w *WantAlert) String() string {
	text := w.Severity.String()
	if w.Severity == alerts.None {
		text = "pending"
	}
	text = fmt.Sprintf("%-8s  %s", text, w.Subject)
	if w.Summary != "" {
		text += ": " + w.Summary
	}
	return text
}

// explain says how the figures of the subjects that have no such alert stand.
func (r *run) explain(rule string, missing []WantAlert) (why []alerts.Explanation) {
	for i := range r.test.Series {
		of := &r.test.Series[i]
		if !slices.ContainsFunc(missing, func(w WantAlert) bool { return w.Subject == of.Subject }) {
			continue
		}
		s, ok := r.sample(of)
		if !ok {
			continue
		}
		if x, ok := r.Rules.Explain(rule, r.state, &s, r.now); ok {
			why = append(why, x)
		}
	}
	return why
}

// checkNotifications compares what was told with what is expected.
func (r *run) checkNotifications(c *NotificationCheck) {
	told := r.told
	r.told = nil
	if slices.EqualFunc(told, c.Want, func(n *alerts.Notification, w WantNotification) bool {
		return n.Change == w.Change && n.Rule == w.Rule && n.Severity == w.Severity && (w.To == "" || w.To == n.Notifier)
	}) {
		return
	}
	f := r.failure(c.Place, "notifications up to "+duration(c.At))
	for i := range c.Want {
		f.Want = append(f.Want, c.Want[i].String())
	}
	for _, n := range told {
		w := WantNotification{To: cmp.Or(n.Notifier, "(nobody)"), Change: n.Change, Rule: n.Rule, Severity: n.Severity}
		f.Got = append(f.Got, w.String()+": "+n.Summary)
	}
	r.failures = append(r.failures, f)
}

// String is the notification in one line.
func (w *WantNotification) String() string {
	return fmt.Sprintf("%s  %-8s  %s to %s", w.Change, w.Severity, w.Rule, cmp.Or(w.To, "anybody"))
}

func (r *run) failure(place, about string) Failure {
	return Failure{Test: r.test.Name, Place: place, About: about}
}

// duration writes a time of a test as its file does.
func duration(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		name string
		span time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / u.span; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.span
		}
	}
	return cmp.Or(b.String(), "0s")
}
