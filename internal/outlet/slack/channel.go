package slack

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

// Options says where to post.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// URL is the address of the webhook, such as https://hooks.slack.com/services/….
	URL delivery.Secret
	// Transport, Timeout and Now are those of delivery.Options.
	Transport http.RoundTripper
	Timeout   time.Duration
	Now       func() time.Time
}

// Channel is where a webhook posts.
type Channel struct {
	client *delivery.Client
	url    delivery.Secret
}

// New makes a Channel. It makes no call.
func New(o Options) *Channel {
	return &Channel{
		client: delivery.NewClient(delivery.Options{Notifier: o.Notifier, Transport: o.Transport, Timeout: o.Timeout, Now: o.Now}),
		url:    o.URL,
	}
}

// Post posts a message; in one that is too large the last blocks go. The error is an *alerts.DeliveryError.
func (c *Channel) Post(ctx context.Context, m *Message) error {
	address, err := c.url()
	if err != nil {
		return c.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the address of the webhook: %w", err))
	}
	u, err := delivery.CheckAddress(address, false)
	if err != nil {
		return c.client.Fail(alerts.DeliveryAuth, fmt.Errorf("the address of the webhook %w", err))
	}
	body, err := m.fit()
	if err != nil {
		return c.client.Fail(alerts.DeliveryRefused, err)
	}
	return c.client.Post(ctx, &delivery.Call{
		URL: u, Body: body, Want: http.StatusOK, Secrets: append(delivery.AddressSecrets(u), address), Explain: explain,
	})
}

// fit writes the message without the last blocks where it would be too large.
func (m *Message) fit() ([]byte, error) {
	body, err := m.Encode()
	for blocks := len(m.Blocks); err == nil && len(body) > MaxSize && blocks > 0; {
		blocks = min(blocks, maxBlocks) - 1
		body, err = (&Message{m.Text, m.Color, m.Blocks[:blocks]}).Encode()
	}
	return body, err
}

// word is the form of Slack's errors; an answer in other words is not Slack's.
var word = regexp.MustCompile(`^[a-z][a-z_]{1,60}$`)

// explain reads a refusal: a word with status 400, 403, 404 or 410
// (https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). Some with status 400 are about the
// webhook and not about the message.
func explain(_ int, body []byte) (words string, reason alerts.DeliveryReason) {
	words = strings.TrimSpace(string(body))
	if !word.MatchString(words) {
		return "", ""
	}
	switch words {
	case "invalid_token", "no_active_hooks", "no_service", "no_service_id", "no_team", "team_disabled", "user_not_found",
		"channel_not_found", "channel_is_archived", "action_prohibited", "posting_to_general_channel_denied":
		return words, alerts.DeliveryAuth
	case "rollup_error":
		return words, alerts.DeliveryUnavailable
	default:
		return words, ""
	}
}
