package replay

import (
	"context"
	"errors"
	"testing"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
)

// shelf is a quarantine of one message.
type shelf struct {
	row     ledger.QuarantineRow
	dropped []int64
}

func (s *shelf) Quarantined(_ context.Context, q ledger.QuarantineQuery) ([]ledger.QuarantineRow, error) {
	if q.Before != 0 {
		return nil, nil
	}
	return []ledger.QuarantineRow{s.row}, nil
}

func (s *shelf) DropQuarantined(_ context.Context, ids []int64) (int, error) {
	s.dropped = append(s.dropped, ids...)
	return len(ids), nil
}

// regions records the regions of the events that it is given.
type regions []string

func (r *regions) Replay(_ context.Context, b collectors.Batch) (intake.Summary, error) {
	for i := range b.Events {
		*r = append(*r, b.Events[i].Region)
	}
	return intake.Summary{}, nil
}

// An event that tells no region is counted in that of the queue it came from, as it would have been at once.
func TestQuarantineKnowsTheRegionOfTheQueue(t *testing.T) {
	store := &shelf{row: ledger.QuarantineRow{ID: 7, Source: "eu", Quarantined: ledger.Quarantined{
		Body: `{"eventType":"Open","mail":{"messageId":"m","timestamp":"2026-11-20T10:00:00Z","destination":["jane@example.com"]},` +
			`"open":{"timestamp":"2026-11-20T10:00:00Z"}}`,
	}}}
	var got regions
	sum, err := Quarantine(t.Context(), store, &got, map[string]string{"eu": "eu-west-1"}, Selection{})
	if err != nil || sum.Values != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if len(got) != 1 || got[0] != "eu-west-1" {
		t.Errorf("counted in %q", got)
	}
	if len(store.dropped) != 1 || store.dropped[0] != 7 {
		t.Errorf("dropped %v", store.dropped)
	}
}

// several is a quarantine of the messages with those ids.
type several map[int64]bool

func (s several) Quarantined(_ context.Context, q ledger.QuarantineQuery) ([]ledger.QuarantineRow, error) {
	if !s[q.ID] {
		return nil, nil
	}
	return []ledger.QuarantineRow{{ID: q.ID}}, nil
}

func (s several) DropQuarantined(_ context.Context, ids []int64) (int, error) {
	for _, id := range ids {
		delete(s, id)
	}
	return len(ids), nil
}

func TestNamedMessages(t *testing.T) {
	store := several{1: true, 2: true, 3: true}
	if n, err := Drop(t.Context(), store, Selection{IDs: []int64{2, 9}}); n != 0 || !errors.Is(err, ledger.ErrNotFound) || len(store) != 3 {
		t.Errorf("with one that is not there: dropped %d, %v, %d are left", n, err, len(store))
	}
	if n, err := Drop(t.Context(), store, Selection{IDs: []int64{2, 1, 2}}); n != 2 || err != nil || !store[3] {
		t.Errorf("with one named twice: dropped %d, %v, left %v", n, err, store)
	}
}
