package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// The subjects of positions that are no parts: when something was last asked for.
const (
	positionLists   = "lists"
	positionDetails = "details"
)

// pass is one pass.
type pass struct {
	c       *Collector
	sink    collectors.Sink
	from    collectors.Positions
	now     time.Time
	subject string
	// readings were read and not yet put.
	readings []observation.Reading
	progress Progress

	// faults are failures of parts; denied are those for want of a permission, read counts the parts that were read.
	faults, denied []error
	read           int
	// sesOver and cloudOver say that no more calls are to be made to that service in this pass.
	sesOver, cloudOver bool
}

// run goes through the parts. It ends early when the ledger does not take what was read, when ctx ends, and when the
// credentials are no good.
func (p *pass) run(ctx context.Context) error {
	steps := []func(context.Context) error{p.sending, p.lists, p.metrics}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return errors.Join(append(p.faults, err)...)
		}
	}
	if p.read == 0 && len(p.faults) == 0 {
		return errors.Join(p.denied...)
	}
	return errors.Join(p.faults...)
}

// settle deals with what became of a part: it notes that the part was read, or may not be, and returns the error of a part
// that ends the pass.
func (p *pass) settle(ctx context.Context, part observation.AccountPart, err error) error {
	reason := reasonOf(err)
	switch {
	case err == nil:
		p.read++
		p.add(p.hour(), part.Source(), observation.AccountAccess, string(part), nil, observation.AccountAccessOK)
		return nil
	case missing(err, part.Action()):
		p.denied = append(p.denied, err)
		p.add(p.hour(), part.Source(), observation.AccountAccess, string(part), nil, observation.AccountDenied)
		return nil
	case reason == "" || ctx.Err() != nil || reason == collectors.ReasonAuth || reason == collectors.ReasonLedger:
		return err
	}
	p.faults = append(p.faults, err)
	if reason == collectors.ReasonQuota || reason == collectors.ReasonUnavailable {
		if part.Source() == observation.AccountSES {
			p.sesOver = true
		} else {
			p.cloudOver = true
		}
	}
	return nil
}

// missing says whether the error is that this action is not allowed.
func missing(err error, action string) bool {
	e, ok := errors.AsType[*collectors.Error](err)
	return ok && e.Permission == action
}

// period is that of a reading.
type period struct{ start, end time.Time }

const day = 24 * time.Hour

// hour is the hour of asking, today the day of UTC.
func (p *pass) hour() period {
	start := p.now.Truncate(time.Hour)
	return period{start, start.Add(time.Hour)}
}

func (p *pass) today() period {
	start := p.now.Truncate(day)
	return period{start, start.Add(day)}
}

// add notes a reading.
func (p *pass) add(at period, source, metric, detail string, value *float64, text string) {
	p.readings = append(p.readings, observation.Reading{
		Key:   observation.ReadingKey{Source: source, Subject: p.subject, Metric: metric, Detail: detail},
		Start: at.start, End: at.end, Value: value, Text: text,
	})
}

// maxPut bounds the readings of one batch: a sink holds a whole batch at once.
const maxPut = 10_000

// put stores the readings that were noted; the positions go with the last of them.
func (p *pass) put(ctx context.Context, positions collectors.Positions) error {
	all := p.readings
	p.readings = p.readings[:0]
	for len(all) > 0 || positions != nil {
		n := min(len(all), maxPut)
		b := collectors.Batch{Source: p.c.name, Readings: all[:n]}
		if all = all[n:]; len(all) == 0 {
			b.Positions, positions = positions, nil
		}
		if err := p.sink.Put(ctx, b); err != nil {
			return p.c.fault("store readings of", collectors.ReasonLedger, err)
		}
		p.progress.Readings += n
	}
	p.c.observe(p.progress)
	return nil
}

// position is a time that was kept, zero when there is none or it is of a clock that was ahead.
func (p *pass) position(subject string) time.Time {
	at, err := time.Parse(time.RFC3339, p.from[subject])
	if err != nil || at.After(p.now.Add(day)) {
		return time.Time{}
	}
	return at.UTC()
}

func formatPosition(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// due says whether something that was last asked for at that position is to be asked for again.
func (p *pass) due(subject string) bool { return p.now.Sub(p.position(subject)) >= p.c.details }

// failed says whether a part of those failed, other than for want of a permission, since there were so many faults.
func (p *pass) failed(before int) bool { return len(p.faults) > before }

// sortItems puts what is worst first.
func sortItems(items []observation.AccountItem) {
	rank := func(i *observation.AccountItem) int {
		switch {
		case i.Status == "DISABLED":
			return 0
		case i.Impact == "HIGH":
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(items, func(a, b observation.AccountItem) int {
		if d := rank(&a) - rank(&b); d != 0 {
			return d
		}
		return strings.Compare(a.Resource, b.Resource)
	})
}
