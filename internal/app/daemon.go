package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

const (
	// drainTimeout is how long passes may go on after a stop: a pass gives up its own work sooner.
	drainTimeout = 9 * time.Second
	// closeTimeout bounds each other step of a stop, stopTimeout all of them together.
	closeTimeout = 3 * time.Second
	stopTimeout  = 9500 * time.Millisecond
	// commitPace lets the Puts of many passes share a COMMIT: without it a busy daemon spends a sixth of its work on small
	// ones (docs/performance.md).
	commitPace = 10 * time.Millisecond
	// maxUnconfirmed is how many ids of one queue may wait for the queue to confirm that their messages are gone.
	maxUnconfirmed = 1_000_000
)

// Daemon is a running Mailvane.
type Daemon struct {
	env   Environment
	log   *slog.Logger
	setup setup

	ledger *sqlite.Ledger
	intake *intake.Intake
	view   *view.View
	tel    *telemetry.Telemetry
	// alerts tell people of trouble; outbox is what waits to be told.
	alerts *alerting
	outbox atomic.Pointer[[]watch.Count]
	// reports makes and delivers reports.
	reports *reporting
	// passes runs collectors, chores what the daemon does for itself.
	passes, chores *schedule.Runner
	budget         *ses.Budget
	lastKey        atomic.Uint64
	started        time.Time

	// status is the ledger's, read once a second.
	status atomic.Pointer[ledger.Status]
	// caughtUp is set once the view has read the ledger.
	caughtUp atomic.Bool
	// reading is set once the sources of the configuration have begun to be read.
	reading atomic.Bool
	// joinable has news for the join with Gmail, inbound for what receipt rules did, accounts for how SES accounts stand.
	joinable, inbound, accounts news
	// calls are those to CloudWatch.
	calls cloudWatchCalls

	listener net.Listener
	// site is what is answered over HTTP; served gets what ends a server.
	site   atomic.Pointer[http.Handler]
	served chan error
	// undo holds what a stop does, the newest first.
	undo []undo

	// reloading is held while the configuration changes, which may take as long as passes take to end. What it changes is
	// written under both locks, so that it may be read under either.
	reloading sync.Mutex
	mu        sync.Mutex // protects all following fields; held for a moment only
	// config is the configuration in force.
	config *config.Config
	// sources are what is read, by the names of the jobs.
	sources map[string]*source
	reload  reloadState
}

// setup is where the configuration comes from.
type setup struct {
	// load reads it anew.
	load func() (*config.Config, []config.Problem)
	// file is its path, for the commands that people are told to run; webConfig, when not empty, that of the exporter toolkit's.
	file, webConfig string
}

// undo is a step of a stop, and how long it may take.
type undo struct {
	what   string
	within time.Duration
	do     func(context.Context) error
}

// newDaemon builds everything and answers over HTTP, but reads no source yet. Opening a large ledger takes a while: health is
// told meanwhile, and that it is not ready. On an error nothing is left behind.
func newDaemon(ctx context.Context, env Environment, c *config.Config, s setup) (_ *Daemon, err error) {
	d := &Daemon{
		env: env, log: env.Log, setup: s, config: c, sources: make(map[string]*source),
		joinable: make(news, 1), inbound: make(news, 1), accounts: make(news, 1),
		started: env.Now(), reload: reloadState{at: env.Now()}, served: make(chan error, 2),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	d.budget = ses.NewBudget(int64(c.Memory.InFlight))
	if err := d.openTelemetry(ctx, c); err != nil {
		return nil, err
	}
	if d.listener, err = listen(ctx, string(c.HTTP.Listen)); err != nil {
		return nil, err
	}
	d.onStop("listener", func(context.Context) error { return ignoreClosed(d.listener.Close()) })
	if err := d.serveHTTP(s.webConfig); err != nil {
		return nil, err
	}
	d.passes = schedule.New(schedule.Options{Log: d.log, Observe: d.observePass})
	if err := d.openLedger(ctx, c); err != nil {
		return nil, err
	}
	d.undo = append(d.undo, undo{"passes over sources", drainTimeout, d.passes.Stop})
	if err := d.openAlerts(ctx, c); err != nil {
		return nil, err
	}
	if err := d.openReports(ctx, c); err != nil {
		return nil, err
	}
	d.bindGauges()
	site, err := d.pages(c.HTTP)
	if err != nil {
		return nil, err
	}
	d.show(web.New(web.Options{
		View: d.view, Sources: d.describeSources, Ready: d.ready, Reload: d.Reload, Metrics: d.tel.Handler(), Log: d.log,
		Alerts: d.alertBook(), Reports: d.reports.archive, Pages: site.Register, ReadOnly: c.HTTP.ReadOnly,
	}))
	d.onStop("answers", func(context.Context) error {
		d.show(web.Unready("the daemon is stopping"))
		return nil
	})
	return d, nil
}

func (d *Daemon) openTelemetry(ctx context.Context, c *config.Config) (err error) {
	d.tel, err = telemetry.New(ctx, telemetry.Options{
		Prometheus:         c.Telemetry.Prometheus,
		OTLP:               c.Telemetry.OTLP == nil || *c.Telemetry.OTLP,
		Env:                d.env.Env,
		MaxCampaigns:       c.Campaigns.MaxExported,
		CampaignByProvider: c.Telemetry.CampaignByProvider,
		Version:            d.env.Version,
		Now:                d.env.Now,
	})
	if err != nil {
		return err
	}
	d.onStop("metrics", d.stopTelemetry)
	return nil
}

// stopTelemetry pushes what is left. That nobody takes it makes no failure of a stop in which nothing was lost: what was counted
// is in the ledger.
func (d *Daemon) stopTelemetry(ctx context.Context) error {
	if err := d.tel.Shutdown(ctx); err != nil {
		d.env.Log.Warn("last metrics not exported", "err", err)
	}
	return nil
}

// openLedger opens the ledger and what counts in it and reads from it.
func (d *Daemon) openLedger(ctx context.Context, c *config.Config) (err error) {
	if d.ledger, err = sqlite.Open(ctx, ledgerOptions(d.env, c)); err != nil {
		return err
	}
	d.onStop("ledger", func(ctx context.Context) error { return within(ctx, d.ledger.Close) })
	if err := d.readStatus(ctx); err != nil {
		return err
	}
	set, err := settingsOf(c)
	if err != nil {
		return err
	}
	d.intake, err = intake.New(ctx, intake.Options{
		Ledger:   timedLedger{d.ledger, d.tel, d.env.Now},
		Bounds:   intake.Bounds{Campaigns: c.Campaigns.MaxTracked},
		Observer: d.tel.Counts(),
		Readings: d.tel.Counts(),
		Now:      d.env.Now,
		Settings: set.intake,
	})
	if err != nil {
		return err
	}
	d.view = view.New(d.ledger, view.Options{
		Group: mailbox.Group, FailingSince: d.failingSince, Lag: d.lag, Settings: set.view,
	})
	d.chores = schedule.New(schedule.Options{Log: d.log})
	d.onStop("housekeeping", d.chores.Stop)
	return d.addChores()
}

func ledgerOptions(env Environment, c *config.Config) sqlite.Options {
	zone, err := time.LoadLocation(string(c.Ledger.Zone))
	if err != nil {
		zone = time.UTC // config has checked that the zone exists
	}
	return sqlite.Options{
		Path:            string(c.Ledger.Path),
		Zone:            zone,
		Now:             env.Now,
		CommitPace:      commitPace,
		RoutineIDs:      c.Ledger.Budgets.RoutineIDs,
		ExceptionalIDs:  c.Ledger.Budgets.ExceptionalIDs,
		QuarantineBytes: int64(c.Quarantine.MaxBytes),
		QuarantineKeep:  time.Duration(c.Quarantine.Keep),
		Logger:          env.Log,
	}
}

// onStop adds a step to the stop; the newest is done first.
func (d *Daemon) onStop(what string, do func(context.Context) error) {
	d.undo = append(d.undo, undo{what, closeTimeout, do})
}

// within does what cannot be told to end, and waits for it until ctx ends: a disk that hangs must not hold up the stop. What
// is left undone then is as after a kill.
func within(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("it takes too long: %w", context.Cause(ctx))
	}
}

// stop undoes everything, the newest first. It is bounded even when ctx of the run has long ended.
func (d *Daemon) stop() error {
	whole, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	for _, u := range slices.Backward(d.undo) {
		ctx, cancel := context.WithTimeout(whole, u.within)
		if err := u.do(ctx); err != nil {
			d.log.Error("stopping", "what", u.what, "err", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", u.what, err))
		}
		cancel()
	}
	d.undo = nil
	return errors.Join(errs...)
}

// run serves and reads the sources until ctx ends or something that the daemon cannot do without fails.
func (d *Daemon) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.serveControl(ctx); err != nil {
		return err
	}
	d.reloading.Lock()
	err = d.setSources(ctx, d.config)
	if err == nil {
		d.reading.Store(true)
		err = errors.Join(d.startAlerts(d.config), d.startReports())
	}
	ledgerPath, sources := d.config.Ledger.Path, len(d.sources)
	d.reloading.Unlock()
	if err != nil {
		return err
	}
	if err := d.chores.Add(schedule.Job{Name: "sources", Every: sourcesEvery, MaxConcurrent: 1, Run: d.keepSources}); err != nil {
		return err
	}
	d.log.Info("running", "address", d.listener.Addr().String(), "ledger", ledgerPath, "sources", sources)
	select {
	case <-ctx.Done():
		d.log.Info("stopping", "cause", context.Cause(ctx))
		d.passes.Cancel() // they need most of the time that a stop may take
		d.alerts.jobs.Cancel()
		return nil
	case err := <-d.served:
		return err
	}
}

// settings are a configuration's dated and undated settings, ready to be applied.
type settings struct {
	intake intake.Settings
	view   view.Settings
}

func settingsOf(c *config.Config) (settings, error) {
	classifier, err := mailbox.New(c.MailboxRules()...)
	if err != nil {
		return settings{}, fmt.Errorf("classification rules of %s: %w", c.Classification.RulesFile, err)
	}
	s := settings{
		intake: intake.Settings{
			Identity:   c.IdentitySpec(),
			Reporting:  c.Complaints.ReportingProviders,
			Classifier: classifier,
			KeepBodies: c.Quarantine.Bodies,
		},
	}
	if s.view.Streams, err = campaign.NewMatcher(texts(c.Campaigns.Streams)); err != nil {
		return settings{}, fmt.Errorf("campaigns.streams: %w", err)
	}
	for i, o := range c.Campaigns.Owners {
		match, err := campaign.NewMatcher([]string{string(o.Match)})
		if err != nil {
			return settings{}, fmt.Errorf("campaigns.owners[%d].match: %w", i, err)
		}
		s.view.Owners = append(s.view.Owners, view.Owner{Match: match, Owner: string(o.Owner)})
	}
	for _, a := range c.Collectors.Postmaster { // the zone is the same in all of them
		if s.view.DayZone, err = time.LoadLocation(string(a.DayZone)); err != nil {
			return settings{}, fmt.Errorf("day_zone of %s: %w", a.Name, err)
		}
	}
	if s.view.ReceiptPurposes, err = receiptPurposes(c); err != nil {
		return settings{}, err
	}
	return s, nil
}

// timedLedger measures commits.
type timedLedger struct {
	*sqlite.Ledger
	tel *telemetry.Telemetry
	now func() time.Time
}

// Commit records how long the ledger took.
func (l timedLedger) Commit(ctx context.Context, p ledger.Put) (ledger.Result, error) {
	began := l.now()
	result, err := l.Ledger.Commit(ctx, p)
	if err == nil && len(p.Entries) > 0 {
		l.tel.Record(telemetry.LedgerCommitDuration, l.now().Sub(began).Seconds())
	}
	return result, err
}

// nextKey makes the keys of batches.
func (d *Daemon) nextKey() uint64 { return d.lastKey.Add(1) }

// observePass counts a pass over a source.
func (d *Daemon) observePass(p schedule.Pass) {
	result := "success"
	if p.Err != nil {
		result = "failure"
	}
	d.tel.Add(telemetry.CollectorPasses, 1, p.Job, result, string(p.Reason))
	d.tel.Record(telemetry.CollectorPassDuration, p.Duration.Seconds(), p.Job)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

var _ collectors.Sink = (*intake.Intake)(nil)
