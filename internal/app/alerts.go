package app

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/describe"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	// alarmEvery is how often it is checked whether the ledger commits.
	alarmEvery = 5 * time.Second
	// outboxEvery is how often what waits in the outbox is counted.
	outboxEvery = 15 * time.Second
	// alertsTimeout is how long the stop of alerts may take: the sender lets tries end for 3 seconds.
	alertsTimeout = 5 * time.Second
)

// The jobs of alerts.
const (
	roundsJob    = "alerts"
	heartbeatJob = "heartbeat"
)

// alerting is everything that tells people of trouble.
type alerting struct {
	watcher  *watch.Watcher
	sender   *watch.Sender
	alarm    *watch.Alarm
	records  *watch.Records
	silences *watch.Silences
	sampler  *sampler.Sampler
	// jobs run all of it. They end before what they use.
	jobs *schedule.Runner
}

// policy is what a configuration says of alerts, ready to be applied.
type policy struct {
	rules     *alerts.Rules
	router    *alerts.Router
	notifiers map[string]alerts.Notifier
}

func (e *Environment) policyOf(ctx context.Context, c *config.Config) (p policy, err error) {
	if p.rules, err = alerts.Compile(c.AlertRules()); err != nil {
		return p, fmt.Errorf("alerts.rules: %w", err)
	}
	routes, catchAll := c.AlertRoutes()
	names := make([]string, len(c.Alerts.Notifiers))
	for i := range c.Alerts.Notifiers {
		names[i] = c.Alerts.Notifiers[i].Name
	}
	if p.router, err = alerts.NewRouter(routes, catchAll, names); err != nil {
		return p, fmt.Errorf("alerts.routes: %w", err)
	}
	p.notifiers, err = e.notifiersOf(ctx, c)
	return p, err
}

// openAlerts builds what tells people of trouble. Nothing of it runs yet.
func (d *Daemon) openAlerts(ctx context.Context, c *config.Config) error {
	p, err := d.env.policyOf(ctx, c)
	if err != nil {
		return err
	}
	store := watch.NewStore(d.ledger, d.env.Now)
	a := &alerting{
		records:  store.Records,
		silences: watch.NewSilences(d.ledger, d.env.Now, newID),
		sampler:  sampler.New(sampler.Options{View: d.view, Now: d.env.Now}),
		jobs:     schedule.New(schedule.Options{Log: d.log}),
	}
	a.sender = watch.NewSender(watch.SenderOptions{
		Outbox: store, Now: d.env.Now, Random: rand.Float64, Log: d.log, Observe: d.observeTry,
	}, p.notifiers)
	a.alarm, err = watch.NewAlarm(watch.AlarmOptions{
		Trouble: func() error { return d.status.Load().CommitErr },
		Store:   store, Now: d.env.Now, Random: rand.Float64, Log: d.log,
	}, p.router, p.notifiers)
	if err != nil {
		return err
	}
	a.watcher = watch.NewWatcher(watch.WatcherOptions{
		Store: store, Sampler: a.sampler, Silences: a.silences, Describer: d.describer(), Now: d.env.Now, Log: d.log,
		Forgets: a.sender.Forgets, Observe: d.observeRound, Committed: a.sender.Wake,
	}, p.rules, p.router)
	d.alerts = a
	d.undo = append(d.undo, undo{"alerts", alertsTimeout, a.jobs.Stop})
	return nil
}

// describer finds what stands behind alerts. What it goes by cannot change while the daemon runs.
func (d *Daemon) describer() alerts.Describer {
	return describe.New(describe.Options{View: d.view, Ledger: d.ledger, Trouble: d.troubleOf, Log: d.log},
		describe.Settings{Pages: d.pagesURL(), ConfigFile: d.setup.file})
}

// troubleOf says why a source or a notifier fails, in a line.
func (d *Daemon) troubleOf(s alerts.Subject) string {
	for _, state := range d.passes.States() {
		if state.Name == s.Source && state.Health() == schedule.HealthFailing {
			return state.LastError.Error()
		}
	}
	for _, state := range d.alerts.sender.States() {
		if state.Notifier == s.Notifier {
			return state.Error
		}
	}
	return ""
}

// startAlerts begins to watch and to tell.
func (d *Daemon) startAlerts(c *config.Config) error {
	a := d.alerts
	for _, job := range []schedule.Job{
		{Name: "notifications", Run: func(ctx context.Context) (bool, error) { return false, a.sender.Run(ctx) }},
		{Name: "alarm", Every: alarmEvery, Steady: true, Run: func(ctx context.Context) (bool, error) { return false, a.alarm.Check(ctx) }},
		{Name: "outbox", Every: outboxEvery, Run: d.countOutbox},
	} {
		job.MaxConcurrent = 1
		if err := a.jobs.Add(job); err != nil {
			return err
		}
	}
	every := time.Duration(c.Alerts.Every)
	err := a.jobs.Add(schedule.Job{Name: roundsJob, Every: every, Steady: true, MaxConcurrent: 1, Gate: d.watchable, Run: d.evaluate})
	return errors.Join(err, d.startHeartbeat(c))
}

// startHeartbeat tells a monitor outside that rules are evaluated, where one is configured.
func (d *Daemon) startHeartbeat(c *config.Config) error {
	if c.Alerts.Heartbeat == nil {
		return nil
	}
	every := time.Duration(c.Alerts.Every)
	beat := watch.NewHeartbeat(watch.HeartbeatOptions{
		URL: d.env.secret(c.Alerts.Heartbeat.URLFile, c.Alerts.Heartbeat.URLEnv),
		// Two rounds may be missed, and one may take as long as half a minute.
		Working: func() error { return d.alerts.watcher.Working(3*every + 30*time.Second) },
	})
	return d.alerts.jobs.Add(schedule.Job{
		Name: heartbeatJob, Every: time.Duration(c.Alerts.Heartbeat.Every), Steady: true, MaxConcurrent: 1,
		Run: func(ctx context.Context) (bool, error) { return false, beat.Beat(ctx) },
	})
}

// rescheduleAlerts gives what has a cadence that of another configuration. Whatever fails, rules go on being evaluated.
func (d *Daemon) rescheduleAlerts(ctx context.Context, c *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := d.alerts.jobs.Remove(ctx, heartbeatJob); err != nil {
		return fmt.Errorf("stop the heartbeat: %w", err)
	}
	return errors.Join(d.alerts.jobs.Pace(roundsJob, time.Duration(c.Alerts.Every)), d.startHeartbeat(c))
}

// apply puts another policy in force. Notifiers come before the rules and routes that name them.
func (a *alerting) apply(p policy) {
	a.sender.Apply(p.notifiers)
	a.alarm.Apply(p.router, p.notifiers)
	a.watcher.Apply(p.rules, p.router)
}

// placesWithin is how long after the start rules wait to know where mail was sent from. Without it they are better than none.
const placesWithin = 10 * time.Minute

// watchable says why rules cannot be evaluated now. Before the view has read the ledger every campaign looks idle; and before it
// knows where mail was sent from, rules that ask for a domain, an account or a region would end their alerts, which would fire
// anew soon after, and no wider alert would mute those that begin.
func (d *Daemon) watchable() error {
	switch {
	case !d.caughtUp.Load():
		return errors.New("the ledger is being read")
	case d.view.GmailZone() == nil && d.env.Now().Sub(d.started) < placesWithin:
		return errors.New("where mail was sent from is being read")
	default:
		return nil
	}
}

// evaluate makes one round over all rules.
func (d *Daemon) evaluate(ctx context.Context) (bool, error) {
	d.alerts.sampler.Observe(d.observed())
	return false, d.alerts.watcher.Round(ctx)
}

func (d *Daemon) observeRound(r watch.Round) {
	result := "success"
	if r.Err != nil {
		result = "failure"
	}
	d.tel.Add(telemetry.AlertsEvaluations, 1, result)
	d.tel.Record(telemetry.AlertsEvaluationDuration, r.Took.Seconds())
	if r.Dropped > 0 {
		d.tel.Add(telemetry.AlertsDropped, int64(r.Dropped))
	}
}

func (d *Daemon) observeTry(t watch.Try) {
	if t.Again {
		return // nothing new was told
	}
	result := string(t.Reason)
	if result == "" {
		result = "success"
	}
	d.tel.Add(telemetry.Notifications, 1, t.Notifier, result)
}

// newID makes ids that people may have to type.
func newID() string { return strings.ToLower(crand.Text()[:12]) }
