package view

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// maxTenants bounds the tenants that an account is shown with, maxSets its configuration sets.
const (
	maxTenants = 100
	maxSets    = 200
)

// Accounts are all SES accounts that are read, each in each region.
type Accounts struct {
	AsOf     time.Time `json:"as_of"`
	Accounts []Account `json:"accounts"`
	// Unplaced is how many mails were sent in the window of coverage whose events do not say which account or region sent
	// them. They are in no account's coverage.
	Unplaced int64 `json:"unplaced,omitempty"`
}

// Account is how an SES account stands in a region.
type Account struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	// Parts say what could be read.
	Parts         []AccountPart `json:"parts"`
	Standing      Standing      `json:"standing"`
	BounceRate    AccountRate   `json:"bounce_rate"`
	ComplaintRate AccountRate   `json:"complaint_rate"`
	Quota         Quota         `json:"quota"`
	// ConfigurationSets are those for which SES keeps rates of their own, tenants those that sent mail in the last eight
	// days or that SES does not let send as usual; either the worst first.
	ConfigurationSets []SetRates     `json:"configuration_sets,omitempty"`
	Tenants           []TenantRates  `json:"tenants,omitempty"`
	Recommendations   AccountFinding `json:"recommendations"`
	Entities          AccountFinding `json:"reputation_entities"`
	Coverage          EventCoverage  `json:"coverage"`
}

// AccountPart is how a part of what is read about an account is: ok, stale, no_data before the first answer, or error
// when a permission is missing.
type AccountPart struct {
	Part  observation.AccountPart `json:"part"`
	State signal.State            `json:"state"`
	// Missing is the IAM action that is not allowed.
	Missing string `json:"missing,omitempty"`
	// Asked is the hour in which SES or CloudWatch was last asked.
	Asked *time.Time `json:"asked,omitempty"`
}

// Standing is what SES says about the account as a whole. What is not known is left out.
type Standing struct {
	// State is ok, stale, no_data or error; Verdict is what SES says: HEALTHY, PROBATION or SHUTDOWN.
	State            signal.State `json:"state"`
	Verdict          string       `json:"verdict,omitempty"`
	SendingEnabled   *bool        `json:"sending_enabled,omitempty"`
	ProductionAccess *bool        `json:"production_access,omitempty"`
}

// AccountRate is one of the rates by which SES judges an account, and ours beside it. The two are never blended.
type AccountRate struct {
	// State is that of SES's rate: not_reported before the first bounce or complaint, idle when there is no new one because
	// nothing was sent, stale when there is none although mail was sent.
	State signal.State `json:"state"`
	Rate  *SESRate     `json:"ses,omitempty"`
	Ours  OurRate      `json:"ours"`
	// Differs says why the two are not the same.
	Differs []string `json:"differs"`
}

// SESRate is a rate as SES has it, with its headroom.
type SESRate struct {
	Value float64      `json:"value"`
	Hour  time.Time    `json:"hour"`
	Level signal.Level `json:"level"`
	// Review and Pause are SES's lines; Left is how much the rate may grow before it reaches the next.
	Review float64 `json:"review_at"`
	Pause  float64 `json:"pause_at"`
	Left   float64 `json:"left"`
	// Trend is by how much the rate grew in a day, on average over the last seven; ReachesIn is how many hours it takes at
	// that pace until the next line is reached, left out when that is not in sight.
	Trend     *float64 `json:"trend_per_day,omitempty"`
	ReachesIn *float64 `json:"reaches_next_in_hours,omitempty"`
}

// OurRate is a rate of what we counted in the last seven days, by the events' own time.
type OurRate struct {
	State       signal.State `json:"state"`
	Value       *float64     `json:"value,omitempty"`
	Numerator   int64        `json:"numerator"`
	Denominator int64        `json:"denominator"`
}

// Quota is how much of what the account may send in 24 hours was sent.
type Quota struct {
	State signal.State `json:"state"`
	// Unlimited says that there is no limit, so that nothing of it can be used; Max is the limit otherwise.
	Unlimited bool     `json:"unlimited,omitempty"`
	Max       *float64 `json:"max,omitempty"`
	Sent      *float64 `json:"sent_24h,omitempty"`
	// Used is sent by max; Highest is the most of the last seven days.
	Used    *float64 `json:"used,omitempty"`
	Highest *float64 `json:"highest_used_7d,omitempty"`
	// Trend is by how much use grew in a day, on average over the last seven.
	Trend   *float64 `json:"trend_per_day,omitempty"`
	MaxRate *float64 `json:"max_per_second,omitempty"`
}

// SetRates are SES's rates of a configuration set. SES judges the account, not the set: they have its lines to compare.
type SetRates struct {
	ConfigurationSet string   `json:"configuration_set"`
	BounceRate       *SESRate `json:"bounce_rate,omitempty"`
	ComplaintRate    *SESRate `json:"complaint_rate,omitempty"`
}

// TenantRates are what CloudWatch counted of a tenant's mail in the last eight days of UTC, today included.
type TenantRates struct {
	Tenant string `json:"tenant"`
	// Status is ENABLED, DISABLED or REINSTATED, left out when SES could not be asked.
	Status     string `json:"status,omitempty"`
	Sends      int64  `json:"sends"`
	Bounces    int64  `json:"bounces"`
	Complaints int64  `json:"complaints"`
	// BounceRate and ComplaintRate are by sends. SES does not publish the lines at which it finds fault with a tenant.
	BounceRate    *float64     `json:"bounce_rate,omitempty"`
	ComplaintRate *float64     `json:"complaint_rate,omitempty"`
	State         signal.State `json:"state"`
}

// AccountFinding is a list of SES's, the worst first.
type AccountFinding struct {
	State signal.State `json:"state"`
	Total int          `json:"total"`
	// Items are the first 100 of them.
	Items []observation.AccountItem `json:"items,omitempty"`
}

// Accounts answers how the accounts stood at the last RefreshAccounts.
func (v *View) Accounts() Accounts {
	if a := v.accounts.Load(); a != nil {
		return *a
	}
	return Accounts{AsOf: v.AsOf().UTC(), Accounts: []Account{}}
}

// answer works out how an account stands.
func (a *accountReadings) answer(b *books) Account {
	answer := Account{Account: a.place.account, Region: a.place.region}
	for _, part := range observation.AccountParts() {
		answer.Parts = append(answer.Parts, a.part(part, b.asOf))
	}
	answer.Standing = a.standingAnswer(b)
	answer.BounceRate = a.rate(b, observation.AccountBounceRate)
	answer.ComplaintRate = a.rate(b, observation.AccountComplaintRate)
	answer.Quota = a.quota(b)
	answer.ConfigurationSets = a.setRates(b)
	answer.Tenants = a.tenantRates(b)
	answer.Recommendations = a.finding(b, observation.AccountPartRecommendations, observation.AccountRecommendations)
	answer.Entities = a.finding(b, observation.AccountPartEntities, observation.AccountEntities)
	answer.Coverage = a.coverage(b)
	return answer
}

func (a *accountReadings) standingAnswer(b *books) Standing {
	s := Standing{State: a.part(observation.AccountPartSending, b.asOf).State, Verdict: a.latest[observation.AccountEnforcement].Text}
	s.SendingEnabled = truthOf(a.latest[observation.AccountSendingEnabled].Value)
	s.ProductionAccess = truthOf(a.latest[observation.AccountProduction].Value)
	return s
}

func truthOf(v *float64) *bool {
	if v == nil {
		return nil
	}
	return new(*v != 0)
}

// tenantRates are the tenants: those that may not send as usual, then those with the highest rates.
func (a *accountReadings) tenantRates(b *books) []TenantRates {
	tenants := map[string]*TenantRates{}
	part := a.part(observation.AccountPartTenants, b.asOf)
	tenant := func(name string) *TenantRates {
		if tenants[name] == nil {
			tenants[name] = &TenantRates{Tenant: name}
			if part.State == signal.OK {
				tenants[name].Status = "ENABLED" // those that are not are listed
			}
		}
		return tenants[name]
	}
	for name, n := range b.tenants[a.subject] {
		t := tenant(name)
		t.Sends, t.Bounces, t.Complaints = n.sends, n.bounces, n.complaints
	}
	listed := a.finding(b, observation.AccountPartTenants, observation.AccountTenants)
	for _, item := range listed.Items {
		tenant(item.Resource).Status = item.Status
	}
	all := make([]TenantRates, 0, len(tenants))
	for _, t := range tenants {
		t.judge(a.part(observation.AccountPartTenantMetrics, b.asOf).State)
		if listed.Total > len(listed.Items) && t.Status == "ENABLED" {
			t.Status = "" // it may be one of those that were left out
		}
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b TenantRates) int {
		return cmp.Or(cmp.Compare(b.badness(), a.badness()), cmp.Compare(b.Sends, a.Sends), cmp.Compare(a.Tenant, b.Tenant))
	})
	return all[:min(len(all), maxTenants)]
}

// judge works out the rates. Counts that were not read are not zeros.
func (t *TenantRates) judge(part signal.State) {
	t.State = part
	if part != signal.OK {
		return
	}
	for _, r := range []struct {
		n    int64
		rate **float64
	}{{t.Bounces, &t.BounceRate}, {t.Complaints, &t.ComplaintRate}} {
		switch p := signal.RateOf(r.n, t.Sends); {
		case p.Known:
			*r.rate = new(short(p.Value))
		case r.n > 0:
			t.State = signal.Error
		}
	}
	switch {
	case t.State == signal.Error:
	case t.Sends == 0:
		t.State = signal.Idle
	case t.Sends < signal.Floor:
		t.State = signal.Insufficient
	}
}

// badness is larger for what comes first: what may not send, then how near the sure part of the rates is to an account's
// lines.
func (t *TenantRates) badness() (bad float64) {
	if t.Status != "" && t.Status != "ENABLED" {
		return 1e9
	}
	bounces, complaints := signal.RateOf(t.Bounces, t.Sends), signal.RateOf(t.Complaints, t.Sends)
	return max(bounces.Low/signal.BounceLines().Pause, complaints.Low/signal.ComplaintLines().Pause)
}

// finding is a list of SES's as it was last read.
func (a *accountReadings) finding(b *books, part observation.AccountPart, metric string) AccountFinding {
	f := AccountFinding{State: a.part(part, b.asOf).State}
	row, ok := a.latest[metric]
	if !ok || row.Value == nil {
		return f
	}
	items, err := observation.ParseAccountItems(row.Text)
	if err != nil {
		f.State = signal.Error
		return f
	}
	f.Total, f.Items = int(*row.Value), items
	return f
}
