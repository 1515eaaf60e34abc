package known

import "math/bits"

const (
	shardBits = 8
	// minSlots is the size of a shard's first table.
	minSlots = 8
	// mix spreads ids over shards and slots even when they are not hashes (2^64 divided by the golden ratio).
	mix = 0x9E3779B97F4A7C15
)

// Set is a set of ids. The zero value is empty and ready.
type Set struct {
	shards [1 << shardBits]shard
	n      int
	// zero says that id 0, which marks a free slot in the tables, is in the set.
	zero bool
}

type shard struct {
	slots []uint64
	n     int
}

// Len is the number of ids in the set.
func (s *Set) Len() int { return s.n }

// Bytes is the memory that the tables take.
func (s *Set) Bytes() int {
	total := 0
	for i := range s.shards {
		total += 8 * len(s.shards[i].slots)
	}
	return total
}

// Has says whether id is in the set.
func (s *Set) Has(id uint64) bool {
	if id == 0 {
		return s.zero
	}
	h := id * mix
	t := &s.shards[h>>(64-shardBits)]
	if len(t.slots) == 0 {
		return false
	}
	return t.slots[t.find(id, h)] == id
}

// Add puts id into the set and says whether it was new.
func (s *Set) Add(id uint64) bool {
	if id == 0 {
		added := !s.zero
		s.zero = true
		s.count(added, 1)
		return added
	}
	h := id * mix
	t := &s.shards[h>>(64-shardBits)]
	if 4*(t.n+1) > 3*len(t.slots) {
		t.grow()
	}
	i := t.find(id, h)
	if t.slots[i] == id {
		return false
	}
	t.slots[i] = id
	t.n++
	s.n++
	return true
}

// Remove takes id out of the set and says whether it was there.
func (s *Set) Remove(id uint64) bool {
	if id == 0 {
		removed := s.zero
		s.zero = false
		s.count(removed, -1)
		return removed
	}
	h := id * mix
	t := &s.shards[h>>(64-shardBits)]
	if len(t.slots) == 0 {
		return false
	}
	i := t.find(id, h)
	if t.slots[i] != id {
		return false
	}
	t.remove(i)
	s.n--
	return true
}

func (s *Set) count(changed bool, by int) {
	if changed {
		s.n += by
	}
}

// home is the slot where a search for an id of mixed value h begins.
func (t *shard) home(h uint64) int {
	hi, _ := bits.Mul64(h<<shardBits, uint64(len(t.slots)))
	return int(hi)
}

// find returns the slot that holds id, or the free one where it belongs. A table is never full, so the search ends.
func (t *shard) find(id, h uint64) int {
	i := t.home(h)
	for t.slots[i] != id && t.slots[i] != 0 {
		if i++; i == len(t.slots) {
			i = 0
		}
	}
	return i
}

func (t *shard) grow() {
	old := t.slots
	t.slots = make([]uint64, max(minSlots, len(old)+len(old)/5+1))
	for _, id := range old {
		if id != 0 {
			t.slots[t.find(id, id*mix)] = id
		}
	}
}

// remove frees slot i and shifts back what had been pushed past it, so that searches still find everything without
// tombstones.
func (t *shard) remove(i int) {
	t.n--
	size := len(t.slots)
	for j := i; ; {
		t.slots[i] = 0
		for {
			if j++; j == size {
				j = 0
			}
			if t.slots[j] == 0 {
				return
			}
			// The id at j may move to i unless its home lies between them (i exclusive, j inclusive, around the end).
			home := t.home(t.slots[j] * mix)
			if (j-home+size)%size >= (j-i+size)%size {
				break
			}
		}
		t.slots[i] = t.slots[j]
		i = j
	}
}
