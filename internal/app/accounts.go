package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/schedule"
)

const (
	// accountTimeout bounds a pass over a Google account. The first one reads four months, at a request a second; what it did
	// not come to is left to the next.
	accountTimeout = 2 * time.Hour
	// accountJitter bounds by how much passes over accounts are put off, the first one too.
	accountJitter = 5 * time.Second
	// progressEvery is how often a pass that takes long says how far it is.
	progressEvery = 30 * time.Second
)

// newAccount makes a Google account ready to be read.
func (d *Daemon) newAccount(c config.Postmaster) (*source, error) {
	o, err := accountOptions(d.env, &c)
	if err != nil {
		return nil, err
	}
	name, progress := o.Name, progressLog{log: d.log}
	o.Observe = func(p postmaster.Progress) { progress.note(d.env.Now(), &p) }
	collector, err := postmaster.New(o)
	if err != nil {
		return nil, err
	}
	every := time.Duration(c.Every)
	return &source{
		config: c,
		passes: schedule.Job{
			Name:          jobOf(kindPostmaster, c.Name),
			Every:         every,
			Jitter:        min(every/10, accountJitter),
			Timeout:       accountTimeout,
			MaxConcurrent: 1,
			Gate:          func() error { return d.gate(name) },
			Run: func(ctx context.Context) (bool, error) {
				progress.begin(d.env.Now())
				defer d.joinSoon() // a pass that failed may have stored a part
				return false, d.collect(ctx, name, collector)
			},
		},
	}, nil
}

// accountOptions are the options of an account's collector.
func accountOptions(env Environment, c *config.Postmaster) (postmaster.Options, error) {
	zone, err := time.LoadLocation(string(c.DayZone))
	if err != nil {
		return postmaster.Options{}, fmt.Errorf("account %s: %w", c.Name, err)
	}
	return postmaster.Options{
		Name:              string(c.Name),
		API:               postmaster.API(c.API),
		CredentialsFile:   string(c.CredentialsFile),
		Subject:           string(c.Subject),
		Domains:           texts(c.Domains),
		Window:            wholeDays(c.Window),
		Backfill:          wholeDays(c.Backfill),
		Zone:              zone,
		RequestsPerSecond: c.RequestsPerSecond,
		Endpoint:          string(c.Endpoint),
		Now:               env.Now,
	}, nil
}

// progressLog tells how far a pass is that takes long. It is used by one pass at a time.
type progressLog struct {
	log  *slog.Logger
	last time.Time
	told bool
}

func (l *progressLog) begin(now time.Time) { l.last, l.told = now, false }

func (l *progressLog) note(now time.Time, p *postmaster.Progress) {
	done := p.Days >= p.Total
	if now.Sub(l.last) < progressEvery && !(done && l.told) {
		return
	}
	l.last, l.told = now, true
	l.log.Info("reading Gmail's figures", "account", p.Source, "domains", p.Domains, "days", p.Days, "of", p.Total,
		"requests", p.Requests, "readings", p.Readings)
}

// wholeDays is a length of time in days, which the configuration checks to be whole.
func wholeDays(d config.Duration) int { return int(time.Duration(d) / (24 * time.Hour)) }

// texts are values of the configuration as plain text.
func texts[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = string(v)
	}
	return plain
}
