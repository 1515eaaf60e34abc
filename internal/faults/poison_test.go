package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// poison is what nobody can understand, by a name for it.
func poison(t *testing.T) map[string]string {
	t.Helper()
	m := newMail("never", 1)
	whole := m.sent(t)
	future := newMail("never", 2)
	future.sentAt = time.Now().Add(24 * time.Hour)
	past := newMail("never", 3)
	past.sentAt = time.Now().AddDate(0, 0, -61)
	const deep = 150_000
	return map[string]string{
		"no JSON":              "what is this?",
		"markup":               "<html><script>alert(1)</script></html>",
		"cut off":              whole[:len(whole)/2],
		"two values":           whole + whole,
		"unknown type":         strings.Replace(whole, `"Send"`, `"Levitation"`, 1),
		"no mail":              `{"eventType":"Send","send":{}}`,
		"mail is a number":     `{"eventType":"Send","mail":12,"send":{}}`,
		"no time":              strings.Replace(whole, `"timestamp":"2`, `"timestamp":"x`, 1),
		"future":               future.sent(t),
		"past":                 past.sent(t),
		"deep arrays":          strings.Repeat("[", deep) + strings.Repeat("]", deep),
		"deep objects":         strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep),
		"deep within an event": strings.Replace(whole, `"send":{}`, `"send":`+strings.Repeat(`{"a":`, deep)+"1"+strings.Repeat("}", deep), 1),
		"the largest":          strings.Repeat("x", sqs.MaxMessageBytes),
		"the largest JSON":     `{"eventType":"` + strings.Repeat(`\"`, (sqs.MaxMessageBytes-20)/2) + `"}`,
		"null":                 "null",
		"an empty object":      "{}",
		"a huge number":        `{"eventType":"Send","mail":` + strings.Repeat("9", 100_000) + `}`,
	}
}

// TestPoison mixes what nobody can understand with mail. The mail is counted, the rest waits in quarantine as it came, and
// the commands on quarantine work beside the running daemon.
func TestPoison(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	bodies := poison(t)
	var mixed []string
	for _, body := range bodies {
		m := newMail("a", len(mixed))
		mixed = append(mixed, body, m.sent(t))
	}
	r.send(t, mixed...)
	d := r.start(t)
	r.drained(t, events)
	want := map[string]int64{"a/other/sent": int64(len(bodies))}
	r.counts(t, want)
	rows := r.quarantined(t)
	kept := make(map[string]bool)
	for _, row := range rows {
		kept[row.Body] = true
		if row.Size != len(row.Body) || row.Reason == "" {
			t.Errorf("%d bytes are told to be %d, the reason is %q", len(row.Body), row.Size, row.Reason)
		}
	}
	for name, body := range bodies {
		if !kept[body] {
			t.Errorf("%s is not in quarantine as it came", name)
		}
	}
	if len(rows) != len(bodies) {
		t.Errorf("%d messages are in quarantine, want %d", len(rows), len(bodies))
	}
	d.shows(t, len(bodies), "mailvane_quarantine_added_total", "queue", events)
	r.list(t, rows)

	// What is not understood now is not understood again, and stays.
	status, out := r.run(t, "quarantine", "replay", "--all")
	if status != 0 || !strings.Contains(out, fmt.Sprintf("%d not understood", len(rows))) {
		t.Errorf("quarantine replay: status %d: %s", status, out)
	}
	if status, out := r.run(t, "quarantine", "drop", strconv.FormatInt(rows[0].ID, 10)); status != 0 || out != "1 message dropped\n" {
		t.Errorf("quarantine drop: status %d: %s", status, out)
	}
	if left := r.quarantined(t); len(left) != len(rows)-1 {
		t.Errorf("%d messages are left, want %d", len(left), len(rows)-1)
	}
	r.counts(t, want)
	d.stop(t)
}

// list holds the commands that show quarantine against its rows.
func (r *rig) list(t *testing.T, rows []ledger.QuarantineRow) {
	t.Helper()
	status, out := r.run(t, "quarantine", "list", "--format", "json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != len(rows) {
		t.Fatalf("quarantine list: status %d, %d lines, want %d: %.2000s", status, len(lines), len(rows), out)
	}
	for i, line := range lines {
		var shown struct {
			ID     int64
			Bytes  int
			Reason string
		}
		if err := json.Unmarshal([]byte(line), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.ID != rows[i].ID || shown.Bytes != rows[i].Size || shown.Reason != rows[i].Reason {
			t.Errorf("line %d is %s, want %d %s", i+1, line, rows[i].ID, rows[i].Reason)
		}
		id := strconv.FormatInt(shown.ID, 10)
		if status, out := r.run(t, "quarantine", "show", id, "--raw"); status != 0 || out != rows[i].Body {
			t.Errorf("quarantine show --raw: status %d, %d bytes, want %d", status, len(out), len(rows[i].Body))
		}
		if status, out := r.run(t, "quarantine", "show", id); status != 0 || strings.Contains(out, "jane-") {
			t.Errorf("quarantine show: status %d: %.2000s", status, out)
		}
	}
}

// quarantined reads what is in quarantine, newest first.
func (r *rig) quarantined(t *testing.T) []ledger.QuarantineRow {
	t.Helper()
	reader := r.reader(t)
	defer reader.Close()
	rows, err := reader.Quarantined(t.Context(), ledger.QuarantineQuery{Bodies: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestQuarantineReplayCounts quarantines an event that is dated too far ahead, and tries it again when it no longer is.
func TestQuarantineReplayCounts(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	d := r.start(t)
	sent := r.sendTooEarly(t)
	eventually(t, "the event is counted", func() string {
		status, out := r.run(t, "quarantine", "replay", "--all")
		if status == 0 && strings.Contains(out, "1 counted") {
			return ""
		}
		return out
	})
	r.counts(t, map[string]int64{"soon/other/sent": sent})
	if rows := r.quarantined(t); len(rows) != 0 {
		t.Errorf("quarantine still holds %+v", rows)
	}
	d.stop(t)
}

// sendTooEarly sends an event that is dated a little too far ahead, so that quarantine holds it. On a busy machine it may be
// read so late that it is counted at once; then another is sent, dated further ahead. It returns how many were sent.
func (r *rig) sendTooEarly(t *testing.T) (sent int64) {
	t.Helper()
	for ahead := 4 * time.Second; ahead < 5*time.Minute; ahead *= 2 {
		sent++
		m := newMail("soon", int(sent))
		m.sentAt = time.Now().Add(10*time.Minute + ahead)
		r.send(t, m.sent(t))
		r.drained(t, events)
		switch rows := r.quarantined(t); len(rows) {
		case 0:
			r.counts(t, map[string]int64{"soon/other/sent": sent})
		case 1:
			return sent
		default:
			t.Fatalf("quarantine holds %+v, want the event", rows)
		}
	}
	t.Fatal("quarantine holds none of the events")
	return 0
}

// TestLargeBodies has many messages of SQS's largest size wait at once: half of them events, half poison.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	const n = 60
	for i := range n {
		m := newMail("large", i)
		event := m.event(t, "Send", "send", object{"padding": ""})
		padding := strings.Repeat("x", sqs.MaxMessageBytes-len(event))
		r.send(t, strings.Replace(event, `"padding":""`, `"padding":"`+padding+`"`, 1), strings.Repeat("y", sqs.MaxMessageBytes-i))
	}
	d := r.start(t)
	r.drained(t, events)
	r.counts(t, map[string]int64{"large/other/sent": n})
	eventually(t, "all poison is in quarantine", func() string { // what is shown of it is a second old
		if s := d.sources(t); s.Quarantine.Messages != n {
			return fmt.Sprintf("%d messages", s.Quarantine.Messages)
		}
		return ""
	})
	used := d.memory(t)
	t.Logf("the daemon used at most %d MB", used/megabyte)
	// Go collects garbage by the limit that the daemon sets itself: 676 MiB with default budgets.
	if limit := int64(760 * megabyte); used > limit {
		t.Errorf("the daemon used %d MB, more than %d", used/megabyte, limit/megabyte)
	}
	d.stop(t)
}

// TestHostileNames sends mail of campaigns with names that are meant to break something.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	names := []string{
		"", " ", "\x00\x01\x1b[31m\x7f", `"quoted" \ 'too'`, "</script><script>alert(1)</script>", "{{.}} ${x} %s %d",
		"(other)", "(none)", "../../etc/passwd", "a\nb\r\nc\td", "\u202egnp.exe", "\ufeffbom", strings.Repeat("n", 10_000),
		strings.Repeat("ü", 5_000), "'; DROP TABLE cohort; --", "e\u0301", "👩‍👩‍👧‍👧", "__proto__", "a,b=c", "NaN", `bad\ud800escape`,
	}
	var bodies []string
	for i, name := range names {
		m := newMail(name, i)
		bodies = append(bodies, m.sent(t))
	}
	// JSON may hold half of a surrogate pair, which is no character.
	m := newMail("SURROGATE", len(names))
	bodies = append(bodies, strings.Replace(m.sent(t), "SURROGATE", `x\ud800y`, 1))
	r.send(t, bodies...)
	d := r.start(t)
	r.drained(t, events)
	eventually(t, "all are counted", func() string {
		var n int64
		for _, row := range r.cohorts(t) {
			name := row.Cell.Campaign.Name
			if len(name) > 1024 || !utf8.ValidString(name) || name == "" || strings.ContainsAny(name, "\x00\n\x1b") {
				t.Errorf("a campaign is called %.200q", name)
			}
			n += row.N
		}
		if n != int64(len(bodies)) {
			return fmt.Sprint(n)
		}
		return ""
	})
	eventually(t, "the API shows all", func() string {
		var answer struct {
			Campaigns []struct {
				ID         string
				Recipients map[string]int64
			}
		}
		d.get(t, "/api/v1/campaigns?window=7d", &answer)
		var n int64
		for _, c := range answer.Campaigns {
			n += c.Recipients["sent"]
		}
		if n != int64(len(bodies)) {
			return fmt.Sprint(n)
		}
		return ""
	})
	d.shows(t, len(bodies), "mailvane_campaign_recipients_total", "outcome", "sent")
	if _, body := d.ask(t, http.MethodGet, "/api/v1/campaigns?window=7d"); strings.Contains(body, "<script>") {
		t.Error("the API's answer holds markup")
	}
	d.stop(t)
	if strings.ContainsAny(d.log.String(), "\x00\x1b") {
		t.Error("the log holds control characters")
	}
}
