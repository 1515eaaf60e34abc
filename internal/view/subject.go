package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"time"

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

// Stale says that the sources of SES events have been failing, so that figures rest on what was known before.
func (v *View) Stale() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.stale
}

// Lag is how far behind the sources of SES events are: mail that was sent since may not be known yet.
func (v *View) Lag() time.Duration { return v.lag() }

// Owner is who answers for a campaign, empty when nobody is named.
func (v *View) Owner(campaign string) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.settings.owner(campaign)
}

// Stream says whether a campaign is one that has no sends.
func (v *View) Stream(campaign string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.settings.Streams.Match(campaign)
}

func (v *View) walk(by By, see func(*Subject) bool) {
	switch by {
	case ByCampaign, ByCampaignProvider:
		var subject Subject
		for _, c := range v.sums.campaigns {
			if !v.walkCampaign(&subject, c, by, see) {
				return
			}
		}
	default:
		for _, subject := range v.gather(by) {
			if !see(subject) {
				return
			}
		}
	}
}

// walkCampaign shows a campaign as one subject, or as one for each of its providers, each in place of the one before.
func (v *View) walkCampaign(subject *Subject, c *campaignSums, by By, see func(*Subject) bool) bool {
	if by == ByCampaign {
		v.describe(subject, c)
		v.tally(subject, c.cells)
		return see(subject)
	}
	for cells := range c.byProvider() {
		provider := v.sums.providers.names[cells[0].key.provider()]
		if provider == signal.Simulator {
			continue
		}
		v.describe(subject, c)
		subject.Provider = provider
		v.tally(subject, cells)
		if !see(subject) {
			return false
		}
	}
	return true
}

// describe makes the subject the campaign, without figures.
func (v *View) describe(subject *Subject, c *campaignSums) {
	*subject = Subject{
		Tenant: c.name.tenant, Campaign: c.name.campaign, Owner: c.owner, Stream: c.stream, Campaigns: 1,
		stale: v.stale,
	}
}

func (v *View) tally(subject *Subject, cells []cell) {
	for i := range cells {
		subject.tally.add(v.row(cells[i].key), &cells[i].n)
	}
}

// byProvider yields the cells of each provider.
func (c *campaignSums) byProvider() iter.Seq[[]cell] {
	return func(yield func([]cell) bool) {
		for cells := c.cells; len(cells) > 0; {
			n := 1
			for n < len(cells) && cells[n].key.provider() == cells[0].key.provider() {
				n++
			}
			if !yield(cells[:n]) {
				return
			}
			cells = cells[n:]
		}
	}
}

// gather sums over campaigns: all together, or by provider or tenant.
func (v *View) gather(by By) map[string]*Subject {
	all := map[string]*Subject{}
	subject := func(tenant, provider string) *Subject {
		s := all[tenant+provider]
		if s == nil {
			s = &Subject{Tenant: tenant, Provider: provider, stale: v.stale}
			all[tenant+provider] = s
		}
		s.Campaigns++
		return s
	}
	if by == ByNothing {
		subject("", "").Campaigns = 0
	}
	for _, c := range v.sums.campaigns {
		switch by {
		case ByProvider:
			for cells := range c.byProvider() {
				if provider := v.sums.providers.names[cells[0].key.provider()]; provider != signal.Simulator {
					v.tally(subject("", provider), cells)
				}
			}
		case ByTenant:
			v.tally(subject(c.name.tenant, ""), c.cells)
		default:
			v.tally(subject("", ""), c.cells)
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
