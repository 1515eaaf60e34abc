package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// awsGauges shows how SES accounts and receipt rules stand. Its clock decides what is too old to be shown: the view's own
// stands still while the ledger cannot be written.
type awsGauges struct {
	view *view.View
	tel  *telemetry.Telemetry
	now  func() time.Time
}

// awsOld is how old what the view has worked out may be; it does so every minute.
const awsOld = 30 * time.Minute

func (g *awsGauges) bind() {
	g.bindAccounts()
	g.bindTenants()
	g.bindCoverage()
	g.bindReceipts()
	g.bindReceiptLimits()
}

func (g *awsGauges) fresh(asOf time.Time) bool { return g.now().Sub(asOf) <= awsOld }

// eachAccount makes a gauge of what do emits of each account.
func (g *awsGauges) eachAccount(gauge string, do func(a *view.Account, emit telemetry.Emit)) {
	g.tel.Bind(gauge, func(emit telemetry.Emit) {
		all := g.view.Accounts()
		if !g.fresh(all.AsOf) {
			return
		}
		for i := range all.Accounts {
			a := &all.Accounts[i]
			do(a, func(value float64, attributes ...string) {
				emit(value, append([]string{a.Account, a.Region}, attributes...)...)
			})
		}
	})
}

func (g *awsGauges) bindAccounts() {
	eachRate := func(gauge string, value func(*view.AccountRate) *float64) {
		g.eachAccount(gauge, func(a *view.Account, emit telemetry.Emit) {
			if v := value(&a.BounceRate); v != nil {
				emit(*v, observation.AccountBounceRate)
			}
			if v := value(&a.ComplaintRate); v != nil {
				emit(*v, observation.AccountComplaintRate)
			}
		})
	}
	eachRate(telemetry.AccountRate, func(r *view.AccountRate) *float64 {
		if !stands(r) {
			return nil
		}
		return &r.Rate.Value
	})
	eachRate(telemetry.AccountRateHeadroom, func(r *view.AccountRate) *float64 {
		if !stands(r) {
			return nil
		}
		return &r.Rate.Left
	})
	eachRate(telemetry.AccountOwnRate, func(r *view.AccountRate) *float64 { return r.Ours.Value })
	g.eachAccount(telemetry.AccountQuotaUsed, func(a *view.Account, emit telemetry.Emit) {
		if a.Quota.State == signal.OK && a.Quota.Used != nil {
			emit(*a.Quota.Used)
		}
	})
	g.eachAccount(telemetry.AccountStatus, emitStatus)
	g.eachAccount(telemetry.AccountSendingEnabled, func(a *view.Account, emit telemetry.Emit) {
		if a.Standing.State == signal.OK && a.Standing.SendingEnabled != nil {
			emit(truth(*a.Standing.SendingEnabled))
		}
	})
	g.eachAccount(telemetry.AccountFindings, func(a *view.Account, emit telemetry.Emit) {
		for kind, found := range map[string]*view.AccountFinding{"recommendation": &a.Recommendations, "entity": &a.Entities} {
			if found.State == signal.OK {
				emit(float64(found.Total), kind)
			}
		}
	})
}

// bindTenants shows what SES says of its tenants: of those that an account is shown with.
func (g *awsGauges) bindTenants() {
	g.eachAccount(telemetry.TenantSendingEnabled, func(a *view.Account, emit telemetry.Emit) {
		if !read(a, observation.AccountPartTenants) {
			return
		}
		for i := range a.Tenants {
			if may, known := a.Tenants[i].MaySend(); known {
				emit(truth(may), a.Tenants[i].Tenant)
			}
		}
	})
	g.eachAccount(telemetry.TenantFindings, func(a *view.Account, emit telemetry.Emit) {
		found := a.TenantFindings()
		if found.State != signal.OK {
			return
		}
		for tenant, n := range found.High {
			if found.Whole || n > 0 {
				emit(float64(n), tenant)
			}
		}
	})
}

// stands says whether SES's rate holds: while nothing is sent, its last one does.
func stands(r *view.AccountRate) bool {
	return r.Rate != nil && (r.State == signal.OK || r.State == signal.Idle)
}

// emitStatus has a series for each verdict, so that a change of it is seen as one.
func emitStatus(a *view.Account, emit telemetry.Emit) {
	if a.Standing.State != signal.OK || a.Standing.Verdict == "" {
		return
	}
	statuses := []string{"healthy", "probation", "shutdown", "other"}
	is := slices.Index(statuses, strings.ToLower(a.Standing.Verdict))
	if is < 0 {
		is = len(statuses) - 1
	}
	for i, status := range statuses {
		emit(truth(i == is), status)
	}
}

func (g *awsGauges) bindCoverage() {
	g.eachAccount(telemetry.CoverageRatio, func(a *view.Account, emit telemetry.Emit) {
		c := &a.Coverage
		for of, covered := range map[string]*view.Coverage{
			"events": &c.Events, "configuration_set": &c.ConfigurationSet, "feedback_id": &c.FeedbackID,
		} {
			if covered.Share != nil && (compared(a) || of == "feedback_id") { // that needs no CloudWatch
				emit(*covered.Share, of)
			}
		}
	})
	g.eachAccount(telemetry.CoverageFinding, func(a *view.Account, emit telemetry.Emit) {
		if !compared(a) {
			return
		}
		each := func(of string, state signal.State, found signal.Finding) {
			if state == signal.NoData {
				return
			}
			for _, finding := range []signal.Finding{signal.Short, signal.Deaf, signal.Excess} {
				emit(truth(found == finding), of, string(finding))
			}
		}
		each("events", a.Coverage.Events.State, a.Coverage.Events.Finding)
		for i := range a.Coverage.Of {
			each(a.Coverage.Of[i].Of, a.Coverage.Of[i].State, a.Coverage.Of[i].Finding)
		}
	})
}

// compared says whether CloudWatch's counts are still read.
func compared(a *view.Account) bool { return read(a, observation.AccountPartMetrics) }

// read says whether a part of an account is still read.
func read(a *view.Account, part observation.AccountPart) bool {
	return slices.ContainsFunc(a.Parts, func(p view.AccountPart) bool { return p.Part == part && p.State == signal.OK })
}

// inbound is what receipt rules did in the last 24 hours, nothing when that is too old.
func (g *awsGauges) inbound() view.Inbound {
	in := g.view.Inbound(signal.Day)
	if !g.fresh(in.Window.AsOf) {
		in.Rules = nil
	}
	return in
}

// ruleOf names the rule.
func ruleOf(r *view.InboundRule) observation.ReceiptRule {
	return observation.ReceiptRule{Account: r.Account, Region: r.Region, RuleSet: r.RuleSet, Rule: r.ReceiptRule}
}

// eachRule makes a gauge of what do emits of each receipt rule that is exported and was read lately.
func (g *awsGauges) eachRule(gauge string, do func(r *view.InboundRule, emit telemetry.Emit)) {
	g.tel.Bind(gauge, func(emit telemetry.Emit) {
		in := g.inbound()
		for i := range in.Rules {
			r := &in.Rules[i]
			if r.ReceiptRule == "" || r.Signals.Expired.State == signal.Stale || r.Signals.Expired.State == signal.NoData {
				continue
			}
			if name, ok := g.tel.ReceiptRuleName(ruleOf(r)); ok {
				do(r, func(value float64, attributes ...string) {
					emit(value, append([]string{name.Account, name.Region, name.RuleSet, name.Rule}, attributes...)...)
				})
			}
		}
	})
}

func (g *awsGauges) bindReceipts() {
	g.eachRule(telemetry.ReceiptFailingDuration, func(r *view.InboundRule, emit telemetry.Emit) { emit(r.Signals.Failures.Lasting) })
	g.eachRule(telemetry.ReceiptExpired, func(r *view.InboundRule, emit telemetry.Emit) { emit(*r.Signals.Expired.Value) })
	g.eachRule(telemetry.ReceiptSilent, func(r *view.InboundRule, emit telemetry.Emit) {
		if r.Signals.Silent.Value != nil {
			emit(*r.Signals.Silent.Value)
		}
	})
	g.eachRule(telemetry.ReceiptRuleInfo, func(r *view.InboundRule, emit telemetry.Emit) { emit(1, string(r.Purpose)) })
	g.tel.Bind(telemetry.ReceiptUnexported, func(emit telemetry.Emit) {
		left := 0
		for _, r := range g.view.Inbound(signal.Day).Rules {
			if _, ok := g.tel.ReceiptRuleName(ruleOf(&r)); r.ReceiptRule != "" && !ok {
				left++
			}
		}
		emit(float64(left))
	})
}

func (g *awsGauges) bindReceiptLimits() {
	g.eachRule(telemetry.ReceiptRecipientsUsed, func(r *view.InboundRule, emit telemetry.Emit) {
		if r.Recipients != nil {
			emit(float64(*r.Recipients) / float64(r.RecipientsLimit))
		}
	})
	g.tel.Bind(telemetry.ReceiptRulesUsed, func(emit telemetry.Emit) {
		in := g.view.Inbound(signal.Day)
		for _, r := range in.Regions {
			if r.Rules != nil && r.State == signal.OK && g.fresh(in.Window.AsOf) {
				emit(float64(*r.Rules)/float64(r.RulesLimit), r.Account, r.Region, r.RuleSet)
			}
		}
	})
	g.tel.Bind(telemetry.ReceiptDataTimestamp, func(emit telemetry.Emit) {
		for _, r := range g.view.Inbound(signal.Day).Regions {
			emit(seconds(r.Through), r.Account, r.Region)
		}
	})
}

// refreshInbound works out what receipt rules did, and has counters for all of them.
func (d *Daemon) refreshInbound(ctx context.Context) error {
	if err := d.view.RefreshInbound(ctx); err != nil {
		return err
	}
	for _, r := range d.view.Inbound(signal.Day).Rules {
		if r.ReceiptRule != "" {
			d.tel.KnowReceiptRule(ruleOf(&r))
		}
	}
	return nil
}

// bindCloudWatchCalls counts what is asked of CloudWatch by the collectors of the configuration.
func (d *Daemon) bindCloudWatchCalls() {
	bind := func(counter string, n func(cloudWatchCount) int64) {
		d.tel.Observe(counter, func(observe telemetry.Observe) {
			regions := d.cloudWatchRegions()
			d.calls.each(func(op cloudWatchOperation, count cloudWatchCount) {
				if s, ok := regions[op.source]; ok {
					observe(n(count), s.job, s.region, op.operation)
				}
			})
		})
	}
	bind(telemetry.CloudWatchRequests, func(c cloudWatchCount) int64 { return c.calls })
	bind(telemetry.CloudWatchMetrics, func(c cloudWatchCount) int64 { return c.metrics })
}

// cloudWatchReader is a source that asks CloudWatch.
type cloudWatchReader struct{ job, region string }

// cloudWatchRegions are the sources that ask CloudWatch, by their names.
func (d *Daemon) cloudWatchRegions() map[string]cloudWatchReader {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]cloudWatchReader)
	for job, s := range d.sources {
		switch c := s.config.(type) {
		case config.ReceiptRules:
			all[string(c.Name)] = cloudWatchReader{job, string(c.Region)}
		case config.Account:
			all[string(c.Name)] = cloudWatchReader{job, string(c.Region)}
		}
	}
	return all
}

// metricsPerDollar is CloudWatch's list price of metrics that GetMetricData is asked for. The first million calls of ListMetrics
// in a month cost nothing (https://aws.amazon.com/cloudwatch/pricing/).
const metricsPerDollar = 100_000

// asked is what a source asked of CloudWatch since the daemon started; nil when nothing.
func (c *cloudWatchCalls) asked(source string) *web.CloudWatchUse {
	var use web.CloudWatchUse
	c.each(func(op cloudWatchOperation, n cloudWatchCount) {
		if op.source == source {
			use.Requests += n.calls
			use.Metrics += n.metrics
		}
	})
	if use.Requests == 0 {
		return nil
	}
	use.Dollars = float64(use.Metrics) / metricsPerDollar
	return &use
}
