package sqlite

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger/known"
)

// The classes of ids. The numbers are kept in the table id_segment.
const (
	routine = iota
	exceptional
	classes
)

const (
	// maxSegment bounds the ids of a segment, and so what one eviction forgets and how long it takes.
	maxSegment = 65_536
	// smallSegment is below what a segment is rewritten to take more ids: a quiet ledger has few segments, each with
	// at most segmentSpan of commits.
	smallSegment = 2048
	segmentSpan  = time.Hour
)

var forgottenKeys = [classes]string{routine: "forgotten_ms_routine", exceptional: "forgotten_ms_exceptional"}

// ids are the known ids: in memory as one set, on disk as segments in commit order (and, before the fold, in batch rows).
// Its owner holds the writer's lock.
type ids struct {
	w   *writer
	set known.Set
	// budget and count are by class; count has the ids that are in segments or in batches not yet folded.
	budget, count [classes]int
	// forgotten is, by class, when the newest id forgotten for its budget had been stored (Unix milliseconds).
	forgotten [classes]int64
	// orphans are ids that are in no segment any more, and known only because they are unconfirmed.
	orphans map[uint64]struct{}
}

// segment is a row of id_segment without its ids.
type segment struct {
	id, through, first, last int64
	n                        int
}

func newIDs(w *writer, budget [classes]int) *ids {
	return &ids{w: w, budget: budget, orphans: map[uint64]struct{}{}}
}

// load reads the segments at start.
func (s *ids) load() error {
	var list []uint64
	for class := range classes {
		if err := s.w.get([]any{&s.forgotten[class]}, "SELECT value FROM meta WHERE key = ?", forgottenKeys[class]); err != nil {
			return err
		}
		err := s.w.each(func(scan func(...any) error) error {
			var p []byte
			if err := scan(&p); err != nil {
				return err
			}
			list = decodeIDs(list[:0], p)
			for _, id := range list {
				s.set.Add(id)
			}
			s.count[class] += len(list)
			return nil
		}, "SELECT ids FROM id_segment WHERE class = ? ORDER BY id", class)
		if err != nil {
			return err
		}
	}
	return nil
}

// horizon is how far back ids of a class are still known: 14 days unless the budget was too small for that. forgotten is
// when the newest id forgotten for the budget had been stored.
func horizon(forgotten int64, now time.Time) time.Duration {
	if forgotten == 0 {
		return memory
	}
	return min(memory, max(0, now.Sub(time.UnixMilli(forgotten))))
}

// store appends ids to the segments of a class. through and at are the batch and time of the newest of them.
func (s *ids) store(class int, list []uint64, through int64, first, last int64) error {
	limit := min(maxSegment, max(1, s.budget[class]/16))
	tail, err := s.tail(class)
	if err != nil {
		return err
	}
	if room := min(limit, smallSegment) - tail.n; tail.id != 0 && room > 0 && last-tail.first < segmentSpan.Milliseconds() {
		n := min(room, len(list))
		if err := s.extend(tail, list[:n], through, last); err != nil || n == len(list) {
			return err
		}
		list = list[n:]
	}
	for len(list) > 0 {
		n := min(limit, len(list))
		err := s.w.exec("INSERT INTO id_segment (class, through, first_ms, last_ms, n, ids) VALUES (?, ?, ?, ?, ?, ?)",
			class, through, first, last, n, appendIDs(make([]byte, 0, 8*n), list[:n]))
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// tail returns the newest segment of a class; its id is 0 when there is none.
func (s *ids) tail(class int) (segment, error) {
	return s.one("SELECT id, through, first_ms, last_ms, n FROM id_segment WHERE class = ? ORDER BY id DESC LIMIT 1", class)
}

func (s *ids) one(query string, class int) (g segment, err error) {
	err = s.w.each(func(scan func(...any) error) error {
		return scan(&g.id, &g.through, &g.first, &g.last, &g.n)
	}, query, class)
	return g, err
}

func (s *ids) extend(g segment, list []uint64, through, last int64) error {
	if len(list) == 0 {
		return nil
	}
	var p []byte
	if err := s.w.get([]any{&p}, "SELECT ids FROM id_segment WHERE id = ?", g.id); err != nil {
		return err
	}
	return s.w.exec("UPDATE id_segment SET ids = ?, n = ?, through = ?, last_ms = ? WHERE id = ?",
		appendIDs(p, list), g.n+len(list), through, last, g.id)
}

// eviction is what a transaction forgets. It is applied to the memory after the COMMIT.
type eviction struct {
	class     int
	list      []uint64
	through   int64
	forgotten int64
}

// evict takes the oldest segment of a class off the disk if the class is over its budget, or if all of the segment's ids are
// older than the promise. evicted counts the ids that earlier evictions of the same transaction took.
func (s *ids) evict(class, evicted int, now time.Time) (*eviction, error) {
	g, err := s.one("SELECT id, through, first_ms, last_ms, n FROM id_segment WHERE class = ? ORDER BY id LIMIT 1", class)
	if err != nil || g.id == 0 {
		return nil, err
	}
	expired := g.last < now.Add(-memory).UnixMilli()
	if !expired && s.count[class]-evicted <= s.budget[class] {
		return nil, nil
	}
	var p []byte
	if err := s.w.get([]any{&p}, "SELECT ids FROM id_segment WHERE id = ?", g.id); err != nil {
		return nil, err
	}
	if err := s.w.exec("DELETE FROM id_segment WHERE id = ?", g.id); err != nil {
		return nil, err
	}
	e := &eviction{class: class, list: decodeIDs(nil, p), through: g.through, forgotten: s.forgotten[class]}
	if !expired {
		e.forgotten = max(e.forgotten, g.last)
		err = s.w.exec("UPDATE meta SET value = ? WHERE key = ?", e.forgotten, forgottenKeys[class])
	}
	return e, err
}

// forget applies an eviction to the memory, sparing the ids that are unconfirmed.
func (s *ids) forget(e *eviction, u *unconfirmed) {
	spared := u.among(e.list, e.through)
	for _, id := range e.list {
		if _, ok := spared[id]; ok {
			s.orphans[id] = struct{}{}
		} else {
			s.set.Remove(id)
		}
	}
	s.count[e.class] -= len(e.list)
	s.forgotten[e.class] = e.forgotten
}

// sweep forgets the orphans that nothing holds any more.
func (s *ids) sweep(u *unconfirmed) {
	if len(s.orphans) == 0 {
		return
	}
	spared := u.among(slices.Collect(maps.Keys(s.orphans)), math.MaxInt64)
	for id := range s.orphans {
		if _, ok := spared[id]; !ok {
			delete(s.orphans, id)
			s.set.Remove(id)
		}
	}
}
