package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Errors of Silences by which callers decide.
var (
	// ErrSilence: the silence cannot be used; the message says why.
	ErrSilence = errors.New("the silence cannot be used")
	// ErrNoSilence: there is no such silence, or it has ended.
	ErrNoSilence = errors.New("there is no such silence")
)

// Silences adds, ends and lists silences. They take effect with the next round.
type Silences struct {
	ledger Ledger
	*Records
	newID func() string
	// changing is held over a change, which reads first.
	changing sync.Mutex
}

// NewSilences returns the silences in a ledger. newID makes ids that are not used again.
func NewSilences(l Ledger, now func() time.Time, newID func() string) *Silences {
	return &Silences{ledger: l, Records: NewRecords(l, now), newID: newID}
}

// List lists the silences that have not ended, in the order of their ends.
func (s *Silences) List(ctx context.Context) ([]alerts.Silence, error) {
	return s.Silences(ctx, s.now())
}

// Add stores a new silence and returns it with its id. It starts now unless it says otherwise. The error is ErrSilence when it
// cannot be used.
func (s *Silences) Add(ctx context.Context, one alerts.Silence) (alerts.Silence, error) {
	now := s.now().UTC().Round(0)
	if one.StartsAt.IsZero() {
		one.StartsAt = now
	}
	one.StartsAt, one.EndsAt = one.StartsAt.UTC(), one.EndsAt.UTC()
	one.ID = s.newID()
	if err := one.Check(); err != nil {
		return one, fmt.Errorf("%w: %w", ErrSilence, err)
	}
	if !one.EndsAt.After(now) {
		return one, fmt.Errorf("%w: ends_at: is in the past", ErrSilence)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	others, err := s.List(ctx)
	if err != nil {
		return one, err
	}
	if len(others) >= alerts.MaxSilences {
		return one, fmt.Errorf("%w: there are %d already", ErrSilence, len(others))
	}
	return one, s.put(ctx, &one)
}

// End ends a silence now and returns it as it was. The error is ErrNoSilence when there is none of that id that lasts.
func (s *Silences) End(ctx context.Context, id string) (alerts.Silence, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	all, err := s.List(ctx)
	if err != nil {
		return alerts.Silence{}, err
	}
	for _, one := range all {
		if one.ID != id {
			continue
		}
		ended := one
		ended.EndsAt = s.now().UTC().Round(0)
		if ended.EndsAt.Before(ended.StartsAt) {
			ended.StartsAt = ended.EndsAt // it never began
		}
		return one, s.put(ctx, &ended)
	}
	return alerts.Silence{}, fmt.Errorf("end silence %.40q: %w", id, ErrNoSilence)
}

func (s *Silences) put(ctx context.Context, one *alerts.Silence) error {
	body, err := one.Encode()
	if err != nil {
		return err
	}
	return s.ledger.PutSilence(ctx, ledger.Silence{ID: one.ID, EndsAt: one.EndsAt, Body: string(body)})
}
