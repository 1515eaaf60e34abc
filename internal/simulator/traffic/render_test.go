package traffic

import (
	"encoding/json"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

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
