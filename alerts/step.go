package alerts

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// step takes a level through one judgement and says why it ended, if it did.
//
// Only a figure beyond its line ends the three clocks of a level that is on. Whatever mixture of good, missing and unknown
// figures follows the last bad one, the first clock to run out ends it; so no alert outlives its cause by more than the
// longest of them, freeze.
func (l *Level) step(j judgement, now time.Time, r *rule) (ended Reason) {
	if !l.On {
		l.wait(j.verdict, now, r.For)
		return ""
	}
	switch j.verdict {
	case crossed, near:
		*l = Level{On: true}
	case hold:
		l.Frozen = time.Time{}
	case clear:
		if due(&l.Clear, now, r.settles(j.final)) {
			ended = Cleared
		}
	case weak:
		if due(&l.Quiet, now, r.expiry) {
			ended = Insufficient
		}
	case absent:
		if !l.Clear.IsZero() && due(&l.Clear, now, r.settles(false)) {
			ended = Cleared
		}
		if due(&l.Quiet, now, r.expiry) {
			ended = Expired
		}
	case expired:
		ended = Expired
	case unknown:
		if due(&l.Frozen, now, freeze) {
			ended = frozen(j.state)
		}
	}
	if ended != "" {
		*l = Level{}
	}
	return ended
}

// wait takes a level that is off through one judgement. What is merely near goes on waiting; only what is sure fires.
func (l *Level) wait(v verdict, now time.Time, enough time.Duration) {
	switch v {
	case crossed:
		if due(&l.Pending, now, enough) {
			*l = Level{On: true}
		}
	case near, hold:
	default:
		l.Pending = time.Time{}
	}
}

// due starts a clock that does not run yet, and says whether it has run for long enough.
func due(since *time.Time, now time.Time, enough time.Duration) bool {
	// A time in the future was written by a clock that was wrong.
	if since.IsZero() || since.After(now) {
		*since = now
	}
	return now.Sub(*since) >= enough
}

func frozen(s signal.State) Reason {
	switch s {
	case signal.NoData:
		return WentDark
	case signal.Error:
		return WentWrong
	default:
		return WentStale
	}
}

// shift moves the clocks of a level, so that time in which nobody looked does not count.
func (l *Level) shift(by time.Duration) {
	for _, t := range []*time.Time{&l.Pending, &l.Clear, &l.Quiet, &l.Frozen} {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}

// severity is that of the worst level that is on.
func severity(levels *[2]Level) Severity {
	switch {
	case levels[1].On:
		return Critical
	case levels[0].On:
		return Warning
	default:
		return None
	}
}

// advance makes of an alert what it is after one sample, with the reason for which its last level ended.
//
// Days may arrive several at a time, or after a newer one. Each is judged, in their order, as if it had come alone; and when one
// before the last has raised the alert, people are told of that one.
func (r *rule) advance(a *Alert, s *Sample, now time.Time) (ended Reason) {
	raised, worst := Evidence{}, None
	before := a.Judged
	a.Judged = a.judgedUntil(s)
	for _, day := range r.earlier(s, a.Judged) {
		was := severity(&a.Levels)
		judged, why := r.stepLevels(a, &day, now)
		ended = cmp.Or(why, ended)
		if is := severity(&a.Levels); is > was {
			i := r.telling(is)
			raised, worst = r.evidence(r.levels[i], &day, judged[i]), is
		}
	}
	judged, why := r.stepLevels(a, s, now)
	ended = cmp.Or(why, ended)
	a.Judged = before
	if r.kind == Daily && judgedDay(judged, r) {
		a.Judged, a.Awaited = Date(s.newest()), s.awaited()
	}
	i := r.telling(severity(&a.Levels))
	e := r.evidence(r.levels[i], s, judged[i])
	if worst != None && severity(&a.Levels) == worst && judged[i].verdict != crossed {
		e = raised
	}
	e.At = now
	// While nothing is known, or no more than a part, what was last known still says why the alert stands.
	if a.Evidence.Known && (!e.Known || r.kind == Number && judged[i].verdict == near) {
		a.Evidence.State = e.State
		return ended
	}
	a.Evidence = e
	return ended
}

// judgedUntil is the day up to which nothing has to be judged any more: the newest that was, or the one before a day that
// arrived after it.
func (a *Alert) judgedUntil(s *Sample) Date {
	until := a.Judged
	for i := range s.Days {
		day := s.Days[i].Day
		ago, fresh := campaign.Day(a.Judged)-day, s.Today-day <= freshDays
		if fresh && ago > 0 && ago <= freshDays && a.Awaited&(1<<ago) != 0 {
			until = Date(day - 1)
		}
	}
	return until
}

// awaited are the days that have not arrived though the newest has, as Alert has them.
func (s *Sample) awaited() (days uint8) {
	for ago := campaign.Day(1); ago <= freshDays; ago++ {
		if !slices.ContainsFunc(s.Days, func(d Day) bool { return d.Day == s.newest()-ago }) {
			days |= 1 << ago
		}
	}
	return days
}

// earlier are the samples as they would have been on the days that arrived since one was judged, the newest day left out.
func (r *rule) earlier(s *Sample, judged Date) (samples []Sample) {
	if r.kind != Daily || judged == 0 || s.State != signal.OK {
		return nil
	}
	for i := len(s.Days) - 1; i > 0; i-- {
		if d := s.Days[i].Day; d > campaign.Day(judged) && s.Today-d <= freshDays {
			day := *s
			day.Days = s.Days[i:]
			day.AsOf = s.AsOf.AddDate(0, 0, -int(s.newest()-d))
			samples = append(samples, day)
		}
	}
	return samples
}

// stepLevels takes the levels of an alert through one sample.
func (r *rule) stepLevels(a *Alert, s *Sample, now time.Time) (judged [2]judgement, ended Reason) {
	for i, l := range r.levels {
		if l == nil {
			if a.Levels[i].On {
				ended = RuleChanged
			}
			a.Levels[i] = Level{}
			continue
		}
		judged[i] = r.judge(l, s, a.Judged)
		if why := a.Levels[i].step(judged[i], now, r); why != "" {
			ended = why
		}
	}
	return judged, ended
}

// judgedDay says whether a daily reading's newest day has now been judged.
func judgedDay(judged [2]judgement, r *rule) bool {
	for i, l := range r.levels {
		if l != nil {
			return judged[i].verdict.ofDay()
		}
	}
	return false
}

// telling is the level whose line says most about an alert of that severity: its own, or the first there is.
func (r *rule) telling(s Severity) int {
	switch {
	case s != None && r.levels[s-1] != nil:
		return int(s) - 1
	case r.levels[0] != nil:
		return 0
	default:
		return 1
	}
}
