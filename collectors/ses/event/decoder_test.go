package event

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// good is the smallest event; variants replace a part of it.
const good = `{"eventType":"Delivery","mail":{"timestamp":"2026-11-20T10:15:30.123Z","messageId":"m1",` +
	`"destination":["a@example.com","b@example.com"]},` +
	`"delivery":{"timestamp":"2026-11-20T10:15:31Z","recipients":["a@example.com"]}}`

func with(old, now string) string {
	if !strings.Contains(good, old) {
		panic("no " + old + " to replace")
	}
	return strings.Replace(good, old, now, 1)
}

func one(t *testing.T, body string) observation.Event {
	t.Helper()
	d := Decoder{Region: "eu-west-1"}
	var b collectors.Batch
	if kind := d.Decode(0, body, &b); kind != KindEvent {
		t.Fatalf("kind %v, %v:\n%s", kind, b.Unreadable, body)
	}
	agree(t, body)
	return b.Events[0]
}

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// The details that several cases share.
const (
	notJSON = "the text is not a JSON object"
	noEvent = "the object is neither an event nor an envelope of one"
	tooDeep = "objects and arrays nest deeper than 32"
)

// malformed are bodies that go to quarantine, and why.
var malformed = []struct {
	name, body string
	reason     collectors.UnreadableReason
	detail     string
}{
	{"empty", "", collectors.ReasonNotJSON, notJSON},
	{"text", "hello", collectors.ReasonNotJSON, notJSON},
	{"array", "[" + good + "]", collectors.ReasonNotJSON, notJSON},
	{"cut short", good[:len(good)-1], collectors.ReasonNotJSON, notJSON},
	{"two objects", good + good, collectors.ReasonNotJSON, "there is more behind the JSON object"},
	{"text in SNS", asSNS("hello"), collectors.ReasonNotJSON, notJSON},
	{"cut short in SNS", asSNS(good[:100]), collectors.ReasonNotJSON, notJSON},
	{"bare newline in a string", with("m1", "m\n1"), collectors.ReasonNotJSON, notJSON},
	{"trailing comma", with(`["a@example.com"]`, `["a@example.com",]`), collectors.ReasonNotJSON, notJSON},
	{"bad number in a field that is ignored", with(`"mail"`, `"x":01,"mail"`), collectors.ReasonNotJSON, notJSON},

	{"no type", `{"a":1}`, collectors.ReasonUnknownType, noEvent},
	{"SNS in SNS", asSNS(asSNS(good)), collectors.ReasonUnknownType, noEvent},
	{"new event type", with("Delivery", "Teleport"), collectors.ReasonUnknownType, "eventType is not one that is known"},
	{
		"new notification type", with(`"eventType":"Delivery"`, `"notificationType":"Received"`),
		collectors.ReasonUnknownType, "notificationType is not one that is known",
	},
	{"status of something else", asEventBridge(`{"data":{}}`), collectors.ReasonUnknownType, noEvent},

	{"no message id", with(`"messageId":"m1",`, ``), collectors.ReasonBadField, "mail.messageId is missing"},
	{"message id null", with(`"m1"`, `null`), collectors.ReasonBadField, "mail.messageId is missing"},
	{"message id a number", with(`"m1"`, `1`), collectors.ReasonBadField, "mail.messageId has the wrong type"},
	{
		"mail a string", with(`{"timestamp":"2026-11-20T10:15:30.123Z","messageId":"m1","destination":["a@example.com","b@example.com"]}`, `"x"`),
		collectors.ReasonBadField, "mail has the wrong type",
	},
	{"no payload", with(`"delivery":`, `"other":`), collectors.ReasonBadField, "delivery.timestamp is missing"},
	{"bad time", with("2026-11-20T10:15:31Z", "yesterday"), collectors.ReasonBadField, "delivery.timestamp is not a time"},
	{
		"bad send time", with("2026-11-20T10:15:30.123Z", "2026-13-20T10:15:30.123Z"),
		collectors.ReasonBadField, "mail.timestamp is not a time",
	},
	{"no recipients", with(`["a@example.com"]`, `[]`), collectors.ReasonBadField, "delivery.recipients is missing or empty"},
	{"empty recipient", with(`["a@example.com"]`, `[""]`), collectors.ReasonBadField, "delivery.recipients has an empty entry"},
	{
		"too many recipients", with(`["a@example.com"]`, `["a@example.com"`+strings.Repeat(`,"b@example.com"`, maxRecipients)+`]`),
		collectors.ReasonBadField, "delivery.recipients has more than 100 entries",
	},
	{
		"recipient a number", with(`["a@example.com"]`, `[17]`),
		collectors.ReasonBadField, "delivery.recipients has the wrong type",
	},
	{
		"tag a string", with(`"destination"`, `"tags":{"secret-tag":"x"},"destination"`),
		collectors.ReasonBadField, "mail.tags has the wrong type",
	},
	{
		"tags a string", with(`"destination"`, `"tags":"x","destination"`),
		collectors.ReasonBadField, "mail.tags has the wrong type",
	},
	{
		"header a string", with(`"destination"`, `"headers":["x"],"destination"`),
		collectors.ReasonBadField, "mail.headers has the wrong type",
	},
	{
		"processing time a string", with(`"recipients"`, `"processingTimeMillis":"12","recipients"`),
		collectors.ReasonBadField, "delivery.processingTimeMillis has the wrong type",
	},
	{"in EventBridge", asEventBridge(with(`"m1"`, `1`)), collectors.ReasonBadField, "detail.mail.messageId has the wrong type"},
	{
		"no bounce type", `{"eventType":"Bounce","mail":{"timestamp":"2026-11-20T10:15:30Z","messageId":"m1"},"bounce":{}}`,
		collectors.ReasonBadField, "bounce.bounceType is missing",
	},
	{
		"bounce of nobody", `{"eventType":"Bounce","mail":{"timestamp":"2026-11-20T10:15:30Z","messageId":"m1"},"bounce":{` +
			`"bounceType":"Permanent","timestamp":"2026-11-20T10:15:30Z","bouncedRecipients":[{"status":"5.1.1"}]}}`,
		collectors.ReasonBadField, "bounce.bouncedRecipients has an entry without an address",
	},
	{
		"status without time", `{"detail-type":"Sending Status Enabled","detail":{}}`,
		collectors.ReasonBadField, "time is missing",
	},
	{
		"status with odd resources", `{"detail-type":"Sending Status Enabled","detail":{},"resources":"x"}`,
		collectors.ReasonBadField, "resources has the wrong type",
	},
	{
		"status of much detail", `{"detail-type":"Sending Status Enabled","detail":{"x":"` + strings.Repeat("x", 16<<10) + `"}}`,
		collectors.ReasonBadField, "detail is longer than 16 KiB",
	},
	{
		"status with a long id", `{"detail-type":"Sending Status Enabled","id":"` + strings.Repeat("x", 257) + `","detail":{}}`,
		collectors.ReasonBadField, "id is longer than 256 bytes",
	},
	{
		"status of a long resource",
		`{"detail-type":"Sending Status Enabled","resources":["` + strings.Repeat("x", 2049) + `"],"detail":{}}`,
		collectors.ReasonBadField, "resources has an entry longer than 2,048 bytes",
	},

	{"too deep", with(`"mail"`, `"x":`+deep(32)+`,"mail"`), collectors.ReasonTooDeep, tooDeep},
	{"too deep and never closed", `{"x":` + strings.Repeat(`{"x":`, 100_000), collectors.ReasonTooDeep, tooDeep},
	{"too deep in SNS", asSNS(with(`"mail"`, `"x":`+deep(32)+`,"mail"`)), collectors.ReasonTooDeep, tooDeep},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			want := collectors.Unreadable{Message: 4, Reason: c.reason, Detail: c.detail}
			d := Decoder{Region: "eu-west-1"}
			// An event before it must stay as it is.
			var b collectors.Batch
			d.Decode(3, good, &b)
			if kind := d.Decode(4, c.body, &b); kind != KindUnreadable {
				t.Fatalf("kind %v", kind)
			}
			if diff := cmp.Diff([]collectors.Unreadable{want}, b.Unreadable); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(b.Events) != 1 || len(b.Statuses) != 0 {
				t.Errorf("%d events, %d statuses", len(b.Events), len(b.Statuses))
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	pad := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
	var d Decoder
	var b collectors.Batch
	if kind := d.Decode(0, pad(MaxBody), &b); kind != KindEvent {
		t.Errorf("1 MiB: %v", kind)
	}
	if kind := d.Decode(1, pad(MaxBody+1), &b); kind != KindUnreadable || b.Unreadable[0].Reason != collectors.ReasonTooLarge {
		t.Errorf("more than 1 MiB: %v %v", kind, b.Unreadable)
	}
}

// TestTolerated lists oddities that leave the event as it is.
func TestTolerated(t *testing.T) {
	want := one(t, good)
	for name, body := range map[string]string{
		"white space":                  " \r\n\t" + strings.NewReplacer(`{"`, "{\r\n\t \"", `,"`, " , \"", `":`, `" : `, "]}", " ]\n}\t").Replace(good) + "\n",
		"unknown fields":               with(`"mail":{`, `"new":[1,{"a":null}],"mail":{"new":{"messageId":"x"},`),
		"unknown fields given twice":   with(`"mail":{`, `"new":1,"new":2,"mail":{`),
		"name with an escape":          with(`"messageId"`, `"message\u0049d"`),
		"value with an escape":         with(`"m1"`, `"m\u0031"`),
		"null where nothing is needed": with(`"mail":{`, `"mail":{"tags":null,"headers":null,"commonHeaders":null,"sourceArn":null,`),
		"empty lists":                  with(`"mail":{`, `"mail":{"tags":{"x":[]},"headers":[],`),
		"field given twice":            with(`"messageId":"m1"`, `"messageId":"m0","messageId":"m1"`),
		"deep, but not too deep":       with(`"mail"`, `"x":`+deep(31)+`,"mail"`),
		"payload of another type":      with(`"mail"`, `"bounce":{},"mail"`),
		"unknown envelope fields":      strings.Replace(asSNS(good), `"Type"`, `"mail":7,"Type"`, 1),
		"message first":                `{"Message":` + quote(good) + `,"Type":"Notification"}`,
		"indented message":             asSNS(strings.ReplaceAll(good, `,"`, ",\n\t\"") + "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, body)
			got.Region = want.Region // an envelope knows another one
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplacedCharacters(t *testing.T) {
	for name, body := range map[string]string{
		"lone surrogate":        with(`"m1"`, `"m\ud83d"`),
		"invalid UTF-8":         with(`"m1"`, "\"m\xff\""),
		"lone surrogate in SNS": asSNS(with(`"m1"`, `"m\ud83d"`)),
		"invalid UTF-8 in SNS":  asSNS(with(`"m1"`, "\"m\xff\"")),
	} {
		if got := one(t, body).MessageID; got != "m\uFFFD" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestExcessFieldsAreLeftOut(t *testing.T) {
	tag, header := `"t":["v"]`, `{"name":"h","value":"v"}`
	e := one(t, with(`"mail":{`, `"mail":{"tags":{`+tag+strings.Repeat(","+tag, 299)+`},"headers":[`+header+
		strings.Repeat(","+header, 299)+`],`))
	if len(e.Tags) != maxFields || len(e.Headers) != maxFields {
		t.Errorf("%d tags, %d headers", len(e.Tags), len(e.Headers))
	}
}

func TestPlace(t *testing.T) {
	arn := `"mail":{"sourceArn":"arn:aws-cn:ses:cn-north-1:111111111111:identity/example.com",`
	account := `"mail":{"sendingAccountId":"222222222222",`
	for _, c := range []struct{ name, body, account, region string }{
		{"nothing but the queue", good, "", "eu-west-1"},
		{"account", with(`"mail":{`, account), "222222222222", "eu-west-1"},
		{"odd account", with(`"mail":{`, `"mail":{"sendingAccountId":"x",`), "", "eu-west-1"},
		{"identity", with(`"mail":{`, arn), "111111111111", "cn-north-1"},
		{"no identity", with(`"mail":{`, `"mail":{"sourceArn":"nonsense:a:b:c:d",`), "", "eu-west-1"},
		{"both", with(`"mail":{`, account+strings.TrimPrefix(arn, `"mail":{`)), "222222222222", "cn-north-1"},
		{"topic", asSNS(good), "", "us-east-1"},
		{"EventBridge", asEventBridge(good), "123456789012", "us-east-1"},
		{"EventBridge and identity", asEventBridge(with(`"mail":{`, arn)), "111111111111", "cn-north-1"},
		{
			"raw with names of an envelope", with(`"mail":{`, `"account":"333333333333","region":"us-west-2","mail":{`),
			"", "eu-west-1",
		},
	} {
		if e := one(t, c.body); e.Account != c.account || e.Region != c.region {
			t.Errorf("%s: account %q, region %q", c.name, e.Account, e.Region)
		}
	}
}

func TestFromDomain(t *testing.T) {
	for _, c := range []struct{ tag, common, source, want string }{
		{"tag.Example", "a@common.example", "a@source.example", "tag.example"},
		{"not a domain", "a@common.example", "a@source.example", "common.example"},
		{"", "", "a@source.example", "source.example"},
		{"", "nobody", "a@source.example", "source.example"},
		{"", "Sender Name <sender@Example.COM>", "", "example.com"},
		{"", `\"Doe, John <x@wrong.example>\" <john@example.com>`, "", "example.com"},
		{"", `\"a \\\" <x@wrong.example>\" <john@example.com>`, "", "example.com"},
		{"", `\"a@b\"@example.com`, "", "example.com"},
		{"", "a@example.com, b@wrong.example", "", "example.com"},
		{"", "Doe, John <john@example.com>, b@wrong.example", "", "example.com"},
		{"", "a@example.com (at home@wrong.example)", "", "example.com"},
		{"", " a@example.com. ", "", "example.com"},
		{"", "Jürgen <j@bücher.example>", "", "bücher.example"},
		{"", "a@exa mple.com", "", ""},
		{"", "a@-", "", "-"},
		{"", "a@", "", ""},
		{"", "a@.example", "", ""},
		{"", "", "", ""},
	} {
		fields := `"mail":{"source":"` + c.source + `","commonHeaders":{"from":["` + c.common + `"]},`
		if c.tag != "" {
			fields += `"tags":{"ses:from-domain":["` + c.tag + `"]},`
		}
		if got := one(t, with(`"mail":{`, fields)).FromDomain; got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestOptOut(t *testing.T) {
	status := func(topic, status string) string {
		return `{"topicName":"` + topic + `","subscriptionStatus":"` + status + `"}`
	}
	topics := func(list ...string) string { return `"topicSubscriptionStatus":[` + strings.Join(list, ",") + `]` }
	out, in := status("news", "OptOut"), status("news", "OptIn")
	for _, c := range []struct {
		name, old, now string
		want           bool
	}{
		{"off everything", `"unsubscribeAll":false`, `"unsubscribeAll":true`, true},
		{"off everything, old not told", ``, `"unsubscribeAll":true`, true},
		{"was off everything", `"unsubscribeAll":true`, `"unsubscribeAll":true`, false},
		{"was off everything, and now off a topic", `"unsubscribeAll":true,` + topics(in), topics(out), false},
		{"back on", `"unsubscribeAll":true`, `"unsubscribeAll":false`, false},
		{"off a topic", topics(in), topics(out), true},
		{"off a second topic", topics(out), topics(out, status("offers", "OptOut")), true},
		{"off the same topic", topics(out), topics(out), false},
		{"on a topic", topics(out), topics(in), false},
		{"off by default before", `"topicDefaultSubscriptionStatus":[` + out + `]`, topics(out), false},
		{"on by default before", `"topicDefaultSubscriptionStatus":[` + in + `]`, topics(out), true},
		{"nothing", ``, ``, false},
	} {
		body := `{"eventType":"Subscription","mail":{"timestamp":"2026-11-20T10:15:30Z","messageId":"m1",` +
			`"destination":["a@example.com"]},"subscription":{"timestamp":"2026-11-20T12:00:00Z",` +
			`"oldTopicPreferences":{` + c.old + `},"newTopicPreferences":{` + c.now + `}}}`
		if got := one(t, body).OptOut; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time
	}{
		{"2026-11-20T10:15:30Z", want},
		{"2026-11-20T10:15:30.000Z", want},
		{"2026-11-20T10:15:30.123Z", want.Add(123 * time.Millisecond)},
		{"2026-11-20T10:15:30.123456789Z", want.Add(123456789)},
		{"2026-11-20T10:15:30 +0000", want},
		{"2026-11-20T10:15:30+0000", want},
		{"2026-11-20T05:15:30-05:00", want},
		{"2026-11-20T12:15:30 +0200", want},
	} {
		got, ok := parseTime(c.text)
		if !ok || got != c.want { // UTC too, hence not Equal
			t.Errorf("%q: %v %v", c.text, got, ok)
		}
	}
	for _, text := range []string{
		"", "1763633730", "2026-11-20", "2026-11-20 10:15:30", "2026-02-30T10:15:30Z", "2026-11-20T25:15:30Z",
		"2026-11-20T10:15:30", "2026-11-20T10:15:30." + strings.Repeat("0", 40) + "Z",
	} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestEventsOfABatchStandApart decodes several events into one batch, with strings that need unescaping, and compares them
// with what each alone becomes: buffers that grow or are used again must not touch what was handed out.
func TestEventsOfABatchStandApart(t *testing.T) {
	list, _ := bodies(50, wraps["SNS"])
	var d Decoder
	var b collectors.Batch
	for round := range 3 {
		d.Reset()
		b.Events = b.Events[:0]
		for i, body := range list {
			if kind := d.Decode(i, body, &b); kind != KindEvent {
				t.Fatalf("round %d: kind %v", round, kind)
			}
		}
		for i, body := range list {
			var alone Decoder
			var want collectors.Batch
			alone.decodeStrict(i, body, &want)
			if diff := cmp.Diff(want.Events[0], b.Events[i]); diff != "" {
				t.Fatalf("round %d, event %d (-alone +in a batch):\n%s", round, i, diff)
			}
		}
	}
}

// TestMemoryIsGivenBack: one batch of giants must not stay in memory.
func TestMemoryIsGivenBack(t *testing.T) {
	var d Decoder
	var b collectors.Batch
	subject := strings.Repeat(`\"`, 400_000)
	d.Decode(0, with(`"mail":{`, `"mail":{"headers":[{"name":"Subject","value":"`+subject+`"}],`), &b)
	if used := d.text.Size(); len(b.Events) != 1 || used < 400_000 {
		t.Fatalf("%d events, %d bytes", len(b.Events), used)
	}
	d.Reset()
	if kept := d.text.Size(); kept > 0 {
		t.Errorf("%d bytes kept", kept)
	}
}

func TestSetupTexts(t *testing.T) {
	subscribedText := `{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed …"}`
	confirmation, err := os.ReadFile("../../../testdata/transport/sqs_body_sns_subscription_confirmation.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		validated, validated + "\n", asSNS(validated), asSNS(validated + "\n"),
		subscribedText, asSNS(subscribedText), string(confirmation),
		strings.Replace(string(confirmation), "SubscriptionConfirmation", "UnsubscribeConfirmation", 1),
	} {
		var d Decoder
		var b collectors.Batch
		if kind := d.Decode(0, body, &b); kind != KindSetup || len(b.Unreadable) != 0 {
			t.Errorf("%v %v: %s", kind, b.Unreadable, body)
		}
	}
}

// TestHostileSizesCostLittle: work grows with the size of a body, not with its square.
func TestHostileSizesCostLittle(t *testing.T) {
	const n = 200_000
	for name, body := range map[string]string{
		"commas in From":     with(`"mail":{`, `"mail":{"source":"`+strings.Repeat(",", 5*n)+`",`),
		"empty headers":      with(`"mail":{`, `"mail":{"headers":[{}`+strings.Repeat(",{}", n)+`],`),
		"many values":        with(`"mail":{`, `"mail":{"tags":{"t":["\n"`+strings.Repeat(`,"\n"`, n/2)+`]},`),
		"many names":         with(`"mail":{`, `"x":{"a":1`+strings.Repeat(`,"a":1`, n/2)+`},"mail":{`),
		"escapes everywhere": asSNS(with(`"m1"`, `"`+strings.Repeat(`\\`, n)+`"`)),
	} {
		start := time.Now()
		one(t, body)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: %v", name, took)
		}
	}
}
