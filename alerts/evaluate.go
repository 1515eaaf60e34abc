package alerts

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// maxAlerts bounds the alerts of one rule that do anything. Notifications list far fewer.
	maxAlerts = 2000
	// maxSubjectLabels bounds what an alert keeps of its subject's labels.
	maxSubjectLabels = 50
	// maxJudged bounds the subjects of one rule of which nothing is remembered but the day that they were judged by.
	maxJudged = 20_000
)

// LongestRound is the longest time between two rounds in which clocks run, so rounds must not be further apart. What lies
// beyond it (a suspended machine, a clock that was set) does not count, because nobody looked.
const LongestRound = 15 * time.Minute

// State is all alerts that are remembered. It does not change; With makes another. The zero State remembers none.
type State struct {
	// at is the time of the last round, zero before the first.
	at     time.Time
	byRule map[string]map[Subject]*Alert
}

// NewState makes a state of stored alerts.
func NewState(alerts []Alert) *State {
	s := &State{byRule: make(map[string]map[Subject]*Alert)}
	for i := range alerts {
		s.put(&alerts[i])
	}
	return s
}

func (s *State) put(a *Alert) {
	of := s.byRule[a.Rule]
	if of == nil {
		of = make(map[Subject]*Alert)
		s.byRule[a.Rule] = of
	}
	of[a.Subject] = a
}

// Alerts lists the alerts that are pending or firing, in the order of rules and subjects. They must not be changed.
func (s *State) Alerts() []*Alert {
	var all []*Alert
	for _, name := range slices.Sorted(maps.Keys(s.byRule)) {
		for _, subject := range sortedSubjects(s.byRule[name]) {
			if a := s.byRule[name][subject]; a.Phase() != "inactive" {
				all = append(all, a)
			}
		}
	}
	return all
}

// Len counts all that is remembered, also days that were judged.
func (s *State) Len() (n int) {
	for _, of := range s.byRule {
		n += len(of)
	}
	return n
}

func sortedSubjects(of map[Subject]*Alert) []Subject {
	return slices.SortedFunc(maps.Keys(of), func(a, b Subject) int { return a.compare(&b) })
}

// Round is what one evaluation found.
type Round struct {
	At time.Time
	// Transitions are to be stored, in the order of rules and subjects.
	Transitions []Transition
	// Dropped counts crossings that were not remembered, because their rule has too many alerts already.
	Dropped int
	// touched are all alerts as they are now, those with a transition among them.
	touched []*Alert
}

// With is the state after a round. It shares what did not change.
func (s *State) With(r Round) *State {
	next := &State{at: r.At, byRule: maps.Clone(s.byRule)}
	if next.byRule == nil {
		next.byRule = make(map[string]map[Subject]*Alert)
	}
	own := make(map[string]bool)
	for _, a := range r.touched {
		if !own[a.Rule] {
			next.byRule[a.Rule] = maps.Clone(next.byRule[a.Rule])
			own[a.Rule] = true
		}
		if a.Gone() {
			delete(next.byRule[a.Rule], a.Subject)
		} else {
			next.put(a)
		}
		if len(next.byRule[a.Rule]) == 0 {
			delete(next.byRule, a.Rule)
		}
	}
	return next
}

// evaluation is one round in the making.
type evaluation struct {
	rules *Rules
	in    *Input
	round Round
	// lost is how far the clocks are to be moved because nobody looked.
	lost time.Duration
	// known are the remembered alerts by the index of their rule, active how many of them do something; seen are those that
	// had a sample; made are those that began in this round.
	known  []map[Subject]*Alert
	active []int
	seen   map[*Alert]bool
	made   []map[Subject]bool
}

// Evaluate holds one round of samples against the rules. The same state and input, in the same order, always give the same
// round. It costs a comparison for a figure that is not beyond its line and has no alert, and allocates only for others.
func (r *Rules) Evaluate(s *State, in Input) Round {
	in.Now = in.Now.UTC().Round(0) // a stored time has no monotonic part, so no other has
	e := evaluation{
		rules: r, in: &in, round: Round{At: in.Now}, known: make([]map[Subject]*Alert, len(r.list)),
		active: make([]int, len(r.list)), made: make([]map[Subject]bool, len(r.list)), seen: make(map[*Alert]bool),
	}
	if !s.at.IsZero() {
		gap := in.Now.Sub(s.at)
		e.lost = gap - min(max(gap, 0), LongestRound)
	}
	for _, name := range slices.Sorted(maps.Keys(s.byRule)) {
		e.adopt(name, s.byRule[name])
	}
	if in.Samples != nil {
		for sample := range in.Samples {
			for _, rule := range r.series[sample.Series] {
				e.observe(rule, sample)
			}
		}
	}
	for _, rule := range r.list {
		e.sweep(rule)
	}
	slices.SortStableFunc(e.round.Transitions, func(a, b Transition) int {
		return cmp.Or(cmp.Compare(a.Alert.Rule, b.Alert.Rule), a.Alert.Subject.compare(&b.Alert.Subject))
	})
	return e.round
}

// adopt takes the remembered alerts of a rule into the round, or ends those that no rule watches any more.
func (e *evaluation) adopt(name string, of map[Subject]*Alert) {
	rule := e.rules.byName[name]
	other := false
	for _, a := range of {
		switch {
		case rule == nil:
			e.end(a, RuleDeleted)
		case a.Signal != rule.Signal || a.By != rule.By:
			e.end(a, RuleChanged)
			other = true
		case a.Phase() != "inactive":
			e.active[rule.index]++
		}
	}
	if rule == nil {
		return
	}
	if other {
		of = maps.Clone(of)
		maps.DeleteFunc(of, func(_ Subject, a *Alert) bool { return a.Signal != rule.Signal || a.By != rule.By })
	}
	e.known[rule.index] = of
}

// observe holds a sample against a rule.
func (e *evaluation) observe(r *rule, s *Sample) {
	a := e.known[r.index][s.Subject]
	if a == nil {
		e.begin(r, s)
		return
	}
	if e.seen[a] {
		return
	}
	e.seen[a] = true
	if !r.selects(s) {
		e.end(a, RuleChanged)
		return
	}
	if a.Phase() == "inactive" && !r.starts(s, a.judgedUntil(s)) {
		return
	}
	e.move(r, a, s)
}

// begin remembers a subject that has no alert, if there is something to remember.
func (e *evaluation) begin(r *rule, s *Sample) {
	if !r.starts(s, 0) || !r.selects(s) || e.made[r.index][s.Subject] {
		return
	}
	if e.active[r.index] >= maxAlerts || len(e.known[r.index])+len(e.made[r.index]) >= maxJudged {
		e.round.Dropped++
		return
	}
	if e.made[r.index] == nil {
		e.made[r.index] = make(map[Subject]bool)
	}
	e.made[r.index][s.Subject] = true
	e.move(r, &Alert{Rule: r.Name, Signal: r.Signal, By: r.By, Subject: s.Subject}, s)
}

// starts says whether a sample changes anything about a subject without an alert: a line is crossed, or a day has to be
// judged.
func (r *rule) starts(s *Sample, judged Date) bool {
	for _, l := range r.levels {
		if l == nil {
			continue
		}
		if v := r.judge(l, s, judged).verdict; v == crossed || r.kind == Daily && v.ofDay() {
			return true
		}
	}
	return false
}

// selects says whether the rule is about the sample's subject.
func (r *rule) selects(s *Sample) bool {
	if len(r.where) == 0 {
		return true
	}
	var labels []observation.Field
	asked := false
	return r.where.match(&s.Subject, func(label string) (values []string) {
		if !asked && s.Labels != nil {
			labels, asked = s.Labels(), true
		}
		for _, l := range labels {
			if l.Name == label {
				values = append(values, l.Value)
			}
		}
		return values
	})
}

// sweep takes the alerts that had no sample through the round.
func (e *evaluation) sweep(r *rule) {
	known := e.known[r.index]
	if len(known) == 0 {
		return
	}
	absence := Sample{Series: r.series, State: signal.Idle, AsOf: e.in.Now}
	if e.in.Absent != nil {
		absence.State = e.in.Absent(r.series)
	}
	absence.Figure = &signal.Figure{State: absence.State}
	for subject, a := range known {
		if e.seen[a] {
			continue
		}
		absence.Subject = subject
		switch {
		case a.Firing() || a.Phase() == "pending" && absence.State != signal.Idle:
			e.move(r, a, &absence)
		case absence.State == signal.Idle:
			e.end(a, Expired)
		}
	}
}

// move makes of an alert what it is after a sample.
func (e *evaluation) move(r *rule, a *Alert, s *Sample) {
	next := *a
	for i := range next.Levels {
		next.Levels[i].shift(e.lost)
	}
	ended := r.advance(&next, s, e.in.Now)
	e.settle(r, a, &next, s, ended)
}

// end resolves or forgets an alert whatever its figure is.
func (e *evaluation) end(a *Alert, why Reason) {
	next := *a
	next.Levels, next.Judged, next.Awaited = [2]Level{}, 0, 0
	e.settle(nil, a, &next, nil, why)
}

// settle finds out what changed, and notes it.
func (e *evaluation) settle(r *rule, was, next *Alert, s *Sample, ended Reason) {
	next.Severity = severity(&next.Levels)
	t := Transition{Kind: kindOf(was, next), At: e.in.Now, From: was.Version, Was: was.Severity}
	switch t.Kind {
	case "":
		if was.Version > 0 {
			e.round.touched = append(e.round.touched, next)
		}
		return
	case Triggered:
		next.StartedAt, next.Since = e.in.Now, e.in.Now
		next.describe(r, s)
	case Pended, Escalated:
		next.Since = e.in.Now
		next.describe(r, s)
	case Deescalated:
		next.Since = e.in.Now
	case Resolved:
		t.Reason = ended
	}
	if r != nil && was.Phase() == "inactive" && next.Phase() != "inactive" {
		e.active[r.index]++
	}
	next.Version++
	t.Alert = *next
	e.round.Transitions = append(e.round.Transitions, t)
	e.round.touched = append(e.round.touched, next)
}

// kindOf says what happened to an alert, "" for nothing that must be stored.
func kindOf(was, next *Alert) TransitionKind {
	before, after := was.Phase(), next.Phase()
	switch {
	case was.Severity == None && next.Severity != None:
		return Triggered
	case next.Severity > was.Severity:
		return Escalated
	case next.Severity != None && next.Severity < was.Severity:
		return Deescalated
	case was.Severity != None && next.Severity == None:
		return Resolved
	case before == "inactive" && after == "pending":
		return Pended
	case before == "pending" && after == "inactive":
		return Cancelled
	case was.Levels != next.Levels || was.Judged != next.Judged || was.Awaited != next.Awaited:
		return Noted
	default:
		return ""
	}
}

// describe takes over what else is known of the subject and the rule.
func (a *Alert) describe(r *rule, s *Sample) {
	a.Owner, a.Labels = r.Owner, slices.Clone(r.Labels)
	if s.Labels == nil {
		return
	}
	for i, l := range s.Labels() {
		switch {
		case i == maxSubjectLabels:
			return
		case l.Name == "owner":
			a.Owner = l.Value
		default:
			a.Labels = append(a.Labels, l)
		}
	}
}
