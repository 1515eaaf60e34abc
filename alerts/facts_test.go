package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Campaign}}: {{.Value}} ({{.Numerator}} of {{.Denominator}})":             "",
		"{{if and .Known (gt .Denominator 10)}}a{{else if .Below}}b{{else}}c{{end}}": "",
		`{{if eq .Severity "critical"}}!{{end}}`:                                     "",
		"{{range 1000000000}}x{{end}}":                                               "can hold texts",
		`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`:                      "must not define templates",
		`{{template "a"}}`:                    "can hold texts",
		`{{block "a" .}}{{end}}`:              "must not define templates",
		"{{with .Rule}}{{.}}{{end}}":          "can hold texts",
		"{{$x := .Rule}}{{$x}}":               "must not have variables",
		`{{printf "%1000000d" 1}}`:            "names the function printf; there are and",
		"{{.Rule.Foo}}":                       "names .Rule.Foo, which is not there",
		"{{.String}}":                         "names .String, which is not there; there are .Rule, .Severity",
		"{{(.Rule).Foo}}":                     "can hold texts",
		"{{.Rule":                             "is no template: 1: unclosed action",
		"{{lt .Rule 5}}":                      "compares what cannot be compared",
		"{{if .Known}}{{lt .Value 5}}{{end}}": "compares what cannot be compared",
		"{{/* nothing */}}":                   "is empty",
		strings.Repeat("x", maxTemplate+1):    "must not be longer than 4096 bytes",
	} {
		_, err := newText(text, defaultSummary, maxSummary)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

// TestOtherProviders says that what it calls other is many.
func TestOtherProviders(t *testing.T) {
	w := newWorld(t, Defaults()...)
	s := ofFigure(signal.BlockRate, "", figure(300, 2000))
	s.Series.By, s.Subject = ByProvider, Subject{Provider: observation.OtherProvider}
	a := w.round(s).Transitions[0].Alert
	if got, want := w.rules.Summary(&a, "", noon), "other (all small providers) refuses mail for its content or sender: 15 % of recipients there, line 10 %"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// TestSharedIdentifier says of what a rule no longer selects that it ended for that, and not that the rule is another.
func TestSharedIdentifier(t *testing.T) {
	w := newWorld(t, Defaults()...)
	s := reading(GmailIdentifierSpamRate, Subject{Domain: "example.com", Identifier: "news"}, 9000, 0.02, 0.01)
	w.expect(w.round(labelled(s, field1("campaign", "news"))), "triggered warning")
	end := w.round(s).Transitions[0]
	want := "Resolved, the rule does not apply to it any more: Gmail users report 2 % of the mail with news"
	if got := w.rules.Summary(&end.Alert, end.Reason, noon); !strings.HasPrefix(got, want) {
		t.Errorf("summary %q, want %s …", got, want)
	}
}

func TestSummary(t *testing.T) {
	rule := bounceRule()
	rule.Runbook = "https://wiki.example.com/bounces"
	w := newWorld(t, rule)
	s := labelled(bounces(figure(200, 1000)))
	s.Subject = Subject{Tenant: "acme", Campaign: "spring\nsale {{.Rule}} <b>"}
	a := w.round(s).Transitions[0].Alert
	later := noon.Add(90 * time.Minute)
	if got, want := w.rules.Summary(&a, "", later), "hard_bounce_rate of campaign spring sale {{.Rule}} <b>, tenant acme is 20 %, line 10 %"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	want := "200 of 1000, between 16.4 % and 24.2 %. The data is 1h 30m old. What to do: https://wiki.example.com/bounces"
	if got := w.rules.Description(&a, "", later); got != want {
		t.Errorf("description %q, want %q", got, want)
	}
	if got := w.rules.Summary(&a, Expired, later); !strings.HasPrefix(got, "Resolved, no mail or no report any more: hard_bounce_rate of") {
		t.Errorf("resolved: %q", got)
	}
	if got := compile(t).Summary(&a, RuleDeleted, later); !strings.HasPrefix(got, "Resolved, the rule is gone: hard_bounce_rate of") {
		t.Errorf("of a deleted rule: %q", got)
	}
	long := a
	long.Subject.Campaign = strings.Repeat("é", 100_000)
	if got := w.rules.Summary(&long, "", later); len(got) > maxSummary {
		t.Errorf("a summary of %d bytes", len(got))
	}
}

func TestUpperBoundIsCalledSo(t *testing.T) {
	rule := spamRule()
	w := newWorld(t, rule)
	a := w.round(w.spam(1, 0.02)).Transitions[0].Alert
	if got, want := w.rules.Summary(&a, "", noon), "gmail_spam_rate of domain example.com is at most 2 %, line 0.3 %"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{defaultSummary, defaultDescription, "{{if .Known}}{{.Value}}{{end}}", `{{eq .Rule "a" "b"}}`, "{{.X}}", "{{((((.Rule))))}}"} {
		f.Add(seed)
	}
	facts := Facts{Rule: "r", Value: "1 %", Known: true, Numerator: 5}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := newText(text, defaultSummary, maxSummary)
		if err != nil {
			return
		}
		out, err := words.execute(&facts)
		if err != nil || len(out) > maxSummary {
			t.Errorf("%q makes %d bytes, %v", text, len(out), err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Mon-Fri 08:00-18:00", "22:00-06:00, Sat 00:00-24:00", "2 of 3", "0.3%", "15m", "campaign!=promo-*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHours(text, time.UTC); err == nil {
			h.Contain(noon)
		}
		if of, err := ParseOf(text); err == nil && (of.Days < 1 || of.Last < of.Days || of.Last > maxDays) {
			t.Errorf("%q reads as %v", text, of)
		}
		for _, unit := range []Unit{Ratio, Count, Seconds, Condition} {
			if v, err := ParseValue(text, unit); err == nil && !(v >= 0 && (unit != Ratio || v <= 1)) {
				t.Errorf("%q reads as %v", text, v)
			}
		}
		if m, err := ParseMatcher(text); err == nil {
			newMatchers([]Matcher{m}).match(&Subject{Campaign: text}, func(string) []string { return nil })
		}
	})
}

func FuzzDecode(f *testing.F) {
	w := newWorld(f, bounceRule(), spamRule())
	for _, tr := range w.round(bounces(figure(200, 1000)), w.spam(1, 0.02)).Transitions {
		data, err := tr.Alert.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"format":1,"value":null}`))
	f.Add([]byte(`{"format":2,"value":{}}`))
	rules := compile(f, bounceRule(), spamRule())
	f.Fuzz(func(_ *testing.T, data []byte) {
		a, err := DecodeAlert(data)
		if err != nil {
			return
		}
		s := NewState([]Alert{a})
		r := rules.Evaluate(s, Input{Now: noon, Samples: pointers([]Sample{inState(signal.Idle)})})
		rules.Summary(&a, "", noon)
		s.With(r).Alerts()
	})
}
