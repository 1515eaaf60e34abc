package campaign

import (
	"hash/maphash"
	"sync"
)

const (
	cacheShards = 16
	// shardEntries bounds a shard: with 16 of them 65,536 values are remembered, of at most 256 bytes each.
	shardEntries = 4096
)

// cache remembers what values came to. It is sharded because every event of every pass asks it. A shard that is full is
// emptied: a flood of values then costs time but no memory, and ordinary ones come back at once.
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]struct {
		sync.RWMutex
		entries map[cacheKey]found
	}
}

type cacheKey struct {
	rule  int
	value string
}

func newCache() *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = map[cacheKey]found{}
	}
	return c
}

func (c *cache) load(rule int, value string) (found, bool) {
	shard := &c.shards[maphash.String(c.seed, value)%cacheShards]
	shard.RLock()
	defer shard.RUnlock()
	f, ok := shard.entries[cacheKey{rule, value}]
	return f, ok
}

// store keeps value and f, so neither may alias an event.
func (c *cache) store(rule int, value string, f found) {
	shard := &c.shards[maphash.String(c.seed, value)%cacheShards]
	shard.Lock()
	defer shard.Unlock()
	if len(shard.entries) >= shardEntries {
		clear(shard.entries)
	}
	shard.entries[cacheKey{rule, value}] = f
}
