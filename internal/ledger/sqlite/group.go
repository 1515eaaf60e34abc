package sqlite

import (
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// group gathers what several Puts add, within one transaction. Entries are checked in order against the ids that are
// known, the group's own included. Nobody else sees the memory that it changes before the COMMIT, because the writer's lock
// is held; undo takes the changes back if there is none.
type group struct {
	l     *Ledger
	now   time.Time
	today int32
	batch batch

	cells   map[minuteCell]int
	own     map[ownDelta]int // N is 0 in the key
	uses    map[useDelta]int // Sent and GmailDelivered are 0 in the key
	types   map[publishedDelta]int
	samples map[sampleKey]int

	flights map[flightKey]*flight
	// held and unheld are the changes of the held ids, covers the new hours.
	held, unheld []uint64
	covers       []coveredHour
	// rows says that rows outside of batch were written.
	rows       bool
	quarantine quarantineUse
	unstored   unstored
}

type minuteCell struct {
	minute int64
	cell   cellKey
}

func newGroup(l *Ledger) *group {
	return &group{
		l: l, cells: map[minuteCell]int{}, own: map[ownDelta]int{}, uses: map[useDelta]int{},
		types: map[publishedDelta]int{}, samples: map[sampleKey]int{}, flights: map[flightKey]*flight{},
	}
}

// begin empties the group for the next transaction.
func (g *group) begin(now time.Time) {
	g.now, g.today = now, dayOf(now)
	g.batch.reset()
	clear(g.cells)
	clear(g.own)
	clear(g.uses)
	clear(g.types)
	clear(g.samples)
	clear(g.flights)
	g.held, g.unheld, g.covers = g.held[:0], g.unheld[:0], g.covers[:0]
	g.rows, g.quarantine = false, quarantineUse{}
}

// empty says that there is nothing to commit.
func (g *group) empty() bool {
	return !g.rows && g.batch.entries() == 0
}

// add takes a Put into the group.
func (g *group) add(p *ledger.Put) (ledger.Result, error) {
	result := ledger.Result{Fates: make([]ledger.Fate, len(p.Entries))}
	var f *flight
	var share putIDs
	if p.Key != 0 && len(p.Entries) > 0 {
		source, err := g.l.names.sources.id(p.Source, g.today)
		if err != nil {
			return result, err
		}
		share.Source = source
		f = &flight{at: g.now, sourceID: source, ids: make([]flightID, 0, len(p.Entries))}
		g.flights[flightKey{strings.Clone(p.Source), p.Key}] = f
	}
	before := len(g.batch.Routine)
	beforeExceptional, beforeOthers := len(g.batch.Exceptional), len(g.batch.Others)
	for i := range p.Entries {
		e := &p.Entries[i]
		fate, err := g.decide(e, p)
		if err != nil {
			return result, err
		}
		result.Fates[i] = fate
		if f == nil {
			continue
		}
		f.ids = append(f.ids, flightID{e.ID, e.Message, fate == ledger.Counted})
		if fate != ledger.Counted {
			g.batch.Others = append(g.batch.Others, e.ID)
		}
	}
	share.Routine = uint32(len(g.batch.Routine) - before)
	share.Exceptional = uint32(len(g.batch.Exceptional) - beforeExceptional)
	share.Others = uint32(len(g.batch.Others) - beforeOthers)
	if share != (putIDs{Source: share.Source}) {
		if f != nil {
			f.row.put = len(g.batch.Puts)
		}
		g.batch.Puts = append(g.batch.Puts, share)
	}
	err := g.addRows(p, &result)
	return result, err
}

// decide says what becomes of an entry and does it.
func (g *group) decide(e *ledger.Entry, p *ledger.Put) (ledger.Fate, error) {
	if g.l.ids.set.Has(e.ID) {
		return ledger.Duplicate, nil
	}
	held := g.l.held.Has(e.ID)
	if held && !e.Hold.IsZero() {
		return ledger.Duplicate, nil
	}
	origin, err := g.l.names.origins.id(e.Cell.Origin, g.today)
	if err != nil {
		return 0, err
	}
	if p.Replay && !p.AssumeNew {
		if covered, err := g.covered(e, origin); err != nil || covered {
			return ledger.Refused, err
		}
	}
	if !e.Hold.IsZero() {
		return ledger.Held, g.hold(e, p.Replay)
	}
	if held {
		if err := g.unhold(e.ID); err != nil {
			return 0, err
		}
	}
	return ledger.Counted, g.count(e, origin, !p.Replay)
}

// covered says whether live events of the entry's hour were counted. The same was perhaps said live in the other format:
// identity notifications name no configuration set, so one of them may repeat what any set said, and the other way round.
func (g *group) covered(e *ledger.Entry, origin uint32) (bool, error) {
	hour := hourOf(e.At)
	if g.l.covered.has(coveredHour{origin, hour}) {
		return true, nil
	}
	o := e.Cell.Origin
	if o.ConfigurationSet != "" {
		o.ConfigurationSet = ""
		id, err := g.l.names.origins.id(o, g.today)
		return err == nil && g.l.covered.has(coveredHour{id, hour}), err
	}
	var covered bool
	err := g.l.w.get([]any{&covered}, `SELECT EXISTS (SELECT 1 FROM origin JOIN covered ON origin_id = origin.id
		WHERE account = ? AND region = ? AND hour = ?)`, o.Account, o.Region, hour*3600)
	return covered, err
}

// count makes an entry's id known and tallies it. Live entries cover their hour.
func (g *group) count(e *ledger.Entry, origin uint32, live bool) error {
	n := g.l.names
	campaign, err := n.campaigns.id(e.Cell.Campaign, g.today)
	if err != nil {
		return err
	}
	provider, err := n.providers.id(e.Cell.Provider, g.today)
	if err != nil {
		return err
	}
	cell := cellKey{Campaign: campaign, Provider: provider, Origin: origin, Outcome: uint8(e.Cell.Outcome)}
	if e.Cell.Reason != "" {
		if cell.Reason, err = n.reasons.id(e.Cell.Reason, g.today); err != nil {
			return err
		}
	}
	if e.Cell.Outcome.Routine() {
		g.batch.Routine = append(g.batch.Routine, e.ID)
	} else {
		g.batch.Exceptional = append(g.batch.Exceptional, e.ID)
	}
	g.l.ids.set.Add(e.ID)
	g.tally(e, cell)
	if live {
		if h := (coveredHour{origin, hourOf(e.At)}); !g.l.covered.has(h) {
			g.l.covered.add(h)
			g.covers = append(g.covers, h)
		}
	}
	if e.Sample != nil {
		g.sample(e, cell)
	}
	return g.use(e, campaign)
}

func (g *group) tally(e *ledger.Entry, cell cellKey) {
	b := &g.batch
	minute := minuteOf(e.SentAt)
	i, ok := g.cells[minuteCell{minute, cell}]
	if !ok {
		i = len(b.Cells)
		g.cells[minuteCell{minute, cell}] = i
		b.Cells = append(b.Cells, cellDelta{Minute: minute, Cell: cell})
	}
	b.Cells[i].N++
	if e.Cell.Outcome == observation.Complained {
		b.Cells[i].Possible += int64(e.Possible)
	}

	own := ownDelta{Hour: hourOf(e.At), Origin: cell.Origin, Outcome: cell.Outcome}
	if i, ok = g.own[own]; !ok {
		i = len(b.Own)
		g.own[own] = i
		b.Own = append(b.Own, own)
	}
	b.Own[i].N++

	published := publishedDelta{Origin: cell.Origin, Type: uint8(e.Type)}
	sent := e.SentAt.UnixMilli()
	if i, ok = g.types[published]; !ok {
		i = len(b.Published)
		g.types[published] = i
		published.First, published.Last = sent, sent
		b.Published = append(b.Published, published)
	}
	b.Published[i].First = min(b.Published[i].First, sent)
	b.Published[i].Last = max(b.Published[i].Last, sent)
}

// use tallies which Feedback-ID values a campaign used: for mail sent, and for mail delivered at Gmail.
func (g *group) use(e *ledger.Entry, campaign uint32) error {
	sent := e.Cell.Outcome == observation.Sent
	atGmail := e.Cell.Outcome == observation.Delivered && e.Cell.Provider == observation.Gmail
	if e.Stamp == (observation.Stamp{}) || !sent && !atGmail {
		return nil
	}
	stamp, err := g.l.names.stamps.id(e.Stamp, g.today)
	if err != nil {
		return err
	}
	account := observation.Origin{Account: e.Cell.Origin.Account, Region: e.Cell.Origin.Region}
	origin, err := g.l.names.origins.id(account, g.today)
	if err != nil {
		return err
	}
	key := useDelta{Hour: hourOf(e.SentAt), Stamp: stamp, Campaign: campaign, Origin: origin}
	i, ok := g.uses[key]
	if !ok {
		i = len(g.batch.Uses)
		g.uses[key] = i
		g.batch.Uses = append(g.batch.Uses, key)
	}
	if sent {
		g.batch.Uses[i].Sent++
	} else {
		g.batch.Uses[i].GmailDelivered++
	}
	return nil
}

func (g *group) sample(e *ledger.Entry, cell cellKey) {
	key := sampleKey{
		Campaign: cell.Campaign, Provider: cell.Provider, Reason: cell.Reason, Outcome: cell.Outcome, Text: e.Sample.Text,
	}
	at := e.At.UnixMilli()
	i, ok := g.samples[key]
	if !ok {
		i = len(g.batch.Samples)
		key.Text = strings.Clone(key.Text)
		g.samples[key] = i
		g.batch.Samples = append(g.batch.Samples, sampleDelta{Key: key, First: at, Last: at})
	}
	s := &g.batch.Samples[i]
	s.N++
	s.First, s.Last = min(s.First, at), max(s.Last, at)
	s.MessageIDs = keepNewest(s.MessageIDs, strings.Clone(e.Sample.MessageID))
}

// store writes the group's batch row and what goes with it.
func (g *group) store(mark string) error {
	w, u := g.l.w, g.l.unconfirmed
	g.unstored = u.pending()
	if err := w.storePins(g.unstored.pins); err != nil {
		return err
	}
	for _, h := range g.covers {
		if err := w.exec("INSERT OR IGNORE INTO covered (origin_id, hour) VALUES (?, ?)", h.origin, h.hour*3600); err != nil {
			return err
		}
	}
	g.l.body = appendBatch(g.l.body[:0], &g.batch)
	return w.exec("INSERT INTO batch (seq, uuid, at_ms, confirmed_through, format, body) VALUES (?, ?, ?, ?, ?, ?)",
		g.l.lastBatch+1, mark, g.now.UnixMilli(), g.unstored.confirmedThrough, batchFormat, g.l.body)
}

// publish makes what was committed known to the rest of the ledger.
func (g *group) publish() {
	l := g.l
	l.lastBatch++
	l.unconfirmed.settled(g.unstored, true)
	l.unconfirmed.launch(l.lastBatch, g.flights)
	l.ids.count[routine] += len(g.batch.Routine)
	l.ids.count[exceptional] += len(g.batch.Exceptional)
	l.quarantine.add(g.quarantine)
}

// undo takes back what the group did to the memory.
func (g *group) undo() {
	l := g.l
	for _, list := range [...][]uint64{g.batch.Routine, g.batch.Exceptional} {
		for _, id := range list {
			l.ids.set.Remove(id)
		}
	}
	for _, id := range g.held {
		l.held.Remove(id)
	}
	for _, id := range g.unheld {
		l.held.Add(id)
	}
	for _, h := range g.covers {
		l.covered.remove(h)
	}
	l.names.forget()
}

const maxMessageIDs = 3

// keepNewest appends a message id, without repeating it, and drops the oldest beyond three.
func keepNewest(ids []string, id string) []string {
	for i, have := range ids {
		if have == id {
			ids = append(ids[:i], ids[i+1:]...)
			break
		}
	}
	if ids = append(ids, id); len(ids) > maxMessageIDs {
		ids = ids[1:]
	}
	return ids
}
