package traffic

import (
	"math/rand/v2"
	"time"
)

// Stream hands out the events of a stretch of time in the order of their own time.
type Stream struct {
	from, to time.Time
	// next is the slot whose mails have not been derived yet.
	next    time.Time
	gen     generator
	pending []Event
}

// Stream returns the events that happen in [from, to). Streams of two stretches that touch give, together, the events of
// the whole.
func (m *Model) Stream(from, to time.Time) *Stream {
	s := &Stream{from: from, to: to}
	s.next = from.Add(-m.options.Lateness)
	if s.next.Before(m.options.Since) {
		s.next = m.options.Since
	}
	s.next = s.next.UTC().Truncate(slot)
	pcg := rand.NewPCG(0, 0)
	s.gen = generator{model: m, pcg: pcg, rand: rand.New(pcg), emit: s.push}
	return s
}

// Next returns the next event; ok is false when there is none left.
func (s *Stream) Next() (e Event, ok bool) {
	for len(s.pending) == 0 || !s.pending[0].At.Before(s.next) {
		if !s.next.Before(s.to) {
			break
		}
		s.gen.slot(s.next)
		s.next = s.next.Add(slot)
	}
	if len(s.pending) == 0 {
		return Event{}, false
	}
	return s.pop(), true
}

// before orders events: by time, and those of one time in a fixed order.
func (e *Event) before(o *Event) bool {
	if c := e.At.Compare(o.At); c != 0 {
		return c < 0
	}
	if e.Mail.key != o.Mail.key {
		return e.Mail.key < o.Mail.key
	}
	if e.Type != o.Type {
		return e.Type < o.Type
	}
	// Every other mail's twin comes first.
	return e.Twin != o.Twin && e.Twin == (e.Mail.key&1 == 0)
}

// push adds an event of the stretch to the heap of pending ones.
func (s *Stream) push(e Event) {
	if e.At.Before(s.from) || !e.At.Before(s.to) {
		return
	}
	s.pending = append(s.pending, e)
	for i := len(s.pending) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s.pending[i].before(&s.pending[parent]) {
			break
		}
		s.pending[i], s.pending[parent] = s.pending[parent], s.pending[i]
		i = parent
	}
}

// pop removes the first pending event.
func (s *Stream) pop() Event {
	first, last := s.pending[0], len(s.pending)-1
	s.pending[0] = s.pending[last]
	s.pending[last] = Event{}
	s.pending = s.pending[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s.pending[child].before(&s.pending[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		s.pending[i], s.pending[least] = s.pending[least], s.pending[i]
		i = least
	}
}
