package app

import (
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/signal"
)

// observed is what the daemon tells of itself for a round of evaluation.
func (d *Daemon) observed() sampler.Daemon {
	status := d.status.Load()
	o := sampler.Daemon{
		Started: d.started,
		Horizons: []sampler.Horizon{
			{Class: "routine", Back: status.RoutineHorizon}, {Class: "exceptional", Back: status.ExceptionalHorizon},
		},
		QuarantineBytes: status.QuarantineBytes,
	}
	for _, s := range d.passes.States() {
		o.Sources = append(o.Sources, d.observedSource(&s, status))
	}
	for _, s := range d.alerts.sender.States() {
		o.Notifiers = append(o.Notifiers, sampler.Notifier{
			Name: s.Notifier, FailingSince: s.FailingSince, Unproven: s.LastSuccess.IsZero(),
		})
	}
	for _, f := range d.intake.Floods() {
		o.Floods = append(o.Floods, sampler.Flood{Tag: f.From, Names: f.Names})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o.QuarantineLimit = int64(d.config.Quarantine.MaxBytes)
	return o
}

func (d *Daemon) observedSource(s *schedule.State, status *ledger.Status) sampler.Source {
	o := sampler.Source{Name: s.Name, Kind: sampler.Kind(kindOf(s.Name)), State: signal.NoData}
	switch d.sourceState(s) {
	case sourceOK:
		o.State = signal.OK
	case sourceStale:
		o.State, o.StaleSince = signal.Stale, s.LastSuccess.Add(quietFor(s))
	case sourceError:
		o.State, o.FailingSince, o.Unproven = signal.Error, s.FailingSince, s.LastSuccess.IsZero()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	read := d.sources[s.Name]
	if read == nil { // it is being let go
		return o
	}
	if a, ok := read.config.(config.Postmaster); ok {
		o.API = postmaster.API(a.API).Source()
		for _, domain := range a.Domains {
			o.Domains = append(o.Domains, string(domain))
		}
	}
	if q := read.queue; q != nil {
		o.Quarantined = q.quarantined.Load()
		o.Queue = &sampler.Queue{
			Lag:     time.Duration(q.lag.Load()),
			Stopped: status.Unconfirmed[strings.TrimPrefix(s.Name, kindSES+"/")] >= maxUnconfirmed,
		}
	}
	return o
}
