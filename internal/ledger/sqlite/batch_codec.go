package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/mailvane/mailvane/internal/observation"
)

// batchFormat is the version of the body that this program writes. A change of the format takes a new number and keeps
// the reader of the old one.
const batchFormat = 1

var errBatchBody = errors.New("batch body is damaged")

// appendBatch writes b as a body of batchFormat: ids as 8 bytes, everything else as varints, each list after its length.
func appendBatch(p []byte, b *batch) []byte {
	p = appendList(p, b.Puts, func(p []byte, v *putIDs) []byte {
		return appendUints(p, v.Source, v.Routine, v.Exceptional, v.Others)
	})
	for _, ids := range [...][]uint64{b.Routine, b.Exceptional, b.Others} {
		p = binary.AppendUvarint(p, uint64(len(ids)))
		p = appendIDs(p, ids)
	}
	p = appendList(p, b.Cells, func(p []byte, v *cellDelta) []byte {
		p = binary.AppendVarint(p, v.Minute)
		p = appendUints(p, v.Cell.Campaign, v.Cell.Provider, v.Cell.Origin, v.Cell.Reason, uint32(v.Cell.Outcome))
		return appendInts(p, v.N, v.Possible)
	})
	p = appendList(p, b.Own, func(p []byte, v *ownDelta) []byte {
		p = appendUints(binary.AppendVarint(p, v.Hour), v.Origin, uint32(v.Outcome))
		return appendInts(p, v.N)
	})
	p = appendList(p, b.Uses, func(p []byte, v *useDelta) []byte {
		p = appendUints(binary.AppendVarint(p, v.Hour), v.Stamp, v.Campaign, v.Origin)
		return appendInts(p, v.Sent, v.GmailDelivered)
	})
	p = appendList(p, b.Published, func(p []byte, v *publishedDelta) []byte {
		return appendInts(appendUints(p, v.Origin, uint32(v.Type)), v.First, v.Last)
	})
	return appendList(p, b.Samples, func(p []byte, v *sampleDelta) []byte {
		p = appendUints(p, v.Key.Campaign, v.Key.Provider, v.Key.Reason, uint32(v.Key.Outcome))
		p = appendString(p, v.Key.Text)
		p = appendInts(p, v.N, v.First, v.Last)
		return appendList(p, v.MessageIDs, func(p []byte, id *string) []byte { return appendString(p, *id) })
	})
}

// decodeBatch reads a body into b, reusing its memory.
func decodeBatch(format int, body []byte, b *batch) error {
	if format != batchFormat {
		return fmt.Errorf("batch has the unknown format %d", format)
	}
	b.reset()
	r := bodyReader{p: body}
	b.Puts = readList(&r, b.Puts, func(v *putIDs) {
		v.Source, v.Routine, v.Exceptional, v.Others = r.uint32(), r.uint32(), r.uint32(), r.uint32()
	})
	b.Routine, b.Exceptional, b.Others = r.ids(b.Routine), r.ids(b.Exceptional), r.ids(b.Others)
	b.Cells = readList(&r, b.Cells, func(v *cellDelta) {
		v.Minute = r.int()
		v.Cell.Campaign, v.Cell.Provider, v.Cell.Origin, v.Cell.Reason = r.uint32(), r.uint32(), r.uint32(), r.uint32()
		v.Cell.Outcome = r.outcome()
		v.N, v.Possible = r.int(), r.int()
	})
	b.Own = readList(&r, b.Own, func(v *ownDelta) {
		v.Hour, v.Origin, v.Outcome, v.N = r.int(), r.uint32(), r.outcome(), r.int()
	})
	b.Uses = readList(&r, b.Uses, func(v *useDelta) {
		v.Hour, v.Stamp, v.Campaign, v.Origin = r.int(), r.uint32(), r.uint32(), r.uint32()
		v.Sent, v.GmailDelivered = r.int(), r.int()
	})
	b.Published = readList(&r, b.Published, func(v *publishedDelta) {
		v.Origin, v.Type, v.First, v.Last = r.uint32(), r.uint8(), r.int(), r.int()
	})
	b.Samples = readList(&r, b.Samples, func(v *sampleDelta) {
		v.Key.Campaign, v.Key.Provider, v.Key.Reason, v.Key.Outcome = r.uint32(), r.uint32(), r.uint32(), r.outcome()
		v.Key.Text = r.string()
		v.N, v.First, v.Last = r.int(), r.int(), r.int()
		v.MessageIDs = readList(&r, nil, func(id *string) { *id = r.string() })
	})
	if r.bad || len(r.p) != 0 || !b.partsFit() {
		return errBatchBody
	}
	return nil
}

// partsFit says whether the Puts' shares add up to the lists of ids.
func (b *batch) partsFit() bool {
	var routine, exceptional, others uint64
	for _, p := range b.Puts {
		routine += uint64(p.Routine)
		exceptional += uint64(p.Exceptional)
		others += uint64(p.Others)
	}
	return routine == uint64(len(b.Routine)) && exceptional == uint64(len(b.Exceptional)) && others == uint64(len(b.Others))
}

func appendIDs(p []byte, ids []uint64) []byte {
	for _, id := range ids {
		p = binary.LittleEndian.AppendUint64(p, id)
	}
	return p
}

func appendUints(p []byte, vs ...uint32) []byte {
	for _, v := range vs {
		p = binary.AppendUvarint(p, uint64(v))
	}
	return p
}

func appendInts(p []byte, vs ...int64) []byte {
	for _, v := range vs {
		p = binary.AppendVarint(p, v)
	}
	return p
}

func appendString(p []byte, s string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(s))), s...)
}

func appendList[T any](p []byte, list []T, one func(p []byte, v *T) []byte) []byte {
	p = binary.AppendUvarint(p, uint64(len(list)))
	for i := range list {
		p = one(p, &list[i])
	}
	return p
}

// bodyReader reads what the append functions wrote. After damage it returns zeros and bad is set.
type bodyReader struct {
	p   []byte
	bad bool
}

func (r *bodyReader) fail() {
	r.bad = true
	r.p = nil
}

func (r *bodyReader) uint() uint64 {
	v, n := binary.Uvarint(r.p)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.p = r.p[n:]
	return v
}

func (r *bodyReader) int() int64 {
	v, n := binary.Varint(r.p)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.p = r.p[n:]
	return v
}

func (r *bodyReader) bounded(limit uint64) uint64 {
	v := r.uint()
	if v > limit {
		r.fail()
		return 0
	}
	return v
}

func (r *bodyReader) uint32() uint32 { return uint32(r.bounded(math.MaxUint32)) }
func (r *bodyReader) uint8() uint8   { return uint8(r.bounded(math.MaxUint8)) }

// length reads the length of a list whose elements take at least size bytes each.
func (r *bodyReader) length(size int) int {
	n := r.uint()
	if n > uint64(len(r.p)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *bodyReader) outcome() uint8 { return uint8(r.bounded(uint64(observation.OutcomeCount - 1))) }

func (r *bodyReader) string() string {
	n := r.length(1)
	s := string(r.p[:n])
	r.p = r.p[n:]
	return s
}

func (r *bodyReader) ids(into []uint64) []uint64 {
	n := r.length(8)
	into = decodeIDs(into, r.p[:8*n])
	r.p = r.p[8*n:]
	return into
}

func decodeIDs(into []uint64, p []byte) []uint64 {
	for ; len(p) >= 8; p = p[8:] {
		into = append(into, binary.LittleEndian.Uint64(p))
	}
	return into
}

func readList[T any](r *bodyReader, into []T, one func(v *T)) []T {
	for range r.length(1) {
		var v T
		one(&v)
		if r.bad {
			return into
		}
		into = append(into, v)
	}
	return into
}
