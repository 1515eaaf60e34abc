package webhook

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

// maxBody bounds a request: what many receivers take as they are delivered.
const maxBody = 256 << 10

// Options says where to send.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// URL is the address. Who knows it can post to it, so that errors name its host alone. It must be https or lead to this
	// machine, unless AllowHTTP is set.
	URL       delivery.Secret
	AllowHTTP bool
	// Key signs: 24 to 64 bytes in base64, with or without "whsec_" before it. Several keys, with white space between them,
	// each sign, so that a key can be changed while receivers still hold the old one.
	Key delivery.Secret
	// Transport and Now are those of delivery.Options.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Notifier sends to one address.
type Notifier struct {
	client *delivery.Client
	url    delivery.Secret
	plain  bool
	key    delivery.Secret
	now    func() time.Time
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier.
func New(o Options) *Notifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Notifier{
		client: delivery.NewClient(delivery.Options{Notifier: o.Name, Transport: o.Transport, Now: o.Now}),
		url:    o.URL, plain: o.AllowHTTP, key: o.Key, now: o.Now,
	}
}

// Notify implements alerts.Notifier.
func (w *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	address, err := w.url()
	if err != nil {
		return w.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the address: %w", err))
	}
	u, err := delivery.CheckAddress(address, w.plain)
	if err != nil {
		return w.client.Fail(alerts.DeliveryAuth, fmt.Errorf("the address %w", err))
	}
	text, err := w.key()
	if err != nil {
		return w.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the key: %w", err))
	}
	keys, err := parseKeys(text)
	if err != nil {
		return w.client.Fail(alerts.DeliveryAuth, err)
	}
	body, err := delivery.Fit(n, maxBody, render)
	if err != nil {
		return w.client.Fail(alerts.DeliveryRefused, err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	// What the receiver says is not repeated: it may hold anything, also what it was sent.
	return w.client.Post(ctx, &delivery.Call{
		URL: u, Body: body, Secrets: delivery.AddressSecrets(u),
		Header: http.Header{
			"Webhook-Id": {n.ID}, "Webhook-Timestamp": {at}, "Webhook-Signature": {sign(keys, n.ID, at, body)},
		},
	})
}
