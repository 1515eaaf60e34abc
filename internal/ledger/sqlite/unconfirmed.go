package sqlite

import (
	"maps"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// unconfirmed knows which ids may still have a message in a queue, and so must not be forgotten.
//
// A Put with a key is in flight until it is confirmed. Its ids are in its batch row, which stays as long as a Put of it is
// open; each fold stores which Puts are open. The ids of messages that the source kept become pins, in memory and in the
// table pin, for as long as SQS can hold a message; so do the ids of a flight that nobody confirms for flightAge, and after a
// crash those of each Put that was open or came after the last fold. A pin ends when a later copy of its id is confirmed as
// deleted.
//
// It has a lock of its own, never held over a write, so that a Put which only confirms waits for no disk.
type unconfirmed struct {
	mu      sync.Mutex
	flights map[flightKey]*flight
	// open counts, by batch, the flights whose ids are in the batch row alone.
	open map[int64]int
	// confirmedThrough has no open flight at or below it; newest is the last batch.
	confirmedThrough, newest int64
	pins                     map[pin]int64
	// pinned counts pins by id, perSource pins and ids in flight by source.
	pinned    map[uint64]int
	perSource map[string]int64
	// unwritten are the changes of pins that the table pin lacks, oldest first; landed are the rows of the table flight
	// that are over.
	unwritten []pinWrite
	landed    []putRow
}

type flightKey struct {
	source string
	key    uint64
}

// putRow is a Put by its place: the batch, and its index in the batch's Puts.
type putRow struct {
	batch int64
	put   int
}

type flight struct {
	row      putRow
	at       time.Time
	sourceID uint32
	ids      []flightID
	// stored says that it is in the table flight, spilled that its ids have become pins and its batch row is not needed.
	stored, spilled bool
}

type flightID struct {
	id      uint64
	message int
	// counted says that the Put made the id known, so that no older segment can have it.
	counted bool
}

type pin struct {
	source   string
	sourceID uint32
	id       uint64
}

// pinWrite puts a pin into the table, or takes it out when until is 0.
type pinWrite struct {
	pin   pin
	until int64
}

func newUnconfirmed() *unconfirmed {
	return &unconfirmed{
		flights: map[flightKey]*flight{}, open: map[int64]int{},
		pins: map[pin]int64{}, pinned: map[uint64]int{}, perSource: map[string]int64{},
	}
}

// launch notes the flights of a batch that was just committed.
func (u *unconfirmed) launch(batch int64, flights map[flightKey]*flight) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.newest = batch
	for key, f := range flights {
		if repeated := u.flights[key]; repeated != nil {
			u.remove(key, repeated) // a caller that gave up waiting has put the same again
		}
		f.row.batch = batch
		u.flights[key] = f
		u.open[batch]++
		u.perSource[key.source] += int64(len(f.ids))
	}
}

// land says that a flight's batch row is not needed for its sake.
func (u *unconfirmed) land(f *flight) {
	if f.spilled {
		return
	}
	if u.open[f.row.batch]--; u.open[f.row.batch] == 0 {
		delete(u.open, f.row.batch)
	}
	if f.stored {
		u.landed = append(u.landed, f.row)
	}
}

// confirm takes note of what a source has forgotten. Confirms of unknown keys are of an earlier process: their ids have
// become pins.
func (u *unconfirmed) confirm(source string, confirms []ledger.Confirm, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range confirms {
		key := flightKey{source, c.Key}
		f := u.flights[key]
		if f == nil {
			continue
		}
		kept := make(map[int]bool, len(c.Kept))
		for _, m := range c.Kept {
			kept[m] = true
		}
		for _, i := range f.ids {
			if !kept[i.message] {
				u.unpin(pin{source, f.sourceID, i.id})
			}
		}
		for _, i := range f.ids {
			if kept[i.message] {
				u.pin(pin{source, f.sourceID, i.id}, now.Add(memory).Unix())
			}
		}
		u.remove(key, f)
	}
}

func (u *unconfirmed) remove(key flightKey, f *flight) {
	u.land(f)
	delete(u.flights, key)
	if !f.spilled {
		u.add(key.source, -int64(len(f.ids)))
	}
}

func (u *unconfirmed) add(source string, n int64) {
	if u.perSource[source] += n; u.perSource[source] == 0 {
		delete(u.perSource, source)
	}
}

func (u *unconfirmed) pin(p pin, until int64) {
	if _, had := u.pins[p]; !had {
		u.pinned[p.id]++
		u.add(p.source, 1)
	}
	u.pins[p] = until
	u.unwritten = append(u.unwritten, pinWrite{p, until})
}

func (u *unconfirmed) unpin(p pin) {
	if _, had := u.pins[p]; !had {
		return
	}
	delete(u.pins, p)
	if u.pinned[p.id]--; u.pinned[p.id] == 0 {
		delete(u.pinned, p.id)
	}
	u.add(p.source, -1)
	u.unwritten = append(u.unwritten, pinWrite{pin: p})
}

// age turns flights that nobody confirmed in time into pins, and ends pins and flights as old as a message can be.
func (u *unconfirmed) age(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, f := range u.flights {
		switch age := now.Sub(f.at); {
		case age >= memory:
			u.remove(key, f)
		case age >= flightAge && !f.spilled:
			for _, i := range f.ids {
				u.pin(pin{key.source, f.sourceID, i.id}, f.at.Add(memory).Unix())
			}
			u.land(f)
			f.spilled = true
			u.add(key.source, -int64(len(f.ids)))
		}
	}
	for p, until := range u.pins {
		if until <= now.Unix() {
			u.unpin(p)
		}
	}
}

// unstored is what a transaction has to store about unconfirmed ids.
type unstored struct {
	// pins are the latest changes of pins; confirmedThrough holds once they are stored.
	pins             []pinWrite
	confirmedThrough int64
	// newest, opened and landed are for folds: once they are stored, a Put up to batch newest is open if the table flight
	// has it.
	newest int64
	opened []*flight
	landed []putRow
}

func (s *unstored) empty() bool { return len(s.pins)+len(s.opened)+len(s.landed) == 0 }

// pending returns what a commit must store: changes of pins, and the mark that then holds.
func (u *unconfirmed) pending() unstored {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pendingPins()
}

func (u *unconfirmed) pendingPins() unstored {
	for u.confirmedThrough < u.newest && u.open[u.confirmedThrough+1] == 0 {
		u.confirmedThrough++
	}
	return unstored{pins: u.unwritten, confirmedThrough: u.confirmedThrough, newest: u.newest}
}

// pendingFold returns what a fold must store. Flights that it opens count as stored from here on: should they land before
// the COMMIT, their rows are taken out by the next.
func (u *unconfirmed) pendingFold() unstored {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.pendingPins()
	s.landed = u.landed
	for _, f := range u.flights {
		if !f.stored && !f.spilled {
			f.stored = true
			s.opened = append(s.opened, f)
		}
	}
	return s
}

// settled takes note of whether what pending or pendingFold returned is stored now.
func (u *unconfirmed) settled(s unstored, stored bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !stored {
		for _, f := range s.opened {
			f.stored = false
		}
		return
	}
	if u.unwritten = u.unwritten[len(s.pins):]; len(u.unwritten) == 0 {
		u.unwritten = nil
	}
	if u.landed = u.landed[len(s.landed):]; len(u.landed) == 0 {
		u.landed = nil
	}
}

// among returns those of the ids in list, stored up to batch through, that must not be forgotten.
func (u *unconfirmed) among(list []uint64, through int64) map[uint64]struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	inFlight := map[uint64]struct{}{}
	for _, f := range u.flights {
		for _, i := range f.ids {
			if !i.counted || f.row.batch <= through {
				inFlight[i.id] = struct{}{}
			}
		}
	}
	guarded := map[uint64]struct{}{}
	for _, id := range list {
		if _, flies := inFlight[id]; flies || u.pinned[id] > 0 {
			guarded[id] = struct{}{}
		}
	}
	return guarded
}

// counts returns how many ids are unconfirmed, by source.
func (u *unconfirmed) counts() map[string]int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.perSource)
}

// recovered is what a former process left about unconfirmed ids.
type recovered struct {
	pins             []pinWrite
	confirmedThrough int64
	// asOf is the newest batch at the last fold; up to it, open has the open Puts.
	asOf int64
	open map[putRow]bool
	// sources are the names of sources by id.
	sources map[uint32]string
}

// unconfirmed calls fn for each Put of a batch that had not been seen confirmed, with its source and its ids.
func (r *recovered) unconfirmed(seq int64, b *batch, fn func(sourceID uint32, lists [3][]uint64)) {
	rest := [3][]uint64{b.Routine, b.Exceptional, b.Others}
	for i, p := range b.Puts {
		var own [3][]uint64
		for j, n := range [3]uint32{p.Routine, p.Exceptional, p.Others} {
			own[j], rest[j] = rest[j][:n], rest[j][n:]
		}
		if p.Source != 0 && seq > r.confirmedThrough && (seq > r.asOf || r.open[putRow{seq, i}]) {
			fn(p.Source, own)
		}
	}
}

// begin takes over the pins of a former process and lets its flights, which nobody will confirm, end.
func (u *unconfirmed) begin(r *recovered, newest int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range r.pins {
		u.pin(p.pin, p.until)
	}
	u.unwritten = nil
	for row := range r.open {
		u.landed = append(u.landed, row)
	}
	u.confirmedThrough, u.newest = newest, newest
}

// pinBatch pins what was unconfirmed of a batch.
func (u *unconfirmed) pinBatch(r *recovered, seq int64, b *batch, until int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r.unconfirmed(seq, b, func(sourceID uint32, lists [3][]uint64) {
		for _, list := range lists {
			for _, id := range list {
				u.pin(pin{r.sources[sourceID], sourceID, id}, until)
			}
		}
	})
}
