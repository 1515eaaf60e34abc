package app

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/schedule"
)

// The kinds of sources.
const (
	kindSES          = "ses"
	kindPostmaster   = "postmaster"
	kindReceiptRules = "receipt_rules"
	kindAccount      = "account"
)

// jobOf names the passes over a source.
func jobOf(kind string, name config.Name) string { return kind + "/" + string(name) }

// kindOf is the kind of the source that a job reads.
func kindOf(job string) string {
	kind, _, _ := strings.Cut(job, "/")
	return kind
}

// source is something that is read.
type source struct {
	// config is the part of the configuration that says how it is read.
	config any
	// passes is the job that reads it, chores what else is done for it.
	passes schedule.Job
	chores []schedule.Job
	// queue is what is known of a queue; nil for sources of other kinds.
	queue *queue
}

// wish is a source that the configuration wants to be read, and how it is made.
type wish struct {
	config any
	build  func(context.Context) (*source, error)
}

// wishes lists what is to be read, by the names of the jobs.
func (d *Daemon) wishes(c *config.Config) map[string]wish {
	all := make(map[string]wish)
	for _, q := range c.Collectors.SES {
		all[jobOf(kindSES, q.Name)] = wish{q, func(ctx context.Context) (*source, error) { return d.newQueue(ctx, q) }}
	}
	for _, a := range c.Collectors.Postmaster {
		all[jobOf(kindPostmaster, a.Name)] = wish{a, func(context.Context) (*source, error) { return d.newAccount(a) }}
	}
	for _, r := range c.Collectors.ReceiptRules {
		r.Rules = nil // they say what is made of what was read
		all[jobOf(kindReceiptRules, r.Name)] = wish{r, func(ctx context.Context) (*source, error) { return d.newReceiptRules(ctx, r) }}
	}
	for _, a := range c.Collectors.Account {
		all[jobOf(kindAccount, a.Name)] = wish{a, func(ctx context.Context) (*source, error) { return d.newSESAccount(ctx, a) }}
	}
	return all
}

// collect makes a pass over a source with positions, from where the ledger says that the last one ended.
func (d *Daemon) collect(ctx context.Context, name string, collector collectors.Collector) error {
	from, err := d.ledger.Positions(ctx, name)
	if err != nil {
		return &collectors.Error{Source: name, Op: "look up how far was read", Reason: collectors.ReasonLedger, Err: err}
	}
	return collector.Collect(ctx, from, d.intake)
}

// setSources makes the sources of the configuration those that are read: those that are gone or changed are let go first,
// the others go on untouched. d.reloading is held.
func (d *Daemon) setSources(ctx context.Context, c *config.Config) error {
	wanted := d.wishes(c)
	for name, s := range d.sources {
		if w, ok := wanted[name]; ok && reflect.DeepEqual(w.config, s.config) {
			delete(wanted, name)
			continue
		}
		if err := d.dropSource(ctx, name, s); err != nil {
			return err
		}
	}
	for name, w := range wanted {
		if err := d.addSource(ctx, name, w); err != nil {
			return err
		}
	}
	return nil
}

// keepSources starts what should be read and is not, because a reload could neither put a new configuration in force nor all
// of the old one back.
func (d *Daemon) keepSources(ctx context.Context) (bool, error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	return false, d.setSources(ctx, d.config)
}

// dropRefused lets the sources go that wait for a person to act. Whoever reloads may just have acted, and setSources takes
// them up again without the pause. d.reloading is held.
func (d *Daemon) dropRefused(ctx context.Context) error {
	for _, state := range d.passes.States() {
		s := d.sources[state.Name]
		if s == nil || state.Health() != schedule.HealthFailing || !state.Reason.Permanent() {
			continue
		}
		if err := d.dropSource(ctx, state.Name, s); err != nil {
			return err
		}
	}
	return nil
}

// dropSource lets a source go. It counts as gone even when its passes have not ended in time, for they will.
func (d *Daemon) dropSource(ctx context.Context, name string, s *source) error {
	d.mu.Lock()
	delete(d.sources, name)
	d.mu.Unlock()
	return d.endSource(ctx, name, s)
}

// endSource ends the jobs of a source and waits for them.
func (d *Daemon) endSource(ctx context.Context, name string, s *source) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := d.passes.Remove(ctx, name); err != nil {
		return fmt.Errorf("stop reading %s: %w", name, err)
	}
	for _, job := range s.chores {
		if err := d.chores.Remove(ctx, job.Name); err != nil {
			return fmt.Errorf("stop reading %s: %w", name, err)
		}
	}
	return nil
}

func (d *Daemon) addSource(ctx context.Context, name string, w wish) error {
	s, err := w.build(ctx)
	if err != nil {
		return err
	}
	if err := d.endSource(ctx, name, s); err != nil { // what an earlier drop did not wait for
		return err
	}
	if err := d.passes.Add(s.passes); err != nil {
		return err
	}
	d.mu.Lock()
	d.sources[name] = s
	d.mu.Unlock()
	for _, job := range s.chores {
		if err := d.chores.Add(job); err != nil {
			return err
		}
	}
	return nil
}

// failingSince says since when every queue has been failing; the zero time when one is well or there is none. What is late by
// days anyway has no part in it.
func (d *Daemon) failingSince() time.Time {
	newest, none := time.Unix(math.MinInt32, 0), true
	for _, s := range d.passes.States() {
		if kindOf(s.Name) != kindSES {
			continue
		}
		if h := s.Health(); h == schedule.HealthOK || h == schedule.HealthStarting {
			return time.Time{}
		}
		none = false
		since := s.LastSuccess
		if since.IsZero() {
			since = d.started
		}
		if since.After(newest) {
			newest = since
		}
	}
	if none {
		return time.Time{}
	}
	return newest
}
