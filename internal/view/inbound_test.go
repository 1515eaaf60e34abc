package view

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// postroom writes a ledger of what the receipt rules of a region did.
type postroom struct {
	*memory
	region observation.ReceiptRule
}

func newPostroom() *postroom {
	return &postroom{
		memory: &memory{asOf: noon},
		region: observation.ReceiptRule{Account: home.Account, Region: home.Region},
	}
}

// did counts what a rule did in the period that began so many minutes ago.
func (p *postroom) did(minutes int, set, rule, result string, n float64) {
	id := p.region
	id.RuleSet, id.Rule = set, rule
	start := p.asOf.Add(-time.Duration(minutes) * time.Minute).Truncate(signal.ReceiptPeriod)
	p.put(id, result, start, signal.ReceiptPeriod, &n, "")
}

// told is a reading of a day so many days ago.
func (p *postroom) told(days int, set, rule, metric string, value *float64, text string) {
	id := p.region
	id.RuleSet, id.Rule = set, rule
	start := p.asOf.Truncate(24*time.Hour).AddDate(0, 0, -days)
	p.put(id, metric, start, 24*time.Hour, value, text)
}

// put replaces a reading of the same period, as ledgers do.
func (p *postroom) put(id observation.ReceiptRule, metric string, start time.Time, length time.Duration, value *float64, text string) {
	row := ledger.ReadingRow{Reading: observation.Reading{
		Key: observation.ReadingKey{
			Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: metric,
		},
		Start: start, End: start.Add(length), Value: value, Text: text,
	}}
	for i := range p.readings {
		if p.readings[i].Key == row.Key && p.readings[i].Start.Equal(start) {
			p.readings[i] = row
			return
		}
	}
	p.readings = append(p.readings, row)
}

// readThrough says that all rules were read up to so many minutes ago.
func (p *postroom) readThrough(minutes int) {
	at := p.asOf.Add(-time.Duration(minutes) * time.Minute)
	p.told(0, "", "", observation.ReceiptThrough, new(float64(at.Unix())), "")
}

func (p *postroom) look(t *testing.T, s Settings) *View {
	t.Helper()
	v := New(p.memory, Options{Group: group, Settings: s})
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshInbound(t.Context()))
	return v
}

// ruleOf is the rule of that name.
func ruleOf(t *testing.T, v *View, w signal.Window, name string) InboundRule {
	t.Helper()
	for _, r := range v.Inbound(w).Rules {
		if r.ReceiptRule == name {
			return r
		}
	}
	t.Fatalf("no rule %s", name)
	return InboundRule{}
}

// served are settings that name what rules are for.
func served(t *testing.T) Settings {
	t.Helper()
	matcher, err := campaign.NewMatcher([]string{"promo-*"})
	check(t, err)
	return Settings{ReceiptPurposes: []ReceiptPurposes{
		{Region: "eu-west-9", Rules: []ReceiptPurpose{{Match: regexp.MustCompile(`.`), Purpose: PurposeReply}}},
		{Region: home.Region, Account: "999999999999", Rules: []ReceiptPurpose{{Match: regexp.MustCompile(`.`), Purpose: PurposeReply}}},
		{Region: home.Region, Rules: []ReceiptPurpose{
			{Match: regexp.MustCompile(`^unsub-(?P<campaign>.+)$`), Purpose: PurposeUnsubscribe},
			{Match: regexp.MustCompile(`^unsub$`), Purpose: PurposeUnsubscribe, Campaigns: matcher, CampaignNames: []string{"promo-*"}},
			{Match: regexp.MustCompile(`^dmarc`), Purpose: PurposeDMARC},
		}},
	}}
}

// busyRoom is a region in which one rule fails, one has lost mail, one fell silent, and one was never used.
func busyRoom() *postroom {
	p := newPostroom()
	for minutes := 10; minutes < 9*24*60; minutes += 60 {
		p.did(minutes, "main", "unsub-spring", "received", 2)
		p.did(minutes, "main", "dmarc", "received", 1)
		p.did(minutes, "main", "dmarc", "publish_success", 1)
		if minutes > 6*60 {
			p.did(minutes, "main", "reply", "received", 1)
		}
	}
	for _, minutes := range []int{10, 20, 40} {
		p.did(minutes, "main", "unsub-spring", "publish_failure", 7)
	}
	p.did(5*60, "main", "dmarc", "publish_expired", 3)
	p.told(1, "main", "", observation.ReceiptRuleCount, new(5.0), "")
	p.told(1, "main", "deleted", observation.ReceiptRecipientCount, new(1.0), "")
	p.told(0, "", "", observation.ReceiptActiveSet, nil, observation.ReceiptSetActive)
	p.told(0, "main", "", observation.ReceiptRuleCount, new(4.0), "")
	for _, rule := range []string{"unsub-spring", "dmarc", "reply"} {
		p.told(0, "main", rule, observation.ReceiptRecipientCount, new(2.0), "")
		p.told(0, "main", rule, observation.ReceiptActions, nil, "S3, SNS")
	}
	p.told(0, "main", "unsub", observation.ReceiptRecipientCount, new(97.0), observation.ReceiptDisabled)
	p.readThrough(5)
	return p
}

func TestInboundAnswer(t *testing.T) {
	t.Parallel()
	v := busyRoom().look(t, served(t))
	golden(t, "inbound.json", v.Inbound(signal.Day))
}

func TestInboundOfCampaigns(t *testing.T) {
	t.Parallel()
	v := busyRoom().look(t, served(t))
	f := func(campaign string, want ...string) {
		t.Helper()
		var got []string
		for _, r := range v.InboundOf(campaign, signal.Day) {
			got = append(got, r.ReceiptRule+" "+r.Problem.Kind)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", campaign, diff)
		}
	}
	f("spring", "dmarc lost", "unsub-spring failing", "reply silent")
	f("promo-1", "dmarc lost", "unsub disabled", "reply silent")
	f("other", "dmarc lost", "reply silent")
}

func TestInboundStates(t *testing.T) {
	t.Parallel()
	state := func(p *postroom) ReceiptSignals {
		t.Helper()
		return ruleOf(t, p.look(t, Settings{}), signal.Hour, "reply").Signals
	}
	p := newPostroom()
	p.did(10, "main", "reply", "publish_failure", 2)
	if s := state(p); s.Failures.State != signal.NoData || s.Failures.Value != nil || s.Silent.Value != nil {
		t.Errorf("before all was read: %+v", s)
	}
	p.readThrough(5)
	if s := state(p); s.Failures.State != signal.OK || *s.Failures.Value != 2 || s.Failures.Lasting != 300 || s.Silent.State != signal.Idle {
		t.Errorf("fresh: %+v", s)
	}
	p.readThrough(31)
	if s := state(p); s.Failures.State != signal.Stale || *s.Failures.Value != 2 || s.Silent.State != signal.Stale {
		t.Errorf("stale: %+v", s)
	}
	p = newPostroom()
	p.did(3*60, "main", "reply", "received", 2)
	p.readThrough(5)
	if s := state(p); s.Expired.State != signal.Idle || *s.Expired.Value != 0 || s.Silent.State != signal.Insufficient {
		t.Errorf("idle: %+v", s)
	}
	empty := newPostroom().look(t, Settings{}).Inbound(signal.Week)
	if empty.Rules == nil || empty.Regions == nil || len(empty.Rules)+len(empty.Regions) != 0 {
		t.Errorf("without anything: %+v", empty)
	}
}

// TestStaleIsNotSilent holds that a collector that stops makes no rule silent.
func TestStaleIsNotSilent(t *testing.T) {
	t.Parallel()
	p := newPostroom()
	for minutes := 8 * 60; minutes < 9*24*60; minutes += 30 {
		p.did(minutes, "main", "reply", "received", 1)
	}
	p.readThrough(8*60 - 30)
	if r := ruleOf(t, p.look(t, Settings{}), signal.Day, "reply"); r.Problem != nil || r.Signals.Silent.State != signal.Stale {
		t.Errorf("stale: %+v, %+v", r.Problem, r.Signals.Silent)
	}
	p.readThrough(0)
	if r := ruleOf(t, p.look(t, Settings{}), signal.Day, "reply"); r.Problem == nil || *r.Signals.Silent.Value != 1 {
		t.Errorf("silent: %+v, %+v", r.Problem, r.Signals.Silent)
	}
}

// TestRulesWithoutARuleSet holds that rules that CloudWatch names alone are those of the active rule set.
func TestRulesWithoutARuleSet(t *testing.T) {
	t.Parallel()
	p := newPostroom()
	p.did(10, "", "reply", "received", 2)
	p.did(20, "main", "reply", "received", 3)
	p.did(10, "", "unknown", "received", 4)
	p.told(0, "main", "", observation.ReceiptRuleCount, new(1.0), "")
	p.told(0, "main", "reply", observation.ReceiptRecipientCount, new(1.0), "")
	p.readThrough(5)
	var got []string
	for _, r := range p.look(t, Settings{}).Inbound(signal.Hour).Rules {
		got = append(got, r.RuleSet+"/"+r.ReceiptRule)
		if r.ReceiptRule == "reply" && r.Events["received"] != 5 {
			t.Errorf("received %d, want 5", r.Events["received"])
		}
	}
	if diff := cmp.Diff([]string{"/unknown", "main/reply"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestInboundFollows holds that what is read bit by bit is what is read at once: new and late points, what a collector caught
// up after an outage, and what leaves the windows.
func TestInboundFollows(t *testing.T) {
	t.Parallel()
	p := busyRoom()
	v := p.look(t, Settings{})
	compare := func(when string) {
		t.Helper()
		check(t, v.Refresh(t.Context()))
		check(t, v.RefreshInbound(t.Context()))
		fresh := p.look(t, Settings{})
		for _, w := range signal.Windows() {
			if diff := cmp.Diff(fresh.Inbound(w).Rules, v.Inbound(w).Rules, cmp.AllowUnexported(InboundRule{})); diff != "" {
				t.Errorf("%s, %s: -afresh +followed\n%s", when, w, diff)
			}
		}
	}
	later := func(d time.Duration) { p.asOf = p.asOf.Add(d) }
	for range 5 {
		later(10 * time.Minute)
		p.did(5, "main", "reply", "received", 1)
		p.did(170, "main", "reply", "received", 50) // late
		p.did(5, "main", "new", "publish_failure", 1)
		p.readThrough(5)
		compare("step by step")
	}
	p.readThrough(-2 * 60) // the source fell behind and caught up at once
	p.did(20*60, "main", "reply", "publish_expired", 4)
	compare("caught up")
	later(3 * 24 * time.Hour)
	compare("after a pause")
	later(14 * 24 * time.Hour)
	compare("long after")
	p.fail = errors.New("the disk is gone")
	before := v.Inbound(signal.Week)
	if err := v.RefreshInbound(t.Context()); err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff(before, v.Inbound(signal.Week), cmp.AllowUnexported(InboundRule{})); diff != "" {
		t.Errorf("after an error: %s", diff)
	}
}

// TestTwoRegionsWithOneRule holds that rules of the same name are told apart.
func TestTwoRegionsWithOneRule(t *testing.T) {
	t.Parallel()
	p := newPostroom()
	p.did(10, "main", "unsub-spring", "publish_expired", 1)
	p.readThrough(5)
	p.region.Region = "eu-west-9"
	p.did(10, "main", "unsub-spring", "received", 9)
	p.readThrough(5)
	rules := p.look(t, served(t)).Inbound(signal.Hour).Rules
	if len(rules) != 2 || rules[1].Region != "eu-west-9" || rules[1].Problem != nil || rules[1].Purpose != PurposeReply ||
		rules[0].Problem == nil || rules[0].Purpose != PurposeUnsubscribe {
		t.Errorf("rules %+v", rules)
	}
}

// TestPurposesOfAnAccount holds that what is said of one account's rules is all that is said of them, and nothing of others'.
func TestPurposesOfAnAccount(t *testing.T) {
	t.Parallel()
	purposes := []ReceiptPurposes{
		{Region: home.Region, Account: "999999999999", Rules: []ReceiptPurpose{{Match: regexp.MustCompile(`^dmarc$`), Purpose: PurposeDMARC}}},
		{Region: home.Region, Rules: []ReceiptPurpose{{Match: regexp.MustCompile(`.`), Purpose: PurposeReply}}},
	}
	f := func(account, rule string, want Purpose) {
		t.Helper()
		r := InboundRule{Account: account, Region: home.Region, ReceiptRule: rule, Purpose: PurposeOther}
		if r.serve(purposes); r.Purpose != want {
			t.Errorf("the rule %s of %s is for %s, want %s", rule, account, r.Purpose, want)
		}
	}
	f("999999999999", "dmarc", PurposeDMARC)
	f("999999999999", "replies", PurposeOther)
	f(home.Account, "dmarc", PurposeReply)
}
