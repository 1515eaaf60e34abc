package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

// DefaultURL is PagerDuty's endpoint. Accounts of the European service region have https://events.eu.pagerduty.com.
const DefaultURL = "https://events.pagerduty.com"

// path is the one of alert events.
const path = "/v2/enqueue"

// Options says where to send.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// URL is the endpoint without its path, DefaultURL when empty. It must be https, or lead to this machine.
	URL string
	// RoutingKey is the integration key of a service or of an event orchestration, 32 letters and digits.
	RoutingKey delivery.Secret
	// Transport and Now are those of delivery.Options.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Notifier sends to one PagerDuty service.
type Notifier struct {
	client *delivery.Client
	url    *url.URL
	key    delivery.Secret
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier. The error is about the URL.
func New(o Options) (*Notifier, error) {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	u, err := delivery.CheckAddress(strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), path), false)
	if err != nil {
		return nil, fmt.Errorf("the URL of PagerDuty %w", err)
	}
	client := delivery.NewClient(delivery.Options{Notifier: o.Name, Transport: o.Transport, Now: o.Now})
	return &Notifier{client: client, url: u.JoinPath(path), key: o.RoutingKey}, nil
}

// keyForm is that of routing keys; PagerDuty refuses others.
var keyForm = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)

// Notify implements alerts.Notifier.
func (p *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	key, err := p.key()
	if err != nil {
		return p.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the routing key: %w", err))
	}
	if !keyForm.MatchString(key) {
		return p.client.Fail(alerts.DeliveryAuth, errors.New("the routing key is not 32 letters and digits, as the integration key of Events API v2 is"))
	}
	body, err := delivery.Fit(n, maxEvent, func(n *alerts.Notification) ([]byte, error) { return json.Marshal(newEvent(n, key)) })
	if err != nil {
		return p.client.Fail(alerts.DeliveryRefused, err)
	}
	return p.client.Post(ctx, &delivery.Call{
		URL: p.url, Body: body, Want: http.StatusAccepted, Secrets: []string{key}, Explain: explain,
	})
}

// explain reads a refusal. A wrong key has status 400, as a wrong event has.
func explain(status int, body []byte) (words string, reason alerts.DeliveryReason) {
	var answer struct {
		Status, Message string
		Errors          []string
	}
	if json.Unmarshal(body, &answer) != nil {
		return "", ""
	}
	words = strings.Join(append([]string{answer.Message}, answer.Errors...), ": ")
	about := strings.ToLower(answer.Status + words)
	if status == http.StatusBadRequest && (strings.Contains(about, "routing_key") || strings.Contains(about, "routing key") || strings.Contains(about, "invalid key")) {
		reason = alerts.DeliveryAuth
	}
	return strings.TrimPrefix(words, ": "), reason
}
