package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// The states of a source; they are those of a figure.
const (
	sourceOK     = "ok"
	sourceNoData = "no_data"
	sourceStale  = "stale"
	sourceError  = "error"
)

// sourceStates lists them, for the metric that has a series for each.
func sourceStates() []string { return []string{sourceOK, sourceNoData, sourceStale, sourceError} }

// sourceState sums up a job. A source without a success for longer than a pass over a queue can take, or than a few of its
// own rounds, is stale even if no pass failed.
func (d *Daemon) sourceState(s *schedule.State) string {
	switch s.Health() {
	case schedule.HealthFailing, schedule.HealthGated:
		return sourceError
	case schedule.HealthStarting:
		return sourceNoData
	default:
		if d.env.Now().Sub(s.LastSuccess) > quietFor(s) {
			return sourceStale
		}
		return sourceOK
	}
}

// quietFor is how long a source may go without a success.
func quietFor(s *schedule.State) time.Duration { return max(passTimeout, 3*s.Every) }

// describeSources says how everything that is read is, and how far the figures can be trusted.
func (d *Daemon) describeSources(ctx context.Context) (web.Sources, error) {
	published, err := d.ledger.Published(ctx)
	if err != nil {
		return web.Sources{}, fmt.Errorf("read published event types: %w", err)
	}
	unclassified, err := d.unclassified(ctx)
	if err != nil {
		return web.Sources{}, err
	}
	status := d.status.Load()
	s := web.Sources{
		Unclassified: unclassified,
		AsOf:         status.AsOf.UTC(),
		Sources:      []web.Source{},
		Published:    publishedOf(published),
		Ledger: web.LedgerInfo{
			Writable: status.CommitErr == nil, Bytes: status.Size, WALBytes: status.WALSize,
			Horizon: map[string]float64{
				"routine":     status.RoutineHorizon.Seconds(),
				"exceptional": status.ExceptionalHorizon.Seconds(),
			},
		},
		Quarantine: web.QuarantineInfo{Messages: status.Quarantined, Bytes: status.QuarantineBytes},
		Held:       status.Held,
	}
	if status.CommitErr != nil {
		s.Ledger.Error = status.CommitErr.Error()
	}
	for _, n := range d.intake.FoldedNames() {
		s.Names = append(s.Names, web.Names{Dimension: n.Dimension, Tracked: n.Tracked, Folded: n.Folded})
	}
	domains := d.view.Domains(view.DomainQuery{Window: signal.Week}).Domains
	for _, state := range d.passes.States() {
		s.Sources = append(s.Sources, d.sourceOf(&state, status, domains))
	}
	return s, nil
}

// maxUnclassified is how many replies without a known reason are shown.
const maxUnclassified = 20

// unclassified lists the most frequent replies for which no rule knew the reason, over all campaigns.
func (d *Daemon) unclassified(ctx context.Context) ([]web.Unclassified, error) {
	rows, err := d.ledger.Samples(ctx, ledger.SampleQuery{Reason: mailbox.ReasonUnknown, Limit: 50 * maxUnclassified})
	if err != nil {
		return nil, fmt.Errorf("read unclassified replies: %w", err)
	}
	type reply struct{ provider, outcome, text string }
	sums := make(map[reply]*web.Unclassified)
	all := []*web.Unclassified{}
	for _, row := range rows {
		key := reply{row.Cell.Provider, row.Cell.Outcome.String(), row.Text}
		sum := sums[key]
		if sum == nil {
			sum = &web.Unclassified{Provider: key.provider, Outcome: key.outcome, Text: key.text}
			sums[key] = sum
			all = append(all, sum)
		}
		sum.N += row.N
		if row.Last.After(sum.Last) {
			sum.Last = row.Last.UTC()
		}
	}
	slices.SortStableFunc(all, func(a, b *web.Unclassified) int { return cmp.Compare(b.N, a.N) })
	list := []web.Unclassified{}
	for _, u := range all[:min(len(all), maxUnclassified)] {
		list = append(list, *u)
	}
	return list, nil
}

func (d *Daemon) sourceOf(s *schedule.State, status *ledger.Status, domains []view.Domain) web.Source {
	source := web.Source{
		Name: s.Name, Kind: kindOf(s.Name), State: d.sourceState(s),
		LastSuccess: timeOrNil(s.LastSuccess), LastFailure: timeOrNil(s.LastFailure),
		Passes: web.Passes{Running: s.Running, Succeeded: s.Succeeded},
	}
	for _, n := range s.Failed {
		source.Passes.Failed += n
	}
	switch {
	case s.Gate != nil:
		source.Error = s.Gate.Error()
	case s.Failures > 0:
		source.Error, source.Reason, source.NextPass = s.LastError.Error(), string(s.Reason), timeOrNil(s.NextStart)
	case s.Every > 0:
		source.NextPass = timeOrNil(s.NextStart)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	read := d.sources[s.Name]
	if read == nil { // it is being let go
		return source
	}
	if read.queue != nil {
		source.Queue = read.queue.describe(status)
	}
	switch c := read.config.(type) {
	case config.Postmaster:
		source.Unreadable = d.unreadable(&c, domains)
	case config.ReceiptRules:
		source.CloudWatch = d.calls.asked(string(c.Name))
	case config.Account:
		source.CloudWatch = d.calls.asked(string(c.Name))
	}
	return source
}

// unreadable lists the domains of an account that Gmail shows it nothing about. A domain that no account names belongs to
// every account that reads whatever it sees. It is called with mu held.
func (d *Daemon) unreadable(account *config.Postmaster, domains []view.Domain) (list []web.UnreadableDomain) {
	for i := range domains {
		domain := &domains[i]
		if domain.Access == "" || domain.Source != postmaster.API(account.API).Source() {
			continue
		}
		own := slices.Contains(account.Domains, config.Domain(domain.Domain))
		if own || len(account.Domains) == 0 && !d.named(account.API, domain.Domain) {
			list = append(list, web.UnreadableDomain{Domain: domain.Domain, Access: domain.Access})
		}
	}
	return list
}

// named says whether the configuration of an account names the domain. It is called with mu held.
func (d *Daemon) named(api, domain string) bool {
	for _, s := range d.sources {
		if a, ok := s.config.(config.Postmaster); ok && a.API == api && slices.Contains(a.Domains, config.Domain(domain)) {
			return true
		}
	}
	return false
}

func (q *queue) describe(status *ledger.Status) *web.QueueInfo {
	info := &web.QueueInfo{
		URL: string(q.config.QueueURL), Region: string(q.config.Region),
		LagSeconds:     time.Duration(q.lag.Load()).Round(time.Millisecond).Seconds(),
		UnconfirmedIDs: status.Unconfirmed[string(q.config.Name)],
	}
	if depth := q.depth.Load(); depth >= 0 {
		info.Depth = &depth
	}
	return info
}

// publishedOf groups what is published by its origin.
func publishedOf(rows []ledger.Published) []web.Published {
	types := make(map[observation.Origin]map[string]web.PublishedDay)
	covered := make(map[observation.Origin][]observation.EventType)
	for _, r := range rows {
		if types[r.Origin] == nil {
			types[r.Origin] = make(map[string]web.PublishedDay)
		}
		types[r.Origin][r.Type.String()] = web.PublishedDay{First: r.First.UTC(), Last: r.Last.UTC()}
		covered[r.Origin] = append(covered[r.Origin], r.Type)
	}
	all := []web.Published{}
	for origin, t := range types {
		all = append(all, web.Published{
			Account: origin.Account, Region: origin.Region, ConfigurationSet: origin.ConfigurationSet,
			Basis: basisOf(covered[origin]), Types: t,
		})
	}
	slices.SortFunc(all, func(a, b web.Published) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.ConfigurationSet, b.ConfigurationSet))
	})
	return all
}

// basisOf says what rates over what an origin attempted rest on.
func basisOf(types []observation.EventType) string {
	switch coverage := signal.CoverageOf(types...); {
	case coverage.Covers(signal.SuppressedRate):
		return string(signal.BasisAttempted)
	case coverage.Covers(signal.HardBounceRate):
		return string(signal.BasisSettled)
	default:
		return "none"
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
