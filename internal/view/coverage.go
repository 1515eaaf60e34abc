package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// coverageHours is how many hours are compared.
	coverageHours = 24
	// coverageSettles is how long an hour must be over before it is compared: events take minutes to reach us, and metrics to
	// reach CloudWatch.
	coverageSettles = time.Hour
)

// EventCoverage says how much of what CloudWatch counted has reached us. Both count an event in the hour in which it
// happened: CloudWatch stamps a point with the time of the event, not of the mail, so that cohorts are of no use here. Sums
// are over the same hours on both sides: those that are over for an hour and more (and for as long as the sources are behind),
// that CloudWatch was read for, and that began after the first events of the account's mail came.
type EventCoverage struct {
	// From and To bound the hours that are looked at, Hours is how many of them could be compared.
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Hours int       `json:"hours"`
	// Events is the signal event_coverage: sends, deliveries, bounces and complaints together.
	Events Coverage `json:"events"`
	// ConfigurationSet is the share of mail that had a configuration set and published its events, at least: without one
	// nothing is published. FeedbackID is the signal feedback_id_coverage: the share of the mail known to us that had a tag
	// ses:feedback-id-a or -b.
	ConfigurationSet Coverage `json:"configuration_set"`
	FeedbackID       Coverage `json:"feedback_id"`
	// Of are the parts of Events.
	Of []CoverageOf `json:"of"`
	// Sets are configuration sets that CloudWatch has counts for, the worst first; Uncompared are how many others sent mail.
	Sets       []SetCoverage `json:"configuration_sets,omitempty"`
	Uncompared int           `json:"configuration_sets_uncompared,omitempty"`
	// Explains says what the findings may come from, and what cannot be known.
	Explains []string `json:"explains"`
}

// Coverage is a share of something. It is left out when it cannot be told.
type Coverage struct {
	Share       *float64       `json:"value,omitempty"`
	Numerator   int64          `json:"numerator"`
	Denominator int64          `json:"denominator"`
	State       signal.State   `json:"state"`
	Finding     signal.Finding `json:"finding,omitempty"`
}

// CoverageOf is the coverage of one type of event.
type CoverageOf struct {
	// Of is send, delivery, bounce or complaint.
	Of string `json:"of"`
	// Ours is what we counted; Maybe came beside it, and CloudWatch may or may not count it: suppressed recipients as
	// bounces or complaints, reports that mail is not spam as complaints.
	Ours  int64 `json:"ours"`
	Maybe int64 `json:"maybe,omitempty"`
	// CloudWatch is what CloudWatch counted.
	CloudWatch int64          `json:"cloudwatch"`
	Share      *float64       `json:"value,omitempty"`
	State      signal.State   `json:"state"`
	Finding    signal.Finding `json:"finding,omitempty"`
	// ShortHours and ExcessHours are how many hours were too low or too high by themselves.
	ShortHours  int `json:"short_hours,omitempty"`
	ExcessHours int `json:"excess_hours,omitempty"`
}

// SetCoverage is the coverage of a configuration set.
type SetCoverage struct {
	ConfigurationSet string       `json:"configuration_set"`
	Events           Coverage     `json:"events"`
	Of               []CoverageOf `json:"of"`
}

// coverageMetric is a count of CloudWatch and the outcomes of ours that are the same, or may be.
type coverageMetric struct {
	metric string
	ours   []observation.Outcome
	maybe  []observation.Outcome
}

// coverageMetrics are the counts that are compared. SES publishes a suppressed recipient as a bounce, or as a complaint,
// that it did not count; whether CloudWatch counts it is not documented.
func coverageMetrics() []coverageMetric {
	return []coverageMetric{
		{observation.AccountSend, []observation.Outcome{observation.Sent}, nil},
		{observation.AccountDelivery, []observation.Outcome{observation.Delivered}, nil},
		{
			observation.AccountBounce,
			[]observation.Outcome{
				observation.HardBounced, observation.SoftBounced, observation.UndeterminedBounced, observation.AutoreplySuspected,
			},
			[]observation.Outcome{observation.Suppressed},
		},
		{
			observation.AccountComplaint, []observation.Outcome{observation.Complained},
			[]observation.Outcome{observation.NotSpam, observation.Suppressed},
		},
	}
}

// coverage compares what we counted of an account with what CloudWatch did.
func (a *accountReadings) coverage(b *books) EventCoverage {
	e := EventCoverage{From: b.from.UTC(), To: b.to.UTC(), Of: []CoverageOf{}}
	hours := a.hours(b, observation.AccountPartMetrics)
	e.Hours = len(hours)
	var whole []signal.Agreement
	for _, m := range coverageMetrics() {
		agreement := a.agree(b, m, "", hours)
		whole = append(whole, agreement)
		e.Of = append(e.Of, newCoverageOf(m.metric, &agreement))
	}
	joined := signal.Join(whole...)
	e.Events = newCoverage(&joined)
	a.coverageOfSets(b, &e)
	e.ConfigurationSet = a.setShare(b, hours)
	e.FeedbackID = a.feedbackShare(b)
	e.Explains = a.explains(b, &e)
	return e
}

func newCoverage(a *signal.Agreement) Coverage {
	c := Coverage{Numerator: a.Matched, Denominator: a.Theirs, State: a.State, Finding: a.Finding}
	if share, ok := a.Share(); ok {
		c.Share = new(short(share))
	}
	return c
}

func newCoverageOf(of string, a *signal.Agreement) CoverageOf {
	c := CoverageOf{
		Of: of, Ours: a.Ours, Maybe: a.Maybe, CloudWatch: a.Theirs, State: a.State, Finding: a.Finding, ShortHours: a.ShortHours,
		ExcessHours: a.ExcessHours,
	}
	if share, ok := a.Share(); ok {
		c.Share = new(short(share))
	}
	return c
}

// hours are the starts of the hours in which a part was read and our counts began, in order.
func (a *accountReadings) hours(b *books, part observation.AccountPart) (hours []int64) {
	since := a.since(b)
	for at := b.from; at.Before(b.to); at = at.Add(time.Hour) {
		if _, ok := a.read[readHour{part, at.Unix()}]; ok && !at.Before(since) {
			hours = append(hours, at.Unix())
		}
	}
	return hours
}

// since is the first whole hour from which on the account's events are expected: from the first Send that came; when none
// ever did, from the first event; when nothing came at all, from when CloudWatch was first read. A configuration set is
// expected since its account is: one whose events never came is what is looked for.
func (a *accountReadings) since(b *books) time.Time {
	p := b.published[a.place]
	at := p.send
	if at.IsZero() {
		at = p.other
	}
	if at.IsZero() {
		at = a.firstRead
	}
	if whole := at.Truncate(time.Hour); !whole.Equal(at) {
		return whole.Add(time.Hour)
	}
	return at
}

// agree compares one count over the hours. One that CloudWatch does not have cannot be compared.
func (a *accountReadings) agree(b *books, m coverageMetric, set string, hours []int64) signal.Agreement {
	counted := make([]signal.Counted, 0, len(hours))
	known := false
	for i, hour := range hours {
		theirs, ok := a.counts[countKey{m.metric, set, hour}]
		known = known || ok || set == "" && slices.Contains(strings.Fields(a.read[readHour{observation.AccountPartMetrics, hour}]), m.metric)
		c := signal.Counted{Theirs: theirs, Gap: i > 0 && hours[i-1] != hour-step}
		if ours := b.counted[countedKey{a.place, set, hour}]; ours != nil {
			c.Ours, c.Maybe = ours.sum(m.ours), ours.sum(m.maybe)
		}
		counted = append(counted, c)
	}
	if !known {
		counted = nil
	}
	return signal.Agree(counted)
}

// coverageOfSets compares the configuration sets that CloudWatch has counts for.
func (a *accountReadings) coverageOfSets(b *books, e *EventCoverage) {
	theirs, ours := map[string]bool{}, map[string]bool{}
	for key := range a.counts {
		if key.set != "" && key.hour >= b.from.Unix() && key.hour < b.to.Unix() {
			theirs[key.set] = true
		}
	}
	for key := range b.counted {
		if key.place == a.place && key.set != "" && !theirs[key.set] {
			ours[key.set] = true
		}
	}
	e.Uncompared = len(ours)
	hours := a.hours(b, observation.AccountPartSets)
	for set := range theirs {
		s := SetCoverage{ConfigurationSet: set, Of: []CoverageOf{}}
		var whole []signal.Agreement
		for _, m := range coverageMetrics() {
			agreement := a.agree(b, m, set, hours)
			if agreement.State == signal.NoData {
				continue
			}
			whole = append(whole, agreement)
			s.Of = append(s.Of, newCoverageOf(m.metric, &agreement))
		}
		joined := signal.Join(whole...)
		s.Events = newCoverage(&joined)
		e.Sets = append(e.Sets, s)
	}
	slices.SortFunc(e.Sets, func(a, b SetCoverage) int {
		return cmp.Or(cmp.Compare(b.Events.badness(), a.Events.badness()), cmp.Compare(a.ConfigurationSet, b.ConfigurationSet))
	})
	e.Sets = e.Sets[:min(len(e.Sets), maxSets)]
}

// badness is larger for what comes first: errors, then what is missing most.
func (c *Coverage) badness() int64 {
	if c.State == signal.Error {
		return 1 << 62
	}
	return c.Denominator - c.Numerator
}

// setShare is the share of the account's mail that had a configuration set: of each set the larger of what we and
// CloudWatch counted, because either may know nothing of it.
func (a *accountReadings) setShare(b *books, hours []int64) Coverage {
	send := coverageMetrics()[0]
	theirs, known := int64(0), false
	bySet := map[string]*[2]int64{}
	set := func(name string) *[2]int64 {
		if bySet[name] == nil {
			bySet[name] = new([2]int64)
		}
		return bySet[name]
	}
	inHours := func(hour int64) bool { _, ok := slices.BinarySearch(hours, hour); return ok }
	for key, n := range a.counts {
		switch {
		case key.metric != send.metric || !inHours(key.hour):
		case key.set == "":
			theirs, known = theirs+n, true
		default:
			set(key.set)[0] += n
		}
	}
	for key, n := range b.counted {
		if key.place == a.place && key.set != "" && inHours(key.hour) {
			set(key.set)[1] += n.sum(send.ours)
		}
	}
	if !known {
		return Coverage{State: signal.NoData}
	}
	with := int64(0)
	for _, n := range bySet {
		with += max(n[0], n[1])
	}
	agreement := signal.Agree([]signal.Counted{{Ours: with, Theirs: theirs}})
	if agreement.Finding == signal.Deaf {
		agreement.Finding, agreement.State = signal.Short, signal.OK // no mail with a set is a measured share
	}
	return newCoverage(&agreement)
}

// feedbackShare is the share of the mail known to us that says in its Feedback-ID what it belongs to.
func (a *accountReadings) feedbackShare(b *books) Coverage {
	c := Coverage{State: signal.Idle}
	for at := b.from; at.Before(b.to); at = at.Add(time.Hour) {
		n := b.uses[at.Unix()].mail[a.place]
		c.Numerator, c.Denominator = c.Numerator+n.tagged, c.Denominator+n.sent
	}
	p, published := b.published[a.place]
	switch {
	case c.Denominator > 0:
		c.Share = new(short(float64(c.Numerator) / float64(c.Denominator)))
		if c.State = signal.OK; c.Denominator < signal.CoverageFloor {
			c.State = signal.Insufficient
		}
	case !published || p.send.IsZero():
		c.State = signal.NoData
	}
	return c
}

// explains says what may be behind the findings.
func (a *accountReadings) explains(b *books, e *EventCoverage) []string {
	var deaf, short, excess, maybe bool
	note := func(of []CoverageOf) {
		for i := range of {
			deaf = deaf || of[i].Finding == signal.Deaf
			short = short || of[i].Finding == signal.Short || of[i].ShortHours > 0
			excess = excess || of[i].Finding == signal.Excess
			maybe = maybe || of[i].Maybe > 0
		}
	}
	note(e.Of)
	for i := range e.Sets {
		note(e.Sets[i].Of)
	}
	all := []string{}
	add := func(when bool, text string) {
		if when {
			all = append(all, text)
		}
	}
	add(e.Hours == 0, "No hour can be compared yet: CloudWatch must have been read for hours that are over, of which events came.")
	add(deaf, "CloudWatch counted events of a type of which none reached us: look at what the configuration sets publish, at "+
		"the topic's subscription and at the queue.")
	add(short, "Fewer events reached us than CloudWatch counted: mail without a configuration set, a set that does not publish "+
		"every type, or events that were lost on their way (EventBridge delivers on best effort).")
	add(excess, "More events were counted here than by CloudWatch, so that no share is told: events that were repeated after "+
		"their ids had been forgotten (mailvane.dedupe.horizon), a replay of saved events, points that CloudWatch has not yet, "+
		"or mail to several recipients, of which SES does not document how CloudWatch counts it; here each recipient counts.")
	add(maybe, "Suppressed recipients and not-spam reports (maybe) are counted as far as it takes to agree: SES does not document "+
		"whether CloudWatch counts them.")
	add(b.lag > coverageSettles, "Events are behind; the hours that are compared end before them.")
	add(b.unplaced > 0, "Some events do not say which account or region sent the mail; they are in no account's coverage.")
	return all
}
