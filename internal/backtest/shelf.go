package backtest

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// maxShelved bounds the readings that are kept in memory. With the texts in them they take about 300 bytes each.
	maxShelved = 250_000
	// shelvedFor is how far back a view looks at readings.
	shelvedFor = 16 * day
)

// shelf keeps readings day by day, for a view asks for the same days hour after hour, and asking the ledger each time would be
// nearly all that a backtest does.
type shelf struct {
	reader view.Reader
	days   map[shelfDay][]ledger.ReadingRow
	rows   int
}

// shelfDay is a day in UTC, by its start in Unix seconds.
type shelfDay struct {
	source string
	start  int64
}

func newShelf(r view.Reader) *shelf {
	return &shelf{reader: r, days: map[shelfDay][]ledger.ReadingRow{}}
}

// read reads the readings of one source, at a time in the past. They are in the order of days, and within a day in that of the
// ledger. What the shelf holds must not be changed; what is returned may.
func (s *shelf) read(ctx context.Context, q ledger.ReadingQuery, at time.Time) ([]ledger.ReadingRow, error) {
	s.clear(at)
	var out []ledger.ReadingRow
	for start := q.From.UTC().Truncate(day); start.Before(q.To); start = start.Add(day) {
		rows, err := s.day(ctx, q.Source, start)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			r := &rows[i]
			if fits(&q, r) && !r.FirstSeen.After(at) {
				out = append(out, *r)
			}
		}
	}
	return out, nil
}

func fits(q *ledger.ReadingQuery, r *ledger.ReadingRow) bool {
	return !r.Start.Before(q.From) && r.Start.Before(q.To) && (q.Subject == "" || q.Subject == r.Key.Subject) &&
		(q.Metric == "" || q.Metric == r.Key.Metric)
}

// day is all that a source told of a day. Days for which there is no room are read each time.
func (s *shelf) day(ctx context.Context, source string, start time.Time) ([]ledger.ReadingRow, error) {
	key := shelfDay{source, start.Unix()}
	if rows, ok := s.days[key]; ok {
		return rows, nil
	}
	rows, err := s.reader.Readings(ctx, ledger.ReadingQuery{Source: source, From: start, To: start.Add(day)})
	if err == nil && s.rows+len(rows) <= maxShelved {
		s.days[key] = rows
		s.rows += len(rows)
	}
	return rows, err
}

// clear drops the days that nobody asks for any more.
func (s *shelf) clear(at time.Time) {
	for key, rows := range s.days {
		if key.start < at.Add(-shelvedFor).Unix() {
			s.rows -= len(rows)
			delete(s.days, key)
		}
	}
}
