package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/mailbox"
)

const queue = "collectors: {ses: [{queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/ses-events'}]}\n"

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	c, problems := config.Load("/etc/mailvane/mailvane.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(printed(problems))
	}
	return c
}

// TestDefaults loads a file that names a queue only.
func TestDefaults(t *testing.T) {
	want := &config.Config{
		HTTP: config.HTTP{Listen: "127.0.0.1:9464"},
		Ledger: config.Ledger{Path: "/etc/mailvane/mailvane.db", Zone: "UTC",
			Budgets: config.Budgets{RoutineIDs: 16_000_000, ExceptionalIDs: 4_000_000}},
		Campaigns: config.Campaigns{
			Identify:    []config.Rule{{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {Header: "Feedback-ID", Field: "a"}, {ConfigurationSet: "true"}},
			MaxExported: 500, MaxTracked: 20_000,
		},
		Complaints: config.Complaints{ReportingProviders: mailbox.DefaultReportingProviders()},
		Collectors: config.Collectors{SES: []config.SES{{
			QueueURL: "https://sqs.us-east-1.amazonaws.com/123456789012/ses-events", Region: "us-east-1", Name: "ses-events", MaxPasses: 128,
		}}},
		Alerts:     config.Alerts{Every: config.Duration(30 * time.Second), Defaults: true},
		Quarantine: config.Quarantine{Bodies: true, MaxBytes: 1 << 30, Keep: config.Duration(30 * 24 * time.Hour)},
		Telemetry:  config.Telemetry{Prometheus: true},
		Memory:     config.Memory{InFlight: 64 << 20},
	}
	if diff := cmp.Diff(want, load(t, queue)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := want.IdentitySpec().Compile(); err != nil {
		t.Error(err)
	}
}

// TestValues loads one of every sort of value.
func TestValues(t *testing.T) {
	c := load(t, `
http: {listen: "[::1]:0", external_url: https://mailvane.example.com/base/}
ledger: {path: data/../ledger.db, zone: Europe/Berlin, budgets: {routine_ids: 1_000_000}}
campaigns:
  identify: [{configuration_set: true, match: '^news-(.+)$'}, {from_domain: '^(.+)\.example\.com$'}]
  rename: [{match: '^(.+)-\d{8}$', to: '$1'}]
  streams: [receipts, "otp-*"]
  owners: [{match: "*", owner: Team Größe}]
tenants: {identify: [{configuration_set: '^tenant-(.+)$'}]}
quarantine: {bodies: false, max_bytes: 256 MiB, keep: 1w2d}
telemetry: {otlp: false}
`+queue)
	yes := func(ok bool, what string) {
		t.Helper()
		if !ok {
			t.Errorf("%s is wrong", what)
		}
	}
	yes(c.HTTP.Listen == "[::1]:0" && c.HTTP.Listen.Local(), "http.listen")
	yes(c.HTTP.ExternalURL == "https://mailvane.example.com/base", "http.external_url")
	yes(c.Ledger.Path == "/etc/mailvane/ledger.db" && c.Ledger.Zone == "Europe/Berlin", "ledger")
	yes(c.Ledger.Budgets.RoutineIDs == 1_000_000 && c.Ledger.Budgets.ExceptionalIDs == 4_000_000, "ledger.budgets")
	yes(cmp.Equal(c.Campaigns.Streams, []config.Glob{"receipts", "otp-*"}), "campaigns.streams")
	yes(cmp.Equal(c.Campaigns.Owners, []config.Owner{{Match: "*", Owner: "Team Größe"}}), "campaigns.owners")
	yes(!c.Quarantine.Bodies && c.Quarantine.MaxBytes == 256<<20 && time.Duration(c.Quarantine.Keep) == 9*24*time.Hour, "quarantine")
	yes(c.Telemetry.OTLP != nil && !*c.Telemetry.OTLP, "telemetry.otlp")
	want := campaign.Spec{
		Identify: []campaign.Rule{{ConfigurationSet: "true", Match: "^news-(.+)$"}, {FromDomain: `^(.+)\.example\.com$`}},
		Rename:   []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}},
		Tenants:  []campaign.Rule{{ConfigurationSet: "^tenant-(.+)$"}},
	}
	if diff := cmp.Diff(want, c.IdentitySpec()); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

// TestCloudWatch loads sources whose names follow from what they read.
func TestCloudWatch(t *testing.T) {
	c, problems := config.LoadFile(filepath.Join(corpus, "cloudwatch.good.yaml"))
	if len(problems) > 0 {
		t.Fatal(printed(problems))
	}
	const role = "arn:aws:iam::210987654321:role/mailvane"
	every := config.Duration(5 * time.Minute)
	want := config.Collectors{
		ReceiptRules: []config.ReceiptRules{
			{Region: "us-east-1", Every: every, Name: "receipt-rules-us-east-1", Rules: []config.ReceiptPurpose{
				{Match: "^unsub-(?P<campaign>.+)$", Purpose: "unsubscribe"},
				{Match: "^replies-shop$", Purpose: "reply", Campaigns: []config.Glob{"shop-news", "promo-*"}},
				{Match: "^replies", Purpose: "reply"},
				{Match: "dmarc", Purpose: "dmarc"},
			}},
			{Region: "us-east-1", RoleARN: role, Every: 2 * every, Name: "the other account"},
			{Region: "eu-west-1", Every: every, Name: "receipt-rules-eu-west-1"},
		},
		Account: []config.Account{
			{Region: "us-east-1", Every: every, RequestsPerSecond: 1, Name: "account-us-east-1"},
			{Region: "eu-west-1", Every: config.Duration(time.Hour), RequestsPerSecond: 0.5, Name: "account-eu-west-1"},
			{Region: "us-east-1", RoleARN: role, Every: every, RequestsPerSecond: 1, Name: "account-210987654321-us-east-1"},
		},
	}
	if diff := cmp.Diff(want, c.Collectors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := want.Account[2].RoleARN.Account(); got != "210987654321" {
		t.Errorf("the role is of account %q", got)
	}
}

func TestRulesFile(t *testing.T) {
	c, problems := config.LoadFile(filepath.Join(corpus, "rules-file.good.yaml"))
	if len(problems) > 0 {
		t.Fatal(printed(problems))
	}
	want := []mailbox.Rule{
		{ID: "acme-busy", Codes: []string{"450", "4xx"}, Match: "queue is busy", Also: "try again", Reason: "rate_limited", Kind: "transient", Action: "Send more slowly."},
		{ID: "acme-gone", Provider: "microsoft", Statuses: []string{"5.1.*", "5.7.606-649"}, Reason: "bad_mailbox"},
	}
	if diff := cmp.Diff(want, c.MailboxRules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestWithWebConfig(t *testing.T) {
	data := []byte("http: {listen: ':9464'}\n" + queue)
	if _, problems := config.Load("a.yaml", data, config.WithWebConfig("web.yaml")); len(problems) > 0 {
		t.Error(printed(problems))
	}
	if _, problems := config.Load("a.yaml", data, config.WithWebConfig("")); len(problems) != 1 || config.Failed(problems) {
		t.Error("no warning without a web configuration file")
	}
}

// TestReference tries the example of every key at its place, and both ends of its range.
func TestReference(t *testing.T) {
	keys, rules := config.Reference()
	for _, k := range keys {
		for _, example := range append(strings.Split(k.Range, " to "), k.Example) {
			if strings.Contains(example, ",") && example == k.Range || example == "" {
				continue
			}
			_, problems := config.Load("a.yaml", []byte(at(k.Path, example)))
			for _, p := range problems {
				if p.Path == inFile(k.Path) && !aboutOthers(p) {
					t.Errorf("the example of %s: %v", k.Path, p)
				}
			}
		}
		if k.Example == "" && k.Form != "section" {
			t.Errorf("%s has no example", k.Path)
		}
	}
	for _, k := range rules {
		if k.Example == "" {
			t.Errorf("%s has no example", k.Path)
		}
	}
}

// inFile is the path of a problem with the key of a path of the documentation, in a file that at writes.
func inFile(path string) string {
	return strings.NewReplacer("[]", "[0]", "<name>", "name").Replace(path)
}

// aboutOthers says whether a problem is about what stands beside the value, which a file with one value does not have.
func aboutOthers(p config.Problem) bool {
	for _, part := range []string{"alone take", "needs a header", "cannot be exported", "there is no such file", "is shorter than window", "change once a day", "asks for money",
		"there is no notifier", "needs a line", "are missing", "none of campaigns.owners", "no campaign has an owner"} {
		if strings.Contains(p.Message, part) {
			return true
		}
	}
	return false
}

// at writes a file that has one value, at path.
func at(path, value string) string {
	parts := strings.Split(strings.ReplaceAll(path, "<name>", "name"), ".")
	for _, part := range slices.Backward(parts) {
		if name, ok := strings.CutSuffix(part, "[]"); ok {
			value = "{" + name + ": [" + value + "]}"
		} else {
			value = "{" + part + ": " + value + "}"
		}
	}
	return value
}

// TestScalars reads values and writes them again.
func TestScalars(t *testing.T) {
	keep := func(text, want string) {
		t.Helper()
		c := load(t, "quarantine: {keep: "+text+"}\n"+queue)
		if got := c.Quarantine.Keep.String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	keep("90m", "1h30m")
	keep("1h30m5s7ms", "1h30m5s7ms")
	keep("720h", "30d")
	keep("2w", "14d")
	size := func(text, want string) {
		t.Helper()
		c := load(t, "quarantine: {max_bytes: "+text+"}\n"+queue)
		if got := c.Quarantine.MaxBytes.String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	size("1024KiB", "1MiB")
	size("100MB", "100MB")
	size("1048577B", "1048577B")
}
