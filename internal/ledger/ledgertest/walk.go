package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// walks gives a rule for each seed and kind of walk.
func walks(seeds []uint64) []rule {
	var rules []rule
	for _, seed := range seeds {
		rules = append(rules,
			rule{
				name:  fmt.Sprintf("any sequence of operations and crashes counts as the model does (%s=%d)", SeedVariable, seed),
				check: func(r *rig) { anySequence(r, seed) },
			},
			rule{
				name:  fmt.Sprintf("concurrent Puts, folds and crashes count each id once (%s=%d)", SeedVariable, seed),
				check: func(r *rig) { anyConcurrentSequence(r, seed) },
			})
	}
	return rules
}

// walk is one random sequence of operations on a ledger and on the model.
type walk struct {
	*rig
	rnd   *rand.Rand
	model *model
	view  follower
	// recent are entries that were committed before and may come again, nextID and nextKey the next new ones.
	recent          []ledger.Entry
	nextID, nextKey uint64
	// flying are the keys that the source has yet to confirm.
	flying []uint64
}

const walkSteps = 160

func anySequence(r *rig, seed uint64) {
	w := &walk{rig: r, rnd: newRand(seed), model: newModel()}
	for range walkSteps {
		w.step()
	}
	w.check()
}

func (w *walk) step() {
	switch n := w.rnd.IntN(100); {
	case n < 50:
		w.put()
	case n < 62:
		w.fold()
	case n < 70:
		w.advance(time.Duration(w.rnd.IntN(4*3600)) * time.Second)
	case n < 78:
		if got, want := len(w.release()), w.model.release(w.now()); got != want {
			w.Fatalf("released %d, want %d", got, want)
		}
	case n < 84:
		w.confirmOne()
	case n < 90:
		_, err := w.ledger().Maintain(w.Context())
		w.must("maintain", err)
	case n < 95:
		w.check()
	case n < 97:
		w.reopen()
		w.lost()
	default:
		w.crash()
		w.lost()
	}
}

// lost forgets the keys that a source which stopped will not confirm.
func (w *walk) lost() {
	w.flying = nil
	w.model.crash()
}

func (w *walk) put() {
	p := ledger.Put{Source: queue}
	messages := map[uint64]int{}
	for range w.rnd.IntN(12) {
		e := w.any()
		// One message says one thing here: what a source keeps and forgets is then clear for every id.
		if i, ok := messages[e.ID]; ok {
			e.Message = i
		} else {
			e.Message = len(messages)
			messages[e.ID] = e.Message
		}
		p.Entries = append(p.Entries, e)
	}
	if w.rnd.IntN(2) == 0 {
		w.nextKey++
		p.Key = w.nextKey
		w.flying = append(w.flying, p.Key)
	}
	if w.rnd.IntN(4) == 0 {
		p.Positions = map[string]string{fmt.Sprint(w.rnd.IntN(3)): fmt.Sprint(w.rnd.IntN(100))}
		p.Readings = []observation.Reading{w.anyReading()}
		p.Quarantine = []ledger.Quarantined{w.poison(w.rnd.IntN(50), w.rnd.IntN(100))}
	}
	w.same("fates", w.commit(p).Fates, w.model.commit(w.now(), p))
	w.recent = append(w.recent, p.Entries...)
	w.recent = w.recent[max(0, len(w.recent)-400):]
}

// any is a new entry, a copy of an earlier one, or a twin of it.
func (w *walk) any() ledger.Entry {
	if len(w.recent) > 0 && w.rnd.IntN(3) == 0 {
		e := w.recent[w.rnd.IntN(len(w.recent))]
		switch w.rnd.IntN(3) {
		case 0:
			e.Hold = time.Time{}
			e.Cell.Campaign.Name = "twin"
		case 1:
			e.Hold = w.now().Add(15 * time.Minute)
		}
		return e
	}
	w.nextID++
	outcomes := observation.Outcomes()
	o := outcomes[w.rnd.IntN(len(outcomes))]
	if w.rnd.IntN(2) == 0 {
		o = []observation.Outcome{observation.Sent, observation.Delivered, observation.Complained}[w.rnd.IntN(3)]
	}
	// Ids of hashes are spread over all 64 bits.
	e := w.entry(w.nextID*0x9E3779B97F4A7C15, o,
		campaign(w.pick("a", "b", "c")), provider(w.pick(observation.Gmail, "yahoo", "other")),
		sentAt(w.now().Add(-time.Duration(w.rnd.IntN(int(72*time.Hour/time.Millisecond)))*time.Millisecond)))
	if w.rnd.IntN(2) == 0 {
		e.At = w.now()
	}
	if w.rnd.IntN(4) == 0 {
		e.Cell.Origin.ConfigurationSet, e.Cell.Reason = w.pick("", "other"), w.pick("policy", "mailbox_full")
	}
	if o == observation.Complained {
		e.Possible = 1 + w.rnd.IntN(5)
		if w.rnd.IntN(2) == 0 {
			e.Hold = w.now().Add(15 * time.Minute)
		}
	}
	return e
}

func (w *walk) pick(from ...string) string { return from[w.rnd.IntN(len(from))] }

func (w *walk) anyReading() observation.Reading {
	midnight := w.now().Truncate(day)
	reading := observation.Reading{
		Key:   observation.ReadingKey{Source: "postmaster/v2", Subject: w.pick("a.example", "b.example"), Metric: "spam_rate"},
		Start: midnight.Add(-day), End: midnight, Text: w.pick("", "OK"),
	}
	if w.rnd.IntN(3) > 0 {
		reading.Value = new(float64(w.rnd.IntN(3)))
	}
	return reading
}

// confirmOne confirms one of the Puts in flight, and says of one in four of its messages that they were kept.
func (w *walk) confirmOne() {
	if len(w.flying) == 0 {
		return
	}
	i := w.rnd.IntN(len(w.flying))
	c := ledger.Confirm{Key: w.flying[i]}
	w.flying = slices.Delete(w.flying, i, i+1)
	for message := range 12 {
		if w.rnd.IntN(4) == 0 {
			c.Kept = append(c.Kept, message)
		}
	}
	p := ledger.Put{Source: queue, Confirms: []ledger.Confirm{c}}
	w.commit(p)
	w.model.commit(w.now(), p)
}

// check folds and compares everything that is read with the model.
func (w *walk) check() {
	w.Helper()
	w.follow(&w.view)
	w.same("cohorts", sum(w.cohorts(anytime()), hourOf), w.model.cohorts)
	own := map[ledger.OwnTimeRow]int64{}
	for _, row := range w.ownTimes(anytime().From, anytime().To) {
		n := row.N
		row.N = 0
		own[row] = n
	}
	w.same("own time", own, w.model.own)
	uses := map[ledger.UseRow]tally{}
	for _, row := range w.uses(anytime().From, anytime().To) {
		t := tally{row.Sent, row.GmailDelivered}
		row.Sent, row.GmailDelivered = 0, 0
		uses[row] = t
	}
	w.same("uses", uses, w.model.uses)
	published := map[publishedKey]ledger.Published{}
	for _, p := range w.published() {
		published[publishedKey{p.Origin, p.Type}] = p
	}
	w.same("published", published, w.model.published)
	stored := map[readingKey]ledger.ReadingRow{}
	for _, row := range w.readings(ledger.ReadingQuery{From: anytime().From, To: anytime().To}) {
		stored[readingKey{row.Key, row.Start}] = row
	}
	w.same("readings", stored, w.model.readings)
	w.same("positions", read(w.rig, "positions", func(ctx context.Context) (map[string]string, error) {
		return w.ledger().Positions(ctx, queue)
	}), w.model.positions)
	s := w.status()
	w.same("held", s.Held, int64(len(w.model.held)))
	w.same("quarantined", s.Quarantined, int64(len(w.model.poison)))
	least, most := w.model.unconfirmed()
	if got := s.Unconfirmed[queue]; got < least || got > most {
		w.Fatalf("%d ids unconfirmed, want %d to %d", got, least, most)
	}
}

// anyConcurrentSequence commits rounds of overlapping Puts at once, with folds in between, and crashes after each.
func anyConcurrentSequence(r *rig, seed uint64) {
	rnd := newRand(seed)
	distinct := map[uint64]bool{}
	for round := range 12 {
		puts := make([]ledger.Put, 16)
		for i := range puts {
			puts[i].Source = queue
			for range rnd.IntN(40) {
				id := uint64(100*round + rnd.IntN(300))
				distinct[id] = true
				puts[i].Entries = append(puts[i].Entries, r.sent(id))
			}
		}
		l := r.ledger()
		r.together(len(puts)+1, func(i int) error {
			if i == len(puts) {
				return l.Fold(r.Context())
			}
			_, err := l.Commit(r.Context(), puts[i])
			return err
		})
		if rnd.IntN(2) == 0 {
			r.fold()
		}
		r.crash()
		r.wantTotal("spring", observation.Sent, int64(len(distinct)))
	}
}
