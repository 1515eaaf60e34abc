package mailbox

import "slices"

// gramLength is the length of the pieces by which texts are found, and so the least length of a rule's text.
const gramLength = 3

// gramBits is the size of the hash of a piece. 2^14 buckets for some 800 texts leave most positions of a reply without a
// candidate, and the table in the first two levels of cache.
const gramBits = 14

// index finds every rule whose text occurs in a reply, in one pass over the reply. Each text is filed under the piece of
// three bytes that is rarest among all texts, so that few comparisons fail.
type index struct {
	starts  [1<<gramBits + 1]uint32
	entries []indexEntry
}

type indexEntry struct {
	rule   *compiled
	bucket uint32
	// offset is where in the rule's text the piece stands.
	offset int
}

func gram(a, b, c byte) uint32 {
	const golden = 0x9E3779B1 // 2^32 divided by the golden ratio: spreads neighbouring values.
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * golden >> (32 - gramBits)
}

func newIndex(rules []*compiled) *index {
	var seen [1 << gramBits]int
	for _, r := range rules {
		for i := range len(r.match) - gramLength + 1 {
			seen[gram(r.match[i], r.match[i+1], r.match[i+2])]++
		}
	}
	x := &index{}
	for _, r := range rules {
		if r.match == "" {
			continue
		}
		e := indexEntry{rule: r, bucket: gram(r.match[0], r.match[1], r.match[2])}
		for i := range len(r.match) - gramLength + 1 {
			if g := gram(r.match[i], r.match[i+1], r.match[i+2]); seen[g] < seen[e.bucket] {
				e.bucket, e.offset = g, i
			}
		}
		x.entries = append(x.entries, e)
	}
	slices.SortStableFunc(x.entries, func(a, b indexEntry) int { return int(a.bucket) - int(b.bucket) })
	for _, e := range x.entries {
		x.starts[e.bucket+1]++
	}
	for i := range x.starts[1:] {
		x.starts[i+1] += x.starts[i]
	}
	return x
}

// each calls found for every rule whose text occurs in text, and where it starts.
func (x *index) each(text []byte, found func(r *compiled, at int)) {
	for i := 0; i+gramLength <= len(text); i++ {
		g := gram(text[i], text[i+1], text[i+2])
		for _, e := range x.entries[x.starts[g]:x.starts[g+1]] {
			at := i - e.offset
			if end := at + len(e.rule.match); at >= 0 && end <= len(text) && string(text[at:end]) == e.rule.match {
				found(e.rule, at)
			}
		}
	}
}
