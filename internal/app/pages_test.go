package app

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
)

// TestQuarantineOnPages lets a message that came from the future be tried again from its page, once the clock has caught up with it.
func TestQuarantineOnPages(t *testing.T) {
	var ahead atomic.Int64
	o := simulator.Demo(morning, 1, 1)
	o.Now = func() time.Time { return morning.Add(time.Duration(ahead.Load())) }
	r := start(t, o)
	sent := morning.Add(12 * time.Minute).Format(time.RFC3339)
	early := fmt.Sprintf(`{"eventType":"Delivery","mail":{"timestamp":%[1]q,"messageId":"early","source":"news@example.com",`+
		`"destination":["jane.doe@example.net"],"tags":{"ses:feedback-id-a":["early-bird"]}},"delivery":{"timestamp":%[1]q,"recipients":["jane.doe@example.net"]}}`, sent)
	for _, body := range []string{early, `{"eventType":"Teleported","mail":{"destination":["jane.doe@example.net"]}}`} {
		if err := r.sim.SQS().Queue(simulator.EventsQueue).Send(body); err != nil {
			t.Fatal(err)
		}
	}
	var list string
	r.until(t, "both in quarantine", func() bool {
		list = r.body(t, "/sources")
		return strings.Contains(list, "in the future") && strings.Contains(list, "unknown type")
	})
	for _, path := range regexp.MustCompile(`/quarantine/\d+`).FindAllString(list, -1) {
		if shown := r.body(t, path); strings.Contains(shown, "jane") || !strings.Contains(shown, "eventType") {
			t.Errorf("%s shows\n%s", path, shown)
		}
	}
	again := func(reason string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/quarantine/replay", strings.NewReader("reason="+reason))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v: %s", resp.Status, err, text)
		}
		return string(text)
	}
	for _, reason := range []string{"in_the_future", "unknown_type"} {
		if text := again(reason); !strings.Contains(text, "still not understood") {
			t.Errorf("%s: %s", reason, text)
		}
	}
	ahead.Store(int64(5 * time.Minute))
	if text := again("in_the_future"); !strings.Contains(text, "understood now, and has left quarantine") || !strings.Contains(text, "Recipients: 1 counted.") {
		t.Errorf("later: %s", text)
	}
	r.until(t, "the mail is counted", func() bool { return r.status(t, "/campaigns/early-bird") == http.StatusOK })
	if list := r.body(t, "/sources"); strings.Contains(list, "in the future") || !strings.Contains(list, "unknown type") {
		t.Error("quarantine holds what was counted, or has lost what was not")
	}
}

func (r *run) body(t *testing.T, path string) string {
	t.Helper()
	resp := r.get(t, path)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, resp.Status, err)
	}
	return string(text)
}
