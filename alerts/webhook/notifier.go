package webhook

import (
	"context"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/outlet/webhook"
)

// maxBody bounds a request: what many receivers take as they are delivered.
const maxBody = 256 << 10

// Options says where to send.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// URL, AllowHTTP and Key are those of the outlet's Options.
	URL       delivery.Secret
	AllowHTTP bool
	Key       delivery.Secret
	// Transport and Now are those of delivery.Options.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Notifier sends to one address.
type Notifier struct {
	name     string
	endpoint *webhook.Endpoint
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier.
func New(o Options) *Notifier {
	return &Notifier{o.Name, webhook.New(webhook.Options{
		Notifier: o.Name, URL: o.URL, AllowHTTP: o.AllowHTTP, Key: o.Key, Transport: o.Transport, Now: o.Now,
	})}
}

// Notify implements alerts.Notifier.
func (w *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	body, err := delivery.Fit(n, maxBody, render)
	if err != nil {
		return &alerts.DeliveryError{Notifier: w.name, Reason: alerts.DeliveryRefused, Err: err}
	}
	return w.endpoint.Post(ctx, n.ID, body)
}
