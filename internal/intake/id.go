package intake

import (
	"encoding/binary"
	"time"

	"github.com/dchest/siphash"

	"github.com/mailvane/mailvane/internal/observation"
)

// hasher makes ids from what is said: a keyed hash, so that nobody who sends mail can make two ids collide. It is not safe
// for concurrent use.
type hasher struct {
	k0, k1 uint64
	buf    []byte
}

func newHasher(key [16]byte) *hasher {
	return &hasher{
		k0:  binary.LittleEndian.Uint64(key[:8]),
		k1:  binary.LittleEndian.Uint64(key[8:]),
		buf: make([]byte, 0, 512),
	}
}

// The kinds of ids, so that ids of different kinds never meet.
const (
	idOfRecipient = 'r'
	idOfReport    = 'c'
	idOfAction    = 'a'
)

// recipient is the id of an outcome of one recipient: never the time, the envelope or the report, so that copies in any
// format and repeated delays are one. Addresses are folded to lower case because formats may print them differently.
func (h *hasher) recipient(messageID, address string, o observation.Outcome) uint64 {
	h.begin(idOfRecipient, o)
	h.text(messageID)
	h.folded(address)
	return h.sum()
}

// report is the id of a complaint that lists several possible complainers: one complaint for each report.
func (h *hasher) report(messageID, feedbackID string, o observation.Outcome) uint64 {
	h.begin(idOfReport, o)
	h.text(messageID)
	h.text(feedbackID)
	return h.sum()
}

// action is the id of an open or a click: those are events, not people.
func (h *hasher) action(messageID string, at time.Time, link string, o observation.Outcome) uint64 {
	h.begin(idOfAction, o)
	h.text(messageID)
	h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(at.UnixMilli()))
	h.text(link)
	return h.sum()
}

func (h *hasher) begin(kind byte, o observation.Outcome) {
	h.buf = append(h.buf[:0], kind, byte(o))
}

// text appends a string and its length, so that no two lists of strings give the same bytes.
func (h *hasher) text(s string) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(s)))
	h.buf = append(h.buf, s...)
}

func (h *hasher) folded(s string) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(s)))
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h.buf = append(h.buf, c)
	}
}

func (h *hasher) sum() uint64 { return siphash.Hash(h.k0, h.k1, h.buf) }
