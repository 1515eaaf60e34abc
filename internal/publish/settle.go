package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// settle stores how a delivery stands. What cannot be stored is kept in memory until it can: forgetting a delivery repeats it.
func (p *Publisher) settle(ctx context.Context, number int64, destination string, ended ledger.Delivery) error {
	err := p.o.Ledger.SettleReport(context.WithoutCancel(ctx), number, destination, ended)
	if err == nil || errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	p.mu.Lock()
	p.unsettled[delivery{number, destination}] = ended
	p.mu.Unlock()
	return fmt.Errorf("store what became of report %d: %w", number, err)
}

// settleRest stores what could not be stored before.
func (p *Publisher) settleRest(ctx context.Context) error {
	p.mu.Lock()
	unsettled := maps.Clone(p.unsettled)
	p.mu.Unlock()
	for key, ended := range unsettled {
		err := p.o.Ledger.SettleReport(ctx, key.number, key.destination, ended)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return fmt.Errorf("store what became of report %d: %w", key.number, err)
		}
		p.mu.Lock()
		delete(p.unsettled, key)
		p.mu.Unlock()
	}
	return nil
}

// deliveryError takes an error of an outlet for what it is; any that is no DeliveryError is one that may pass.
func deliveryError(destination string, err error) *alerts.DeliveryError {
	if e, ok := errors.AsType[*alerts.DeliveryError](err); ok {
		return e
	}
	return &alerts.DeliveryError{Notifier: destination, Reason: alerts.DeliveryUnavailable, Err: err}
}

// maxError bounds a stored error, in bytes.
const maxError = 500

// inShort is an error as it is stored and shown.
func inShort(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToValidUTF8(strings.Join(strings.Fields(err.Error()), " "), "\uFFFD")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return text
}

const (
	// firstPause follows the first failure; each further one doubles it. Where a person must act it begins at authPause.
	firstPause = 10 * time.Second
	authPause  = time.Minute
)

// pause is how long to wait after the failures-th failure in a row, 1 being the first. random is in [0, 1): up to half of the
// pause is left off; one that the receiver asked for is only ever lengthened. It is never longer than the ledger allows.
func pause(failures int, err *alerts.DeliveryError, random float64) time.Duration {
	d := firstPause
	if err.Reason == alerts.DeliveryAuth {
		d = authPause
	}
	for i := 1; i < failures && d < ledger.MaxPause; i++ {
		d *= 2
	}
	d = min(d, ledger.MaxPause)
	d -= time.Duration(random * float64(d) / 2)
	return min(max(d, err.RetryAfter), ledger.MaxPause)
}
