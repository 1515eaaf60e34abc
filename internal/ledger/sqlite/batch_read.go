package sqlite

import (
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/internal/ledger"
)

// errEnough ends eachBatch early.
var errEnough = errors.New("enough batches")

// eachBatch decodes the batches after a given one into b, in order, and calls fn after each with its number and time.
func (w *writer) eachBatch(after int64, b *batch, fn func(seq, at int64) error) error {
	return w.each(func(scan func(...any) error) error {
		var seq, at int64
		var format int
		var body []byte
		if err := scan(&seq, &at, &format, &body); err != nil {
			return err
		}
		if err := decodeBatch(format, body, b); err != nil {
			return fmt.Errorf("%w: batch %d: %w", ledger.ErrCorrupt, seq, err)
		}
		return fn(seq, at)
	}, "SELECT seq, at_ms, format, body FROM batch WHERE seq > ? ORDER BY seq", after)
}
