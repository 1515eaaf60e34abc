package view

import (
	"errors"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

// ErrNotFound says that the ledger has no mail of that campaign in the last five weeks.
var ErrNotFound = errors.New("no mail of this campaign in the last five weeks")

const (
	// historyDays is how far back sends and earlier weeks are looked for: a week, and the four before it.
	historyDays = 35
	// chunkDays is how much of that is read at once.
	chunkDays = 7
	// earlierWeeks is how many weeks a stream is compared with.
	earlierWeeks = 4
	// maxSamples bounds the samples of an answer.
	maxSamples = 100
)

// Detail is everything about one campaign. It has Sends, or for a stream EarlierWeeks.
type Detail struct {
	Window    Window     `json:"window"`
	Campaign  Campaign   `json:"campaign"`
	Providers []Provider `json:"providers"`
	Reasons   []Reason   `json:"reasons"`
	// Inbound are the receipt rules with a problem that concerns the campaign, the worst first.
	Inbound []InboundRule `json:"inbound,omitempty"`
	// Sends are those of the last five weeks, newest first; the oldest may have begun earlier.
	Sends        []Send   `json:"sends,omitempty"`
	EarlierWeeks *Earlier `json:"earlier_weeks,omitempty"`
}

// Reason is why mail was refused or put off at a provider, with examples of the replies.
type Reason struct {
	Provider string   `json:"provider"`
	Outcome  string   `json:"outcome"`
	Reason   string   `json:"reason"`
	Group    string   `json:"group"`
	N        int64    `json:"n"`
	Samples  []Sample `json:"samples,omitempty"`
}

// Sample is a redacted reply, how often it was seen in the last 14 days, and messages that got it.
type Sample struct {
	Text       string    `json:"text"`
	N          int64     `json:"n"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	MessageIDs []string  `json:"message_ids"`
}

// Send is one send of a campaign with the figures of all its life.
type Send struct {
	// Name is the campaign's name before renaming, empty when the send was found by the silence around it.
	Name  string    `json:"name,omitempty"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Figures
	// Compared sets the send against the one before it, where both have enough mature mail.
	Compared Compared `json:"compared,omitempty"`
}

// Earlier is a stream's mail of the same hours, taken whole, in the last four weeks.
type Earlier struct {
	// Weeks is in how many of them there was mail.
	Weeks int `json:"weeks"`
	Figures
	// Compared sets the window against them.
	Compared Compared `json:"compared,omitempty"`
}

// Compared holds comparisons by the signal's name.
type Compared map[string]signal.Comparison

func compare(now, before *Signals) Compared {
	all := Compared{}
	for i := range now {
		if c, ok := signal.Compare(&now[i], &before[i]); ok {
			all[signal.Signal(i).String()] = c
		}
	}
	return all
}

// moment is what rows of the ledger are judged by, outside the lock.
type moment struct {
	asOf  time.Time
	eras  *eras
	group func(string) string
	stale bool
}

func (v *View) moment() moment {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return moment{asOf: v.asOf, eras: v.sums.eras, group: v.group, stale: v.stale}
}

// add counts a row of the ledger. The longest span then holds all rows that were added, the others those younger than
// each maturity.
func (m *moment) add(t *tally, row *ledger.CohortRow) {
	var n, listed [spanCount]int64
	end := row.Start.Add(row.Width)
	for s := range spanCount {
		if s == spanWeek || end.After(m.asOf.Add(-spans[s].length)) {
			n[s], listed[s] = row.N, row.Possible
		}
	}
	c, at := &row.Cell, row.Start.Unix()
	r := signal.Row{
		Provider:  c.Provider,
		Outcome:   c.Outcome,
		Blocked:   c.Outcome.Bounced() && signal.Blocks(m.group(c.Reason)),
		Reporting: m.eras.reports(c.Provider, at),
		Coverage:  m.eras.coverage(c.Origin, at),
	}
	t.add(r, &n)
	r.Outcome = possible
	t.add(r, &listed)
}

// sends parts rows into sends, newest first. Whatever became of mail proves that it was sent, so that a send of which no
// Send or Delivery events are published is found too.
func (m *moment) sends(rows []ledger.CohortRow) []Send {
	hours := make([]campaign.Hour, 0, len(rows))
	for i := range rows {
		hours = append(hours, campaign.Hour{
			Start: rows[i].Start, Width: rows[i].Width, Name: rows[i].Cell.Campaign.Send, N: rows[i].N,
		})
	}
	found := campaign.Sends(hours, campaign.Gap)
	tallies := make([]tally, len(found))
	for i := range rows {
		if at := sendOf(found, &rows[i]); at >= 0 {
			m.add(&tallies[at], &rows[i])
		}
	}
	sends := make([]Send, 0, len(found))
	for i, s := range found {
		send := Send{Name: s.Name, Start: s.Start.UTC(), End: s.End.UTC(), Figures: tallies[i].figures(spanWeek, m.stale)}
		if i > 0 {
			send.Compared = compare(&send.Signals, &sends[i-1].Signals)
		}
		sends = append(sends, send)
	}
	slices.Reverse(sends)
	return sends
}

// sendOf finds the send of a row, -1 for one without recipients.
func sendOf(sends []campaign.Send, row *ledger.CohortRow) int {
	return slices.IndexFunc(sends, func(s campaign.Send) bool {
		return s.Name == row.Cell.Campaign.Send && !row.Start.Before(s.Start) && row.Start.Before(s.End)
	})
}

// earlier sums the same hours of the weeks before, by the ledger's zone: a stream follows its people's clocks.
func (m *moment) earlier(rows []ledger.CohortRow, w Window, zone *time.Location) *Earlier {
	var t tally
	e := &Earlier{}
	start := w.Start.Truncate(time.Hour).In(zone)
	end := w.End.Add(time.Hour - 1).Truncate(time.Hour).In(zone)
	for week := 1; week <= earlierWeeks; week++ {
		from, to := start.AddDate(0, 0, -7*week), end.AddDate(0, 0, -7*week)
		any := false
		for i := range rows {
			if !rows[i].Start.Before(from) && rows[i].Start.Before(to) {
				m.add(&t, &rows[i])
				any = true
			}
		}
		if any {
			e.Weeks++
		}
	}
	e.Figures = t.figures(spanWeek, m.stale)
	return e
}
