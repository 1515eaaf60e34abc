package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// inboundDays is how many days of what receipt rules did are looked at: a week, and the one from which a habit is known.
	inboundDays = 14
	// inboundTail is how much of that is read each time: what a collector reads again. All of it is read every hour, and
	// when a collector has caught up.
	inboundTail  = 4 * time.Hour
	inboundEvery = time.Hour
	// inboundStale is after how long without figures of CloudWatch an account and region are stale: they are read every 5
	// minutes and are late by minutes.
	inboundStale = 30 * time.Minute
)

// inboundReader keeps what was read about receipt rules, so that most of it need not be read every minute.
type inboundReader struct {
	readAt  time.Time // when all of it was read
	lastAt  time.Time
	through map[string]int64
	rules   map[observation.ReceiptRule]*[receiptResults][]receiptCount
	// days are the newest readings of what is told by the day.
	days map[receiptDay]ledger.ReadingRow
	// since is the start of a period that is over, whatever the window; zero where windows end now.
	since time.Time
}

// receiptResults is how many results are counted, in the order of observation.ReceiptResults.
const receiptResults = 4

// receiptCount is a sum of a period that begins at start, in Unix seconds.
type receiptCount struct{ start, n int64 }

type receiptDay struct {
	rule   observation.ReceiptRule
	metric string
}

// inbound is what is known of receipt rules at one time. It does not change.
type inbound struct {
	asOf    time.Time
	rules   []receiptFigures
	regions []InboundRegion
}

// receiptFigures is what is known of one rule.
type receiptFigures struct {
	id observation.ReceiptRule
	// events are those of the rolling windows, in the order of signal.Windows.
	events [3][receiptResults]int64
	// failingSince and lasting are as signal.FailingSince.
	failingSince time.Time
	lasting      time.Duration
	silence      signal.Silence
	// through is up to when the account and region were read, zero when they never were.
	through time.Time
	stale   bool
	// described says that the active rule set has the rule; the rest is what it says.
	described, disabled bool
	recipients          int64
	actions             string
}

// RefreshInbound reads what receipt rules did, as of the last Refresh. It is called by one loop, about once a minute; after an
// error the view keeps what it knew.
func (v *View) RefreshInbound(ctx context.Context) error {
	v.receiving.Lock()
	defer v.receiving.Unlock()
	v.mu.RLock()
	asOf := v.asOf
	v.mu.RUnlock()
	if asOf.IsZero() {
		return nil
	}
	r := &v.inboundReader
	all := r.readAt.IsZero() || asOf.Sub(r.readAt) >= inboundEvery || asOf.Sub(r.lastAt) >= inboundEvery
	if err := r.readDays(ctx, v.reader, asOf, all); err != nil {
		return fmt.Errorf("read the readings about receipt rules: %w", err)
	}
	if err := r.readCounts(ctx, v.reader, asOf, all || r.jumped()); err != nil {
		return fmt.Errorf("read what receipt rules did: %w", err)
	}
	r.noteThrough()
	v.inbound.Store(r.figures(asOf))
	return nil
}

// readDays reads what is told by the day. Its readings begin at midnight in UTC.
func (r *inboundReader) readDays(ctx context.Context, reader Reader, asOf time.Time, all bool) error {
	days := 2
	if all {
		r.days, days = map[receiptDay]ledger.ReadingRow{}, inboundDays
	}
	today := asOf.UTC().Truncate(24 * time.Hour)
	for d := days - 1; d >= 0; d-- {
		from := today.AddDate(0, 0, -d)
		rows, err := reader.Readings(ctx, ledger.ReadingQuery{
			Source: observation.ReceiptRules, From: from, To: from.Add(time.Second),
		})
		if err != nil {
			return err
		}
		for i := range rows {
			id, ok := observation.CutReceiptRule(rows[i].Key.Subject)
			if ok && !slices.Contains(observation.ReceiptResults(), rows[i].Key.Metric) {
				r.days[receiptDay{id, rows[i].Key.Metric}] = rows[i]
			}
		}
	}
	return nil
}

// readCounts reads the newest of what rules did, or all of it. One call is one short read.
func (r *inboundReader) readCounts(ctx context.Context, reader Reader, asOf time.Time, all bool) error {
	end := asOf.Add(signal.ReceiptPeriod)
	oldest := asOf.AddDate(0, 0, -inboundDays)
	if !r.since.IsZero() && r.since.Before(oldest) {
		oldest = r.since
	}
	from := asOf.Add(-inboundTail)
	if all {
		from = oldest
	}
	read := map[observation.ReceiptRule]*[receiptResults][]receiptCount{}
	for start := from; start.Before(end); start = start.Add(24 * time.Hour) {
		to := start.Add(24 * time.Hour)
		if to.After(end) {
			to = end
		}
		rows, err := reader.Readings(ctx, ledger.ReadingQuery{Source: observation.ReceiptRules, From: start, To: to})
		if err != nil {
			return err
		}
		for i := range rows {
			id, ok := observation.CutReceiptRule(rows[i].Key.Subject)
			result := slices.Index(observation.ReceiptResults(), rows[i].Key.Metric)
			if !ok || result < 0 || rows[i].Value == nil {
				continue
			}
			if read[id] == nil {
				read[id] = new([receiptResults][]receiptCount)
			}
			read[id][result] = append(read[id][result], receiptCount{rows[i].Start.Unix(), int64(*rows[i].Value)})
		}
	}
	for _, counts := range read {
		for i := range counts {
			slices.SortFunc(counts[i], func(a, b receiptCount) int { return cmp.Compare(a.start, b.start) })
		}
	}
	if !all {
		r.merge(read, oldest.Unix(), from.Unix())
	} else {
		r.rules, r.readAt = read, asOf
	}
	r.lastAt = asOf
	return nil
}

// merge replaces what began at from or later, and forgets what began before oldest.
func (r *inboundReader) merge(read map[observation.ReceiptRule]*[receiptResults][]receiptCount, oldest, from int64) {
	for id := range read {
		if r.rules[id] == nil {
			r.rules[id] = new([receiptResults][]receiptCount)
		}
	}
	for id, counts := range r.rules {
		empty := true
		for i := range counts {
			kept := counts[i][startOf(counts[i], oldest):startOf(counts[i], from)]
			if read[id] != nil {
				kept = append(kept, read[id][i]...)
			}
			counts[i] = kept
			empty = empty && len(kept) == 0
		}
		if empty {
			delete(r.rules, id)
		}
	}
}

// startOf is the index of the first count that begins at or after a time.
func startOf(counts []receiptCount, at int64) int {
	i, _ := slices.BinarySearchFunc(counts, at, func(c receiptCount, at int64) int { return cmp.Compare(c.start, at) })
	return i
}

// jumped says whether an account and region were read on by more than the tail covers, as after an outage.
func (r *inboundReader) jumped() bool {
	for subject, through := range r.throughs() {
		if through-r.through[subject] > int64(inboundEvery/time.Second) {
			return true
		}
	}
	return false
}

func (r *inboundReader) noteThrough() { r.through = r.throughs() }

// throughs is up to when each account and region was read, in Unix seconds.
func (r *inboundReader) throughs() map[string]int64 {
	all := map[string]int64{}
	for key, row := range r.days {
		if key.metric == observation.ReceiptThrough && row.Value != nil {
			all[row.Key.Subject] = int64(*row.Value)
		}
	}
	return all
}

// figures makes of what was read what answers say.
func (r *inboundReader) figures(asOf time.Time) *inbound {
	in := &inbound{asOf: asOf}
	through := r.throughs()
	rules := map[observation.ReceiptRule]*receiptFigures{}
	rule := func(id observation.ReceiptRule) *receiptFigures {
		if rules[id] == nil {
			f := &receiptFigures{id: id, silence: signal.SilenceOf(nil, asOf)}
			if at, ok := through[observation.JoinReceiptRule(regionOf(id))]; ok {
				if f.through = time.Unix(at, 0).UTC(); f.through.After(asOf) {
					f.through = asOf.UTC()
				}
				f.stale = asOf.Sub(f.through) > inboundStale
			}
			rules[id] = f
		}
		return rules[id]
	}
	sets := r.describe(rule)
	for id, counts := range r.named(sets) {
		rule(id).count(counts, asOf, r.since)
	}
	for _, f := range rules {
		in.rules = append(in.rules, *f)
	}
	slices.SortFunc(in.rules, func(a, b receiptFigures) int { return compareReceiptRules(a.id, b.id) })
	in.regions = r.regions(through, sets, asOf)
	return in
}

// describe takes what the active rule sets say, and returns their names by account and region.
func (r *inboundReader) describe(rule func(observation.ReceiptRule) *receiptFigures) map[observation.ReceiptRule]string {
	sets, newest := map[observation.ReceiptRule]string{}, map[observation.ReceiptRule]time.Time{}
	for key, row := range r.days {
		region := regionOf(key.rule)
		if key.metric == observation.ReceiptRuleCount && row.Start.After(newest[region]) {
			sets[region], newest[region] = key.rule.RuleSet, row.Start
		}
	}
	for key, row := range r.days {
		// Rules that the newest description no longer has were deleted.
		if key.metric != observation.ReceiptRecipientCount || row.Value == nil || row.Start.Before(newest[regionOf(key.rule)]) ||
			key.rule.RuleSet != sets[regionOf(key.rule)] {
			continue
		}
		f := rule(key.rule)
		f.described, f.disabled = true, row.Text == observation.ReceiptDisabled
		f.recipients = int64(*row.Value)
		f.actions = r.days[receiptDay{key.rule, observation.ReceiptActions}].Text
	}
	return sets
}

// named are the counts of rules, those that CloudWatch named without a rule set under the active rule set if it has them.
func (r *inboundReader) named(sets map[observation.ReceiptRule]string) map[observation.ReceiptRule]*[receiptResults][]receiptCount {
	all := make(map[observation.ReceiptRule]*[receiptResults][]receiptCount, len(r.rules))
	for id, counts := range r.rules {
		if id.RuleSet == "" {
			in := id
			in.RuleSet = sets[regionOf(id)]
			if _, ok := r.days[receiptDay{in, observation.ReceiptRecipientCount}]; ok {
				id = in
			}
		}
		if all[id] == nil {
			all[id] = counts
			continue
		}
		joined := new([receiptResults][]receiptCount)
		for i := range joined {
			joined[i] = slices.Concat(all[id][i], counts[i])
			slices.SortFunc(joined[i], func(a, b receiptCount) int { return cmp.Compare(a.start, b.start) })
		}
		all[id] = joined
	}
	return all
}

// count sums what was counted of a rule, in windows or since a time that is not zero.
func (f *receiptFigures) count(counts *[receiptResults][]receiptCount, asOf, since time.Time) {
	end := asOf.Truncate(signal.ReceiptPeriod)
	for i, w := range signal.Windows() {
		from := end.Add(-w.Span())
		if !since.IsZero() {
			from = since
		}
		for result := range counts {
			for _, c := range counts[result][startOf(counts[result], from.Unix()):] {
				f.events[i][result] += c.n
			}
		}
	}
	known := f.through
	if known.IsZero() {
		known = end
	}
	f.failingSince, f.lasting = signal.FailingSince(busy(counts[2]), known)
	mail := append(busy(counts[0]), busy(counts[1])...)
	slices.SortFunc(mail, time.Time.Compare)
	f.silence = signal.SilenceOf(slices.CompactFunc(mail, time.Time.Equal), known)
}

// busy are the starts of the periods in which something happened.
func busy(counts []receiptCount) (starts []time.Time) {
	for _, c := range counts {
		if c.n > 0 {
			starts = append(starts, time.Unix(c.start, 0).UTC())
		}
	}
	return starts
}

// regions says how the accounts and regions stand.
func (r *inboundReader) regions(through map[string]int64, sets map[observation.ReceiptRule]string, asOf time.Time) []InboundRegion {
	all := []InboundRegion{}
	for subject, at := range through {
		id, _ := observation.CutReceiptRule(subject)
		region := InboundRegion{
			Account: id.Account, Region: id.Region, Through: time.Unix(at, 0).UTC(), RulesLimit: observation.ReceiptRuleLimit,
			Access: r.days[receiptDay{id, observation.ReceiptActiveSet}].Text,
		}
		if asOf.Sub(region.Through) > inboundStale {
			region.State = signal.Stale
		}
		if region.Access == observation.ReceiptSetActive {
			set := id
			set.RuleSet = sets[id]
			region.RuleSet = set.RuleSet
			if n := r.days[receiptDay{set, observation.ReceiptRuleCount}].Value; n != nil {
				region.Rules = new(int64(*n))
			}
		}
		all = append(all, region)
	}
	slices.SortFunc(all, func(a, b InboundRegion) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
	})
	return all
}

// regionOf names the account and region of a rule.
func regionOf(id observation.ReceiptRule) observation.ReceiptRule {
	return observation.ReceiptRule{Account: id.Account, Region: id.Region}
}

func compareReceiptRules(a, b observation.ReceiptRule) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region),
		strings.Compare(a.RuleSet, b.RuleSet), strings.Compare(a.Rule, b.Rule))
}
