package sampler

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// detailed is a figure of an account in a region, told apart from others of the same signal by its detail, or by a tenant.
type detailed struct {
	tenant, detail string
	number
}

// accounts are the figures of accounts in regions, or of accounts with the worst of their regions.
func (s *Sampler) accounts(series alerts.Series) {
	all := s.view.Accounts()
	aged := s.aged(all.AsOf)
	worst := map[alerts.Subject]number{}
	for i := range all.Accounts {
		a := &all.Accounts[i]
		for _, d := range figuresOf(series.Signal, a, all.AsOf) {
			if aged {
				d.state = agedState(d.state)
			}
			subject := alerts.Subject{Tenant: d.tenant, Account: a.Account, Region: a.Region, Detail: d.detail}
			if series.By != alerts.ByAccount {
				s.add(series, subject, d.number)
				continue
			}
			subject.Region = ""
			if before, ok := worst[subject]; ok {
				d.number = worstOf(before, d.number, lowIsBad(series.Signal))
			}
			worst[subject] = d.number
		}
	}
	subjects := make([]alerts.Subject, 0, len(worst))
	for subject := range worst {
		subjects = append(subjects, subject)
	}
	slices.SortFunc(subjects, func(a, b alerts.Subject) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Detail, b.Detail))
	})
	for _, subject := range subjects {
		s.add(series, subject, worst[subject])
	}
}

func lowIsBad(s alerts.Signal) bool {
	return s == alerts.EventCoverage || s == alerts.FeedbackIDCoverage
}

// worstOf is the worse of two regions. One that has no value any more is as bad as it last was known to be, so that an
// account does not look well because its worst region cannot be read; one that never had a value says nothing.
func worstOf(a, b number, low bool) number {
	switch {
	case a.known != b.known:
		if a.known {
			return a
		}
		return b
	case !a.known:
		if rank(b.state) > rank(a.state) {
			return b
		}
		return a
	case a.value == b.value:
		if rank(b.state) < rank(a.state) {
			return b
		}
		return a
	case (b.value > a.value) != low:
		return b
	default:
		return a
	}
}

// rank orders states by how little they tell.
func rank(s signal.State) int {
	return slices.Index([]signal.State{
		signal.OK, signal.Immature, signal.Idle, signal.Insufficient, signal.NotReported, signal.Stale, signal.NoData, signal.Error,
	}, s)
}

// figuresOf are the figures of one signal of an account in a region.
func figuresOf(s alerts.Signal, a *view.Account, asOf time.Time) []detailed {
	one := func(n number) []detailed { return []detailed{{number: n}} }
	switch s {
	case alerts.AccountBounceRate:
		return one(rateOf(&a.BounceRate, asOf))
	case alerts.AccountComplaintRate:
		return one(rateOf(&a.ComplaintRate, asOf))
	case alerts.AccountEnforcement:
		return one(enforcement(a, asOf))
	case alerts.AccountSendingPaused:
		n := number{state: a.Standing.State, asOf: asked(a, observation.AccountPartSending, asOf)}
		if enabled := a.Standing.SendingEnabled; enabled != nil {
			n.value, n.known = truth(!*enabled), true
		}
		return one(n)
	case alerts.AccountQuotaUsed:
		return one(quota(a, asOf))
	case alerts.TenantPaused:
		return tenantsPaused(a, asOf)
	case alerts.TenantFindings:
		return tenantFindings(a, asOf)
	case alerts.EventCoverage:
		return one(eventCoverage(&a.Coverage, asOf))
	case alerts.FeedbackIDCoverage:
		return one(share(&a.Coverage.FeedbackID, asOf))
	case alerts.DeafLoop:
		return deafLoops(&a.Coverage, asOf)
	default:
		return nil
	}
}

// asked is when a part of an account was last asked for, to the hour.
func asked(a *view.Account, part observation.AccountPart, asOf time.Time) time.Time {
	for i := range a.Parts {
		if p := &a.Parts[i]; p.Part == part && p.Asked != nil {
			return *p.Asked
		}
	}
	return asOf
}

func rateOf(r *view.AccountRate, asOf time.Time) number {
	if r.Rate == nil {
		return number{state: r.State, asOf: asOf}
	}
	return number{r.Rate.Value, true, r.State, r.Rate.Hour}
}

// enforcement is SES's verdict in the order of how bad it is. One that SES came up with later is not known.
func enforcement(a *view.Account, asOf time.Time) number {
	n := number{state: a.Standing.State, asOf: asked(a, observation.AccountPartSending, asOf)}
	i := slices.Index([]string{"HEALTHY", "PROBATION", "SHUTDOWN"}, a.Standing.Verdict)
	if i >= 0 {
		n.value, n.known = float64(i), true
	}
	return n
}

// quota is idle where there is no limit, of which nothing can be used.
func quota(a *view.Account, asOf time.Time) number {
	n := number{state: a.Quota.State, asOf: asked(a, observation.AccountPartSending, asOf)}
	switch {
	case a.Quota.Used != nil:
		n.value, n.known = *a.Quota.Used, true
	case a.Quota.Unlimited && n.state == signal.OK:
		n.state = signal.Idle
	}
	return n
}

func tenantsPaused(a *view.Account, asOf time.Time) (all []detailed) {
	at, state := asked(a, observation.AccountPartTenants, asOf), partState(a, observation.AccountPartTenants)
	for i := range a.Tenants {
		t := &a.Tenants[i]
		n := number{state: state, asOf: at}
		if may, known := t.MaySend(); known {
			n.value, n.known = truth(!may), true
		}
		all = append(all, detailed{tenant: t.Tenant, number: n})
	}
	return all
}

func partState(a *view.Account, part observation.AccountPart) signal.State {
	for i := range a.Parts {
		if a.Parts[i].Part == part {
			return a.Parts[i].State
		}
	}
	return signal.NoData
}

// tenantFindings are known where SES's list says so: what was left out of it may be about any tenant.
func tenantFindings(a *view.Account, asOf time.Time) (all []detailed) {
	found := a.TenantFindings()
	at, known := asked(a, found.Part, asOf), found.State == signal.OK || found.State == signal.Stale
	for tenant, n := range found.High {
		all = append(all, detailed{tenant: tenant, number: number{float64(n), known && (found.Whole || n > 0), found.State, at}})
	}
	slices.SortFunc(all, func(a, b detailed) int { return strings.Compare(a.tenant, b.tenant) })
	return all
}

// accountsAbsent says whether all that a signal needs of the accounts could be read.
func (s *Sampler) accountsAbsent(of alerts.Signal) signal.State {
	all := s.view.Accounts()
	if s.aged(all.AsOf) {
		return signal.Stale
	}
	var part observation.AccountPart
	switch of {
	case alerts.AccountEnforcement, alerts.AccountSendingPaused, alerts.AccountQuotaUsed:
		part = observation.AccountPartSending
	case alerts.TenantPaused:
		part = observation.AccountPartTenants
	case alerts.TenantFindings:
		part = observation.AccountPartRecommendations
	default:
		part = observation.AccountPartMetrics
	}
	state := signal.Idle
	for i := range all.Accounts {
		switch partState(&all.Accounts[i], part) {
		case signal.OK:
		case signal.Error:
			state = signal.Error
		default:
			state = worse(state, signal.Stale)
		}
	}
	return state
}
