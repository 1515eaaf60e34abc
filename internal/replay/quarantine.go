package replay

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/event"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Store is where quarantined messages are kept; a ledger is one.
type Store interface {
	Quarantined(ctx context.Context, q ledger.QuarantineQuery) ([]ledger.QuarantineRow, error)
	DropQuarantined(ctx context.Context, ids []int64) (int, error)
}

// Selection names quarantined messages: those of IDs, else those that fit Source and Reason, empty meaning all.
type Selection struct {
	IDs    []int64 `json:"ids,omitempty"`
	Source string  `json:"source,omitempty"`
	Reason string  `json:"reason,omitempty"`
}

// chunk is how many messages are read at once: with bodies of up to 1 MiB each they must not all be.
const chunk = 20

// each calls do with the selected messages, newest first, a chunk at a time.
func (s Selection) each(ctx context.Context, store Store, bodies bool, do func([]ledger.QuarantineRow) error) error {
	if len(s.IDs) > 0 {
		return s.eachID(ctx, store, bodies, do)
	}
	query := ledger.QuarantineQuery{Source: s.Source, Reason: s.Reason, Bodies: bodies, Limit: chunk}
	for {
		rows, err := store.Quarantined(ctx, query)
		if err != nil {
			return fmt.Errorf("read quarantine: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		if err := do(rows); err != nil {
			return err
		}
		query.Before = rows[len(rows)-1].ID
	}
}

// eachID does so with the messages that are named, each once. When one of them is not there, nothing is done with any.
func (s Selection) eachID(ctx context.Context, store Store, bodies bool, do func([]ledger.QuarantineRow) error) error {
	ids := slices.Compact(slices.Sorted(slices.Values(s.IDs)))
	one := func(id int64, bodies bool) ([]ledger.QuarantineRow, error) {
		rows, err := store.Quarantined(ctx, ledger.QuarantineQuery{ID: id, Bodies: bodies, Limit: 1})
		if err != nil {
			return nil, fmt.Errorf("read quarantine: %w", err)
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("message %d of quarantine: %w", id, ledger.ErrNotFound)
		}
		return rows, nil
	}
	for _, id := range ids {
		if _, err := one(id, false); err != nil {
			return err
		}
	}
	for _, id := range slices.Backward(ids) {
		rows, err := one(id, bodies)
		if err != nil {
			return err
		}
		if err := do(rows); err != nil {
			return err
		}
	}
	return nil
}

// Drop forgets the selected messages and returns how many there were.
func Drop(ctx context.Context, store Store, s Selection) (int, error) {
	dropped := 0
	err := s.each(ctx, store, false, func(rows []ledger.QuarantineRow) error {
		n, err := store.DropQuarantined(ctx, idsOf(rows))
		dropped += n
		if err != nil {
			return fmt.Errorf("drop from quarantine: %w", err)
		}
		return nil
	})
	return dropped, err
}

// Quarantine counts the selected messages again, now that they may be understood, and forgets those that were. They were
// never counted before, so hours that were covered live are no obstacle. regions are those of the sources, for events that tell
// none.
func Quarantine(ctx context.Context, store Store, sink Sink, regions map[string]string, s Selection) (Summary, error) {
	var sum Summary
	err := s.each(ctx, store, true, func(rows []ledger.QuarantineRow) error {
		understood, err := again(ctx, sink, regions, rows, &sum)
		if err != nil {
			return err
		}
		if _, err := store.DropQuarantined(ctx, understood); err != nil {
			return fmt.Errorf("drop what was counted from quarantine: %w", err)
		}
		return nil
	})
	return sum, err
}

// again counts messages and returns the ids of those that were understood.
func again(
	ctx context.Context, sink Sink, regions map[string]string, rows []ledger.QuarantineRow, sum *Summary,
) ([]int64, error) {
	b := collectors.Batch{Source: "quarantine", Replay: &collectors.Replay{AssumeNew: true}}
	decoder := event.Decoder{}
	for i := range rows {
		b.Messages = append(b.Messages, collectors.Message{ID: rows[i].MessageID, Body: rows[i].Body})
		sum.Values++
		if rows[i].Body == "" && rows[i].Size > 0 {
			b.Unreadable = append(b.Unreadable, collectors.Unreadable{
				Message: i, Reason: collectors.UnreadableReason(rows[i].Reason), Detail: "its body was not kept (quarantine.bodies is false)",
			})
			continue
		}
		decoder.Region = regions[rows[i].Source]
		switch decoder.Decode(i, rows[i].Body, &b) {
		case event.KindSetup:
			sum.Setup++
		case event.KindStatus:
			sum.Statuses++
		}
	}
	got, err := sink.Replay(ctx, b)
	if err != nil {
		return nil, err
	}
	sum.count(got)
	bad := make(map[int]bool)
	for _, u := range got.Unreadable {
		bad[u.Message] = true
		sum.problem(Problem{
			File: "quarantine", Line: int(rows[u.Message].ID), Reason: string(u.Reason), Detail: u.Detail,
		})
	}
	var understood []int64
	for i := range rows {
		if !bad[i] {
			understood = append(understood, rows[i].ID)
		}
	}
	return understood, nil
}

func idsOf(rows []ledger.QuarantineRow) []int64 {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}
