package campaign

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

func sameMemory(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }

func TestStampOf(t *testing.T) {
	ses := "1.us-east-1.q2b3d4e5f6=:AmazonSES"
	for _, c := range []struct {
		name  string
		event *observation.Event
		want  observation.Stamp
	}{
		{"nothing", &observation.Event{}, observation.Stamp{}},
		{"tags", tagged("ses:feedback-id-a", "sale", "ses:feedback-id-b", "bulk"), observation.Stamp{A: "sale", B: "bulk"}},
		{"tags with blanks around", tagged("ses:feedback-id-a", " sale "), observation.Stamp{A: "sale"}},
		{"tag with a colon", tagged("ses:feedback-id-a", "x:y"), observation.Stamp{}},
		{"tag with a blank", tagged("ses:feedback-id-a", "x y"), observation.Stamp{}},
		{"tag that is too long", tagged("ses:feedback-id-a", strings.Repeat("x", 257)), observation.Stamp{}},
		{"header of its own", withHeaders(false, "feedback-id", "a:b:c:sender"),
			observation.Stamp{A: "a", B: "b", C: "c", FeedbackFrom: "sender"}},
		{"header of SES", withHeaders(false, "Feedback-ID", "sale:bulk:"+ses),
			observation.Stamp{A: "sale", B: "bulk", C: "1.us-east-1.q2b3d4e5f6=", FeedbackFrom: "AmazonSES"}},
		{"untagged header of SES", withHeaders(false, "Feedback-ID", "::"+ses),
			observation.Stamp{C: "1.us-east-1.q2b3d4e5f6=", FeedbackFrom: "AmazonSES"}},
		{"old header of SES", withHeaders(false, "Feedback-ID", ses),
			observation.Stamp{C: "1.us-east-1.q2b3d4e5f6=", FeedbackFrom: "AmazonSES"}},
		{"header with five fields", withHeaders(false, "Feedback-ID", "z:a:b:c:s"),
			observation.Stamp{A: "a", B: "b", C: "c", FeedbackFrom: "s"}},
		{"tags of an identity notification", withHeaders(true, "X-SES-MESSAGE-TAGS", "ses:feedback-id-a=sale"),
			observation.Stamp{A: "sale"}},
		{"control characters", withHeaders(false, "Feedback-ID", "a\x00:b:c:s"),
			observation.Stamp{B: "b", C: "c", FeedbackFrom: "s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, StampOf(c.event)); diff != "" {
				t.Errorf("stamp (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStampTagsWin(t *testing.T) {
	e := tagged("ses:feedback-id-a", "tag")
	e.FromDomain = "example.com"
	e.Headers = []observation.Field{{Name: "Feedback-ID", Value: "a:b:c:s"}}
	want := observation.Stamp{FromDomain: "example.com", A: "tag", B: "b", C: "c", FeedbackFrom: "s"}
	if diff := cmp.Diff(want, StampOf(e)); diff != "" {
		t.Errorf("stamp (-want +got):\n%s", diff)
	}
}

func FuzzFeedbackField(f *testing.F) {
	for _, seed := range []string{"", ":", "a:b:c:d", "::c:s", "a:b:c:d:e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		fields := strings.Split(id, ":")
		for place := range 5 {
			want := ""
			if place < len(fields) {
				want = strings.TrimSpace(fields[len(fields)-1-place])
			}
			if got := feedbackField(id, place); got != want {
				t.Errorf("field %d of %q is %q, want %q", place, id, got, want)
			}
		}
	})
}
