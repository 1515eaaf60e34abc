package view

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// bookkeeper writes a ledger of an account's readings and of our own counts.
type bookkeeper struct {
	*memory
	place observation.Origin
}

// audit is a ledger of an account that has been read for a week.
func audit() *bookkeeper {
	b := &bookkeeper{memory: &memory{asOf: noon}, place: observation.Origin{Account: home.Account, Region: home.Region}}
	b.publish(home, observation.EventSend, noon.AddDate(0, 0, -30))
	return b
}

// note is a reading about an hour so many hours ago; the present one is hour 0.
func (b *bookkeeper) note(hours int, source, metric, detail string, value *float64, text string) *ledger.ReadingRow {
	start := noon.Truncate(time.Hour).Add(-time.Duration(hours) * time.Hour)
	b.readings = append(b.readings, ledger.ReadingRow{
		Reading: observation.Reading{
			Key: observation.ReadingKey{
				Source: source, Subject: observation.AccountSubject(b.place.Account, b.place.Region), Metric: metric, Detail: detail,
			},
			Start: start, End: start.Add(time.Hour), Value: value, Text: text,
		},
		FirstSeen: start.Add(time.Hour), LastChanged: start.Add(time.Hour),
	})
	return &b.readings[len(b.readings)-1]
}

// access says that all parts could be read so many hours ago.
func (b *bookkeeper) access(hours int) {
	for _, p := range observation.AccountParts() {
		b.note(hours, p.Source(), observation.AccountAccess, string(p), nil, observation.AccountAccessOK)
	}
}

// closed says that the counts of so many hours up to the present one are final.
func (b *bookkeeper) closed(hours int) {
	for h := 1; h <= hours; h++ {
		for _, p := range []observation.AccountPart{observation.AccountPartMetrics, observation.AccountPartSets} {
			b.note(h, observation.AccountCloudWatch, observation.AccountRead, string(p), new(1.0), "bounce complaint delivery send")
		}
	}
}

// counted is a count of CloudWatch in an hour.
func (b *bookkeeper) counted(hours int, metric, set string, n float64) {
	b.note(hours, observation.AccountCloudWatch, metric, set, &n, "")
}

// own is a count of ours in an hour.
func (b *bookkeeper) own(hours int, set string, o observation.Outcome, n int64) {
	origin := b.place
	origin.ConfigurationSet = set
	start := noon.Truncate(time.Hour).Add(-time.Duration(hours) * time.Hour)
	b.ownTime = append(b.ownTime, ledger.OwnTimeRow{Start: start, Width: time.Hour, Origin: origin, Outcome: o, N: n})
}

// look refreshes a view and gives its only account.
func (b *bookkeeper) look(t *testing.T, o Options) Account {
	t.Helper()
	o.Group = group
	v := New(b.memory, o)
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshAccounts(t.Context()))
	all := v.Accounts().Accounts
	if len(all) != 1 {
		t.Fatalf("%d accounts, want 1", len(all))
	}
	return all[0]
}

// ses notes what SES was asked this hour.
func (b *bookkeeper) ses(metric string, value *float64, text string) {
	b.note(0, observation.AccountSES, metric, "", value, text)
}

// fullAudit is a ledger with everything that there is to say.
func fullAudit(t *testing.T) *bookkeeper {
	b := audit()
	b.access(0)
	b.closed(30)
	b.ses(observation.AccountEnforcement, nil, "PROBATION")
	b.ses(observation.AccountSendingEnabled, new(1.0), "")
	b.ses(observation.AccountProduction, new(1.0), "")
	b.ses(observation.AccountQuotaMax, new(100_000.0), "")
	b.ses(observation.AccountQuotaSent, new(64_000.0), "")
	b.ses(observation.AccountRateMax, new(80.0), "")
	for h := 1; h < 6*24; h++ {
		b.note(h, observation.AccountCloudWatch, observation.AccountBounceRate, "", new(0.043-0.0001*float64(h)), "")
		b.note(h, observation.AccountCloudWatch, observation.AccountComplaintRate, "promo", new(0.0012), "")
		b.note(h, observation.AccountSES, observation.AccountQuotaSent, "", new(60_000+100*float64(h%24)), "")
	}
	items, err := observation.FormatAccountItems([]observation.AccountItem{
		{Resource: "arn:aws:ses:us-east-1:123456789012:tenant/beta/tn-2", Type: "BOUNCE", Impact: "HIGH", Description: "The bounce rate exceeded 15.0%."},
	})
	check(t, err)
	b.ses(observation.AccountRecommendations, new(1.0), items)
	b.ses(observation.AccountEntities, new(0.0), "")
	tenants, err := observation.FormatAccountItems([]observation.AccountItem{{Resource: "gamma", Status: "DISABLED"}})
	check(t, err)
	b.ses(observation.AccountTenants, new(1.0), tenants)
	for _, n := range []struct {
		id, metric string
		value      float64
	}{
		{"acme/tn-1", observation.AccountTenantSend, 40_000}, {"acme/tn-1", observation.AccountTenantBounce, 40},
		{"beta/tn-2", observation.AccountTenantSend, 20_000}, {"beta/tn-2", observation.AccountTenantBounce, 1900},
		{"beta/tn-7", observation.AccountTenantSend, 1_000}, {"tiny/tn-3", observation.AccountTenantSend, 7},
		{"beta/tn-2", observation.AccountTenantComplaint, 5},
	} {
		r := b.note(0, observation.AccountCloudWatch, n.metric, n.id, &n.value, "")
		r.Start, r.End = noon.Truncate(24*time.Hour), noon.Truncate(24*time.Hour).Add(24*time.Hour)
	}
	for h := 1; h <= 30; h++ {
		b.counted(h, observation.AccountSend, "", 1000)
		b.counted(h, observation.AccountDelivery, "", 960)
		b.counted(h, observation.AccountBounce, "", 40)
		b.counted(h, observation.AccountSend, "promo", 600)
		b.counted(h, observation.AccountBounce, "mute", 5)
		b.own(h, "promo", observation.Sent, 600)
		b.own(h, "promo", observation.Delivered, 570)
		b.own(h, "promo", observation.HardBounced, 20)
		b.own(h, "promo", observation.Suppressed, 15)
		b.own(h, "main", observation.Sent, 380)
		b.own(h, "main", observation.Delivered, 370)
		b.uses = append(b.uses, ledger.UseRow{
			Hour: noon.Truncate(time.Hour).Add(-time.Duration(h) * time.Hour), Account: home.Account, Region: home.Region,
			Stamp: observation.Stamp{A: "spring"}, Sent: 600,
		}, ledger.UseRow{
			Hour: noon.Truncate(time.Hour).Add(-time.Duration(h) * time.Hour), Account: home.Account, Region: home.Region, Sent: 380,
			Stamp: observation.Stamp{C: "1.us-east-1.hash"},
		})
	}
	return b
}

func TestAccountsAnswer(t *testing.T) {
	v := New(fullAudit(t).memory, Options{Group: group})
	if got := v.Accounts(); got.Accounts == nil || len(got.Accounts) != 0 {
		t.Errorf("accounts before the first refresh %v, want an empty list", got.Accounts)
	}
	check(t, v.RefreshAccounts(t.Context()))
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshAccounts(t.Context()))
	golden(t, "accounts.json", v.Accounts())
}

// A part that may not be read says which action is missing, and takes nothing from the others.
func TestAccountWithoutPermission(t *testing.T) {
	b := audit()
	b.access(0)
	for i := range b.readings {
		if r := &b.readings[i]; r.Key.Detail == string(observation.AccountPartMetrics) {
			r.Text = observation.AccountDenied
		}
	}
	b.ses(observation.AccountEnforcement, nil, "HEALTHY")
	a := b.look(t, Options{})
	if a.Standing.State != signal.OK || a.Standing.Verdict != "HEALTHY" {
		t.Errorf("standing %+v", a.Standing)
	}
	if a.BounceRate.State != signal.Error || a.Coverage.Events.State != signal.NoData {
		t.Errorf("bounce rate %s, coverage %s; want error, no_data", a.BounceRate.State, a.Coverage.Events.State)
	}
	var missing []string
	for _, p := range a.Parts {
		if p.Missing != "" {
			missing = append(missing, p.Missing)
		}
	}
	if len(missing) != 1 || missing[0] != "cloudwatch:GetMetricData" {
		t.Errorf("missing %q", missing)
	}
}

// Nothing that is not known reads as a zero, or as good.
func TestAccountUnknowns(t *testing.T) {
	b := audit()
	b.access(0)
	b.closed(30)
	a := b.look(t, Options{})
	if a.BounceRate.State != signal.NotReported || a.BounceRate.Rate != nil {
		t.Errorf("bounce rate %+v, want not_reported", a.BounceRate)
	}
	if a.Standing.SendingEnabled != nil || a.Quota.Used != nil || a.Coverage.Events.Share != nil || a.Coverage.FeedbackID.Share != nil {
		t.Errorf("an unknown has a value: %+v", a)
	}
	if a.Coverage.Events.State != signal.Idle || a.Coverage.ConfigurationSet.State != signal.NoData {
		t.Errorf("coverage %s, of sets %s; want idle, no_data", a.Coverage.Events.State, a.Coverage.ConfigurationSet.State)
	}
	text, err := json.Marshal(a.Standing)
	check(t, err)
	if string(text) != `{"state":"ok"}` {
		t.Errorf("standing %s", text)
	}
}

func TestAccountRateStates(t *testing.T) {
	f := func(name string, age int, sent bool, want signal.State) {
		t.Helper()
		b := audit()
		b.access(0)
		b.closed(30)
		b.note(age, observation.AccountCloudWatch, observation.AccountComplaintRate, "", new(0.002), "")
		if sent {
			b.counted(3, observation.AccountSend, "", 100)
		}
		a := b.look(t, Options{})
		if a.ComplaintRate.State != want || a.ComplaintRate.Rate == nil || a.ComplaintRate.Rate.Level != signal.LevelReview {
			t.Errorf("%s: %+v, want %s", name, a.ComplaintRate, want)
		}
	}
	f("new", 1, true, signal.OK)
	f("old, and nothing was sent", 40, false, signal.Idle)
	f("old, although mail was sent", 40, true, signal.Stale)
}

func TestStaleAccount(t *testing.T) {
	b := audit()
	b.access(5)
	b.note(5, observation.AccountSES, observation.AccountEnforcement, "", nil, "HEALTHY")
	b.note(5, observation.AccountCloudWatch, observation.AccountBounceRate, "", new(0.01), "")
	a := b.look(t, Options{})
	if a.Standing.State != signal.Stale || a.Standing.Verdict != "HEALTHY" || a.BounceRate.State != signal.Stale || a.Quota.State != signal.Stale {
		t.Errorf("standing %+v, rate %s, quota %s; want stale", a.Standing, a.BounceRate.State, a.Quota.State)
	}
}

func TestQuota(t *testing.T) {
	b := audit()
	b.access(0)
	b.ses(observation.AccountQuotaMax, nil, observation.AccountUnlimited)
	b.ses(observation.AccountQuotaSent, new(5e6), "")
	if q := b.look(t, Options{}).Quota; !q.Unlimited || q.Used != nil || q.Highest != nil || *q.Sent != 5e6 || q.State != signal.OK {
		t.Errorf("quota without a limit %+v", q)
	}
	b = audit()
	b.access(0)
	b.ses(observation.AccountQuotaMax, new(200.0), "")
	b.note(30, observation.AccountSES, observation.AccountQuotaSent, "", new(190.0), "")
	b.ses(observation.AccountQuotaSent, new(50.0), "")
	if q := b.look(t, Options{}).Quota; q.Unlimited || *q.Used != 0.25 || *q.Highest != 0.95 {
		t.Errorf("quota %+v, want a quarter used and 95 %% at most", q)
	}
}

// What is used now is never above the most of the last days, although the days are read less often.
func TestQuotaGrows(t *testing.T) {
	b := audit()
	b.access(0)
	b.ses(observation.AccountQuotaMax, new(200.0), "")
	sent := b.note(0, observation.AccountSES, observation.AccountQuotaSent, "", new(50.0), "")
	v := New(b.memory, Options{Group: group})
	for _, now := range []float64{50, 120} {
		sent.Value = &now
		check(t, v.Refresh(t.Context()))
		check(t, v.RefreshAccounts(t.Context()))
		if q := v.Accounts().Accounts[0].Quota; *q.Used != now/200 || *q.Highest != now/200 {
			t.Errorf("%v of 200 sent: %v used, %v at most", now, *q.Used, *q.Highest)
		}
		b.asOf = b.asOf.Add(time.Minute)
	}
}

// A tenant that SES lists is known by its status although it sent nothing; one that was left out of a long list may be any.
func TestTenants(t *testing.T) {
	b := fullAudit(t)
	a := b.look(t, Options{})
	if len(a.Tenants) != 4 || a.Tenants[0].Tenant != "gamma" || a.Tenants[1].Tenant != "beta" {
		t.Fatalf("tenants %+v, want gamma, which may not send, then beta, which is near the line", a.Tenants)
	}
	if beta := a.Tenants[1]; beta.Sends != 21_000 || beta.Status != "ENABLED" || *beta.BounceRate != 0.0904762 {
		t.Errorf("beta %+v, want both that had the name", beta)
	}
	for i := range b.readings {
		if r := &b.readings[i]; r.Key.Metric == observation.AccountTenants {
			r.Value = new(101.0)
		}
	}
	if beta := b.look(t, Options{}).Tenants[1]; beta.Status != "" {
		t.Errorf("status %q of a tenant that the list may have left out", beta.Status)
	}
}

// TestAccountsFollow holds that what a first pass over CloudWatch brings, and mail that is counted late, show at the next
// refresh although most of it is not read each time.
func TestAccountsFollow(t *testing.T) {
	b := audit()
	v := New(b.memory, Options{Group: group})
	account := func() Account {
		t.Helper()
		check(t, v.RefreshAccounts(t.Context()))
		if all := v.Accounts().Accounts; len(all) == 1 {
			return all[0]
		}
		return Account{}
	}
	check(t, v.Refresh(t.Context()))
	account()
	b.access(0)
	b.closed(30)
	b.note(1, observation.AccountCloudWatch, observation.AccountBounceRate, "", new(0.02), "")
	b.counted(3, observation.AccountSend, "", 200)
	b.own(3, "", observation.Sent, 200)
	if got := account(); got.BounceRate.Rate == nil || got.BounceRate.Ours.Denominator != 200 || got.Coverage.FeedbackID.State != signal.Idle {
		t.Errorf("after the first pass: %+v, %+v", got.BounceRate, got.Coverage.FeedbackID)
	}
	b.own(3, "", observation.Sent, 100)
	b.uses = append(b.uses, ledger.UseRow{
		Hour: noon.Truncate(time.Hour).Add(-3 * time.Hour), Account: home.Account, Region: home.Region,
		Stamp: observation.Stamp{A: "spring"}, Sent: 300,
	})
	if got := account(); got.Coverage.FeedbackID.Numerator != 300 || got.BounceRate.Ours.Denominator != 200 {
		t.Errorf("after late mail: %+v, and ours, which is read every %v: %+v", got.Coverage.FeedbackID, trendsEvery, got.BounceRate.Ours)
	}
	b.asOf = b.asOf.Add(trendsEvery)
	check(t, v.Refresh(t.Context()))
	if got := account(); got.BounceRate.Ours.Denominator != 300 {
		t.Errorf("%v later: %+v", trendsEvery, got.BounceRate.Ours)
	}
}
