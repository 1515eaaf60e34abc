package alerts

import (
	"math"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// Explanation says why an alert of a rule is in its state, or why there is none.
type Explanation struct {
	Rule     string      `json:"rule"`
	Signal   Signal      `json:"signal"`
	Subject  Subject     `json:"subject"`
	Selected bool        `json:"selected"`
	Phase    string      `json:"phase"`
	Severity Severity    `json:"severity"`
	Since    time.Time   `json:"since,omitzero"`
	Lines    []LineState `json:"lines"`
}

// LineState is how a figure stands against one line.
type LineState struct {
	Severity Severity `json:"severity"`
	// Verdict is crossed, near (beyond the line, but not surely), weak (too little mail), clear, absent, expired, unknown, or
	// hold (nothing new).
	Verdict  string   `json:"verdict"`
	Evidence Evidence `json:"evidence"`
	// MinDenominator and MinNumerator are the floors.
	MinDenominator int64 `json:"min_denominator,omitempty"`
	MinNumerator   int64 `json:"min_numerator,omitempty"`
	// Needed is how many more of the same mail would have to be counted in the numerator for the line to be crossed; of a
	// line below, how many fewer. Nil when it is crossed, or when no number would do.
	Needed *int64 `json:"needed,omitempty"`
	// FiresIn and EndsIn are how long the figure must go on as it is until the level fires or ends; nil when it will not.
	FiresIn *time.Duration `json:"fires_in,omitempty"`
	EndsIn  *time.Duration `json:"ends_in,omitempty"`
	// EndsAfter is how long a figure that is still bad must be good again until the level ends, 0 for at once. Relief is how
	// many more mails without the fault would make it so; nil of what is no rate, and when no number would do.
	EndsAfter *time.Duration `json:"ends_after,omitempty"`
	Relief    *int64         `json:"relief,omitempty"`
	Level     Level          `json:"level,omitzero"`
}

var verdictNames = [...]string{
	hold: "hold", crossed: "crossed", near: "near", weak: "weak", clear: "clear", absent: "absent", expired: "expired", unknown: "unknown",
}

// Explain holds a sample against one rule, as Evaluate would; ok is false when there is no such rule or the sample is not of
// its series.
func (r *Rules) Explain(name string, s *State, sample *Sample, now time.Time) (x Explanation, ok bool) {
	rule := r.byName[name]
	if rule == nil || rule.series != sample.Series {
		return x, false
	}
	a := s.byRule[name][sample.Subject]
	if a == nil {
		a = &Alert{}
	}
	x = Explanation{
		Rule: name, Signal: rule.Signal, Subject: sample.Subject, Selected: rule.selects(sample), Phase: a.Phase(),
		Severity: a.Severity, Since: a.Since,
	}
	for i, l := range rule.levels {
		if l == nil {
			continue
		}
		j := rule.judge(l, sample, 0)
		state := LineState{
			Severity: l.severity, Verdict: verdictNames[j.verdict], Evidence: rule.evidence(l, sample, j), Level: a.Levels[i],
		}
		if rule.kind == Rate {
			state.MinDenominator, state.MinNumerator = l.denominator, l.numerator
			state.Needed = l.needed(sample.Figure, j.verdict)
		}
		state.FiresIn, state.EndsIn = rule.outlook(a.Levels[i], j, now)
		if state.Level.On && state.EndsIn == nil {
			state.EndsAfter = new(rule.settles(j.final))
			if rule.kind == Rate {
				state.Relief = l.relief(sample.Figure)
			}
		}
		x.Lines = append(x.Lines, state)
	}
	return x, true
}

// needed searches for the numerator at which the line is crossed; the further it is, the surer.
func (l *line) needed(f *signal.Figure, v verdict) *int64 {
	if f == nil || v == crossed {
		return nil
	}
	part := f.Part
	if l.below {
		part = f.Mature
	}
	n := part.Denominator
	if !part.Known || n < l.denominator {
		return nil
	}
	crosses := func(k int64) bool {
		p := signal.Part{Numerator: k, Denominator: n, Known: true, Value: float64(k) / float64(n)}
		missing := k
		if l.below {
			missing = n - k
		}
		return missing >= l.numerator && l.beyond(p.Value) && l.sure(&p)
	}
	// low never crosses by more than high does: bisect between what is counted and the most there can be.
	from, to := part.Numerator, n
	if l.below {
		to = 0
	}
	if !crosses(to) {
		return nil
	}
	for math.Abs(float64(to-from)) > 1 {
		if middle := from + (to-from)/2; crosses(middle) {
			to = middle
		} else {
			from = middle
		}
	}
	more := max(to-part.Numerator, part.Numerator-to)
	return &more
}

// relief solves for how much more good mail takes the figure back to the line.
func (l *line) relief(f *signal.Figure) *int64 {
	if f == nil {
		return nil
	}
	part := f.Part
	if l.below {
		part = f.Mature
	}
	k, n := float64(part.Numerator), float64(part.Denominator)
	more, good := k/l.at-n, 0.0
	if l.below {
		more, good = (l.at*n-k)/(1-l.at), 1
	}
	if !part.Known || !l.beyond(part.Value) || !(more < math.MaxInt32) {
		return nil
	}
	more = math.Floor(more)
	for l.beyond((k + good*more) / (n + more)) { // twice at most: the line itself may count as beyond it, and fractions round
		more++
	}
	return new(int64(more))
}

// outlook says what becomes of a level if the figure stays as it is.
func (r *rule) outlook(l Level, j judgement, now time.Time) (firesIn, endsIn *time.Duration) {
	left := func(since time.Time, enough time.Duration) *time.Duration {
		if since.IsZero() || since.After(now) {
			since = now
		}
		d := max(enough-now.Sub(since), 0)
		return &d
	}
	if !l.On {
		if j.verdict == crossed {
			firesIn = left(l.Pending, r.For)
		}
		return firesIn, nil
	}
	switch j.verdict {
	case clear:
		endsIn = left(l.Clear, r.settles(j.final))
	case weak, absent:
		endsIn = left(l.Quiet, r.expiry)
	case unknown:
		endsIn = left(l.Frozen, freeze)
	}
	return nil, endsIn
}
