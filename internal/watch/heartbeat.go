package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// HeartbeatOptions are what a Heartbeat is made of.
type HeartbeatOptions struct {
	// URL tells the address, which is a secret, each time anew. Its error must not hold it.
	URL func() (string, error)
	// Working says why there is to be no call, nil when there is.
	Working func() error
	// Transport makes the calls, http.DefaultTransport when nil. Timeout bounds one, 10 seconds by default.
	Transport http.RoundTripper
	Timeout   time.Duration
}

// Heartbeat calls an address while evaluation works. Whoever listens there tells somebody when the calls stop.
type Heartbeat struct {
	o      HeartbeatOptions
	client *http.Client
}

// NewHeartbeat returns a heartbeat.
func NewHeartbeat(o HeartbeatOptions) *Heartbeat {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return &Heartbeat{o, &http.Client{
		Transport: o.Transport, Timeout: o.Timeout,
		// An address of a service is called as it is; following it elsewhere would hand the secret on.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// maxHeartbeatAnswer is how much of an answer is read, so that the connection can be used again.
const maxHeartbeatAnswer = 64 << 10

// Beat calls the address once, with GET, if all works. The error says why it did not, or what the address answered; it never
// names the address.
func (h *Heartbeat) Beat(ctx context.Context) error {
	if err := h.o.Working(); err != nil {
		return fmt.Errorf("heartbeat left out: %w", err)
	}
	address, err := h.o.URL()
	if err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "https" && request.URL.Scheme != "http" {
		return errors.New("heartbeat: its address is no URL that begins with https://")
	}
	request.Header.Set("User-Agent", "mailvane")
	answer, err := h.client.Do(request)
	if err != nil {
		return fmt.Errorf("heartbeat: %w", withoutAddress(err))
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxHeartbeatAnswer) // the status says it all
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("heartbeat: answered %d", answer.StatusCode)
	}
	return nil
}

// withoutAddress takes the address out of an error of net/http, which begins with it.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return withoutAddress(e.Err)
	}
	return err
}
