package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func loadCorpus(t *testing.T, name string) *config.Config {
	t.Helper()
	c, problems := config.LoadFile(filepath.Join(corpus, name))
	if config.Failed(problems) {
		t.Fatal(printed(problems))
	}
	return c
}

func rule(t *testing.T, rules []alerts.Rule, name string) alerts.Rule {
	t.Helper()
	i := slices.IndexFunc(rules, func(r alerts.Rule) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("there is no rule %s", name)
	}
	return rules[i]
}

// TestAlertRules loads a file with a rule of its own beside default ones.
func TestAlertRules(t *testing.T) {
	rules := loadCorpus(t, "alerts.good.yaml").AlertRules()
	if _, err := alerts.Compile(rules); err != nil {
		t.Fatal(err)
	}
	// One default is switched off, one is changed, and there are two new ones.
	if got, want := len(rules), len(alerts.Defaults())+1; got != want {
		t.Errorf("%d rules, want %d", got, want)
	}
	if slices.ContainsFunc(rules, func(r alerts.Rule) bool { return r.Name == "ProviderDelays" }) {
		t.Error("ProviderDelays was not switched off")
	}
	want := alerts.Rule{
		Name: "NewsletterComplaints", Signal: alerts.RateOf(signal.ComplaintRate), By: alerts.ByCampaignProvider, Window: new(signal.Week),
		Where: []alerts.Matcher{
			{Name: "campaign", Globs: []string{"newsletter-*", "digest-*"}}, {Name: "provider", Globs: []string{"other"}, Not: true},
		},
		Warning: &alerts.Line{Above: new(0.0005), AtLeast: alerts.Floors{Denominator: new(int64(5000))}, Confidence: 0.995},
		Critical: &alerts.Line{
			Above: new(0.002), AtLeast: alerts.Floors{Denominator: new(int64(5000)), Numerator: new(int64(25))}, Confidence: 0.9999,
		},
		For: 10 * time.Minute, KeepFiringFor: new(24 * time.Hour), Owner: "growth",
		Labels:      []observation.Field{{Name: "team", Value: "growth"}},
		Summary:     "{{.Campaign}}: {{.Value}} complain at {{.Provider}}",
		Description: "{{.Numerator}} of {{.Denominator}} complained, surely more than {{.Low}}.\n{{if .Runbook}}What to do: {{.Runbook}}{{end}}\n",
		Runbook:     "https://wiki.example.com/complaints",
	}
	if diff := cmp.Diff(want, rule(t, rules, "NewsletterComplaints")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := rule(t, rules, "QueueLate"); *got.Warning.Above != 1800 || *got.Critical.Above != 36*3600 {
		t.Errorf("QueueLate: %v, %v seconds", *got.Warning.Above, *got.Critical.Above)
	}
}

// TestAlertDefaults holds that a rule with the name of a default one keeps what it does not say.
func TestAlertDefaults(t *testing.T) {
	if diff := cmp.Diff(alerts.Defaults(), load(t, queue).AlertRules()); diff != "" {
		t.Errorf("without a section (-want +got):\n%s", diff)
	}
	if got := load(t, "alerts: {defaults: false, notifiers: {n: {slack: {url_env: SLACK}}}, catch_all: n}\n"+
		"http: {external_url: 'https://mailvane.example.com'}\n"+queue).AlertRules(); len(got) > 0 {
		t.Errorf("%d rules although there are no defaults", len(got))
	}
	changed := rule(t, loadCorpus(t, "alerts.good.yaml").AlertRules(), "GmailSpamRate")
	want := rule(t, alerts.Defaults(), "GmailSpamRate")
	want.Warning.Above, want.Critical.Of = new(0.0008), alerts.Of{Days: 2, Last: 3}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("GmailSpamRate (-want +got):\n%s", diff)
	}

	rules := loadCorpus(t, "alerts-changed-defaults.good.yaml").AlertRules()
	wants := []alerts.Rule{
		rule(t, alerts.Defaults(), "GmailSpamRate"), rule(t, alerts.Defaults(), "GmailAuthentication"),
		rule(t, alerts.Defaults(), "CampaignComplaintRate"), rule(t, alerts.Defaults(), "ProviderDelays"),
	}
	wants[1].Warning.Of, wants[1].Critical.Of, wants[1].Where = alerts.Of{Days: 1, Last: 1}, alerts.Of{Days: 1, Last: 1}, nil
	wants[2].Warning.Confidence = 0.9999
	wants[2].Critical = &alerts.Line{Above: new(0.002), AtLeast: alerts.Floors{Numerator: new(int64(20))}, Confidence: 0.99999}
	wants[3].Warning, wants[3].Critical = &alerts.Line{Below: new(0.02)}, &alerts.Line{Below: new(0.01)}
	wants[3].For, wants[3].Window, wants[3].By = 0, new(signal.Day), alerts.ByCampaignProvider
	wants[3].Labels = []observation.Field{{Name: "team", Value: "a"}}
	if diff := cmp.Diff(wants, rules); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
}

// TestAlertRoutes makes a router of a file's routes.
func TestAlertRoutes(t *testing.T) {
	c := loadCorpus(t, "alerts.good.yaml")
	routes, catchAll := c.AlertRoutes()
	var names []string
	for _, n := range c.Alerts.Notifiers {
		names = append(names, n.Name)
	}
	if _, err := alerts.NewRouter(routes, catchAll, names); err != nil {
		t.Fatal(err)
	}
	if want := []string{"oncall", "cluster", "growth-slack", "tickets", "mail", "mail-by-ses"}; !slices.Equal(names, want) {
		t.Errorf("notifiers are %q, want %q", names, want)
	}
	if !slices.Equal(catchAll, []string{"mail"}) || !slices.Equal(routes[1].To, []string{"oncall", "cluster"}) || !routes[0].Stop {
		t.Errorf("catch-all %q, routes %+v", catchAll, routes)
	}
	// Half past eight in Berlin, in winter.
	if monday := time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC); !routes[2].Hours.Contain(monday) || routes[2].Hours.Contain(monday.Add(-time.Hour)) {
		t.Error("the hours are not those of the zone")
	}
	// Hours without a zone are those of the ledger.
	c = load(t, `
http: {external_url: "https://mailvane.example.com"}
ledger: {zone: America/New_York}
alerts:
  notifiers: {n: {slack: {url_env: SLACK}}}
  catch_all: n
  routes: [{to: n, hours: "08:00-09:00"}]
`+queue)
	if routes, _ := c.AlertRoutes(); !routes[0].Hours.Contain(time.Date(2026, 11, 23, 13, 30, 0, 0, time.UTC)) {
		t.Error("the hours are not those of the ledger's zone")
	}
}

// TestNotifiers holds that files of secrets are found beside the configuration.
func TestNotifiers(t *testing.T) {
	c := loadCorpus(t, "alerts.good.yaml")
	secrets := func(name string) config.SecretFile { return config.SecretFile(filepath.Join(corpus, "secrets", name)) }
	want := config.Notifiers{
		{Name: "oncall", Value: config.Notifier{PagerDuty: &config.PagerDuty{RoutingKeyFile: secrets("pagerduty.key"), URL: "https://events.eu.pagerduty.com"}}},
		{Name: "cluster", Value: config.Notifier{Alertmanager: &config.Alertmanager{
			URL: config.URLs{"https://am-1.example.com", "https://am-2.example.com"}, User: "mailvane", PasswordFile: secrets("alertmanager"),
		}}},
		{Name: "growth-slack", Value: config.Notifier{Slack: &config.Slack{URLFile: "/run/secrets/slack.url"}}},
		{Name: "tickets", Value: config.Notifier{Webhook: &config.Webhook{URLEnv: "TICKETS_URL", KeyFile: secrets("tickets.key")}}},
		{Name: "mail", Value: config.Notifier{Email: &config.Email{
			From: "Mailvane <mailvane@example.com>", To: config.MailAddresses{"oncall@example.com", "Grace <grace@example.com>"},
			SMTP: &config.SMTP{Server: "smtp.example.com:587", Security: "starttls", User: "mailvane", PasswordFile: secrets("smtp")},
		}}},
		{Name: "mail-by-ses", Value: config.Notifier{Email: &config.Email{
			From: "mailvane@example.com", To: config.MailAddresses{"oncall@example.com"},
			SES: &config.SESMail{Region: "us-east-1", ConfigurationSet: "internal"},
		}}},
	}
	if diff := cmp.Diff(want, c.Alerts.Notifiers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&config.Heartbeat{URLFile: secrets("heartbeat.url"), Every: config.Duration(time.Minute)}, c.Alerts.Heartbeat); diff != "" {
		t.Errorf("heartbeat (-want +got):\n%s", diff)
	}
}

// TestAlertBounds gives one more of everything than there may be.
func TestAlertBounds(t *testing.T) {
	bad := func(alertsSection, says string) {
		t.Helper()
		_, problems := config.Load("a.yaml", []byte("http: {external_url: 'https://mailvane.example.com'}\n"+
			"alerts: {catch_all: n, notifiers: {n: {slack: {url_env: SLACK}}}, "+alertsSection+"}\n"+queue))
		only(t, problems, says)
	}
	rules := 200 - len(alerts.Defaults()) + 1
	bad("rules: ["+numbered(rules, "{name: a%d, signal: block_rate, warning: {above: 1%%}},")+"]", "alerts.rules: must not be more than 200")
	bad("routes: ["+strings.Repeat("{to: n, match: {severity: critical}},", 201)+"]", "alerts.routes: must not be more than 200")
	bad("heartbeat: {url_env: H}, rules: [{name: A, signal: block_rate, warning: {above: 1%}, summary: '"+strings.Repeat("x", 4097)+"'}]",
		"alerts.rules[0].summary: is longer than 4096 characters")
	bad("rules: [{name: A, signal: block_rate, warning: {above: 1%}, labels: {"+numbered(21, "l%d: x,")+"}}]",
		"alerts.rules[0].labels: must not be more than 20")
	bad("rules: [{name: A, signal: block_rate, warning: {above: 1%}, labels: {"+numbered(101, "l%d: x,")+"}}]",
		"alerts.rules[0].labels: has more than 100 names")
	bad("rules: [{name: A, signal: block_rate, warning: {above: 1%}, where: {campaign: ["+numbered(21, "c%d,")+"]}}]",
		"alerts.rules[0].where: campaign needs one to 20 values")
	_, problems := config.Load("a.yaml", []byte("alerts: {notifiers: {"+numbered(101, "n%d: {slack: {url_env: SLACK}},")+"}}\n"+queue))
	if !strings.Contains(printed(problems), "alerts.notifiers: has more than 100 names") {
		t.Error(printed(problems))
	}
}

// TestSecretsAreNotQuoted looks for secrets, which stand at wrong places of the corpus, in what is said about them.
func TestSecretsAreNotQuoted(t *testing.T) {
	_, problems := config.LoadFile(filepath.Join(corpus, "alerts-notifiers.bad.yaml"))
	text := printed(problems)
	for _, secret := range []string{"SECRET", "abcdef", "MfKQ9r8G", "c2VjcmV0"} {
		if strings.Contains(text, secret) {
			t.Errorf("a problem holds %s", secret)
		}
	}
}
