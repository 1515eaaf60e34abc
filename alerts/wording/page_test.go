package wording

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// read reads a notification of testdata.
func read(t testing.TB, name string) *alerts.Notification {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/notifications", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var n alerts.Notification
	if err := json.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	return &n
}

func TestPages(t *testing.T) {
	for _, name := range []string{"opened", "worsened", "joined", "left", "closed", "daily"} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(NewPage(read(t, name))); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWords holds what single fields lead to.
func TestWords(t *testing.T) {
	fact := func(want string, change func(*alerts.Notification, *alerts.Member)) {
		t.Helper()
		n := read(t, "opened")
		change(n, &n.Members[0])
		p := NewPage(n)
		name, text, _ := strings.Cut(want, ": ")
		var got []string
		for _, f := range append(p.Alerts[0].Facts, p.Facts...) {
			if f.Name == name {
				got = append(got, f.Text)
			}
		}
		if strings.Join(got, "|") != text {
			t.Errorf("%s: %q, want %q", name, got, text)
		}
	}
	fact("Value: ", func(_ *alerts.Notification, m *alerts.Member) { m.Evidence.Known = false })
	fact("Value: 3h 5m", func(n *alerts.Notification, m *alerts.Member) {
		n.Signal, m.Evidence.Interval, m.Evidence.Value = alerts.QueueLag, false, 11100
	})
	fact("Value: ", func(n *alerts.Notification, _ *alerts.Member) { n.Signal = alerts.AccountSendingPaused })
	fact("Line: below 95 %", func(n *alerts.Notification, m *alerts.Member) {
		n.Signal, m.Evidence.Below, m.Evidence.Line = alerts.EventCoverage, true, 0.95
	})
	fact("Line: ", func(n *alerts.Notification, _ *alerts.Member) { n.Signal = alerts.AccountSendingPaused })
	fact("Over: the last 1h", func(n *alerts.Notification, m *alerts.Member) {
		n.Signal, m.Evidence.Window = alerts.ReceiptFailures, "1h"
	})
	fact("Speaks of: 31 % of deliveries: other providers report no complaints", func(_ *alerts.Notification, m *alerts.Member) {
		m.Evidence.MeasuredShare = 0.31
	})
	fact("Sent lately: nothing in the last 15 minutes", func(_ *alerts.Notification, m *alerts.Member) {
		m.Detail = &alerts.Detail{SentLately: new(int64)}
	})
	fact("Where the line is from: docs/counting.md", func(n *alerts.Notification, _ *alerts.Member) { n.Document = "docs/counting.md" })
	fact("Runbook: ask Ada", func(n *alerts.Notification, _ *alerts.Member) { n.Runbook = "ask\nAda" })
}

// TestLinks holds that only addresses for browsers become links, each once.
func TestLinks(t *testing.T) {
	n := &alerts.Notification{Runbook: "https://example.com/run", Document: "javascript:alert(1)"}
	for _, u := range []string{
		"https://example.com/run", "http://127.0.0.1:9464/?a=1&b=2", "javascript:alert(1)", "data:text/html,x", "//example.com", "ftp://example.com",
		"https://", "https://user:password@example.com", "https://example.com/a|b>", "https://example.com/" + strings.Repeat("a", maxURL), "\x00", "",
	} {
		n.Links = append(n.Links, alerts.Link{Text: "a\nb", URL: u})
	}
	n.Links[1].Text = ""
	want := []alerts.Link{
		{Text: "a b", URL: "https://example.com/run"}, {Text: "http://127.0.0.1:9464/?a=1&b=2", URL: "http://127.0.0.1:9464/?a=1&b=2"},
	}
	if diff := cmp.Diff(want, NewPage(n).Links); diff != "" {
		t.Error(diff)
	}
}

// hostile puts a name from outside wherever one can stand.
func hostile(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			hostile(v.Elem(), name)
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() {
				hostile(f, name)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			hostile(v.Index(i), name)
		}
	case reflect.String:
		v.SetString(name)
	}
}

// TestHostile holds that all texts but the description are on one line and can be seen, whatever stands in a notification.
func TestHostile(t *testing.T) {
	for _, file := range []string{"joined", "left", "closed", "daily"} {
		for _, name := range []string{"a\r\nb", "\x00\x1b[31m", "\u202e\u2028\u200b", "\xff\xfe", strings.Repeat("ж\n", 2000), ""} {
			n := read(t, file)
			hostile(reflect.ValueOf(n).Elem(), name)
			p := NewPage(n)
			description := strings.Split(p.Description, "\n")
			p.Description = ""
			texts := append(textsOf(reflect.ValueOf(p).Elem()), description...)
			for _, text := range append(texts, Topic(n)) {
				if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%q cannot be shown", text)
				}
			}
		}
	}
}

// textsOf are all strings of a value.
func textsOf(v reflect.Value) (all []string) {
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range v.Fields() {
			all = append(all, textsOf(f)...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, textsOf(v.Index(i))...)
		}
	case reflect.String:
		all = []string{v.String()}
	}
	return all
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := Count(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
	if got := span(-time.Hour); got != "0s" {
		t.Errorf("a negative time is %s", got)
	}
}
