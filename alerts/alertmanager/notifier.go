package alertmanager

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

const (
	// path is the one of alerts, below the prefix that an Alertmanager was told.
	path = "/api/v2/alerts"
	// resendEvery is after how long open groups are sent again, lasts how long an alert stands without that. As with
	// Prometheus, three resends may fail. It also is how long this program may be away before alerts end and fire anew.
	resendEvery = 2 * time.Minute
	lasts       = 4 * resendEvery
	// maxBody bounds a request. Alertmanager has no limit; what stands before it may.
	maxBody = 1 << 20
)

// Options says where to send.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// URLs are those of the Alertmanagers of one cluster, without the path of the API. Plain http is allowed where there are
	// no credentials, or AllowHTTP is set.
	URLs      []string
	AllowHTTP bool
	// User and Password are for basic authentication, Token for a bearer token. At most one of Password and Token is set.
	User            string
	Password, Token delivery.Secret
	// Log hears of Alertmanagers that fail while others take what they do not. Nil discards.
	Log *slog.Logger
	// Transport and Now are those of delivery.Options.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Notifier sends to the Alertmanagers of one cluster.
type Notifier struct {
	client          *delivery.Client
	urls            []*url.URL
	user            string
	password, token delivery.Secret
	log             *slog.Logger
	now             func() time.Time
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Resender = (*Notifier)(nil)
)

// New makes a notifier. The error is about the addresses.
func New(o Options) (*Notifier, error) {
	a := &Notifier{user: o.User, password: o.Password, token: o.Token, log: o.Log, now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if len(o.URLs) == 0 {
		return nil, errors.New("no Alertmanager is named")
	}
	plain := o.AllowHTTP || o.Password == nil && o.Token == nil
	for i, text := range o.URLs {
		u, err := delivery.CheckAddress(strings.TrimSuffix(strings.TrimSuffix(text, "/"), path), plain)
		if err != nil {
			return nil, fmt.Errorf("URL %d of Alertmanager %w", i+1, err)
		}
		a.urls = append(a.urls, u.JoinPath(path))
	}
	a.client = delivery.NewClient(delivery.Options{Notifier: o.Name, Transport: o.Transport, Now: o.Now})
	return a, nil
}

// ResendEvery implements alerts.Resender.
func (a *Notifier) ResendEvery() time.Duration { return resendEvery }

// Notify implements alerts.Notifier.
func (a *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	authorization, secrets, err := a.authorize()
	if err != nil {
		return a.client.Fail(alerts.DeliveryAuth, fmt.Errorf("read the credentials: %w", err))
	}
	now := a.now()
	if len(newAlerts(n, now)) == 0 {
		return nil
	}
	body, err := delivery.Fit(n, maxBody, func(n *alerts.Notification) ([]byte, error) { return json.Marshal(newAlerts(n, now)) })
	if err != nil {
		return a.client.Fail(alerts.DeliveryRefused, err)
	}
	failed := make([]error, len(a.urls))
	var sending sync.WaitGroup
	for i, u := range a.urls {
		sending.Go(func() {
			header := make(http.Header)
			if authorization != "" {
				header.Set("Authorization", authorization)
			}
			failed[i] = a.client.Post(ctx, &delivery.Call{
				URL: u, Header: header, Body: body, Want: http.StatusOK, Secrets: secrets, Explain: explain,
			})
		})
	}
	sending.Wait()
	return a.outcome(failed)
}

// authorize is the header of that name, and what no error may repeat.
func (a *Notifier) authorize() (header string, secrets []string, err error) {
	switch {
	case a.password != nil:
		password, err := a.password()
		if err != nil {
			return "", nil, err
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(a.user + ":" + password))
		return "Basic " + encoded, []string{password, encoded}, nil
	case a.token != nil:
		token, err := a.token()
		if err != nil {
			return "", nil, err
		}
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return "", nil, errors.New("the token is more than one word")
		}
		return "Bearer " + token, []string{token}, nil
	default:
		return "", nil, nil
	}
}

// outcome is nil when one of the Alertmanagers has taken it. Else the reason is the one that leaves most hope.
func (a *Notifier) outcome(failed []error) error {
	var best *alerts.DeliveryError
	taken := false
	for _, err := range failed {
		e, ok := errors.AsType[*alerts.DeliveryError](err)
		switch {
		case !ok:
			taken = true
		case best == nil || hope(e.Reason) > hope(best.Reason):
			best = e
		}
	}
	if best == nil {
		return nil
	}
	if taken {
		for i, err := range failed {
			if err != nil {
				a.log.Warn("an Alertmanager of the cluster did not take a notification", "host", a.urls[i].Host, "err", err)
			}
		}
		return nil
	}
	return best
}

// hope orders reasons by how soon a repetition may help.
func hope(r alerts.DeliveryReason) int {
	switch r {
	case alerts.DeliveryUnavailable:
		return 3
	case alerts.DeliveryQuota:
		return 2
	case alerts.DeliveryAuth:
		return 1
	default:
		return 0
	}
}

// explain reads a refusal: a text as JSON, or the plain one of the checks before, in which code and message are.
func explain(_ int, body []byte) (words string, reason alerts.DeliveryReason) {
	if json.Unmarshal(body, &words) == nil {
		return words, ""
	}
	var answer struct{ Message string }
	if json.Unmarshal(body, &answer) == nil {
		return answer.Message, ""
	}
	return "", ""
}
