package view

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Recipients counts recipients by outcome. In JSON an outcome that was not counted is left out, because nobody may have
// published it.
type Recipients [observation.OutcomeCount]int64

// MarshalJSON writes an object in the fixed order of the outcomes.
func (r Recipients) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for _, o := range observation.Outcomes() {
		if r[o] == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%q:%d", o.String(), r[o])
	}
	return append(b, '}'), nil
}

// Signals holds one figure for each signal.
type Signals [signal.Count]signal.Figure

// MarshalJSON writes an object in the fixed order of the signals.
func (s Signals) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i := range s {
		fmt.Fprintf(&b, ",%q:", signal.Signal(i).String())
		figure, err := json.Marshal(&s[i])
		if err != nil {
			return nil, err
		}
		b.Write(figure)
	}
	b.WriteByte('}')
	object := b.Bytes()
	object[0] = '{'
	return object, nil
}

// Figures is what is known of some mail.
type Figures struct {
	// Recipients leaves out mail to the mailbox simulator; Simulated is that mail, which is in no rate.
	Recipients Recipients `json:"recipients"`
	Simulated  Recipients `json:"simulated,omitzero"`
	// Possible is how many recipients the complaints listed: where SES cannot tell who complained, it lists everyone at
	// the domain, and one complaint is counted.
	Possible int64   `json:"complained_possible,omitempty"`
	Signals  Signals `json:"signals"`
}

// tally sums cells over all spans.
type tally struct {
	counts     [spanCount]signal.Counts
	recipients [spanCount]Recipients
	simulated  [spanCount]Recipients
	possible   [spanCount]int64
}

// add counts a row in the spans in which it has recipients; its N is not read.
func (t *tally) add(row signal.Row, n *[spanCount]int64) {
	for s, n := range n {
		switch {
		case n == 0:
			continue
		case row.Outcome == possible:
			if row.Provider != signal.Simulator {
				t.possible[s] += n
			}
			continue
		case row.Provider == signal.Simulator:
			t.simulated[s][row.Outcome] += n
		default:
			t.recipients[s][row.Outcome] += n
		}
		row.N = n
		t.counts[s].Add(row)
	}
}

// figure says what is known about a signal over a span.
func (t *tally) figure(sig signal.Signal, over span, stale bool) signal.Figure {
	young := min(spanOfLength(sig.Definition().Maturity), over)
	return t.counts[over].Figure(sig, &t.counts[young], stale)
}

func (t *tally) figures(over span, stale bool) Figures {
	f := Figures{Recipients: t.recipients[over], Simulated: t.simulated[over], Possible: t.possible[over]}
	for i := range f.Signals {
		f.Signals[i] = t.figure(signal.Signal(i), over, stale)
	}
	return f
}

// empty says that nothing at all became of mail in the span, not even at the simulator.
func (t *tally) empty(over span) bool {
	return t.recipients[over] == Recipients{} && t.simulated[over] == Recipients{}
}

// By says what a Walk tells apart.
type By uint8

// The ways to part mail. ByNothing gives one subject with all of it.
const (
	ByNothing By = iota
	ByCampaign
	ByProvider
	ByCampaignProvider
	ByTenant
)

// Subject is a part of the mail, with its figures over every rolling window. What the Walk does not tell apart is empty.
type Subject struct {
	Tenant, Campaign, Provider string
	// Owner and Stream are the campaign's.
	Owner  string
	Stream bool
	// Campaigns is how many campaigns the subject has mail of.
	Campaigns int

	tally tally
	stale bool
}

// Figure says what is known about a signal over a rolling window.
func (s *Subject) Figure(sig signal.Signal, w signal.Window) signal.Figure {
	return s.tally.figure(sig, spanOf(w), s.stale)
}

// Recipients counts over a rolling window, without mail to the mailbox simulator.
func (s *Subject) Recipients(w signal.Window) Recipients { return s.tally.recipients[spanOf(w)] }

// Figures says all that is known over a rolling window.
func (s *Subject) Figures(w signal.Window) Figures { return s.tally.figures(spanOf(w), s.stale) }

// Walk calls see with every subject that had mail in the last seven days, in no order, until see returns false. The
// simulator is no provider. A Subject is valid during the call only, and see must neither block nor query the View.
func (v *View) Walk(by By, see func(*Subject) bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	v.walk(by, see)
}

func (v *View) walk(by By, see func(*Subject) bool) {
	stale := v.stale()
	switch by {
	case ByCampaign, ByCampaignProvider:
		for _, c := range v.sums.campaigns {
			if !v.walkCampaign(c, by == ByCampaignProvider, stale, see) {
				return
			}
		}
	default:
		for _, subject := range v.gather(by, stale) {
			if !see(subject) {
				return
			}
		}
	}
}

// walkCampaign shows a campaign as one subject, or as one for each of its providers.
func (v *View) walkCampaign(c *campaignSums, parted, stale bool, see func(*Subject) bool) bool {
	blank := Subject{
		Tenant: c.name.tenant, Campaign: c.name.campaign, Owner: c.owner, Stream: c.stream, Campaigns: 1, stale: stale,
	}
	subject := blank
	if !parted {
		for i := range c.cells {
			subject.tally.add(v.row(c.cells[i].key), &c.cells[i].n)
		}
		return see(&subject)
	}
	for i := range c.cells {
		key := c.cells[i].key
		subject.Provider = v.sums.providers.names[key.provider()]
		subject.tally.add(v.row(key), &c.cells[i].n)
		if last := i+1 == len(c.cells); !last && c.cells[i+1].key.provider() == key.provider() {
			continue
		}
		if subject.Provider != signal.Simulator && !see(&subject) {
			return false
		}
		subject = blank
	}
	return true
}

// gather sums over campaigns.
func (v *View) gather(by By, stale bool) map[string]*Subject {
	all := map[string]*Subject{}
	if by == ByNothing {
		all[""] = &Subject{stale: stale}
	}
	for _, c := range v.sums.campaigns {
		// lately holds the subjects that this campaign has been counted for; its cells of one provider are neighbours.
		var lately *Subject
		for i := range c.cells {
			subject := Subject{stale: stale}
			key := ""
			switch by {
			case ByTenant:
				subject.Tenant, key = c.name.tenant, c.name.tenant
			case ByProvider:
				key = v.sums.providers.names[c.cells[i].key.provider()]
				subject.Provider = key
			}
			if by == ByProvider && key == signal.Simulator {
				continue
			}
			of := all[key]
			if of == nil {
				of = &subject
				all[key] = of
			}
			if of != lately {
				of.Campaigns++
				lately = of
			}
			of.tally.add(v.row(c.cells[i].key), &c.cells[i].n)
		}
	}
	return all
}

// row is what a cell is to the signals.
func (v *View) row(key cellKey) signal.Row {
	return signal.Row{
		Provider:  v.sums.providers.names[key.provider()],
		Outcome:   key.outcome(),
		Blocked:   key.outcome().Bounced() && signal.Blocks(v.group(v.sums.reasons.names[key.reason()])),
		Reporting: key.reporting(),
		Coverage:  key.coverage(),
	}
}
