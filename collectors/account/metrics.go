package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// trailing is how far back counts are read again: SES's points come minutes late as a rule, and CloudWatch takes them
	// for longer.
	trailing = 3 * time.Hour
	// settled is how long an hour must be over for its counts to be final.
	settled = 15 * time.Minute
	// backfill is how far back the first pass reads: CloudWatch lists no series that had no data for so long.
	backfill = 14 * day
	// catchUp is how far back an outage is caught up.
	catchUp = 60 * day
	// stride is how much is read at once, so that a long catch-up is neither held in memory nor lost when it is cut short.
	stride = 2 * day
	// tenantStride is that of tenants, whose counts are by the day.
	tenantStride = 30 * day
)

// group is a part of the counts that is read together.
type group struct {
	part     observation.AccountPart
	counters []counter
	// width is that of a reading, stride what is read at once.
	width, stride time.Duration
}

// metrics reads the account's counts and rates, and, when they are due, those of configuration sets and tenants.
func (p *pass) metrics(ctx context.Context) error {
	details := p.due(positionDetails)
	before := len(p.faults)
	known := p.c.known
	if known == nil || details {
		listed, err := p.c.list(ctx)
		if err := p.settle(ctx, observation.AccountPartSeries, err); err != nil {
			return err
		}
		if err == nil {
			known, p.c.known = listed, listed
		}
	}
	groups := []group{{observation.AccountPartMetrics, blindCounters(), time.Hour, stride}}
	if known != nil {
		p.progress.Ignored, p.progress.Folded = known.ignored, known.folded
		groups[0].counters = known.account
		if details {
			groups = append(groups, group{observation.AccountPartSets, known.sets, time.Hour, stride},
				group{observation.AccountPartTenantMetrics, known.tenants, day, tenantStride})
		}
	}
	for i := range groups {
		if p.cloudOver {
			break
		}
		p.progress.Series += len(groups[i].counters)
		err := p.group(ctx, &groups[i])
		if err := p.settle(ctx, groups[i].part, err); err != nil {
			return err
		}
	}
	if !details || p.failed(before) {
		return p.put(ctx, nil)
	}
	return p.put(ctx, collectors.Positions{positionDetails: formatPosition(p.now)})
}

// group reads the counts of a group from where the last pass left off, and the hours before.
func (p *pass) group(ctx context.Context, g *group) error {
	to := p.now.Truncate(g.width).Add(g.width)
	from := p.now.Add(-backfill)
	if at := p.position(string(g.part)); !at.IsZero() {
		from = at.Add(-g.width - trailing)
		if oldest := p.now.Add(-catchUp); from.Before(oldest) {
			from = oldest
		}
	}
	for from = from.Truncate(g.width); from.Before(to); from = from.Add(g.stride) {
		w := cloudwatch.Window{From: from, To: from.Add(g.stride), Period: g.width}
		if w.To.After(to) {
			w.To = to
		}
		if err := p.window(ctx, g, w); err != nil {
			return err
		}
	}
	return nil
}

// window reads the counts of one window. What came is put even if some is missing; then the position stays.
func (p *pass) window(ctx context.Context, g *group, w cloudwatch.Window) error {
	var results []cloudwatch.Result
	if len(g.counters) > 0 {
		queries := make([]cloudwatch.Query, len(g.counters))
		for i := range g.counters {
			queries[i] = g.counters[i].query
		}
		var err error
		if results, err = p.c.account.Read(ctx, queries, w); err != nil {
			return err
		}
	}
	p.values(g, results)
	if err := p.whole(g, results); err != nil {
		if stored := p.put(ctx, nil); stored != nil {
			return stored
		}
		return err
	}
	text := metricsOf(g.counters)
	for start := w.From; start.Before(w.To); start = start.Add(g.width) {
		if end := start.Add(g.width); p.now.Sub(end) >= settled {
			p.add(period{start, end}, observation.AccountCloudWatch, observation.AccountRead, string(g.part), new(1.0), text)
		}
	}
	return p.put(ctx, collectors.Positions{string(g.part): formatPosition(w.To)})
}

// values notes the values of the results. Of two spellings of one count the larger holds.
func (p *pass) values(g *group, results []cloudwatch.Result) {
	type key struct {
		metric, detail string
		start          int64
	}
	values := map[key]float64{}
	for i := range results {
		c := &g.counters[i]
		for _, point := range results[i].Points {
			if !measured(point.Value) || c.query.Stat == cloudwatch.Average && point.Value > 1 {
				continue
			}
			k := key{c.metric, c.detail, point.At.Truncate(g.width).Unix()}
			values[k] = max(values[k], point.Value)
		}
	}
	for k, v := range values {
		start := time.Unix(k.start, 0).UTC()
		p.add(period{start, start.Add(g.width)}, observation.AccountCloudWatch, k.metric, k.detail, &v, "")
	}
}

// whole says what is missing in the results, nil when nothing is.
func (p *pass) whole(g *group, results []cloudwatch.Result) error {
	missed := 0
	for i := range results {
		switch results[i].Status {
		case cloudwatch.StatusComplete:
		case cloudwatch.StatusForbidden:
			return &collectors.Error{
				Source: p.c.name, Op: "read the metrics of", Reason: collectors.ReasonAuth,
				Hint: awsfault.HintPermission(g.part.Action()), Permission: g.part.Action(),
				Err: fmt.Errorf("CloudWatch forbids to read %s", g.counters[i].query.Series.Metric),
			}
		default:
			missed++
		}
	}
	if missed > 0 {
		err := fmt.Errorf("CloudWatch answered %d of %d metrics in part or not at all", missed, len(results))
		return p.c.fault("read the metrics of", collectors.ReasonUnavailable, err)
	}
	return nil
}

// metricsOf names the readings that counters become, in order.
func metricsOf(counters []counter) string {
	var names []string
	for i := range counters {
		names = append(names, counters[i].metric)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}
