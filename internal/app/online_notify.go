package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/config"
)

// TryNotifiers sends a test event to every notifier, and its end to those that keep what is open, and says what became of it.
// An error is the end of ctx; everything else is a finding.
func TryNotifiers(ctx context.Context, env Environment, c *config.Config) ([]Findings, error) {
	var all []question
	for i := range c.Alerts.Notifiers {
		entry := &c.Alerts.Notifiers[i]
		kind, keeps := kindOfNotifier(&entry.Value)
		all = append(all, question{"notifier " + entry.Name + ", " + kind, func(ctx context.Context) []Finding {
			n, err := env.notifier(ctx, entry.Name, &entry.Value)
			if err != nil {
				return []Finding{problem(err)}
			}
			return tryNotifier(ctx, n, entry.Name, keeps, env.Now().UTC())
		}})
	}
	if len(all) == 0 {
		return []Findings{{About: "notifiers", List: []Finding{note("there are none, so nobody is told of alerts", "write alerts.notifiers; docs/configuration.md says how")}}}, nil
	}
	return askAll(ctx, all, questionTimeout)
}

// kindOfNotifier names the kind. Keeps says that what is open there must be ended.
func kindOfNotifier(n *config.Notifier) (kind string, keeps bool) {
	switch {
	case n.PagerDuty != nil:
		return "PagerDuty", true
	case n.Alertmanager != nil:
		return "Alertmanager", true
	case n.Webhook != nil:
		return "webhook", true
	case n.Slack != nil:
		return "Slack", false
	default:
		return "e-mail", false
	}
}

// tryNotifier sends a test event, and its end where it must be ended.
func tryNotifier(ctx context.Context, to alerts.Notifier, name string, keeps bool, now time.Time) []Finding {
	opened := testEvent(name, now)
	if err := to.Notify(ctx, opened); err != nil {
		return []Finding{undelivered("the test event was not taken: ", err)}
	}
	if !keeps {
		return []Finding{ok("a test event was taken: see that it is there")}
	}
	closed := *opened
	closed.ID, closed.Sequence, closed.Change, closed.Resolved, closed.Reason = rand.Text(), 2, alerts.Closed, true, alerts.Cleared
	closed.Members, closed.Gone = nil, opened.Members
	if err := to.Notify(ctx, &closed); err != nil {
		return []Finding{undelivered("a test event was taken, but not its end: ", err), note("the test event stands there now", "end it by hand: "+opened.Summary)}
	}
	return []Finding{ok("a test event and its end were taken: see that they are there")}
}

// testEvent is a notification that says that it is none. Each has a key of its own, so that it joins nothing that is open.
func testEvent(notifier string, now time.Time) *alerts.Notification {
	id := rand.Text()
	subject := alerts.Subject{Notifier: notifier, Detail: "test"}
	text := "Test of notifier " + notifier + ": nothing is wrong"
	return &alerts.Notification{
		ID: id, Key: "mailvane/test/" + id, Sequence: 1, Notifier: notifier, Change: alerts.Opened, Severity: alerts.Warning,
		Rule: "NotifierTest", Signal: alerts.NotifierFailing, By: alerts.ByNotifier, Cause: alerts.CauseDaemon, StartedAt: now, At: now,
		Summary:     text,
		Description: "Somebody tries whether notifications get here, by mailvane check --online --notify. Who reads this need not do anything.",
		Members:     []alerts.Member{{ID: id, StartedAt: now, Severity: alerts.Warning, Subject: subject, Summary: text}},
	}
}

// undelivered is why a notification was not taken, and what to do about it.
func undelivered(what string, err error) Finding {
	var e *alerts.DeliveryError
	if !errors.As(err, &e) {
		return problem(fmt.Errorf("%s%w", what, err))
	}
	f := problem(fmt.Errorf("%s%w", what, e.Err))
	switch e.Reason {
	case alerts.DeliveryAuth:
		f.Fix = append(f.Fix, "the key, address or password is missing, wrong or revoked: make a new one, and put it where the configuration says that it is")
	case alerts.DeliveryQuota:
		f.Fix = append(f.Fix, "it is asked too often: try again later, and send it less")
	case alerts.DeliveryUnavailable:
		f.Fix = append(f.Fix, "see that this machine may connect to it, and that it runs")
	case alerts.DeliveryRefused:
		f.Fix = append(f.Fix, "it takes no such notification: see that the address is that of such a service")
	}
	return f
}
