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

// Options says where to post.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// URL is the address. Who knows it can post to it, so that errors name its host alone. It must be https or lead to this
	// machine, unless AllowHTTP is set.
	URL       delivery.Secret
	AllowHTTP bool
	// Key signs: 24 to 64 bytes in base64, with or without "whsec_" before it. Several keys, with white space between them,
	// each sign, so that a key can be changed while receivers still hold the old one.
	Key delivery.Secret
	// Transport, Timeout and Now are those of delivery.Options.
	Transport http.RoundTripper
	Timeout   time.Duration
	Now       func() time.Time
}

// Endpoint is an address that takes signed JSON.
type Endpoint struct {
	client *delivery.Client
	url    delivery.Secret
	plain  bool
	key    delivery.Secret
	now    func() time.Time
}

// New makes an Endpoint. It makes no call.
func New(o Options) *Endpoint {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Endpoint{
		client: delivery.NewClient(delivery.Options{Notifier: o.Notifier, Transport: o.Transport, Timeout: o.Timeout, Now: o.Now}),
		url:    o.URL, plain: o.AllowHTTP, key: o.Key, now: o.Now,
	}
}

// Post posts a body under an id, which is the same each time that its delivery is tried; the timestamp is that of the attempt.
// The error is an *alerts.DeliveryError.
func (e *Endpoint) Post(ctx context.Context, id string, body []byte) error {
	address, err := e.url()
	if err != nil {
		return e.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the address: %w", err))
	}
	u, err := delivery.CheckAddress(address, e.plain)
	if err != nil {
		return e.client.Fail(alerts.DeliveryAuth, fmt.Errorf("the address %w", err))
	}
	text, err := e.key()
	if err != nil {
		return e.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the key: %w", err))
	}
	keys, err := parseKeys(text)
	if err != nil {
		return e.client.Fail(alerts.DeliveryAuth, err)
	}
	at := strconv.FormatInt(e.now().Unix(), 10)
	// What the receiver says is not repeated: it may hold anything, also what it was sent.
	return e.client.Post(ctx, &delivery.Call{
		URL: u, Body: body, Secrets: delivery.AddressSecrets(u),
		Header: http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {sign(keys, id, at, body)},
		},
	})
}
