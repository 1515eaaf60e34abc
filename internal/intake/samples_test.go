package intake_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/event"
	"github.com/mailvane/mailvane/internal/ledger"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestSamples feeds each sample alone to an empty ledger and shows everything that was kept of it.
func TestSamples(t *testing.T) {
	var files []string
	for _, pattern := range []string{"ses/*", "transport/sqs_body_*"} {
		some, err := filepath.Glob(filepath.Join("..", "..", "testdata", pattern))
		if err != nil || len(some) == 0 {
			t.Fatalf("no samples in %s: %v", pattern, err)
		}
		files = append(files, some...)
	}
	slices.Sort(files)
	var got strings.Builder
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s/%s\n%s\n", filepath.Base(filepath.Dir(file)), filepath.Base(file), indent(tell(t, string(body))))
	}
	const golden = "testdata/samples.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// tell puts one message and says what the ledger then holds.
func tell(t *testing.T, body string) string {
	h := newHarness(t)
	b := collectors.Batch{Source: "queue", Messages: []collectors.Message{{ID: "m-1", Body: body}}, Key: 1}
	decoder := event.Decoder{Region: "us-east-1"}
	kind := decoder.Decode(0, body, &b)
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", kind)
	for i := range b.Events {
		// The samples are from several years, and one event is older than its mail.
		h.now = slices.MaxFunc([]time.Time{b.Events[i].At, b.Events[i].SentAt}, time.Time.Compare).Add(time.Hour)
	}
	if err := h.intake.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	status := h.status(t)
	if status.Held > 0 {
		fmt.Fprintf(&out, "held: %d\n", status.Held)
		h.now = h.now.Add(16 * time.Minute)
		if _, err := h.intake.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range h.cohorts(t) {
		c := row.Cell
		fmt.Fprintf(&out, "%s campaign=%s tenant=%s provider=%s outcome=%s reason=%s n=%d possible=%d origin=%s/%s/%s\n",
			row.Start.UTC().Format("15:04"), c.Campaign.Name, c.Campaign.Tenant, c.Provider, c.Outcome, c.Reason, row.N, row.Possible,
			c.Origin.Account, c.Origin.Region, c.Origin.ConfigurationSet)
	}
	uses, err := h.ledger.Uses(t.Context(), time.Time{}, h.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uses {
		fmt.Fprintf(&out, "use %+v sent=%d gmail=%d\n", u.Stamp, u.Sent, u.GmailDelivered)
	}
	samples, err := h.ledger.Samples(t.Context(), ledger.SampleQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		fmt.Fprintf(&out, "sample %q\n", s.Text)
	}
	statuses, err := h.ledger.Statuses(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statuses {
		var detail bytes.Buffer
		if err := json.Compact(&detail, s.Detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "status %s %s/%s %s %s\n", s.DetailType, s.Account, s.Region, s.Resource, detail.Bytes()[:40])
	}
	quarantined, err := h.ledger.Quarantined(t.Context(), ledger.QuarantineQuery{Bodies: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quarantined {
		fmt.Fprintf(&out, "quarantine %s %s: %s, whole body kept: %v\n", q.MessageID, q.Reason, q.Detail, q.Body == body)
	}
	return out.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
