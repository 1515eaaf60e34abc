package app

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
)

// bindGauges says what each gauge is read from.
func (d *Daemon) bindGauges() {
	d.bindCampaigns()
	d.bindProviders()
	d.bindSources()
	d.bindLedger()
	(&gmailGauges{d.view, d.tel, d.env.Now}).bind()
	(&awsGauges{d.view, d.tel, d.env.Now}).bind()
	d.bindCloudWatchCalls()
	d.bindAlerts()
	d.tel.Bind(telemetry.BuildInfo, func(emit telemetry.Emit) { emit(1, d.env.Version, runtime.Version()) })
	d.tel.Bind(telemetry.ConfigReloadSuccess, func(emit telemetry.Emit) {
		d.mu.Lock()
		defer d.mu.Unlock()
		emit(truth(!d.reload.refused))
	})
	d.tel.Bind(telemetry.ConfigReloadTimestamp, func(emit telemetry.Emit) {
		d.mu.Lock()
		defer d.mu.Unlock()
		emit(seconds(d.reload.at))
	})
}

func (d *Daemon) bindCampaigns() {
	d.tel.Bind(telemetry.CampaignCohortRecipients, func(emit telemetry.Emit) {
		rest := make(map[signal.Window]*view.Recipients)
		d.view.Walk(view.ByCampaign, func(s *view.Subject) bool {
			tenant, campaign, own := d.tel.CampaignName(observation.Campaign{Tenant: s.Tenant, Name: s.Campaign})
			for _, w := range signal.Windows() {
				counts := s.Recipients(w)
				if own {
					emitRecipients(emit, &counts, tenant, campaign, w)
					continue
				}
				if rest[w] == nil {
					rest[w] = new(view.Recipients)
				}
				for o := range counts {
					rest[w][o] += counts[o]
				}
			}
			return true
		})
		for w, counts := range rest {
			emitRecipients(emit, counts, "", observation.Other, w)
		}
	})
	for name, part := range signalGauges(telemetry.CampaignSignal, telemetry.CampaignSignalRecipients) {
		d.tel.Bind(name, func(emit telemetry.Emit) {
			d.view.Walk(view.ByCampaign, func(s *view.Subject) bool {
				tenant, campaign, own := d.tel.CampaignName(observation.Campaign{Tenant: s.Tenant, Name: s.Campaign})
				if own {
					eachFigure(s, func(sig signal.Signal, w signal.Window, f *signal.Figure) {
						emit(part(f), tenant, campaign, sig.String(), w.String())
					})
				}
				return true
			})
		})
	}
}

// signalGauges says what two gauges show of a figure: its rate, and of how many recipients that is a share.
func signalGauges(rate, recipients string) map[string]func(*signal.Figure) float64 {
	return map[string]func(*signal.Figure) float64{
		rate:       func(f *signal.Figure) float64 { return f.Value },
		recipients: func(f *signal.Figure) float64 { return float64(f.Denominator) },
	}
}

func emitRecipients(emit telemetry.Emit, counts *view.Recipients, tenant, campaign string, w signal.Window) {
	for _, o := range observation.Outcomes() {
		if counts[o] != 0 {
			emit(float64(counts[o]), tenant, campaign, o.String(), w.String())
		}
	}
}

func (d *Daemon) bindProviders() {
	for name, part := range signalGauges(telemetry.ProviderSignal, telemetry.ProviderSignalRecipients) {
		d.tel.Bind(name, func(emit telemetry.Emit) {
			d.placeProviders()
			d.view.Walk(view.ByProvider, func(s *view.Subject) bool {
				if provider, own := d.tel.ProviderName(s.Provider); own {
					eachFigure(s, func(sig signal.Signal, w signal.Window, f *signal.Figure) {
						emit(part(f), provider, sig.String(), w.String())
					})
				}
				return true
			})
		})
	}
}

// placeProviders asks for the places of providers among the exported in order of their mail. A place belongs to who asks first:
// in the order of a walk, small providers would take those of the large.
func (d *Daemon) placeProviders() {
	for _, provider := range d.largestProviders() {
		d.tel.ProviderName(provider)
	}
}

// largestProviders are all providers, those with the most mail this week first.
func (d *Daemon) largestProviders() []string {
	mail := map[string]int64{}
	d.view.Walk(view.ByProvider, func(s *view.Subject) bool {
		week := s.Recipients(signal.Week)
		mail[s.Provider] = max(week[observation.Sent], week[observation.Delivered])
		return true
	})
	return slices.SortedFunc(maps.Keys(mail), func(a, b string) int {
		return cmp.Or(cmp.Compare(mail[b], mail[a]), strings.Compare(a, b))
	})
}

// eachFigure calls do with every figure that is known, however weak; one that is stale or contradicts itself is not.
func eachFigure(s *view.Subject, do func(signal.Signal, signal.Window, *signal.Figure)) {
	for _, w := range signal.Windows() {
		for _, sig := range signal.Signals() {
			f := s.Figure(sig, w)
			if f.Known && (f.State == signal.OK || f.State == signal.Immature || f.State == signal.Insufficient) {
				do(sig, w, &f)
			}
		}
	}
}

func (d *Daemon) bindSources() {
	d.tel.Bind(telemetry.SourceState, func(emit telemetry.Emit) {
		for _, s := range d.passes.States() {
			is := d.sourceState(&s)
			for _, state := range sourceStates() {
				emit(truth(state == is), s.Name, state)
			}
		}
	})
	d.tel.Bind(telemetry.CollectorLastSuccess, func(emit telemetry.Emit) {
		for _, s := range d.passes.States() {
			if !s.LastSuccess.IsZero() {
				emit(seconds(s.LastSuccess), s.Name)
			}
		}
	})
	d.tel.Bind(telemetry.QueueLag, func(emit telemetry.Emit) {
		d.eachQueue(func(name string, q *queue) { emit(time.Duration(q.lag.Load()).Seconds(), name) })
	})
	d.tel.Bind(telemetry.QueueDepth, func(emit telemetry.Emit) {
		d.eachQueue(func(name string, q *queue) {
			if depth := q.depth.Load(); depth >= 0 {
				emit(float64(depth), name)
			}
		})
	})
	d.tel.Bind(telemetry.QueueUnconfirmed, func(emit telemetry.Emit) {
		unconfirmed := d.status.Load().Unconfirmed
		d.eachQueue(func(name string, _ *queue) { emit(float64(unconfirmed[name]), name) })
	})
}

func (d *Daemon) eachQueue(do func(name string, q *queue)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sources {
		if s.queue != nil {
			do(string(s.queue.config.Name), s.queue)
		}
	}
}

func (d *Daemon) bindLedger() {
	bind := func(name string, value func(*ledger.Status) float64) {
		d.tel.Bind(name, func(emit telemetry.Emit) { emit(value(d.status.Load())) })
	}
	bind(telemetry.QuarantineMessages, func(s *ledger.Status) float64 { return float64(s.Quarantined) })
	bind(telemetry.QuarantineSize, func(s *ledger.Status) float64 { return float64(s.QuarantineBytes) })
	d.tel.Bind(telemetry.QuarantineUsed, func(emit telemetry.Emit) {
		d.mu.Lock()
		limit := d.config.Quarantine.MaxBytes
		d.mu.Unlock()
		emit(float64(d.status.Load().QuarantineBytes) / float64(limit))
	})
	bind(telemetry.HeldNotifications, func(s *ledger.Status) float64 { return float64(s.Held) })
	bind(telemetry.LedgerSize, func(s *ledger.Status) float64 { return float64(s.Size) })
	bind(telemetry.LedgerWALSize, func(s *ledger.Status) float64 { return float64(s.WALSize) })
	bind(telemetry.LedgerWritable, func(s *ledger.Status) float64 { return truth(s.CommitErr == nil) })
	d.tel.Bind(telemetry.DedupeHorizon, func(emit telemetry.Emit) {
		s := d.status.Load()
		emit(s.RoutineHorizon.Seconds(), "routine")
		emit(s.ExceptionalHorizon.Seconds(), "exceptional")
	})
	d.tel.Bind(telemetry.NamesTracked, func(emit telemetry.Emit) {
		for _, n := range d.intake.FoldedNames() {
			emit(float64(n.Tracked), n.Dimension)
		}
	})
	d.tel.Observe(telemetry.NamesFolded, func(observe telemetry.Observe) {
		for _, n := range d.intake.FoldedNames() {
			observe(n.Folded, n.Dimension)
		}
	})
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds is a time as metrics have it: seconds since 1970.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
