package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	// alertsBefore is how far before the period alerts are looked for that went on into it.
	alertsBefore = 28 * 24 * time.Hour
	// maxEvents bounds what is read of the history of alerts, maxAlerts what is told of it.
	maxEvents = 20_000
	maxAlerts = 200
)

// readAlerts reads what happened to alerts in the period, and before it to those that may have gone on into it; the oldest
// first. The ledger keeps 90 days.
func readAlerts(ctx context.Context, source Source, o *Options) ([]watch.Event, error) {
	records := watch.NewRecords(source, func() time.Time { return o.Now })
	var events []watch.Event
	q := watch.HistoryQuery{From: o.Period.Start.Add(-alertsBefore), To: o.Period.End, Page: watch.Page{Limit: 1000}}
	for {
		page, err := records.History(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read the alerts: %w", err)
		}
		events = append(events, page...)
		if len(page) < q.Limit || len(events) >= maxEvents {
			break
		}
		q.Before = page[len(page)-1].Number
	}
	slices.Reverse(events)
	return events, nil
}

// episode is an alert as it is followed through what happened to it.
type episode struct {
	Alert
	severity alerts.Severity
}

// firing tells which alerts fired in the period, the worst first.
func (b *builder) firing() []Alert {
	all := map[string]*episode{}
	for i := range b.events {
		if e := &b.events[i]; b.alertFits(&e.Alert) {
			b.follow(all, e)
		}
	}
	var told []*episode
	for _, a := range all {
		a.Severity = a.severity.String()
		told = append(told, a)
	}
	slices.SortFunc(told, func(a, b *episode) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), a.Started.Compare(b.Started), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Subject, b.Subject))
	})
	list := []Alert{}
	for _, a := range told[:min(len(told), maxAlerts)] {
		list = append(list, a.Alert)
	}
	return list
}

// follow takes in what happened to an alert. One that ended before the period is forgotten.
func (b *builder) follow(all map[string]*episode, e *watch.Event) {
	id := e.Alert.ID()
	a, in := all[id], !e.At.Before(b.Period.Start)
	switch e.Kind {
	case alerts.Triggered, alerts.Escalated, alerts.Deescalated:
		if a == nil {
			a = &episode{Alert: Alert{
				Rule: e.Alert.Rule, Subject: e.Alert.Subject.String(), Owner: e.Alert.Owner, Started: e.Alert.StartedAt.UTC(),
				Signal: e.Alert.Signal.String(),
			}}
			all[id] = a
		}
		a.Ended = nil
		if in && e.Kind == alerts.Triggered {
			a.Fired++
		}
		if e.Alert.Severity >= a.severity {
			a.severity = e.Alert.Severity
			if v := &e.Alert.Evidence; v.Known {
				a.Value, a.Line = new(short(v.Value)), new(short(v.Line))
			}
		}
	case alerts.Resolved:
		if a != nil && in {
			a.Ended = new(e.At.UTC())
		} else {
			delete(all, id)
		}
	}
}

// alertFits says whether an alert is told in a report about part of the campaigns.
func (b *builder) alertFits(a *alerts.Alert) bool {
	if b.Owner != "" && a.Owner != b.Owner {
		return false
	}
	return b.Campaign == "" || slices.ContainsFunc(b.report.Campaigns, func(c Campaign) bool {
		return c.ID == a.Subject.Campaign && c.Tenant == a.Subject.Tenant
	})
}
