package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/mail"
	"time"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/outlet/folder"
	outletmail "github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/outlet/s3"
	"github.com/mailvane/mailvane/internal/outlet/slack"
	"github.com/mailvane/mailvane/internal/outlet/webhook"
	"github.com/mailvane/mailvane/internal/publish"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/telemetry"
)

const (
	// reportsEvery is how often it is looked for reports that are due, deliveriesEvery for some that are to be delivered.
	reportsEvery    = 10 * time.Second
	deliveriesEvery = 5 * time.Second
	// A report that fell into a downtime waits until the queues have been read that filled up meanwhile, up to catchUpWithin
	// after the start: read means that what they bring is no older than caughtUpLag.
	catchUpWithin = 30 * time.Minute
	caughtUpLag   = 10 * time.Minute
)

// The jobs of reports.
const (
	reportsJob    = "reports"
	deliveriesJob = "report deliveries"
)

// reporting is everything about reports that are made by a schedule.
type reporting struct {
	publisher *publish.Publisher
	archive   *publish.Archive
}

// openReports builds what makes and delivers reports. Nothing of it runs yet.
func (d *Daemon) openReports(ctx context.Context, c *config.Config) error {
	plans, err := d.env.plansOf(ctx, c)
	if err != nil {
		return err
	}
	d.reports = &reporting{archive: publish.NewArchive(d.ledger)}
	d.reports.publisher = publish.New(publish.Options{
		Ledger: d.ledger, Read: d.readReports, Link: d.pagesURL, Now: d.env.Now, Random: rand.Float64, Log: d.log,
		Made: d.observeReport, Tried: d.observeDelivery,
	}, plans)
	d.tel.Bind(telemetry.ReportsWaiting, func(emit telemetry.Emit) {
		for kind, since := range d.reportsWaiting() {
			waited := 0.0
			if !since.IsZero() {
				waited = max(d.env.Now().Sub(since).Seconds(), 0)
			}
			emit(waited, kind)
		}
	})
	return nil
}

// startReports begins to make and deliver reports.
func (d *Daemon) startReports() error {
	p := d.reports.publisher
	return errors.Join(
		d.chores.Add(schedule.Job{
			Name: reportsJob, Every: reportsEvery, MaxConcurrent: 1, Gate: d.reportable,
			Run: func(ctx context.Context) (bool, error) { return false, p.MakeDue(ctx) },
		}),
		d.chores.Add(schedule.Job{
			Name: deliveriesJob, Every: deliveriesEvery, MaxConcurrent: 1,
			Run: func(ctx context.Context) (bool, error) { return false, p.DeliverDue(ctx) },
		}),
	)
}

// pagesURL is the address under which people reach the pages.
func (d *Daemon) pagesURL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.config.HTTP.ExternalURL; u != "" {
		return string(u)
	}
	return localURL(d.listener.Addr())
}

// reportable says why no report can be made now that speaks of all that is known.
func (d *Daemon) reportable() error {
	if err := d.watchable(); err != nil {
		return err
	}
	if d.env.Now().Sub(d.started) > catchUpWithin {
		return nil
	}
	if !d.reading.Load() {
		return errors.New("no source has been read yet")
	}
	for _, s := range d.passes.States() {
		if s.Health() == schedule.HealthStarting {
			return fmt.Errorf("%s has not been read yet", s.Name)
		}
	}
	if lag := d.lag(); lag > caughtUpLag {
		return fmt.Errorf("the queues are %s behind", lag.Round(time.Minute))
	}
	return nil
}

// readReports reads what reports are made of, with the settings in force.
func (d *Daemon) readReports(ctx context.Context, o publish.Order) (publish.Facts, error) {
	d.mu.Lock()
	c := d.config
	d.mu.Unlock()
	set, err := settingsOf(c)
	if err != nil {
		return nil, err
	}
	facts, err := report.Read(ctx, d.ledger, report.Options{
		Period: o.Period, Campaign: o.Campaign, Now: d.env.Now(), Settings: set.view, Group: mailbox.Group, Link: d.pagesURL(),
	})
	if err != nil {
		return nil, err // never facts that are none
	}
	return facts, nil
}

func (d *Daemon) observeReport(plan string, err error) {
	result := "success"
	if err != nil {
		result = "failure"
	}
	d.tel.Add(telemetry.ReportsMade, 1, plan, result)
}

func (d *Daemon) observeDelivery(t publish.Try) {
	result := string(t.Reason)
	if result == "" {
		result = "success"
	}
	d.tel.Add(telemetry.Reports, 1, t.Plan, t.Kind, result)
}

// reportsWaiting says of each kind of destination since when its oldest report has waited; the zero time of those where none
// does, so that nobody mistakes silence for a destination that is not there.
func (d *Daemon) reportsWaiting() map[string]time.Time {
	waiting := d.reports.publisher.Waiting()
	all := make(map[string]time.Time, len(waiting))
	d.mu.Lock()
	for i := range d.config.Reports {
		for k := range d.config.Reports[i].To {
			all[d.config.Reports[i].To[k].Kind()] = time.Time{}
		}
	}
	d.mu.Unlock()
	maps.Copy(all, waiting)
	return all
}

// plansOf makes the plans of a configuration. It makes no call, and reads no secret: those are read at each delivery.
func (e *Environment) plansOf(ctx context.Context, c *config.Config) (plans []publish.Plan, err error) {
	var errs []error
	for i := range c.Reports {
		r := &c.Reports[i]
		plan := publish.Plan{Name: string(r.Name), Owners: c.ReportOwners(r), Campaign: string(r.Campaign)}
		if plan.Schedule, err = c.ReportSchedule(r); err != nil {
			errs = append(errs, fmt.Errorf("reports[%d].schedule: %w", i, err))
		}
		for k := range r.To {
			to, err := e.destination(ctx, &r.To[k])
			if err != nil {
				errs = append(errs, fmt.Errorf("reports[%d].to[%d]: %w", i, k, err))
			}
			plan.Destinations = append(plan.Destinations, to)
		}
		plans = append(plans, plan)
	}
	return plans, errors.Join(errs...)
}

func (e *Environment) destination(ctx context.Context, t *config.ReportDestination) (to publish.Destination, err error) {
	name := string(t.Name)
	to = publish.Destination{Name: name, Kind: t.Kind()}
	switch {
	case t.S3 != nil:
		to.Outlet, err = e.bucket(ctx, name, t)
	case t.Slack != nil:
		to.Outlet = publish.ToSlack(slack.New(slack.Options{Notifier: name, URL: e.secret(t.Slack.URLFile, t.Slack.URLEnv), Now: e.Now}))
	case t.Webhook != nil:
		to.Outlet = publish.ToWebhook(webhook.New(webhook.Options{
			Notifier: name, URL: e.secret(t.Webhook.URLFile, t.Webhook.URLEnv), AllowHTTP: t.Webhook.AllowHTTP,
			Key: e.secret(t.Webhook.KeyFile, t.Webhook.KeyEnv), Now: e.Now,
		}))
	case t.Email != nil:
		to.Outlet, err = e.mails(ctx, name, t.Email)
	default:
		to.Outlet = publish.ToFolder(folder.New(name, string(t.Dir)), formatsOf(t))
	}
	return to, err
}

func (e *Environment) bucket(ctx context.Context, name string, t *config.ReportDestination) (publish.Outlet, error) {
	cfg, err := e.AWS(ctx, string(t.S3.Region))
	if err != nil {
		return nil, err
	}
	b, err := s3.New(s3.Options{
		Notifier: name, AWS: cfg, Region: string(t.S3.Region), RoleARN: string(t.S3.RoleARN), Bucket: string(t.S3.Bucket), Now: e.Now,
	})
	if err != nil {
		return nil, err
	}
	return publish.ToBucket(b, string(t.S3.Prefix), formatsOf(t)), nil
}

func (e *Environment) mails(ctx context.Context, name string, c *config.Email) (publish.Outlet, error) {
	sender, err := e.mailSender(ctx, name, c)
	if err != nil {
		return nil, err
	}
	from, err := outletmail.ParseAddress(string(c.From))
	if err != nil {
		return nil, fmt.Errorf("from %w", err)
	}
	to := make([]mail.Address, len(c.To))
	for i, text := range c.To {
		if to[i], err = outletmail.ParseAddress(string(text)); err != nil {
			return nil, fmt.Errorf("to[%d] %w", i, err)
		}
	}
	return publish.ToMail(sender, from, to), nil
}

func formatsOf(t *config.ReportDestination) (formats []report.Format) {
	for _, f := range t.Formats {
		formats = append(formats, report.Format(f))
	}
	return formats
}
