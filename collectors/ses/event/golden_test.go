package event

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples are the files of SES events and of queue messages that all tests share.
func samples(t testing.TB) []string {
	t.Helper()
	events, err := filepath.Glob("../../../testdata/ses/*")
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := filepath.Glob("../../../testdata/transport/sqs_body_*")
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 || len(bodies) == 0 {
		t.Fatal("no samples found")
	}
	return append(events, bodies...)
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGolden holds what every sample is understood as.
func TestGolden(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		t.Run(name, func(t *testing.T) {
			d := Decoder{Region: "eu-west-1"}
			var b collectors.Batch
			kind := d.Decode(3, read(t, path), &b)
			got := dump(kind, b)
			golden := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, golden), got); diff != "" {
				t.Errorf("(-golden +got):\n%s", diff)
			}
		})
	}
}

// dump writes a result one field a line and leaves empty fields out.
func dump(kind Kind, b collectors.Batch) string {
	var out strings.Builder
	fmt.Fprintf(&out, "kind: %s\n", kind)
	for i := range b.Events {
		dumpStruct(&out, reflect.ValueOf(b.Events[i]))
	}
	for i := range b.Statuses {
		dumpStruct(&out, reflect.ValueOf(b.Statuses[i]))
	}
	for _, u := range b.Unreadable {
		fmt.Fprintf(&out, "Message: %d\nReason: %s\nDetail: %s\n", u.Message, u.Reason, u.Detail)
	}
	return out.String()
}

func dumpStruct(out *strings.Builder, v reflect.Value) {
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if field.IsZero() || name == "ProcessingTime" && field.Int() < 0 {
			continue
		}
		switch value := field.Interface().(type) {
		case []observation.Field:
			for _, f := range value {
				fmt.Fprintf(out, "%s: %s = %s\n", name, f.Name, f.Value)
			}
		case []observation.Recipient:
			for _, r := range value {
				fmt.Fprintf(out, "%s: %s status %q diagnostic %q\n", name, r.Address, r.Status, r.Diagnostic)
			}
		case time.Time:
			fmt.Fprintf(out, "%s: %s\n", name, value.Format(time.RFC3339Nano))
		case []byte:
			fmt.Fprintf(out, "%s: %s\n", name, value)
		default:
			fmt.Fprintf(out, "%s: %v\n", name, value)
		}
	}
}

// The ways in which an event gets into a queue.
func asSNS(message string) string {
	return `{"Type":"Notification","MessageId":"7e2b1c34-5d6e-5f70-8192-a3b4c5d6e7f8",` +
		`"TopicArn":"arn:aws:sns:us-east-1:123456789012:ses-events","Subject":"Amazon SES Email Event Notification",` +
		`"Message":` + quote(message) + `,"Timestamp":"2026-11-20T10:15:32.600Z","SignatureVersion":"1",` +
		`"Signature":"` + strings.Repeat("U1lOVEhFVElDLVNJR05BVFVSRQ==", 12) + `",` +
		`"SigningCertURL":"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000000000000000000000000000.pem",` +
		`"UnsubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:` +
		`123456789012:ses-events:11111111-2222-3333-4444-555555555555"}`
}

func asEventBridge(event string) string {
	return `{"version":"0","id":"12345678-1234-5678-abcd-1234567890ab","detail-type":"Email Something","source":"aws.ses",` +
		`"account":"123456789012","time":"2026-11-20T10:15:32Z","region":"us-east-1",` +
		`"resources":["arn:aws:ses:us-east-1:123456789012:configuration-set/transactional"],"detail":` + event + `}`
}

// quote writes a JSON string, with bytes outside ASCII as they are.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c < ' ':
			out.WriteString(`\u00` + strconv.FormatInt(int64(c)+0x100, 16)[1:])
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// wraps are the shapes that an event may come in.
var wraps = map[string]func(string) string{
	"raw":             func(s string) string { return s },
	"SNS":             func(s string) string { return asSNS(s + "\n") },
	"EventBridge":     asEventBridge,
	"SNS,EventBridge": func(s string) string { return asSNS(asEventBridge(s)) },
}

// TestShapesAgree wraps every event in every shape: the event must not change, and the scanner must be able to read it.
func TestShapesAgree(t *testing.T) {
	for _, path := range samples(t) {
		body := read(t, path)
		d := Decoder{Region: "us-east-1"}
		var want collectors.Batch
		if d.Decode(0, body, &want) != KindEvent || !strings.Contains(path, "/ses/") {
			continue
		}
		for name, wrap := range wraps {
			t.Run(filepath.Base(path)+"/"+name, func(t *testing.T) {
				for _, decode := range []struct {
					by string
					do func(*Decoder, string, *collectors.Batch) bool
				}{
					{"scanner", func(d *Decoder, body string, b *collectors.Batch) bool { return d.decodeFast(0, body, b) }},
					{"strict", func(d *Decoder, body string, b *collectors.Batch) bool {
						return d.decodeStrict(0, body, b) == KindEvent
					}},
				} {
					d := Decoder{Region: "us-east-1"}
					var got collectors.Batch
					if !decode.do(&d, wrap(body), &got) {
						t.Fatalf("%s does not read it: %v", decode.by, got.Unreadable)
					}
					// An EventBridge envelope knows the region of an Open; the queue's is the same here.
					if diff := cmp.Diff(want.Events, got.Events); diff != "" {
						t.Errorf("%s (-raw +%s):\n%s", decode.by, name, diff)
					}
				}
			})
		}
	}
}
