package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/cloudwatch"
	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// commands are what scripts know beside testscript's own commands.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"simulate": simulate, "consent": consent, "expand": expand, "steady": steady, "events": events,
		"heard": heard,
	}
}

// simulated is the simulator of a script.
const simulated = "simulator"

// simulate starts AWS and Google on the wire, or changes what they do:
//
//	simulate             starts; $SIM is where
//	simulate testing     starts, with the consent screen in Testing
//	simulate user ERROR  the user answers the consent page with an error
//	simulate client F    writes the OAuth client
//	simulate account F [SCOPE…]  writes credentials of a user
//	simulate sqs OP ERROR, simulate google OP ERROR, simulate cloudwatch OP ERROR, simulate ses OP ERROR  lets calls fail
func simulate(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("simulate cannot fail")
	}
	if len(args) == 0 || args[0] == "testing" {
		start(ts, len(args) > 0)
		return
	}
	sim := ts.Value(simulated).(**simulator.Simulator)
	switch args[0] {
	case "user":
		(*sim).Postmaster().SetUser(postmaster.User{Error: args[1]})
	case "client":
		ts.Check((*sim).WriteClient(ts.MkAbs(args[1])))
	case "account":
		ts.Check((*sim).WriteAuthorizedUser(ts.MkAbs(args[1]), args[2:]...))
	case "sqs":
		(*sim).SQS().Inject(sqs.Fault{Kind: sqs.FaultError, Op: args[1], Error: args[2]})
	case "google":
		(*sim).Postmaster().Inject(postmaster.Fault{Kind: postmaster.FaultError, Op: args[1], Error: args[2]})
	case "cloudwatch":
		(*sim).CloudWatch().Inject(gate.Fault{Kind: gate.FaultError, Op: args[1], Error: args[2]})
	case "ses":
		(*sim).SESAPI().Inject(gate.Fault{Kind: gate.FaultError, Op: args[1], Error: args[2]})
	default:
		ts.Fatalf("simulate %s is not known", args[0])
	}
}

// heard prints what PagerDuty, webhooks and Slack were told.
func heard(ts *testscript.TestScript, _ bool, _ []string) {
	pager := (*ts.Value(simulated).(**simulator.Simulator)).Pager()
	for _, e := range pager.Events() {
		fmt.Fprintf(ts.Stdout(), "PagerDuty %s %s: %s: %s\n", e.Action, e.Severity, e.Effect, e.Summary)
	}
	for _, p := range pager.Posts() {
		fmt.Fprintf(ts.Stdout(), "Slack %s\n", p.Text)
	}
	fmt.Fprintf(ts.Stdout(), "%d webhooks\n", len(pager.Deliveries()))
}

func start(ts *testscript.TestScript, testing bool) {
	sim, err := simulator.Start(context.Background(), simulator.Options{
		Story: traffic.Bench(1, 1),
		Queues: []simulator.Queue{
			{Name: "ses-events", QueueOptions: sqs.QueueOptions{VisibilityTimeout: time.Minute, Retention: 14 * 24 * time.Hour}},
			{Name: "hasty", QueueOptions: sqs.QueueOptions{Region: "eu-west-1", VisibilityTimeout: 5 * time.Second, DeadLetterQueue: "dead", MaxReceiveCount: 2}},
			{Name: "dead", QueueOptions: sqs.QueueOptions{Region: "eu-west-1"}},
		},
		Postmaster: postmaster.Options{
			Testing: testing, Source: everyDay{}, Lag: time.Nanosecond, // so that the hour of the test does not matter
			Domains: []postmaster.Domain{
				{Name: "example.com"}, {Name: "late.example.com"}, {Name: "new.example.com", Unverified: true},
				{Name: "none.example.com", Permission: "NONE"}, {Name: "silent.example.com"},
			},
		},
		CloudWatch: cloudwatch.Options{Source: everyHour{}},
		SES: sesapi.Options{
			Story: traffic.Story{RuleSets: []traffic.RuleSet{{Account: simulator.Account, Region: "us-east-1", Name: "inbound", Active: true,
				Rules: []traffic.ReceiptRule{{Name: "unsub-spring"}, {Name: "off", Disabled: true}}}}},
			Sent: func(string, string, time.Time, time.Time) float64 { return 1234 },
			Standings: []sesapi.Standing{
				{Place: sesapi.Place{Account: simulator.Account, Region: "eu-west-1"}, Sandbox: true, Max24Hour: 200, MaxRate: 1},
			},
		},
	})
	ts.Check(err)
	ts.Defer(func() { ts.Check(sim.Close()) })
	*ts.Value(simulated).(**simulator.Simulator) = sim
	for key, value := range map[string]string{
		"SIM": sim.URL(), "AWS_ENDPOINT_URL": sim.URL(), "AWS_ACCESS_KEY_ID": simulator.AccessKey,
		"AWS_SECRET_ACCESS_KEY": simulator.SecretKey, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		ts.Setenv(key, value)
	}
}

// everyDay is mail to Gmail every day, except from the silent domain, and from the late one in the newest days: those before
// the day on which it is asked, which may not be that on which the test began.
type everyDay struct{}

// Day implements postmaster.Source.
func (everyDay) Day(domain string, start time.Time) (d traffic.GmailDay) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	late := strings.HasPrefix(domain, "late") && start.After(today.AddDate(0, 0, -9))
	if !strings.HasPrefix(domain, "silent") && !late {
		d.GmailCount = traffic.GmailCount{Delivered: 10_000, Inboxed: 9000, Reports: 9}
	}
	return d
}

// everyHour is what CloudWatch has of one region: the same in every hour.
type everyHour struct{}

// Metrics implements cloudwatch.Source.
func (everyHour) Metrics(_, region string, _, _ time.Time) []traffic.Metric {
	if region != "us-east-1" {
		return nil
	}
	return []traffic.Metric{
		traffic.AccountMetric("Send"), traffic.AccountMetric("Delivery"), traffic.AccountMetric("Reputation.BounceRate"),
		traffic.SetMetric("Send", "marketing"), traffic.ReceiptMetric("Received", "inbound", "unsub-spring"),
	}
}

// Data implements cloudwatch.Source.
func (everyHour) Data(_, region string, m traffic.Metric, from, to time.Time) (data []traffic.Datum) {
	if region != "us-east-1" {
		return nil
	}
	v := 100.0
	if m.Name == "Reputation.BounceRate" {
		v = 0.0213
	}
	for at := from.Truncate(time.Hour); at.Before(to); at = at.Add(time.Hour) {
		if !at.Before(from) {
			data = append(data, traffic.Datum{At: at, Samples: 1, Sum: v, Min: v, Max: v})
		}
	}
	return data
}

// mail is some mail of one origin: n messages, age ago, of which events of some types came.
type mail struct {
	set, domain, a, b string
	types             []string
	age               time.Duration
	n                 int
}

// events writes a file of SES events: of sets that publish everything, no sends, bounces alone, and of one that is no longer
// used, with Feedback-IDs good and bad.
func events(ts *testscript.TestScript, _ bool, args []string) {
	const hour = time.Hour
	all := []string{"Send", "Delivery", "Bounce", "Complaint", "Reject", "Open", "DeliveryDelay"}
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	serial := 0
	for _, m := range []mail{
		{"marketing", "news.example.com", "spring-sale", "newsletter", all, 30 * hour, 300},
		{"marketing", "news.example.com", "autumn", "autumn", all, 30 * hour, 100},
		{"marketing", "news.example.com", "", "", all, 30 * hour, 20},
		{"no-sends", "example.com", "receipts", "", []string{"Delivery", "Bounce"}, 20 * hour, 250},
		{"it's", "example.com", "alarms", "", []string{"Bounce"}, 20 * hour, 2},
		{"stopped", "example.com", "alarms", "", []string{"Delivery", "Bounce"}, 2 * hour, 2},
		{"stopped", "example.com", "alarms", "", []string{"Send"}, 50 * hour, 2},
		{"", "example.com", "", "", []string{"Bounce"}, 3 * hour, 2},
		{"old", "example.com", "alarms", "", all, 40 * 24 * hour, 2},
	} {
		for range m.n {
			serial++
			for _, kind := range m.types {
				_, err := fmt.Fprintln(file, m.event(serial, kind))
				ts.Check(err)
			}
		}
	}
	for serial := range 150 {
		m := mail{set: "marketing", domain: "shop.example.com", a: fmt.Sprintf("order-%d", serial), types: all, age: 30 * time.Hour}
		_, err := fmt.Fprintln(file, m.event(10_000+serial, "Send"))
		ts.Check(err)
	}
}

// event is an event about one message. SES's own payloads are in testdata/ses; here only what is counted matters.
func (m *mail) event(serial int, kind string) string {
	at := time.Now().Add(-m.age).UTC().Format(time.RFC3339)
	var tags []string
	for name, value := range map[string]string{
		"ses:configuration-set": m.set, "ses:feedback-id-a": m.a, "ses:feedback-id-b": m.b, "ses:from-domain": m.domain,
	} {
		if value != "" {
			tags = append(tags, fmt.Sprintf("%q: [%q]", name, value))
		}
	}
	to := fmt.Sprintf("r%d@gmail.com", serial)
	payload := map[string]string{
		"Send": `"send": {}`, "Delivery": fmt.Sprintf(`"delivery": {"timestamp": %q, "recipients": [%q]}`, at, to),
		"Bounce": fmt.Sprintf(`"bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": %q, "feedbackId": "f%d",
			"bouncedRecipients": [{"emailAddress": %q}]}`, at, serial, to),
		"Complaint":     fmt.Sprintf(`"complaint": {"timestamp": %q, "feedbackId": "c%d", "complainedRecipients": [{"emailAddress": %q}]}`, at, serial, to),
		"Reject":        `"reject": {"reason": "Bad content"}`,
		"Open":          fmt.Sprintf(`"open": {"timestamp": %q, "ipAddress": "192.0.2.1", "userAgent": "x"}`, at),
		"DeliveryDelay": fmt.Sprintf(`"deliveryDelay": {"timestamp": %q, "delayType": "General", "delayedRecipients": [{"emailAddress": %q}]}`, at, to),
	}[kind]
	text := fmt.Sprintf(`{"eventType": %q, "mail": {"timestamp": %q, "messageId": "m%d", "source": "a@%s", "sendingAccountId": "123456789012",
		"sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com", "destination": [%q], "tags": {%s}}, %s}`,
		kind, at, serial, m.domain, to, strings.Join(tags, ", "), payload)
	return strings.Join(strings.Fields(text), " ")
}

// consent is the user's browser: it waits for an address in a file, opens it, and prints the page that it ends on.
func consent(ts *testscript.TestScript, _ bool, args []string) {
	address := regexp.MustCompile(`http://\S+redirect_uri=\S+`)
	for deadline := time.Now().Add(4 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := address.Find(text); err == nil && found != nil {
			answer, err := http.Get(string(found))
			ts.Check(err)
			defer answer.Body.Close()
			page, err := io.ReadAll(answer.Body)
			ts.Check(err)
			_, err = ts.Stdout().Write(page)
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("no address came")
}

// expand puts the values of variables into files.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(key string) string {
			if key != "SIM" && key != "WORK" {
				return "$" + key
			}
			return ts.Getenv(key)
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// steady prints a file with what differs from run to run replaced: ports, days, places, secrets.
func steady(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for _, r := range []struct{ match, by string }{
		{regexp.QuoteMeta(ts.Getenv("WORK") + string(filepath.Separator)), ""}, {`127\.0\.0\.1(:|%3A)\d+`, "127.0.0.1${1}PORT"},
		{`-L \d+:127`, "-L PORT:127"}, {`(state|code_challenge)=[\w-]+`, "$1=RANDOM"},
		{`\d{4}-\d\d-\d\d( \d\d:\d\d)?`, "DAY"}, {`"order-\d+"(, "order-\d+")+`, "ORDERS"},
	} {
		text = regexp.MustCompile(r.match).ReplaceAllString(text, r.by)
	}
	_, err := io.WriteString(ts.Stdout(), text)
	ts.Check(err)
}
