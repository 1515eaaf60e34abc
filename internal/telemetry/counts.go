package telemetry

import (
	"time"

	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// Counts is the intake's observer: it counts what was committed.
type Counts struct{ t *Telemetry }

var _ intake.Observer = Counts{}

// Counts returns the observer that feeds the counters.
func (t *Telemetry) Counts() Counts { return Counts{t} }

// Counted counts one recipient under its campaign and its provider.
func (c Counts) Counted(cell *ledger.Cell) {
	t, now, readers := c.t, c.t.now(), len(c.t.providers)
	outcome := cell.Outcome.String()
	campaign := t.campaignSlots.of(name{cell.Campaign.Tenant, cell.Campaign.Name}, now)
	provider := t.providerSlots.of(name{name: cell.Provider}, now).name
	t.campaignRecipients.add(1, values{campaign.tenant, campaign.name, outcome}, readers)
	t.providerRecipients.add(1, values{provider, outcome}, readers)
	if t.byProvider {
		t.campaignProvider.add(1, values{campaign.tenant, campaign.name, provider, outcome}, readers)
	}
	if cell.Reason != "" {
		t.providerFailures.add(1, values{provider, cell.Reason, outcome}, readers)
	}
}

// Delivered records how long a delivery took.
func (c Counts) Delivered(provider string, took time.Duration) {
	provider = c.t.providerSlots.of(name{name: provider}, c.t.now()).name
	c.t.histograms[ProviderDeliveryDuration].record(took.Seconds(), values{provider})
}

// Entries counts what the ledger did with what was read from a queue.
func (c Counts) Entries(source string, fate ledger.Fate, n int) {
	c.t.Add(DedupeEntries, int64(n), source, fateNames[fate])
}

// Quarantined counts a message that went to quarantine.
func (c Counts) Quarantined(source, reason string) {
	c.t.Add(QuarantineAdded, 1, source, reason)
}

var fateNames = map[ledger.Fate]string{
	ledger.Counted: "counted", ledger.Duplicate: "duplicate", ledger.Held: "held", ledger.Refused: "refused",
}

// CampaignName says under which tenant and campaign a campaign's figures are exported; ok is false when it has no place
// among the exported and its figures belong to (other).
func (t *Telemetry) CampaignName(c observation.Campaign) (tenant, campaign string, ok bool) {
	n := t.campaignSlots.of(name{c.Tenant, c.Name}, t.now())
	return n.tenant, n.name, n != otherName || c.Name == observation.Other && c.Tenant == ""
}

// ProviderName says under which name a provider's figures are exported; ok is false when they belong to "other".
func (t *Telemetry) ProviderName(provider string) (exported string, ok bool) {
	n := t.providerSlots.of(name{name: provider}, t.now())
	return n.name, n.name == provider
}

// Rebalance gives the places of campaigns that have become small to campaigns of the ranking, the largest first, and
// forgets the series of those that lost theirs; and the same for providers. It is called about once an hour.
func (t *Telemetry) Rebalance(campaigns []observation.Campaign, providers []string) {
	names := make([]name, 0, len(campaigns))
	for _, c := range campaigns {
		names = append(names, name{c.Tenant, c.Name})
	}
	lost := setOf(t.campaignSlots.rebalance(names, t.now()))
	names = names[:0]
	for _, p := range providers {
		names = append(names, name{name: p})
	}
	lostProviders := setOf(t.providerSlots.rebalance(names, t.now()))
	if len(lost)+len(lostProviders) == 0 {
		return
	}
	ofCampaign := func(v values) bool { return lost[name{v[0], v[1]}] }
	ofProvider := func(v values) bool { return lostProviders[name{name: v[0]}] }
	t.campaignRecipients.drop(ofCampaign)
	t.campaignProvider.drop(func(v values) bool { return ofCampaign(v) || lostProviders[name{name: v[2]}] })
	// Delivery times stand still instead: OpenTelemetry keeps the series of histograms.
	t.providerRecipients.drop(ofProvider)
	t.providerFailures.drop(ofProvider)
}

func setOf(names []name) map[name]bool {
	set := make(map[name]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
