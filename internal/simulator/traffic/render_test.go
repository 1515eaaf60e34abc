package traffic

import (
	"encoding/json"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// published is an event as encoding/json reads it: everything that counting needs.
type published struct {
	EventType, NotificationType string
	Mail                        struct {
		Timestamp, MessageID, SendingAccountID, SourceArn string
		Destination                                       []string
		Headers                                           []struct{ Name, Value string }
		CommonHeaders                                     struct {
			From, To []string
			Subject  string
		}
		Tags map[string][]string
	}
	Bounce struct {
		BounceType, BounceSubType string
		BouncedRecipients         []recipientJSON
		Timestamp                 string
	}
	Complaint struct {
		ComplainedRecipients                    []recipientJSON
		ComplaintFeedbackType, ComplaintSubType string
		FeedbackID                              string
	}
	Delivery      struct{ Recipients []string }
	DeliveryDelay struct{ DelayedRecipients []recipientJSON }
	Open, Click   struct{ Timestamp, Link, IsBotEvent string }
	Subscription  struct {
		NewTopicPreferences struct{ UnsubscribeAll bool }
	}
}

type recipientJSON struct{ EmailAddress, Status, DiagnosticCode string }

var domainOf = regexp.MustCompile(`@([a-z0-9.-]*[a-z])`)

// recount counts rendered events from nothing but their text, by the rules of the product.
type recount struct {
	t      *testing.T
	seen   map[string]bool
	counts map[Cell]Tally
}

var dated = regexp.MustCompile(`^(.+)-\d{8}$`)

// outcomeOf is the table of outcomes.
func outcomeOf(e *published) observation.Outcome {
	bot := func(judged string, bot, human observation.Outcome) observation.Outcome {
		if judged == "Likely" {
			return bot
		}
		return human
	}
	switch e.EventType {
	case "Send":
		return observation.Sent
	case "Delivery":
		return observation.Delivered
	case "DeliveryDelay":
		return observation.Delayed
	case "Reject":
		return observation.Rejected
	case "Rendering Failure":
		return observation.RenderingFailed
	case "Subscription":
		return observation.Unsubscribed
	case "Open":
		return bot(e.Open.IsBotEvent, observation.OpenedByBot, observation.Opened)
	case "Click":
		return bot(e.Click.IsBotEvent, observation.ClickedByBot, observation.Clicked)
	case "Complaint":
		if e.Complaint.ComplaintFeedbackType == "not-spam" {
			return observation.NotSpam
		}
		return observation.Complained
	}
	switch b := &e.Bounce; {
	case strings.HasPrefix(b.BounceSubType, "On"):
		return observation.Suppressed
	case b.BounceType == "Permanent":
		return observation.HardBounced
	case b.BounceType == "Undetermined":
		return observation.UndeterminedBounced
	case b.BounceSubType == "General" && b.BouncedRecipients[0].DiagnosticCode == "":
		return observation.AutoreplySuspected
	default:
		return observation.SoftBounced
	}
}

// add counts one line.
func (r *recount) add(line []byte, reason func(*published) string, providerOf func(domain string) string) {
	var e published
	if err := json.Unmarshal(line, &e); err != nil {
		r.t.Fatalf("%v in %s", err, line)
	}
	if e.NotificationType != "" {
		return
	}
	tag := func(name string) string { return strings.Join(e.Mail.Tags[name], ",") }
	set := tag("ses:configuration-set")
	name := set
	if tag("campaign") != "" {
		name = tag("campaign")
	}
	if tag("ses:feedback-id-a") != "" {
		name = tag("ses:feedback-id-a")
	}
	sent, err := time.Parse("2006-01-02T15:04:05.000Z", e.Mail.Timestamp)
	if err != nil {
		r.t.Fatal(err)
	}
	cell := Cell{Account: e.Mail.SendingAccountID, ConfigurationSet: set, Campaign: name, Outcome: outcomeOf(&e), Reason: reason(&e),
		Start: sent.Truncate(5 * time.Minute)}
	cell.Tenant, _ = strings.CutPrefix(set, "tenant-")
	if cell.Tenant == set {
		cell.Tenant = ""
	}
	if m := dated.FindStringSubmatch(name); m != nil {
		cell.Campaign, cell.Send = m[1], name
	}
	recipients := e.Mail.Destination
	var listed []recipientJSON
	switch e.EventType {
	case "Bounce":
		listed = e.Bounce.BouncedRecipients
	case "DeliveryDelay":
		listed = e.DeliveryDelay.DelayedRecipients
	case "Complaint":
		listed = e.Complaint.ComplainedRecipients
	case "Delivery":
		recipients = e.Delivery.Recipients
	}
	if listed != nil {
		recipients = nil
		for _, one := range listed {
			recipients = append(recipients, one.EmailAddress)
		}
	}
	possible := int64(0)
	switch {
	case e.EventType == "Open", e.EventType == "Click":
		recipients = []string{recipients[0] + e.Open.Timestamp + e.Click.Timestamp + e.Click.Link}
	case e.EventType == "Complaint":
		possible = int64(len(recipients))
		if len(recipients) > 1 {
			recipients = []string{e.Complaint.FeedbackID + recipients[0]}
		}
	}
	for _, recipient := range recipients {
		id := strings.Join([]string{e.Mail.MessageID, recipient, cell.Outcome.String()}, "|")
		if r.seen[id] {
			continue
		}
		r.seen[id] = true
		cell.Provider = providerOf(domainOf.FindStringSubmatch(recipient)[1])
		tally := r.counts[cell]
		r.counts[cell] = Tally{tally.N + 1, tally.Possible + possible}
	}
}

// reasonsByText maps the replies of the model to their reasons.
func reasonsByText(m *Model) func(*published) string {
	reasons := map[string]string{accountSuppression.text: "suppressed", tenantSuppression.text: "suppressed", microsoftBlock.text: microsoftBlock.reason}
	reasons[simulatorMailboxes.hard.text] = simulatorMailboxes.hard.reason
	for i := range m.providers {
		for _, r := range []reply{m.providers[i].hard, m.providers[i].soft, m.providers[i].delay} {
			reasons[r.text] = r.reason
		}
	}
	address := regexp.MustCompile(`<sim-[^>]*>`)
	return func(e *published) string {
		var text string
		switch e.EventType {
		case "Bounce":
			if text = e.Bounce.BouncedRecipients[0].DiagnosticCode; text == "" {
				if e.Bounce.BounceType == "Undetermined" {
					return "unknown"
				}
				return "autoreply"
			}
		case "DeliveryDelay":
			text = e.DeliveryDelay.DelayedRecipients[0].DiagnosticCode
		case "Reject":
			return "content_virus_or_attachment"
		default:
			return ""
		}
		reason, ok := reasons[address.ReplaceAllString(text, "<%R>")]
		if !ok {
			return "no reason for " + text
		}
		return reason
	}
}

func TestTruthEqualsRecountOfWhatWasRendered(t *testing.T) {
	m := demo(5, 1)
	domains := map[string]string{"simulator.amazonses.com": MailboxSimulator}
	for _, p := range m.providers {
		for _, d := range p.domains {
			domains[d] = p.id
		}
	}
	reason := reasonsByText(m)
	r := recount{t: t, seen: map[string]bool{}, counts: map[Cell]Tally{}}
	truth := NewTruth()
	stream, renderer := m.Stream(anchor.Add(-30*time.Hour), anchor), NewRenderer()
	var line []byte
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		line = renderer.Append(line[:0], &e, Raw)
		truth.Add(&e)
		r.add(line, reason, func(d string) string { return domains[d] })
	}
	want := map[Cell]Tally{}
	for cell, tally := range truth.Counts() {
		cell.Region = "" // opens and clicks do not tell theirs
		want[cell] = tally
	}
	if diff := cmp.Diff(want, r.counts); diff != "" {
		t.Errorf("what was rendered counts differently (-truth +recount):\n%.3000s", diff)
	}
	if len(want) < 5000 {
		t.Errorf("only %d cells were compared", len(want))
	}
}

// keys lists the paths of a JSON value's keys; the elements of arrays share one path. Tags and linkTags are free names.
func keys(v any, path string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			into[path+"."+k] = true
			if k != "tags" && k != "linkTags" {
				keys(inner, path+"."+k, into)
			}
		}
	case []any:
		for _, inner := range v {
			keys(inner, path+"[]", into)
		}
	}
}

func keysOf(t *testing.T, text []byte) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	into := map[string]bool{}
	keys(v, "", into)
	list := make([]string, 0, len(into))
	for k := range into {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func TestRenderedEventsHaveTheKeysOfTheSamples(t *testing.T) {
	samples := map[string][]string{
		"Send": {"send"}, "Delivery": {"delivery"}, "Reject": {"reject"}, "Rendering Failure": {"rendering_failure"},
		"DeliveryDelay": {"delivery_delay"}, "Open": {"open", "open_bot_likely"}, "Click": {"click", "click_null_linktags"},
		"Subscription": {"subscription"}, "Complaint": {"complaint_abuse", "complaint_no_feedback_report", "complaint_not_spam"},
		"Bounce":      {"bounce_permanent_general", "bounce_on_account_suppression_list", "bounce_transient_general_autoreply", "bounce_undetermined"},
		"Bounce twin": {"notification_bounce_dsn", "notification_bounce_odd_timestamp"}, "Complaint twin": {"notification_complaint"},
	}
	allowed := map[string][][]string{}
	for kind, names := range samples {
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join("../../../testdata/ses", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			allowed[kind] = append(allowed[kind], keysOf(t, text))
		}
	}
	// A twin without a report from the receiver still has its headers, and one of a bare complaint has no report.
	bare := func(list []string, drop ...string) (left []string) {
		for _, k := range list {
			if !slices.ContainsFunc(drop, func(d string) bool { return strings.HasSuffix(k, d) }) {
				left = append(left, k)
			}
		}
		return left
	}
	allowed["Bounce twin"] = append(allowed["Bounce twin"],
		bare(allowed["Bounce twin"][0], "].action", "].status", "].diagnosticCode", ".reportingMTA"))
	report := []string{".userAgent", ".complaintFeedbackType", ".arrivalDate"}
	allowed["Complaint twin"] = append(allowed["Complaint twin"], bare(allowed["Complaint twin"][0], report...),
		append(slices.Clone(allowed["Complaint twin"][0]), ".complaint.complaintSubType"))
	for kind := range allowed {
		for _, list := range allowed[kind] {
			slices.Sort(list)
		}
	}
	seen := map[string]bool{}
	m := demo(2, 1)
	stream, renderer := m.Stream(anchor.Add(-9*day), anchor), NewRenderer()
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		kind := e.Type.String()
		if e.Twin {
			kind += " twin"
		}
		// Reading all of them is slow and shows no more.
		if seen[kind] && e.Mail.key%100 != 0 && e.Type != observation.EventComplaint {
			continue
		}
		seen[kind] = true
		text := renderer.Append(nil, &e, Raw)
		got := keysOf(t, text)
		if !slices.ContainsFunc(allowed[kind], func(want []string) bool { return slices.Equal(want, got) }) {
			t.Fatalf("%s has keys of no sample (-sample +rendered):\n%s", kind, cmp.Diff(allowed[kind][0], got))
		}
	}
	for kind := range samples {
		if !seen[kind] {
			t.Errorf("the story has no %s", kind)
		}
	}
}

func TestEnvelopes(t *testing.T) {
	m := demo(4, 1)
	stream, renderer := m.Stream(anchor.Add(-3*time.Hour), anchor), NewRenderer()
	n, size, wrapped := 0, 0, 0
	for e, ok := stream.Next(); ok && n < 3000; e, ok = stream.Next() {
		raw := string(renderer.Append(nil, &e, Raw))
		sns := renderer.Append(nil, &e, SNS)
		var notification struct{ Type, MessageId, TopicArn, Message, Subject, Timestamp string }
		if err := json.Unmarshal(sns, &notification); err != nil {
			t.Fatal(err)
		}
		if notification.Message != raw+"\n" || notification.Type != "Notification" || (notification.Subject == "") != e.Twin {
			t.Fatalf("the SNS envelope is wrong: %+v", notification)
		}
		if !e.Twin {
			var bridge struct {
				DetailType string `json:"detail-type"`
				Region     string
				Detail     json.RawMessage
			}
			if err := json.Unmarshal(renderer.Append(nil, &e, EventBridge), &bridge); err != nil {
				t.Fatal(err)
			}
			if string(bridge.Detail) != raw || bridge.Region != e.Mail.Send.Campaign.Region || bridge.DetailType != detailTypes[e.Type] {
				t.Fatalf("the EventBridge envelope is wrong: %+v", bridge)
			}
		}
		n, size, wrapped = n+1, size+len(raw), wrapped+len(sns)
	}
	if size/n < 2300 || size/n > 2900 || wrapped/n < 3400 || wrapped/n > 4200 {
		t.Errorf("events have %d bytes, in their envelope %d; want about 2570 and 3734", size/n, wrapped/n)
	}
}

func TestMailLooksLikeMail(t *testing.T) {
	m := demo(4, 1)
	stream, renderer := m.Stream(anchor.Add(-8*time.Hour), anchor), NewRenderer()
	ids := map[string]bool{}
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		if e.Type != observation.EventSend {
			continue
		}
		var p published
		if err := json.Unmarshal(renderer.Append(nil, &e, Raw), &p); err != nil {
			t.Fatal(err)
		}
		if ids[p.Mail.MessageID] || p.Mail.MessageID != e.Mail.MessageID() {
			t.Fatalf("message id %s is not the mail's own", p.Mail.MessageID)
		}
		ids[p.Mail.MessageID] = true
		if len(p.Mail.Headers) != 15 || p.Mail.CommonHeaders.Subject != e.Mail.Send.Campaign.Subject {
			t.Fatalf("headers %v, common headers %v", p.Mail.Headers, p.Mail.CommonHeaders)
		}
		if !slices.Equal(p.Mail.Destination, p.Mail.CommonHeaders.To) || len(p.Mail.Destination) != e.Mail.Recipients {
			t.Fatalf("destination %v, to %v", p.Mail.Destination, p.Mail.CommonHeaders.To)
		}
		for _, address := range append(p.Mail.Destination, p.Mail.CommonHeaders.From...) {
			if _, err := mail.ParseAddress(address); err != nil {
				t.Fatalf("%v in %s", err, address)
			}
		}
	}
	if len(ids) < 500 {
		t.Errorf("only %d mails", len(ids))
	}
}

// BenchmarkRender measures making and rendering an event.
func BenchmarkRender(b *testing.B) {
	for name, envelope := range map[string]Envelope{"raw": Raw, "sns": SNS} {
		b.Run(name, func(b *testing.B) {
			m := New(Bench(300, 2_000_000), Options{Since: anchor.Add(-day), Lateness: 2 * time.Hour})
			stream, renderer := m.Stream(anchor.Add(-day), anchor.Add(100*day)), NewRenderer()
			var line []byte
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				e, _ := stream.Next()
				line = renderer.Append(line[:0], &e, envelope)
				size += len(line)
			}
			b.SetBytes(int64(size / b.N))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
