package signal

import "github.com/mailvane/mailvane/internal/observation"

// Row is a tally of recipients of one outcome, with all that decides in which rates it counts.
type Row struct {
	// Provider is the recipients' mailbox provider.
	Provider string
	Outcome  observation.Outcome
	// Blocked says that the reason's group Blocks; it matters for bounces only.
	Blocked bool
	// Reporting says that the provider was among the reporting providers when the mail was sent.
	Reporting bool
	// Coverage is what the origin published when the mail was sent.
	Coverage Coverage
	// N is the number of recipients, negative to take some away.
	N int64
}

// Counts are the numerators and denominators of all signals over some mail. The zero Counts are those of no mail. They
// are sums: adding rows in any order, or a row and later its negative, comes to the same.
type Counts struct {
	// mail sums all rows, whatever their outcome, by coverage. It tells mail of which a signal knows nothing from no mail.
	mail      [coverageEnd]int64
	numerator [Count]int64
	// attempted and settled are the two parts of "attempted", by its basis; tracked is the part of both of which
	// deliveries are known.
	attempted, settled, tracked int64
	// delivered sums deliveries as far as they are published: at reporting providers, and where opt-outs are published
	// too, are parts of it.
	delivered, deliveredReporting, deliveredOptOut int64
	// sent is where Send events are published.
	sent int64
}

// Add counts a row in every signal that it takes part in.
func (c *Counts) Add(r Row) {
	if r.Provider == Simulator {
		return
	}
	c.mail[r.Coverage] += r.N
	if w := attempted(&r); w != 0 {
		n := w * r.N
		if r.Coverage.settles() {
			c.settled += n
		} else {
			c.attempted += n
		}
		if r.Coverage.Covers(DeliveryRate) {
			c.tracked += n
		}
	}
	switch r.Outcome {
	case observation.Sent:
		if r.Coverage.Covers(SuppressedRate) {
			c.sent += r.N
		}
	case observation.Delivered:
		c.deliver(&r)
	case observation.HardBounced:
		c.count(HardBounceRate, &r)
	case observation.SoftBounced:
		c.count(SoftBounceRate, &r)
	case observation.Delayed:
		c.count(DelayRate, &r)
	case observation.Unsubscribed:
		c.count(UnsubscribeRate, &r)
	case observation.Suppressed:
		c.count(SuppressedRate, &r)
	case observation.Complained:
		if r.Reporting {
			c.count(ComplaintRate, &r)
		}
	}
	if r.Blocked && r.Outcome.Bounced() {
		c.count(BlockRate, &r)
	}
}

func (c *Counts) count(s Signal, r *Row) {
	if r.Coverage.Covers(s) {
		c.numerator[s] += r.N
	}
}

func (c *Counts) deliver(r *Row) {
	c.count(DeliveryRate, r)
	if r.Coverage.Covers(ComplaintRate) {
		c.delivered += r.N
		if r.Reporting {
			c.deliveredReporting += r.N
		}
	}
	if r.Coverage.Covers(UnsubscribeRate) {
		c.deliveredOptOut += r.N
	}
}

// attempted is what one recipient of a row adds to "attempted". SES publishes a Send also for mail that it then does not
// try to deliver, so those are taken off. Without Send events, mail counts once its fate is known.
func attempted(r *Row) int64 {
	switch {
	case r.Coverage.settles():
		if r.Outcome == observation.Delivered || r.Outcome.Bounced() {
			return 1
		}
		return 0
	case !r.Coverage.has(coversSend):
		return 0
	}
	switch r.Outcome {
	case observation.Sent:
		return 1
	case observation.Suppressed, observation.Rejected, observation.RenderingFailed:
		return -1
	default:
		return 0
	}
}

func (c *Counts) denominator(s Signal) int64 {
	switch s {
	case DeliveryRate:
		return c.tracked
	case ComplaintRate:
		return c.deliveredReporting
	case UnsubscribeRate:
		return c.deliveredOptOut
	case SuppressedRate:
		return c.sent
	default:
		return c.attempted + c.settled
	}
}

// seen says whether there was any mail, and whether any of it takes part in the signal.
func (c *Counts) seen(s Signal) (any, covered bool) {
	var coverages uint16
	for coverage, n := range c.mail {
		if n != 0 {
			coverages |= 1 << coverage
		}
	}
	return coverages != 0, coverages&coveredBy[s] != 0
}
