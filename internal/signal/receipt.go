package signal

import "time"

// ReceiptPeriod is the length of the periods in which CloudWatch counts what receipt rules did.
const ReceiptPeriod = 5 * time.Minute

const (
	// failurePause is how long attempts to hand mail on may pause without having ended: SES waits between them.
	failurePause = 30 * time.Minute
	// habitSpan is from how long before the last mail a rule's habit is learned: a week, so that it has nights and a weekend.
	// habitDays and habitPeriods are how much of it there must be.
	habitSpan    = 7 * 24 * time.Hour
	habitDays    = 6 * 24 * time.Hour
	habitPeriods = 20
	// silenceFactor is how much longer than ever in that week a rule must have had no mail to be silent, silenceLeast how
	// long at least.
	silenceFactor = 2
	silenceLeast  = time.Hour
)

// FailingSince is since when a receipt rule has been failing, and lasting how long that went on, as of a time up to which its
// figures are known. Starts are those of the periods with failures, in order. It is zero when attempts have not failed for
// half an hour.
func FailingSince(starts []time.Time, asOf time.Time) (since time.Time, lasting time.Duration) {
	if len(starts) == 0 || asOf.Sub(starts[len(starts)-1].Add(ReceiptPeriod)) > failurePause {
		return time.Time{}, 0
	}
	i := len(starts) - 1
	for i > 0 && starts[i].Sub(starts[i-1].Add(ReceiptPeriod)) <= failurePause {
		i--
	}
	return starts[i], starts[len(starts)-1].Add(ReceiptPeriod).Sub(starts[i])
}

// Silence says whether something that had mail has none: for more than an hour, and for more than twice as long as it ever
// had in the week before its last mail.
type Silence struct {
	Silent bool
	// Since is when the last period with mail ended, zero when there was none.
	Since time.Time
	// Longest is the longest time without mail in that week, and Limit how long without is silence; 0 when not known.
	Longest, Limit time.Duration
	// State is Idle where there was no mail, Insufficient where too little to know a habit.
	State State
}

// SilenceOf judges the periods with mail, whose starts are in order, as of a time up to which they are known.
func SilenceOf(starts []time.Time, asOf time.Time) Silence {
	if len(starts) == 0 {
		return Silence{State: Idle}
	}
	last := starts[len(starts)-1]
	s := Silence{Since: last.Add(ReceiptPeriod), State: Insufficient}
	first, longest := len(starts)-1, time.Duration(0)
	for first > 0 && last.Sub(starts[first-1]) <= habitSpan {
		longest = max(longest, starts[first].Sub(starts[first-1].Add(ReceiptPeriod)))
		first--
	}
	if len(starts)-first < habitPeriods || last.Sub(starts[first]) < habitDays {
		return s
	}
	s.Longest, s.Limit = longest, max(silenceFactor*longest, silenceLeast)
	s.Silent, s.State = asOf.Sub(s.Since) > s.Limit, OK
	return s
}
