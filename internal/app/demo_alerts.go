package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/pager"
)

// demoAlerts is the demo's section alerts. The sender is small and nobody wants to wait, so floors are lower, windows longer
// and times shorter than a real sender would have them.
const demoAlerts = `
alerts:
  every: 2s
  rules:
    - {name: GmailSpamRate, warning: {at_least: 100}, critical: {at_least: 300}}
    - {name: GmailIdentifierSpamRate, warning: {at_least: 100}}
    - {name: CampaignHardBounceRate, window: 7d}
    - {name: ReceiptFailures, for: 0s}
    - {name: SourceFailing, warning: {above: 20s}, critical: {above: 50s}, keep_firing_for: 5s}
  catch_all: oncall
  notifiers: {oncall: {pagerduty: {routing_key_file: %[8]s, url: %[6]q}}}
`

// demoRoutingKey is the file with the demo's integration key of PagerDuty, beside its configuration.
const demoRoutingKey = "pagerduty.key"

// The outage of the demo begins some time after the start, when somebody has looked around.
const (
	demoOutageAfter = 90 * time.Second
	demoOutageFor   = 70 * time.Second
)

// demoOutage has CloudWatch fail in one region for a while, so that a source is seen to fail and to recover.
func demoOutage(ctx context.Context, sim *simulator.Simulator, after, lasting time.Duration) {
	if !pass(ctx, after) {
		return
	}
	remove := sim.CloudWatch().Inject(gate.Fault{Kind: gate.FaultStatus, Status: 503, Region: simulator.RegionEU})
	defer remove()
	pass(ctx, lasting)
}

// pass waits; false says that ctx ended first.
func pass(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// printEvents prints what PagerDuty is told, until ctx ends.
func printEvents(ctx context.Context, out io.Writer, p *pager.Server) {
	for printed := 0; ; {
		events := p.Events()
		for i := range events[printed:] {
			fmt.Fprintf(out, "PagerDuty %s\n", &events[printed+i])
		}
		printed = len(events)
		if !pass(ctx, time.Second) {
			return
		}
	}
}
