package app

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/watch"
)

// alertSeries is a series of the metric of alerts.
type alertSeries struct {
	rule     string
	severity alerts.Severity
	state    watch.State
}

// bindAlerts says what the gauges of alerts and notifications are read from.
func (d *Daemon) bindAlerts() {
	d.tel.Bind(telemetry.Alerts, func(emit telemetry.Emit) {
		for series, n := range d.countAlerts() {
			emit(float64(n), series.rule, series.severity.String(), string(series.state))
		}
	})
	d.tel.Bind(telemetry.NotificationsOpen, func(emit telemetry.Emit) {
		for place, n := range d.openNotifications() {
			emit(float64(n), place.notifier, string(place.state))
		}
	})
	d.tel.Bind(telemetry.NotifierFailing, func(emit telemetry.Emit) {
		now := d.env.Now()
		for _, s := range d.alerts.sender.States() {
			emit(s.FailingFor(now).Seconds(), s.Notifier)
		}
	})
}

// outboxPlace is where notifications of a notifier stand.
type outboxPlace struct {
	notifier string
	state    alerts.EntryState
}

// openNotifications counts those that are not delivered, with 0 for each notifier; nil before they were counted.
func (d *Daemon) openNotifications() map[outboxPlace]int64 {
	counts := d.outbox.Load()
	if counts == nil {
		return nil
	}
	open := make(map[outboxPlace]int64)
	for _, s := range d.alerts.sender.States() {
		for _, state := range []alerts.EntryState{alerts.EntryWaiting, alerts.EntrySending, alerts.EntryDead} {
			open[outboxPlace{s.Notifier, state}] = 0
		}
	}
	open[outboxPlace{"", alerts.EntryDead}] = 0
	for _, c := range *counts {
		switch c.State {
		case alerts.EntryWaiting, alerts.EntrySending, alerts.EntryDead:
			open[outboxPlace{c.Notifier, c.State}] = c.N
		}
	}
	return open
}

// countAlerts counts alerts, with 0 for each line that a rule in force has, so that nobody mistakes silence for a rule that is
// not there.
func (d *Daemon) countAlerts() map[alertSeries]int {
	n := map[alertSeries]int{{watch.AlarmRule, alerts.Critical, watch.Firing}: 0}
	d.mu.Lock()
	rules := d.config.AlertRules()
	d.mu.Unlock()
	for i := range rules {
		r := &rules[i]
		if r.Warning != nil {
			n[alertSeries{r.Name, alerts.Warning, watch.Firing}] = 0
		}
		if r.Critical != nil {
			n[alertSeries{r.Name, alerts.Critical, watch.Firing}] = 0
		}
	}
	if a := d.alerts.alarm.Firing(); a != nil {
		n[alertSeries{a.Rule, a.Severity, watch.Firing}]++
	}
	standing := d.alerts.watcher.Standing()
	if standing == nil {
		return n
	}
	for _, a := range standing.Alerts {
		n[alertSeries{a.Rule, a.Worst(), standing.State(a)}]++
	}
	return n
}

// countOutbox counts what is in the outbox, so that a scrape need not.
func (d *Daemon) countOutbox(ctx context.Context) (bool, error) {
	counts, err := d.alerts.records.Counts(ctx)
	if err != nil {
		return false, fmt.Errorf("count notifications: %w", err)
	}
	d.outbox.Store(&counts)
	return false, nil
}
