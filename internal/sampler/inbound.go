package sampler

import (
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// inbound is what receipt rules did.
func (s *Sampler) inbound(series alerts.Series) {
	in := s.view.Inbound(series.Window)
	aged := s.aged(in.Window.AsOf)
	through := map[[2]string]time.Time{}
	for i := range in.Regions {
		through[[2]string{in.Regions[i].Account, in.Regions[i].Region}] = in.Regions[i].Through
	}
	named := map[observation.ReceiptRule]bool{}
	for i := range in.Rules {
		if r := &in.Rules[i]; r.ReceiptRule != "" {
			named[ruleSetOf(r)] = true
		}
	}
	for i := range in.Rules {
		r := &in.Rules[i]
		if r.ReceiptRule == "" && named[ruleSetOf(r)] {
			continue // what its rules did, once more
		}
		n := receipt(series.Signal, &r.Signals)
		if n.asOf = in.Window.AsOf; !through[[2]string{r.Account, r.Region}].IsZero() {
			n.asOf = through[[2]string{r.Account, r.Region}]
		}
		if aged {
			n.state = agedState(n.state)
		}
		sample := s.add(series, alerts.Subject{
			Account: r.Account, Region: r.Region, RuleSet: r.RuleSet, ReceiptRule: r.ReceiptRule,
		}, n)
		sample.Labels = func() []observation.Field { return receiptLabels(r) }
	}
}

func ruleSetOf(r *view.InboundRule) observation.ReceiptRule {
	return observation.ReceiptRule{Account: r.Account, Region: r.Region, RuleSet: r.RuleSet}
}

// receipt is one of the signals of a receipt rule.
func receipt(s alerts.Signal, of *view.ReceiptSignals) number {
	var f *view.ReceiptFigure
	switch s {
	case alerts.ReceiptFailures:
		return failures(&of.Failures)
	case alerts.ReceiptExpired:
		f = &of.Expired
	default:
		f = &of.Silent
	}
	return receiptNumber(f)
}

func receiptNumber(f *view.ReceiptFigure) number {
	n := number{state: f.State}
	if f.Value != nil {
		n.value, n.known = *f.Value, true
	}
	return n
}

// failures counts failed attempts only while the failing goes on and is of more than one period: SES tries again, so that a
// single burst, which a window holds for its whole length, is over as a rule, and nothing is lost for four hours.
func failures(f *view.ReceiptFigure) number {
	n := receiptNumber(f)
	if n.state == signal.OK && f.Lasting <= signal.ReceiptPeriod.Seconds() {
		n.value = 0
	}
	return n
}

// receiptLabels name what a receipt rule is for and which campaigns use it.
func receiptLabels(r *view.InboundRule) []observation.Field {
	fields := []observation.Field{{Name: "purpose", Value: string(r.Purpose)}}
	for _, name := range r.Campaigns {
		fields = append(fields, observation.Field{Name: "campaign", Value: name})
	}
	return fields
}

// inboundAbsent says whether receipt rules could be read everywhere.
func (s *Sampler) inboundAbsent() signal.State {
	in := s.view.Inbound(signal.Hour)
	if s.aged(in.Window.AsOf) {
		return signal.Stale
	}
	for i := range in.Regions {
		if in.Regions[i].State != signal.OK {
			return signal.Stale
		}
	}
	return signal.Idle
}
