package view

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// maxHistories is how many campaigns' rows are kept, and maxHistory how many rows of one: 5 MB of a campaign that sends in every
	// hour of the five weeks, at 35 providers, 40 MB in all at most.
	maxHistories = 8
	maxHistory   = 30_000
	// historyKept is for how long they are kept when nobody asks. Ledgers remember single folds for about as long.
	historyKept = 2 * time.Minute
)

// histories keep what was read of the campaigns that were asked for last. To read five weeks of one that sends all the time
// takes a tenth of a second, and an open page asks every ten seconds; what the ledger added meanwhile is little.
type histories struct {
	mu   sync.Mutex // protects kept, the last used first
	kept []*history
}

// history is the mail of one campaign in the last five weeks.
type history struct {
	name name
	// asked is when it was asked for last, by the view's clock. histories.mu protects it.
	asked time.Time

	mu sync.Mutex // protects all following fields; held while the ledger is read, so that it is read once
	// rows are those through a fold, merged by eras. Nobody changes a row: an answer may hold them still.
	rows []ledger.CohortRow
	fold ledger.Fold
	// first is when the earliest of them may have been sent.
	first time.Time
	eras  *eras
}

// of finds the history of a campaign, or makes an empty one.
func (h *histories) of(n name, asOf time.Time) *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.kept, func(k *history) bool { return k.name == n })
	one := &history{name: n}
	if i >= 0 {
		one = h.kept[i]
		h.kept = slices.Delete(h.kept, i, i+1)
	}
	one.asked = asOf
	h.kept = slices.Insert(h.kept, 0, one)
	h.kept = slices.Delete(h.kept, min(len(h.kept), maxHistories), len(h.kept))
	return one
}

// forget lets go of what nobody has asked for since.
func (h *histories) forget(since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = slices.DeleteFunc(h.kept, func(k *history) bool { return k.asked.Before(since) })
}

// history returns the campaign's rows of five weeks, with providers and reasons told apart as far as rates need.
func (v *View) history(ctx context.Context, tenant, id string, now *moment) ([]ledger.CohortRow, error) {
	if now.asOf.IsZero() {
		return nil, nil
	}
	h := v.histories.of(name{tenant, id}, now.asOf)
	h.mu.Lock()
	defer h.mu.Unlock()
	first := now.asOf.Truncate(time.Hour).AddDate(0, 0, -historyDays)
	if h.eras != nil && h.eras.differ(now.eras) == forever {
		changes, err := v.reader.Changes(ctx, h.fold)
		if err != nil {
			return nil, err
		}
		if !changes.Reset {
			h.add(changes, first, now)
			return h.rows, nil
		}
	}
	return v.readHistory(ctx, h, first, now)
}

// add brings a history up to date.
func (h *history) add(c ledger.Changes, first time.Time, now *moment) {
	var added []ledger.CohortRow
	for i := range c.Folds {
		if c.Folds[i].Fold > h.fold {
			added = h.append(added, c.Folds[i].Rows)
		}
	}
	h.fold = max(h.fold, c.Through)
	if len(added) > 0 || first.After(h.first) {
		h.rows, h.first = now.merge(slices.Concat(h.rows, added), first), first
	}
}

// append adds the rows that are the campaign's.
func (h *history) append(to, rows []ledger.CohortRow) []ledger.CohortRow {
	for i := range rows {
		if c := &rows[i].Cell.Campaign; c.Tenant == h.name.tenant && c.Name == h.name.campaign {
			to = append(to, rows[i])
		}
	}
	return to
}

// readHistory reads the rows in pieces, so that no reader holds the ledger for long. It keeps them where the ledger can tell
// what was added to one piece while others were read.
func (v *View) readHistory(ctx context.Context, h *history, first time.Time, now *moment) ([]ledger.CohortRow, error) {
	type piece struct {
		from, to time.Time
		through  ledger.Fold
	}
	var pieces []piece
	var rows []ledger.CohortRow
	for from := first; from.Before(now.asOf); from = from.AddDate(0, 0, chunkDays) {
		to := from.AddDate(0, 0, chunkDays)
		if !to.Before(now.asOf) {
			to = time.Unix(farAhead(now.asOf), 0)
		}
		read, err := v.reader.Cohorts(ctx, ledger.CohortQuery{From: from, To: to, Tenant: h.name.tenant, Campaign: h.name.campaign})
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{from, to, read.Through})
		rows = append(rows, now.merge(read.Rows, first)...)
	}
	h.rows, h.eras = nil, nil
	fold := pieces[0].through
	changes, err := v.reader.Changes(ctx, fold)
	if err != nil || changes.Reset {
		return rows, err
	}
	for _, f := range changes.Folds {
		for i := range f.Rows {
			at := f.Rows[i].Start
			in := slices.IndexFunc(pieces, func(p piece) bool { return !at.Before(p.from) && at.Before(p.to) })
			if in >= 0 && f.Fold > pieces[in].through {
				rows = h.append(rows, f.Rows[i:i+1])
			}
		}
	}
	if rows = now.merge(rows, first); len(rows) <= maxHistory {
		h.rows, h.fold, h.first, h.eras = rows, max(fold, changes.Through), first, now.eras
	}
	return rows, nil
}

// merge adds up what rates do not tell apart of mail sent since first: providers that report alike, and reasons that block
// alike. Each sum stands under the first of its provider and reason.
func (m *moment) merge(rows []ledger.CohortRow, first time.Time) []ledger.CohortRow {
	type key struct {
		start                         int64
		width                         time.Duration
		origin                        observation.Origin
		send                          string
		outcome                       observation.Outcome
		simulated, reporting, blocked bool
	}
	at := make(map[key]int, len(rows)/4)
	var out []ledger.CohortRow
	for i := range rows {
		r := &rows[i]
		if r.Start.Before(first) {
			continue
		}
		c, start := &r.Cell, r.Start.Unix()
		k := key{
			start, r.Width, c.Origin, c.Campaign.Send, c.Outcome, c.Provider == signal.Simulator, m.eras.reports(c.Provider, start),
			c.Outcome.Bounced() && signal.Blocks(m.group(c.Reason)),
		}
		if sum, ok := at[k]; ok {
			out[sum].N += r.N
			out[sum].Possible += r.Possible
			continue
		}
		at[k] = len(out)
		out = append(out, *r)
	}
	return out
}
