package ledgertest

import (
	"maps"
	"math"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// model is a ledger that is obviously right: maps in memory that forget nothing, are never full and never fail. Random walks
// compare engines to it.
type model struct {
	known     map[uint64]bool
	held      map[uint64]ledger.Entry
	cohorts   map[slot]tally // by hour
	own       map[ledger.OwnTimeRow]int64
	uses      map[ledger.UseRow]tally // N is Sent, Possible GmailDelivered
	published map[publishedKey]ledger.Published
	positions map[string]string
	readings  map[readingKey]ledger.ReadingRow
	poison    map[string]bool
	// flying are the ids of unconfirmed Puts by key, pins those of messages that the source kept, and freed those that were
	// confirmed as gone, from which a copy may be left in an earlier or later Put.
	flying map[uint64][]ledger.Entry
	pins   map[uint64]bool
	freed  map[uint64]bool
	// crashed says that confirmed ids may be unconfirmed again: the ledger may learn late that they were confirmed.
	crashed bool
}

type publishedKey struct {
	origin observation.Origin
	event  observation.EventType
}

type readingKey struct {
	key   observation.ReadingKey
	start time.Time
}

func newModel() *model {
	return &model{
		known: map[uint64]bool{}, held: map[uint64]ledger.Entry{}, cohorts: map[slot]tally{},
		own: map[ledger.OwnTimeRow]int64{}, uses: map[ledger.UseRow]tally{}, published: map[publishedKey]ledger.Published{},
		positions: map[string]string{}, readings: map[readingKey]ledger.ReadingRow{}, poison: map[string]bool{},
		flying: map[uint64][]ledger.Entry{}, pins: map[uint64]bool{}, freed: map[uint64]bool{},
	}
}

func (m *model) commit(now time.Time, p ledger.Put) []ledger.Fate {
	for _, c := range p.Confirms {
		m.confirm(c)
	}
	var fates []ledger.Fate
	for _, e := range p.Entries {
		fates = append(fates, m.take(e))
	}
	if p.Key != 0 {
		m.flying[p.Key] = p.Entries
	}
	maps.Copy(m.positions, p.Positions)
	for _, reading := range p.Readings {
		m.read(now, reading)
	}
	for _, message := range p.Quarantine {
		m.poison[message.MessageID] = true
	}
	return fates
}

func (m *model) take(e ledger.Entry) ledger.Fate {
	_, waiting := m.held[e.ID]
	switch {
	case m.known[e.ID] || waiting && !e.Hold.IsZero():
		return ledger.Duplicate
	case !e.Hold.IsZero():
		m.held[e.ID] = e
		return ledger.Held
	default:
		delete(m.held, e.ID)
		m.tally(e)
		return ledger.Counted
	}
}

func (m *model) tally(e ledger.Entry) {
	m.known[e.ID] = true
	add(m.cohorts, slot{hourOf(e.SentAt), e.Cell}, tally{1, int64(e.Possible)})
	m.own[ledger.OwnTimeRow{
		Start: hourOf(e.At), Width: time.Hour, Origin: e.Cell.Origin, Outcome: e.Cell.Outcome,
	}]++
	use := ledger.UseRow{
		Hour: hourOf(e.SentAt), Account: e.Cell.Origin.Account, Region: e.Cell.Origin.Region, Campaign: e.Cell.Campaign,
		Stamp: e.Stamp,
	}
	t := m.uses[use]
	switch {
	case e.Cell.Outcome == observation.Sent:
		t.N++
		m.uses[use] = t
	case e.Cell.Outcome == observation.Delivered && e.Cell.Provider == observation.Gmail:
		t.Possible++
		m.uses[use] = t
	}
	k := publishedKey{e.Cell.Origin, e.Type}
	p, ok := m.published[k]
	if !ok {
		p = ledger.Published{Origin: k.origin, Type: k.event, First: e.SentAt, Last: e.SentAt}
	}
	if e.SentAt.Before(p.First) {
		p.First = e.SentAt
	}
	if e.SentAt.After(p.Last) {
		p.Last = e.SentAt
	}
	m.published[k] = p
}

func (m *model) release(now time.Time) (released int) {
	for id, e := range m.held {
		if !e.Hold.After(now) {
			delete(m.held, id)
			m.tally(e)
			released++
		}
	}
	return released
}

func (m *model) read(now time.Time, reading observation.Reading) {
	k := readingKey{reading.Key, reading.Start}
	row, ok := m.readings[k]
	if !ok {
		row = ledger.ReadingRow{FirstSeen: now, LastChanged: now}
	} else if (row.Value == nil) != (reading.Value == nil) || row.Value != nil && *row.Value != *reading.Value ||
		row.Text != reading.Text {
		row.LastChanged = now
	}
	row.Reading = reading
	m.readings[k] = row
}

func (m *model) confirm(c ledger.Confirm) {
	kept := map[int]bool{}
	for _, message := range c.Kept {
		kept[message] = true
	}
	for _, e := range m.flying[c.Key] {
		if kept[e.Message] {
			m.pins[e.ID] = true
		} else {
			delete(m.pins, e.ID)
			m.freed[e.ID] = true
		}
	}
	delete(m.flying, c.Key)
}

// crash is what a crash or a restart changes: nobody will confirm the Puts that were under way.
func (m *model) crash() {
	for key, entries := range m.flying {
		for _, e := range entries {
			if !m.freed[e.ID] {
				m.pins[e.ID] = true
			}
		}
		delete(m.flying, key)
	}
	m.crashed = true
}

// unconfirmed bounds how many ids may still have a message in the queue. An id that is unconfirmed in two ways may be told
// twice, or not at all once one of them is confirmed.
func (m *model) unconfirmed() (least, most int64) {
	sure := map[uint64]bool{}
	for id := range m.pins {
		sure[id] = true
		most++
	}
	for _, entries := range m.flying {
		for _, e := range entries {
			if !m.freed[e.ID] {
				sure[e.ID] = true
			}
			most++
		}
	}
	if m.crashed {
		most = math.MaxInt64
	}
	return int64(len(sure)), most
}
