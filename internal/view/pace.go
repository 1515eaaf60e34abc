package view

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// PacePart is how much send time one part of a Pace holds.
	PacePart = 6 * time.Hour
	// PaceParts is how many parts hold the last week, the first of which it has left in part.
	PaceParts = int(7*24*time.Hour/PacePart) + 1
	// paceSlots are a ring: mail may be sent up to ten minutes in the future, and the week's start lags behind by up to an hour.
	paceSlots = 32
)

// Pace is a campaign's mail of the last week by when it was sent, the oldest first.
type Pace struct {
	// Mail counts recipients, as far as Send or Delivery events tell; Trouble those who bounced or complained.
	Mail, Trouble [PaceParts]int64
}

// pace counts the cells of the longest span once more by send time. Whatever leaves the span is taken off, so that a slot is
// empty when the ring comes round to it.
type pace [paceSlots]struct{ sent, delivered, trouble int32 }

func paceSlot(at int64) int64 { return at / int64(PacePart/time.Second) }

func (p *pace) add(row *ledger.CohortRow, n int64) {
	slot := &p[paceSlot(row.Start.Unix())%paceSlots]
	switch o := row.Cell.Outcome; {
	case row.Cell.Provider == signal.Simulator:
	case o == observation.Sent:
		slot.sent += int32(n)
	case o == observation.Delivered:
		slot.delivered += int32(n)
	case o.Bounced() || o == observation.Complained:
		slot.trouble += int32(n)
	}
}

func (p *pace) until(asOf time.Time) (out Pace) {
	last := paceSlot(asOf.Unix())
	for i := range PaceParts {
		slot := p[(last-int64(PaceParts-1-i))%paceSlots]
		out.Mail[i], out.Trouble[i] = int64(max(slot.sent, slot.delivered)), int64(slot.trouble)
	}
	return out
}

// Paces says when the mail of campaigns was sent, in their order. A campaign without mail has an empty one.
func (v *View) Paces(names []campaign.Name) []Pace {
	v.mu.RLock()
	defer v.mu.RUnlock()
	paces := make([]Pace, len(names))
	for i, n := range names {
		if c := v.sums.campaigns[name{n.Tenant, n.Campaign}]; c != nil {
			paces[i] = c.pace.until(v.asOf)
		}
	}
	return paces
}
