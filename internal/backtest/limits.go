package backtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

// feeds are the readings that signals are made of.
var feeds = [...]struct {
	name        string
	sources     []string
	first, last alerts.Signal
}{
	{"Gmail", []string{observation.PostmasterV1, observation.PostmasterV2}, alerts.GmailSpamRate, alerts.GmailCompliance},
	{"CloudWatch and SES about accounts", []string{observation.AccountCloudWatch, observation.AccountSES}, alerts.AccountBounceRate, alerts.TenantFindings},
	{"CloudWatch about what was sent", []string{observation.AccountCloudWatch}, alerts.EventCoverage, alerts.DeafLoop},
	{"CloudWatch about receipt rules", []string{observation.ReceiptRules}, alerts.ReceiptFailures, alerts.ReceiptSilent},
}

// receiptsKept is for how long the ledger keeps readings of less than an hour; see ledger.Put.
const receiptsKept = 35 * day

// limits say what a reader must know of the rules that were tried.
func (b *backtest) limits() []string {
	all := []string{}
	has := func(first, last alerts.Signal) bool {
		return slices.ContainsFunc(b.book.result.Rules, func(r RuleResult) bool { return r.Signal >= first && r.Signal <= last })
	}
	if has(0, alerts.GmailSpamRate-1) {
		all = append(all, "rates count all that is known today of a mail from when it was sent: a complaint that came days later counts "+
			"at once, so alerts may have fired later than shown")
	}
	if b.o.From.Before(b.fineFrom) {
		all = append(all, fmt.Sprintf("before %s the ledger has mail by the hour, so times are to the hour", b.fineFrom.Format(time.RFC3339)))
	}
	for _, f := range feeds {
		if !has(f.first, f.last) {
			continue
		}
		first := b.past.first(f.sources)
		switch {
		case first.IsZero():
			all = append(all, f.name+": nothing had been read by the end")
		case first.After(b.o.From):
			all = append(all, fmt.Sprintf("%s: nothing had been read before %s", f.name, first.UTC().Format(time.RFC3339)))
		}
	}
	if kept := b.book.result.AsOf.Add(-receiptsKept); has(alerts.ReceiptFailures, alerts.ReceiptSilent) && b.o.From.Before(kept) {
		all = append(all, "what receipt rules did is not kept from before "+kept.Format(time.RFC3339))
	}
	if has(alerts.GmailSpamRate, alerts.DeafLoop) {
		all = append(all, "of a reading that was revised only the last value is kept, and counts from when it was first seen")
	}
	return append(all, "sources are taken to have worked all the time; rules, routes, owners and streams are those of the configuration "+
		"as it is now; silences are left out")
}

// first is when the first reading of some sources was seen, zero when none was.
func (p *past) first(sources []string) (first time.Time) {
	for _, s := range sources {
		if seen, ok := p.firstSeen[s]; ok && (first.IsZero() || seen.Before(first)) {
			first = seen
		}
	}
	return first
}
