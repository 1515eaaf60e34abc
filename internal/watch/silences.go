package watch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Errors of Silences by which callers decide.
var (
	// ErrSilence: the silence cannot be used; the message says why.
	ErrSilence = errors.New("the silence cannot be used")
	// ErrSilences: there are as many silences as there may be. It is an ErrSilence, too.
	ErrSilences = fmt.Errorf("%w: there are %d already", ErrSilence, alerts.MaxSilences)
	// ErrNoSilence: there is no such silence, or it has ended.
	ErrNoSilence = errors.New("there is no such silence")
	// ErrSilenceEnded: it has ended. It is an ErrNoSilence, too.
	ErrSilenceEnded = fmt.Errorf("%w: it has ended", ErrNoSilence)
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
		return one, ErrSilences
	}
	return one, s.put(ctx, &one)
}

// End ends a silence now and returns it as it is then. The error is ErrNoSilence when there is none of that id, and
// ErrSilenceEnded when it has ended before.
func (s *Silences) End(ctx context.Context, id string) (alerts.Silence, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	all, err := s.Silences(ctx, time.Time{})
	if err != nil {
		return alerts.Silence{}, err
	}
	now := s.now()
	for _, one := range all {
		if one.ID != id {
			continue
		}
		if !one.EndsAt.After(now) {
			return one, fmt.Errorf("end silence %s: %w", id, ErrSilenceEnded)
		}
		ended := one
		ended.EndsAt = now.UTC().Round(0)
		if ended.EndsAt.Before(ended.StartsAt) {
			ended.StartsAt = ended.EndsAt // it never began
		}
		return ended, s.put(ctx, &ended)
	}
	return alerts.Silence{}, fmt.Errorf("end silence %.40q: %w", id, ErrNoSilence)
}

// ParseSpan reads how long a silence is to last: days and what is left of one, such as "2h", "1h30m" or "7d".
func ParseSpan(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	var span time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, notSpan(text)
		}
		span = time.Duration(n) * 24 * time.Hour
	} else {
		rest = text
	}
	if rest != "" || !found {
		part, err := time.ParseDuration(rest)
		if err != nil || part < 0 || part > math.MaxInt64-span {
			return 0, notSpan(text)
		}
		span += part
	}
	if span <= 0 {
		return 0, notSpan(text)
	}
	return span, nil
}

func notSpan(text string) error {
	return fmt.Errorf("%.40q is not a length of time such as 2h, 1h30m or 7d", text)
}

func (s *Silences) put(ctx context.Context, one *alerts.Silence) error {
	body, err := one.Encode()
	if err != nil {
		return err
	}
	return s.ledger.PutSilence(ctx, ledger.Silence{ID: one.ID, EndsAt: one.EndsAt, Body: string(body)})
}
