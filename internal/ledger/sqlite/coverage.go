package sqlite

import "time"

// coverage knows the hours of own time in which live events of an origin were counted, as one bit an hour of a day.
type coverage map[coveredDay]uint32

type coveredDay struct {
	origin uint32
	day    int32
}

// coveredHour is an hour (since 1970) of an origin.
type coveredHour struct {
	origin uint32
	hour   int64
}

func (h coveredHour) split() (coveredDay, uint32) {
	d := floorDiv(h.hour, 24)
	return coveredDay{h.origin, int32(d)}, 1 << (h.hour - 24*d)
}

func (c coverage) has(h coveredHour) bool {
	d, bit := h.split()
	return c[d]&bit != 0
}

func (c coverage) add(h coveredHour) {
	d, bit := h.split()
	c[d] |= bit
}

func (c coverage) remove(h coveredHour) {
	d, bit := h.split()
	if c[d] &^= bit; c[d] == 0 {
		delete(c, d)
	}
}

// forgetBefore drops the days that end before t.
func (c coverage) forgetBefore(t time.Time) {
	first := int32(floorDiv(hourOf(t), 24))
	for d := range c {
		if d.day < first {
			delete(c, d)
		}
	}
}

func (c coverage) load(w *writer) error {
	return w.each(func(scan func(...any) error) error {
		var h coveredHour
		if err := scan(&h.origin, &h.hour); err != nil {
			return err
		}
		c.add(h)
		return nil
	}, "SELECT origin_id, hour / 3600 FROM covered")
}

// floorDiv divides rounding down, also below zero (times before 1970).
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func hourOf(t time.Time) int64   { return floorDiv(t.Unix(), 3600) }
func minuteOf(t time.Time) int64 { return floorDiv(t.Unix(), 60) }
func dayOf(t time.Time) int32    { return int32(floorDiv(t.Unix(), 86400)) }
