package sqlite

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// releaseStep is how many held entries one transaction releases.
const releaseStep = 5000

// hold keeps an entry until a tagged copy takes its place or its time comes.
func (g *group) hold(e *ledger.Entry, replay bool) error {
	err := g.l.w.exec("INSERT INTO held (id, until_ms, entry) VALUES (?, ?, ?)",
		int64(e.ID), e.Hold.UnixMilli(), appendEntry(nil, e, replay))
	if err != nil {
		return err
	}
	g.l.held.Add(e.ID)
	g.held = append(g.held, e.ID)
	g.rows = true
	return nil
}

// unhold drops the held entry of an id. An id that this group holds itself is undone by its first change alone.
func (g *group) unhold(id uint64) error {
	if err := g.l.w.exec("DELETE FROM held WHERE id = ?", int64(id)); err != nil {
		return err
	}
	g.l.held.Remove(id)
	for i, h := range g.held {
		if h == id {
			g.held = append(g.held[:i], g.held[i+1:]...)
			return nil
		}
	}
	g.unheld = append(g.unheld, id)
	return nil
}

// Release implements ledger.Ledger.
func (l *Ledger) Release(ctx context.Context) ([]ledger.Entry, error) {
	var released []ledger.Entry
	for {
		step, more, err := l.releaseSome()
		released = append(released, step...)
		if err != nil || !more {
			return released, err
		}
		if ctx.Err() != nil {
			return released, ctx.Err()
		}
	}
}

// releaseSome releases up to releaseStep entries, and returns those of them that came live.
func (l *Ledger) releaseSome() (live []ledger.Entry, more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return nil, false, err
	}
	if l.held.Len() == 0 {
		return nil, false, nil
	}
	due, err := l.heldUntil(l.o.Now())
	if err != nil || len(due) == 0 {
		return nil, false, l.noted(err)
	}
	err = l.commitGroup(func(g *group) error {
		for i := range due {
			if err := g.release(&due[i].entry, !due[i].replay); err != nil {
				return err
			}
		}
		g.batch.Puts = append(g.batch.Puts,
			putIDs{Routine: uint32(len(g.batch.Routine)), Exceptional: uint32(len(g.batch.Exceptional))})
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	for i := range due {
		if !due[i].replay {
			live = append(live, due[i].entry)
		}
	}
	return live, len(due) == releaseStep, nil
}

// release tallies an entry that was held.
func (g *group) release(e *ledger.Entry, live bool) error {
	if err := g.unhold(e.ID); err != nil {
		return err
	}
	origin, err := g.l.names.origins.id(e.Cell.Origin, g.today)
	if err != nil {
		return err
	}
	return g.count(e, origin, live)
}

type heldEntry struct {
	entry  ledger.Entry
	replay bool
}

func (l *Ledger) heldUntil(now time.Time) ([]heldEntry, error) {
	if err := l.w.open(); err != nil {
		return nil, classify(err)
	}
	var due []heldEntry
	err := l.w.each(func(scan func(...any) error) error {
		var body []byte
		if err := scan(&body); err != nil {
			return err
		}
		e, replay, err := decodeEntry(body)
		due = append(due, heldEntry{e, replay})
		return err
	}, "SELECT entry FROM held WHERE until_ms <= ? ORDER BY until_ms LIMIT ?", now.UnixMilli(), releaseStep)
	return due, classify(err)
}

// heldFormat is the version of appendEntry's form.
const heldFormat = 1

// appendEntry writes an entry with its names in full; it holds nothing about the recipient but the id.
func appendEntry(p []byte, e *ledger.Entry, replay bool) []byte {
	flags := uint32(0)
	if replay {
		flags |= 1
	}
	if e.Sample != nil {
		flags |= 2
	}
	p = appendUints(p, heldFormat, flags, uint32(e.Type), uint32(e.Cell.Outcome))
	p = binary.LittleEndian.AppendUint64(p, e.ID)
	p = appendInts(p, int64(e.Message), e.SentAt.UnixMilli(), e.At.UnixMilli(), e.Hold.UnixMilli(), int64(e.Possible))
	for _, s := range entryStrings(e) {
		p = appendString(p, *s)
	}
	if e.Sample != nil {
		p = appendString(appendString(p, e.Sample.Text), e.Sample.MessageID)
	}
	return p
}

// decodeEntry reads what appendEntry wrote.
func decodeEntry(p []byte) (e ledger.Entry, replay bool, err error) {
	r := bodyReader{p: p}
	if r.uint() != heldFormat {
		return e, false, errBatchBody
	}
	flags := r.uint32()
	e.Type, e.Cell.Outcome = observation.EventType(r.uint8()), observation.Outcome(r.outcome())
	if len(r.p) < 8 {
		return e, false, errBatchBody
	}
	e.ID = binary.LittleEndian.Uint64(r.p)
	r.p = r.p[8:]
	e.Message = int(r.int())
	e.SentAt, e.At, e.Hold = r.time(), r.time(), r.time()
	e.Possible = int(r.int())
	for _, s := range entryStrings(&e) {
		*s = r.string()
	}
	if flags&2 != 0 {
		e.Sample = &ledger.Sample{Text: r.string(), MessageID: r.string()}
	}
	if r.bad || len(r.p) != 0 {
		return e, false, errBatchBody
	}
	return e, flags&1 != 0, nil
}

func (r *bodyReader) time() time.Time { return time.UnixMilli(r.int()).UTC() }

// entryStrings lists an entry's strings in the order in which a held entry has them.
func entryStrings(e *ledger.Entry) []*string {
	return []*string{
		&e.Cell.Origin.Account, &e.Cell.Origin.Region, &e.Cell.Origin.ConfigurationSet,
		&e.Cell.Campaign.Tenant, &e.Cell.Campaign.Name, &e.Cell.Campaign.Send, &e.Cell.Provider, &e.Cell.Reason,
		&e.Stamp.FromDomain, &e.Stamp.A, &e.Stamp.B, &e.Stamp.C, &e.Stamp.FeedbackFrom,
	}
}
