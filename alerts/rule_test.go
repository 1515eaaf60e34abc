package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func TestCheck(t *testing.T) {
	life := signal.Life
	for name, c := range map[string]struct {
		change func(*Rule)
		want   string
	}{
		"no name":           {func(r *Rule) { r.Name = "" }, "rules[0].name: must be up to 64 letters, digits, _ and -, a letter first"},
		"no signal":         {func(r *Rule) { r.Signal = signalEnd }, "rules[0].signal: is not a signal"},
		"not told apart so": {func(r *Rule) { r.By = ByDomain }, "rules[0].by: hard_bounce_rate exists by campaign, provider, campaign+provider, tenant, not by domain"},
		"life":              {func(r *Rule) { r.Window = &life }, "rules[0].window: must be 1h, 24h or 7d"},
		"a window too many": {func(r *Rule) { r.Signal, r.By, r.Window = QueueLag, 0, new(signal.Hour) }, "rules[0].window: queue_lag has no window"},
		"no line":           {func(r *Rule) { r.Warning, r.Critical = nil, nil }, "rules[0]: needs a line: warning, critical or both"},
		"empty line":        {func(r *Rule) { r.Warning = &Line{} }, "rules[0].warning: must have either above or below"},
		"both sides":        {func(r *Rule) { r.Warning.Below = new(0.1) }, "rules[0].warning: must have either above or below"},
		"percent forgotten": {func(r *Rule) { r.Warning = above(5); r.Critical = nil }, "rules[0].warning.above: is more than 100%; write 5% for 5 percent"},
		"zero":              {func(r *Rule) { r.Warning = above(0) }, "rules[0].warning.above: must be more than 0: a rate of 0 would be at the line"},
		"order":             {func(r *Rule) { r.Critical = above(0.01) }, "rules[0].critical.above: lies below the warning's line"},
		"order below":       {func(r *Rule) { r.Warning, r.Critical = below(0.5), below(0.6) }, "rules[0].critical.below: lies above the warning's line"},
		"sides":             {func(r *Rule) { r.Critical = below(0.01) }, "rules[0].critical: must be above if the warning is above, and below if it is below"},
		"confidence":        {func(r *Rule) { r.Warning.Confidence = 99 }, "rules[0].warning.confidence: must be between 50% and 99.9999%"},
		"no interval":       {func(r *Rule) { r.Signal, r.By = QueueLag, 0; r.Warning.Confidence = 0.9 }, "rules[0].warning.confidence: queue_lag has no interval"},
		"floors of numbers": {func(r *Rule) { r.Signal, r.By = QueueLag, 0; r.Warning.AtLeast.Denominator = new(int64(5)) }, "rules[0].warning.at_least: queue_lag is no rate, so it has no floors"},
		"negative floor":    {func(r *Rule) { r.Warning.AtLeast.Numerator = new(int64(-5)) }, "rules[0].warning.at_least: must not be negative, and a denominator at least 1"},
		"daily numerator":   {func(r *Rule) { r.Signal, r.By = GmailSpamRate, 0; r.Warning.AtLeast.Numerator = new(int64(5)) }, "rules[0].warning.at_least.numerator: is not known of daily readings; use the denominator, which is deliveries at Gmail"},
		"days of rates":     {func(r *Rule) { r.Warning.Of = Of{2, 3} }, "rules[0].warning.of: is for daily readings only; hard_bounce_rate is none"},
		"days":              {func(r *Rule) { r.Signal, r.By = GmailSpamRate, 0; r.Warning.Of = Of{3, 2} }, "rules[0].warning.of: must be so many of the last days, at most 7, such as 2 of 3"},
		"for of days":       {func(r *Rule) { r.Signal, r.By, r.For = GmailSpamRate, 0, time.Hour }, "rules[0].for: is not for daily readings, which are judged once a day; use of, such as 2 of 3"},
		"keep of days":      {func(r *Rule) { r.Signal, r.By, r.KeepFiringFor = GmailSpamRate, 0, new(time.Hour) }, "rules[0].keep_firing_for: is not for daily readings, which are judged once a day"},
		"identifier":        {func(r *Rule) { r.Signal, r.By = GmailIdentifierSpamRate, 0 }, "rules[0].critical: a rule by identifier ends at warning; put the critical line on gmail_spam_rate"},
		"for":               {func(r *Rule) { r.For = -1 }, "rules[0].for: must be between 0 and 7d"},
		"keep":              {func(r *Rule) { r.KeepFiringFor = new(-time.Second) }, "rules[0].keep_firing_for: must be between 0 and 30d"},
		"owner":             {func(r *Rule) { r.Owner = "a\nb" }, "rules[0].owner: must be one line of at most 256 bytes"},
		"label":             {func(r *Rule) { r.Labels = []observation.Field{{Name: "1a", Value: "b"}} }, `rules[0].labels: "1a" must be up to 64 letters, digits and _, no digit first`},
		"label taken":       {func(r *Rule) { r.Labels = []observation.Field{{Name: "campaign", Value: "b"}} }, "rules[0].labels.campaign: is a label that alerts have by themselves"},
		"label twice":       {func(r *Rule) { r.Labels = []observation.Field{{Name: "a", Value: "b"}, {Name: "a", Value: "c"}} }, "rules[0].labels.a: is there twice"},
		"runbook":           {func(r *Rule) { r.Runbook = "see wiki" }, "rules[0].runbook: must be a link that begins with https://"},
		"matcher":           {func(r *Rule) { r.Where = []Matcher{{Name: "campaign"}} }, "rules[0].where: campaign needs one to 20 values"},
		"summary":           {func(r *Rule) { r.Summary = "{{.Recipient}}" }, "rules[0].summary: names .Recipient, which is not there; there are "},
	} {
		t.Run(name, func(t *testing.T) {
			rule := bounceRule()
			c.change(&rule)
			var got []string
			Check([]Rule{rule}, func(path, problem string) { got = append(got, path+": "+problem) })
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if _, err := Compile([]Rule{rule}); err == nil {
				t.Error("compiles")
			}
		})
	}
	if _, err := Compile([]Rule{bounceRule(), bounceRule()}); err == nil || err.Error() != "rules[1].name: Bounces is the name of an earlier rule" {
		t.Errorf("two of a name: %v", err)
	}
}

func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		text string
		unit Unit
		want float64
		bad  string
	}{
		{"0.3%", Ratio, 0.003, ""}, {"0.1 %", Ratio, 0.001, ""}, {"0.003", Ratio, 0.003, ""}, {"100%", Ratio, 1, ""},
		{"5", Ratio, 0, `"5" is more than 100%; write 5% for 5 percent`}, {"101%", Ratio, 0, `"101%" is not a percentage between 0% and 100%`},
		{"x", Ratio, 0, `"x" is not a percentage such as 0.3%`}, {"15m", Seconds, 900, ""}, {"-15m", Seconds, 0, `"-15m" is not a length of time such as 15m`},
		{"5%", Count, 0, `"5%" is a percentage, and the signal is not a ratio`}, {"12", Count, 12, ""}, {"1e3", Count, 0, `"1e3" is not a number`},
		{"NaN", Count, 0, `"NaN" is not a number`}, {"", Ratio, 0, `"" is not a percentage such as 0.3%`},
	} {
		got, err := ParseValue(c.text, c.unit)
		if c.bad == "" && err != nil || c.bad != "" && (err == nil || err.Error() != c.bad) || got != c.want {
			t.Errorf("ParseValue(%q) = %v, %v, want %v, %s", c.text, got, err, c.want, c.bad)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit  Unit
		value float64
		want  string
	}{
		{Ratio, 0.003, "0.3 %"}, {Ratio, 0.0031415, "0.314 %"}, {Ratio, 1, "100 %"}, {Ratio, 0.99, "99 %"}, {Ratio, 0, "0 %"},
		{Count, 12345, "12345"}, {Count, 1234.5, "1235"}, {Seconds, 90, "1m 30s"}, {Seconds, 3600, "1h"}, {Seconds, 100000, "1d 3h"}, {Seconds, 0.5, "0s"},
	} {
		if got := c.unit.Format(c.value); got != c.want {
			t.Errorf("Format(%v) = %q, want %q", c.value, got, c.want)
		}
	}
}

func TestParseOf(t *testing.T) {
	if of, err := ParseOf("2 of 3"); err != nil || of != (Of{2, 3}) || of.String() != "2 of 3" {
		t.Errorf("2 of 3 reads as %v, %v", of, err)
	}
	for _, text := range []string{"", "2", "3 of 2", "0 of 2", "2 of 9", "a of b", "-1 of 2", "2 of 3 of 4"} {
		if of, err := ParseOf(text); err == nil {
			t.Errorf("%q reads as %v", text, of)
		}
	}
}

func TestMatchers(t *testing.T) {
	s := &Subject{Campaign: "promo-1", Provider: "gmail"}
	values := func(label string) []string {
		return map[string][]string{"owner": {"growth"}, "domain": {"a.example", "b.example"}}[label]
	}
	for text, want := range map[string]bool{
		"campaign=promo-*": true, "campaign!=promo-*": false, "owner=growth": true, "owner!=crm": true, "domain=b.example": true,
		"domain!=b.example": false, "tenant=*": false, "tenant!=*": true, "region=eu": false,
	} {
		m, err := ParseMatcher(text)
		if err != nil || m.String() != text {
			t.Errorf("%s reads as %s, %v", text, m, err)
			continue
		}
		if got := newMatchers([]Matcher{m}).match(s, values); got != want {
			t.Errorf("%s matches: %t, want %t", text, got, want)
		}
	}
	for _, text := range []string{"", "campaign", "=x", "campaign=", "1=x", "a b=c", "a=" + strings.Repeat("x", 5000)} {
		if m, err := ParseMatcher(text); err == nil {
			t.Errorf("%.20q reads as %v", text, m)
		}
	}
}

// TestLabels holds that an alert has a value of each of its labels, and that no label of a rule can take the place of one.
func TestLabels(t *testing.T) {
	a := Alert{
		Rule: "Bounces", Signal: RateOf(signal.HardBounceRate), By: ByCampaign, Severity: Warning, Owner: "growth", Subject: Subject{
			Tenant: "x", Campaign: "x", Provider: "x", Domain: "x", Identifier: "x", Account: "x", Region: "x", RuleSet: "x",
			ReceiptRule: "x", Source: "x", Notifier: "x", Detail: "x",
		},
	}
	for _, name := range Labels() {
		if !newMatchers([]Matcher{{Name: name, Globs: []string{"*"}}}).match(&a.Subject, a.values) {
			t.Errorf("an alert has no %s", name)
		}
		r := bounceRule()
		r.Labels = []observation.Field{{Name: name, Value: "b"}}
		if _, err := Compile([]Rule{r}); err == nil {
			t.Errorf("a rule may call a label of its own %s", name)
		}
	}
}

func TestNames(t *testing.T) {
	for by := ByCampaign; by < byEnd; by++ {
		if back, ok := ParseBy(by.String()); !ok || back != by {
			t.Errorf("%s reads as %s", by, back)
		}
	}
	hostile := Subject{Campaign: "a\x00\n\u202eb\xff" + strings.Repeat("é", 300), Detail: "d"}
	if text := hostile.String(); strings.ContainsAny(text, "\x00\n\u202e") || len(text) > 300 {
		t.Errorf("%q", text)
	}
	if (Subject{}).String() != "all mail" {
		t.Error("the empty subject has no name")
	}
	if digest("a", "bc") == digest("ab", "c") {
		t.Error("two lists of names share an id")
	}
}
