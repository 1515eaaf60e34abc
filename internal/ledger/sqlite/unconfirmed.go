package sqlite

import (
	"maps"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// unconfirmed knows which ids may still have a message in a queue, and so must not be forgotten.
//
// A Put with a key is in flight until it is confirmed. Its ids are then in its batch row, which stays until
// confirmedThrough has passed it. The ids of messages that the source kept become pins, in memory and in the table pin, for
// as long as SQS can hold a message; so do the ids of a flight that nobody confirms for flightAge, and after a crash those
// of every batch above confirmedThrough. A pin ends when a later copy of its id is confirmed as deleted.
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
	// unwritten are the changes of pins that the table lacks, oldest first.
	unwritten []pinWrite
}

type flightKey struct {
	source string
	key    uint64
}

type flight struct {
	batch    int64
	at       time.Time
	sourceID uint32
	ids      []flightID
	// spilled says that its ids have become pins and its batch row is not needed.
	spilled bool
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
		u.land(u.flights[key]) // a key used twice: the later Put is the one that will be confirmed
		f.batch = batch
		u.flights[key] = f
		u.open[batch]++
		u.perSource[key.source] += int64(len(f.ids))
	}
}

// land says that a flight's batch row is not needed for its sake.
func (u *unconfirmed) land(f *flight) {
	if f == nil || f.spilled {
		return
	}
	if u.open[f.batch]--; u.open[f.batch] == 0 {
		delete(u.open, f.batch)
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

// pending returns what a transaction must store now: changes of pins, and the mark that holds once they are stored.
func (u *unconfirmed) pending() (writes []pinWrite, confirmedThrough int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.confirmedThrough < u.newest && u.open[u.confirmedThrough+1] == 0 {
		u.confirmedThrough++
	}
	return u.unwritten, u.confirmedThrough
}

// written forgets the first n changes that pending returned.
func (u *unconfirmed) written(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.unwritten = u.unwritten[n:]; len(u.unwritten) == 0 {
		u.unwritten = nil
	}
}

// among returns those of the ids in list, stored up to batch through, that must not be forgotten.
func (u *unconfirmed) among(list []uint64, through int64) map[uint64]struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	inFlight := map[uint64]struct{}{}
	for _, f := range u.flights {
		for _, i := range f.ids {
			if !i.counted || f.batch <= through {
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

// load takes over what a former process left: its pins, and how far it had seen everything confirmed.
func (u *unconfirmed) load(pins []pinWrite, confirmedThrough, newest int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range pins {
		u.pin(p.pin, p.until)
	}
	u.unwritten = nil
	u.confirmedThrough, u.newest = confirmedThrough, newest
}

// pinBatch pins the unconfirmed ids of a batch that a former process committed.
func (u *unconfirmed) pinBatch(b *batch, sources map[uint32]string, until int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	lists := [...][]uint64{b.Routine, b.Exceptional, b.Others}
	for _, p := range b.Puts {
		for i, n := range [...]uint32{p.Routine, p.Exceptional, p.Others} {
			list := lists[i][:n]
			lists[i] = lists[i][n:]
			if p.Source == 0 {
				continue
			}
			for _, id := range list {
				u.pin(pin{sources[p.Source], p.Source, id}, until)
			}
		}
	}
}
