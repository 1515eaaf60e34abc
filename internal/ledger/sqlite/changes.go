package sqlite

import (
	"sync"

	"github.com/mailvane/mailvane/internal/ledger"
)

const (
	// maxChangeFolds and maxChanges bound what is remembered of the latest folds: about two minutes, 30 MB.
	maxChangeFolds = 120
	maxChanges     = 500_000
)

// changeLog remembers what the latest folds of this process added to the cohorts.
type changeLog struct {
	mu    sync.Mutex
	folds []foldDeltas
	rows  int
}

type foldDeltas struct {
	fold ledger.Fold
	rows []delta
}

// delta is a ledger.CohortRow with the ids of its names.
type delta struct {
	start       int64
	n, possible int64
	cell        cellKey
	width       int32
}

func (c *changeLog) add(fold ledger.Fold, rows []delta) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.folds = append(c.folds, foldDeltas{fold, rows})
	c.rows += len(rows)
	for len(c.folds) > maxChangeFolds || c.rows > maxChanges && len(c.folds) > 1 {
		c.rows -= len(c.folds[0].rows)
		c.folds[0].rows = nil
		c.folds = c.folds[1:]
	}
}

// after returns the folds after a given one; ok is false when they are not all remembered.
func (c *changeLog) after(fold, through ledger.Fold) (folds []foldDeltas, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fold == through {
		return nil, true
	}
	for i, f := range c.folds {
		if f.fold == fold+1 {
			return c.folds[i:len(c.folds):len(c.folds)], true
		}
	}
	return nil, false
}
