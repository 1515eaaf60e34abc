package delivery

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/collectors"
)

const (
	// timeout bounds a call with its answer. A receiver of pages that takes longer is as good as down, and the next attempt
	// may meet another of its servers.
	timeout = 10 * time.Second
	// maxRefusal is how much of a refusal is read: enough for a sentence.
	maxRefusal = 16 << 10
	// maxHeader bounds the head of an answer.
	maxHeader = 64 << 10
	// maxRetryAfter bounds what a receiver may ask for, so that no answer can silence a notifier for good.
	maxRetryAfter = time.Hour
)

// Options says how a Client calls.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// Transport makes the calls, one like http.DefaultTransport when nil.
	Transport http.RoundTripper
	// Timeout bounds a call with its answer; 10 s when 0.
	Timeout time.Duration
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Client posts for one notifier.
type Client struct {
	notifier string
	http     *http.Client
	timeout  time.Duration
	now      func() time.Time
}

// NewClient makes a client.
func NewClient(o Options) *Client {
	c := &Client{notifier: o.Notifier, timeout: o.Timeout, now: o.Now}
	if c.timeout == 0 {
		c.timeout = timeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	c.http = &http.Client{
		Transport: o.Transport,
		// Following would hand the key to whom the answer names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

func newTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // somebody has wrapped it for the whole process
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = maxHeader
	return t
}

// Call is one attempt to hand something over.
type Call struct {
	URL    *url.URL
	Header http.Header
	Body   []byte
	// Want is the status by which the receiver says that it has taken it, 0 for any from 200 to 299. The body that comes with
	// it is not read: the status has said all.
	Want int
	// Secrets are what no error may repeat, those in URL included.
	Secrets []string
	// Explain, when not nil, finds in the body of another answer what a person should know, and the reason where the status
	// does not tell it, else "".
	Explain func(status int, body []byte) (words string, reason alerts.DeliveryReason)
}

// Post makes one attempt. The error is an *alerts.DeliveryError.
func (c *Client) Post(ctx context.Context, call *Call) error {
	silence := &silenceError{c.timeout}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, silence)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL.String(), bytes.NewReader(call.Body))
	if err != nil { // it would quote the address
		return c.Fail(alerts.DeliveryAuth, errors.New("the address cannot be called"))
	}
	if call.Header != nil {
		r.Header = call.Header
	}
	r.Header.Set("User-Agent", "mailvane")
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(r)
	if err != nil {
		return c.Fail(alerts.DeliveryUnavailable, networkError(ctx, err, call.Secrets))
	}
	defer answer.Body.Close()
	if answer.StatusCode == call.Want || call.Want == 0 && answer.StatusCode/100 == 2 {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // the status alone says enough
	return c.refused(answer, body, call)
}

// refused is about an answer other than the wanted one.
func (c *Client) refused(answer *http.Response, body []byte, call *Call) error {
	reason := reasonOf(answer.StatusCode)
	text := fmt.Sprintf("the answer had status %d", answer.StatusCode)
	switch answer.StatusCode / 100 {
	case 2:
		text += fmt.Sprintf(", not %d: something else may have answered", call.Want)
	case 3:
		text += ", which leads elsewhere: name the address that it leads to"
	}
	if call.Explain != nil {
		words, better := call.Explain(answer.StatusCode, body)
		if words = collectors.OneLine(words); words != "" && !reveals(words, call.Secrets) {
			text += ": " + words
		}
		if better != "" {
			reason = better
		}
	}
	e := &alerts.DeliveryError{Notifier: c.notifier, Reason: reason, Err: errors.New(text)}
	e.RetryAfter = min(collectors.RetryAfter(answer.Header, c.now()), maxRetryAfter)
	return e
}

// reasonOf says what a status means. Only what speaks of this notification makes a dead letter of it; an address or a key
// that is wrong can be mended, and then it goes out.
func reasonOf(status int) alerts.DeliveryReason {
	switch {
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return alerts.DeliveryRefused
	case status == http.StatusTooManyRequests:
		return alerts.DeliveryQuota
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return alerts.DeliveryUnavailable
	case status/100 == 3, status/100 == 4:
		return alerts.DeliveryAuth
	default:
		return alerts.DeliveryUnavailable
	}
}

// Fail is an error of this notifier. Err must hold no secret.
func (c *Client) Fail(reason alerts.DeliveryReason, err error) error {
	return &alerts.DeliveryError{Notifier: c.notifier, Reason: reason, Err: err}
}

// silenceError is the cause of the end of a call that got no answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// networkError is about a call without an answer. The text of a url.Error is not repeated: it holds the address.
func networkError(ctx context.Context, err error, secrets []string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	// An answer that is not HTTP is quoted in the text.
	if text := collectors.OneLine(err.Error()); !reveals(text, secrets) {
		return errors.New(text)
	}
	return inOtherWords(err, secrets)
}

// inOtherWords is about what names a secret: often its host alone, which is a part of an address that is secret as a whole.
func inOtherWords(err error, secrets []string) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if why := collectors.OneLine(e.Err); !reveals(why, secrets) {
			return errors.New("its host name cannot be looked up: " + why)
		}
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errors.New("the certificate that it shows is for another host")
	}
	return errors.New("no answer that can be understood")
}
