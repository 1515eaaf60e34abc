package alerts

import (
	"slices"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// verdict is what a sample says about a line.
type verdict uint8

const (
	// hold: nothing new. A daily reading says so between two days.
	hold verdict = iota
	// crossed: beyond the line for sure.
	crossed
	// near: beyond the line, but it may be by chance; of a number, not beyond it, but it may be more than is known.
	near
	// weak: too little mail to tell.
	weak
	// clear: on the good side.
	clear
	// absent: there is nothing to tell of, and the source is well.
	absent
	// expired: there has been nothing to tell of for long enough.
	expired
	// unknown: the source fails, or what it says cannot be used.
	unknown
)

// ofDay says whether a daily reading's newest day was judged.
func (v verdict) ofDay() bool {
	return v == crossed || v == near || v == weak || v == clear || v == expired
}

// judgement is a verdict, and what follows from it.
type judgement struct {
	verdict verdict
	// final says that the figure will not change any more by what becomes of the mail.
	final bool
	// state is that of the figure.
	state signal.State
}

// ofState judges by the state of a figure alone; ok is false when its value decides.
func ofState(s signal.State) (j judgement, ok bool) {
	switch s {
	case signal.Idle, signal.NotReported:
		return judgement{verdict: absent, state: s}, true
	case signal.NoData, signal.Stale, signal.Error:
		return judgement{verdict: unknown, state: s}, true
	default:
		return judgement{state: s}, false
	}
}

// judgeRate holds a rate against a line. A line above tests all mail, since what is still to come can only add to it; a line
// below tests the mature part, since young mail looks bad by itself.
func (l *line) judgeRate(f *signal.Figure) judgement {
	j, done := ofState(f.State)
	if done {
		return j
	}
	part, missing := &f.Part, f.Numerator
	if l.below {
		part, missing = &f.Mature, f.Mature.Denominator-f.Mature.Numerator
	}
	enough := part.Denominator >= l.denominator
	j.final = enough && (l.below || f.Matured())
	switch {
	case !part.Known:
		j.verdict = weak
	case !l.beyond(part.Value):
		j.verdict = clear
	case !enough || missing < l.numerator:
		j.verdict = weak
	case l.sure(part):
		j.verdict = crossed
	default:
		j.verdict = near
	}
	return j
}

// sure says whether the interval lies beyond the line as a whole.
func (l *line) sure(p *signal.Part) bool {
	low, high := signal.Wilson(p.Numerator, p.Denominator, l.z)
	if l.below {
		return l.beyond(high)
	}
	return l.beyond(low)
}

// judgeNumber holds a number against a line.
func (l *line) judgeNumber(s *Sample) judgement {
	j, done := ofState(s.State)
	switch {
	case done:
	case s.State == signal.Insufficient:
		j.verdict = weak
	case l.beyond(s.Value):
		j.verdict, j.final = crossed, true
	case s.State == signal.Immature && !l.below:
		// It is that much at least: nobody has looked for long enough to tell that it is on the good side.
		j.verdict = near
	default:
		j.verdict, j.final = clear, true
	}
	return j
}

// newest is the newest day that has arrived, 0 for none.
func (s *Sample) newest() campaign.Day {
	if len(s.Days) == 0 {
		return 0
	}
	return s.Days[0].Day
}

// judgeDaily holds the last reported days against a line. A day is judged once, as it arrives: until one newer than judged
// arrives nothing changes but that the source may fall silent.
func (l *line) judgeDaily(s *Sample, judged Date) judgement {
	j, done := ofState(s.State)
	switch {
	case done:
		return j
	case len(s.Days) == 0 || s.Today-s.newest() > freshDays:
		return judgement{verdict: unknown, state: signal.Stale}
	case s.newest() <= campaign.Day(judged):
		return j
	case s.unreported() >= silentDays:
		return judgement{verdict: expired, state: signal.NotReported}
	}
	last := s.reported(l.of.Last)
	over := l.daysOver(last)
	// The day that has just arrived must itself be bad to raise an alert; and two good ones in a row end one, so that a rate
	// at its line does not change sides day by day.
	fresh := s.Days[0].Reported && !s.Days[0].Late
	recent := s.reported(2)
	back := over < l.of.Days && len(recent) == 2 && l.daysOver(recent) == 0
	switch {
	case over >= l.of.Days && fresh && l.counts(&s.Days[0]):
		j.verdict = crossed
	case back && slices.ContainsFunc(recent, l.bad):
		j.verdict = weak // as bad as before, of less mail
	case back:
		j.verdict = clear
	default:
		j.verdict = near
	}
	return j
}

// counts says whether a day is beyond the line and speaks of enough mail.
func (l *line) counts(d *Day) bool { return l.beyond(d.Value) && d.Deliveries >= l.denominator }

// bad says whether a day is beyond the line, of however little mail.
func (l *line) bad(d Day) bool { return l.beyond(d.Value) }

func (l *line) daysOver(days []Day) (n int) {
	for i := range days {
		if l.counts(&days[i]) {
			n++
		}
	}
	return n
}

// unreported counts the days that arrived without the figure since it was last reported.
func (s *Sample) unreported() (n int) {
	for n < len(s.Days) && !s.Days[n].Reported {
		n++
	}
	return n
}

// reported are the last reported days, at most limit, within the days that are looked at.
func (s *Sample) reported(limit int) (days []Day) {
	for _, d := range s.Days {
		if len(days) == limit || s.newest()-d.Day >= lookBack {
			break
		}
		if d.Reported {
			days = append(days, d)
		}
	}
	return days
}

// judge holds a sample against the line.
func (r *rule) judge(l *line, s *Sample, judged Date) judgement {
	switch {
	case r.kind == Daily:
		return l.judgeDaily(s, judged)
	case r.kind == Number:
		return l.judgeNumber(s)
	case s.Figure == nil:
		return judgement{verdict: unknown, state: signal.NoData}
	default:
		return l.judgeRate(s.Figure)
	}
}

// evidence is what a sample says, as it was held against a line.
func (r *rule) evidence(l *line, s *Sample, j judgement) Evidence {
	e := Evidence{AsOf: s.AsOf, State: j.state.String(), Line: l.at, Below: l.below}
	switch r.kind {
	case Rate:
		e.Window = r.series.Window.String()
		r.rateEvidence(&e, l, s.Figure)
	case Daily:
		if last := s.reported(l.of.Last); len(last) > 0 {
			e.Known, e.Value, e.Denominator, e.Day = true, last[0].Value, last[0].Deliveries, Date(last[0].Day)
			e.Days = Of{l.daysOver(last), len(last)}.String()
		}
	default:
		if r.Signal.Definition().Windowed {
			e.Window = r.series.Window.String()
		}
		if j.verdict == crossed || j.verdict == near || j.verdict == clear {
			e.Known, e.Value = true, s.Value
		}
	}
	return e
}

func (r *rule) rateEvidence(e *Evidence, l *line, f *signal.Figure) {
	if f == nil {
		return
	}
	part := &f.Part
	if l.below {
		part = &f.Mature
	}
	if !part.Known {
		return
	}
	e.Known, e.Interval, e.Value, e.Confidence = true, true, part.Value, l.confidence
	e.Numerator, e.Denominator = part.Numerator, part.Denominator
	e.Low, e.High = signal.Wilson(part.Numerator, part.Denominator, l.z)
	if f.Measured {
		e.MeasuredShare = f.MeasuredShare
	}
}
