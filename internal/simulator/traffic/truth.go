package traffic

import (
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Cell is where an outcome has to be counted: by the default rules, with the tenants and renaming of README's example.
type Cell struct {
	Account, Region, ConfigurationSet string
	Tenant, Campaign                  string
	// Send is the name before renaming, empty when nothing is renamed.
	Send     string
	Provider string
	Outcome  observation.Outcome
	Reason   string
	// Start is the start of the five minutes in which the mail was sent.
	Start time.Time
}

// Tally is how many outcomes there are; Possible sums how many recipients their complaints listed.
type Tally struct{ N, Possible int64 }

// Truth counts what was handed out: recipients once per outcome, complaints once per report, opens and clicks by event,
// twins and repeated delays not at all. Mail to SES's mailbox simulator is under a provider of its own.
type Truth struct {
	mu      sync.Mutex
	cells   map[cellKey]Tally
	delayed map[uint64]bool
	totals  Totals
}

// cellKey is a Cell in a form that is quick to hash.
type cellKey struct {
	send     *Send
	provider string
	outcome  observation.Outcome
	reason   string
	start    int64
}

// Totals sums a Truth up; it has a JSON form, so that another process can compare.
type Totals struct {
	// Events counts everything handed out; Duplicates, Twins and Repeats are those of them that count nothing.
	Events     int64 `json:"events"`
	Duplicates int64 `json:"duplicates"`
	Twins      int64 `json:"twins"`
	Repeats    int64 `json:"repeats"`
	// Outcomes counts recipients by outcome, Campaigns by tenant/campaign and outcome, Providers by provider and outcome.
	Outcomes  map[string]int64            `json:"outcomes"`
	Campaigns map[string]map[string]int64 `json:"campaigns"`
	Providers map[string]map[string]int64 `json:"providers"`
}

// NewTruth makes a Truth that has counted nothing.
func NewTruth() *Truth { return &Truth{cells: map[cellKey]Tally{}, delayed: map[uint64]bool{}} }

// Duplicate notes that an event was handed out once more.
func (t *Truth) Duplicate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.Events++
	t.totals.Duplicates++
}

// Add counts an event that is handed out for the first time.
func (t *Truth) Add(e *Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.Events++
	switch {
	case e.Twin:
		t.totals.Twins++
		return
	case e.Outcome == observation.Delayed:
		if t.delayed[e.Mail.key] {
			t.totals.Repeats++
			return
		}
		t.delayed[e.Mail.key] = true
	}
	key := cellKey{e.Mail.Send, e.Mail.Provider, e.Outcome, e.Reason, e.Mail.SentAt.Unix() / int64(slot/time.Second)}
	tally := t.cells[key]
	switch e.Type {
	case observation.EventOpen, observation.EventClick:
		tally.N++
	case observation.EventComplaint:
		tally.N++
		if e.Outcome == observation.Complained {
			tally.Possible += int64(e.Mail.Recipients)
		}
	default:
		tally.N += int64(e.Mail.Recipients)
	}
	t.cells[key] = tally
}

// Counts returns every cell with its tally.
func (t *Truth) Counts() map[Cell]Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := make(map[Cell]Tally, len(t.cells))
	for key, tally := range t.cells {
		cell := key.cell()
		sum := counts[cell]
		counts[cell] = Tally{sum.N + tally.N, sum.Possible + tally.Possible}
	}
	return counts
}

// Sum adds up the cells that match.
func (t *Truth) Sum(match func(Cell) bool) Tally {
	var sum Tally
	for cell, tally := range t.Counts() {
		if match(cell) {
			sum.N += tally.N
			sum.Possible += tally.Possible
		}
	}
	return sum
}

// cell spells a key out.
func (k *cellKey) cell() Cell {
	c := k.send.Campaign
	cell := Cell{Account: c.Account, Region: c.Region, ConfigurationSet: c.ConfigurationSet, Tenant: c.Tenant,
		Campaign: c.Name, Provider: k.provider, Outcome: k.outcome, Reason: k.reason,
		Start: time.Unix(k.start*int64(slot/time.Second), 0).UTC()}
	if k.send.Name != c.Name {
		cell.Send = k.send.Name
	}
	return cell
}

// Totals sums up what was counted so far.
func (t *Truth) Totals() Totals {
	t.mu.Lock()
	totals := t.totals
	t.mu.Unlock()
	totals.Outcomes = map[string]int64{}
	totals.Campaigns, totals.Providers = map[string]map[string]int64{}, map[string]map[string]int64{}
	add := func(by map[string]map[string]int64, key, outcome string, n int64) {
		if by[key] == nil {
			by[key] = map[string]int64{}
		}
		by[key][outcome] += n
	}
	for cell, tally := range t.Counts() {
		outcome := cell.Outcome.String()
		totals.Outcomes[outcome] += tally.N
		add(totals.Campaigns, cell.Tenant+"/"+cell.Campaign, outcome, tally.N)
		add(totals.Providers, cell.Provider, outcome, tally.N)
	}
	return totals
}
