package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

const silenceBody = `{"matchers": ["campaign=promo-*", {"name": "provider", "globs": ["gmail", "yahoo"], "not": true}],
	"duration": "1d2h", "created_by": " ann ", "comment": "the list is cleaned"}`

// TestSilenceFromBirthToEnd adds a silence, finds it, ends it, and finds it among those that have ended.
func TestSilenceFromBirthToEnd(t *testing.T) {
	o := newOffice(t)
	body := o.add(201, silenceBody)
	want := Silence{
		ID: "silence1", Matchers: []alerts.Matcher{{Name: "campaign", Globs: []string{"promo-*"}}, {Name: "provider", Globs: []string{"gmail", "yahoo"}, Not: true}},
		StartsAt: noon, EndsAt: noon.Add(26 * time.Hour), CreatedBy: "ann", Comment: "the list is cleaned", State: SilenceActive,
	}
	if diff := cmp.Diff(want, decode[Silence](o, body)); diff != "" {
		t.Error(diff)
	}
	later := o.add(201, `{"matchers": ["rule=Lag"], "starts_at": "2026-11-21T00:00:00+01:00", "ends_at": "2026-11-21T04:00:00Z", "created_by": "bob", "comment": "maintenance"}`)
	if s := decode[Silence](o, later); s.State != SilencePending || !s.StartsAt.Equal(noon.Add(11*time.Hour)) {
		t.Errorf("told as %+v", s)
	}
	list := func(query string) (all []string) {
		answer := decode[SilenceList](o, o.ask(200, "/api/v1/silences"+query))
		for _, s := range answer.Silences {
			all = append(all, s.ID+" "+string(s.State))
		}
		return append(all, fmt.Sprint(answer.Total))
	}
	f := func(query string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, list(query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	f("", "silence2 pending", "silence1 active", "2")
	f("?limit=1", "silence2 pending", "2")
	ended := decode[Silence](o, o.do(200, http.MethodDelete, "/api/v1/silences/silence1", "", nil))
	if ended.State != SilenceEnded || !ended.EndsAt.Equal(noon) {
		t.Errorf("ended as %+v", ended)
	}
	f("", "silence2 pending", "1")
	f("?all=true", "silence2 pending", "silence1 ended", "2")
	if got := o.refused(o.do(409, http.MethodDelete, "/api/v1/silences/silence1", "", nil)); got != "the silence has ended already, at 2026-11-20T12:00:00Z" {
		t.Errorf("ended twice: %s", got)
	}
	o.do(404, http.MethodDelete, "/api/v1/silences/another", "", nil)
	o.do(404, http.MethodDelete, "/api/v1/silences/"+strings.Repeat("x", 5000), "", nil)
	o.do(400, http.MethodDelete, "/api/v1/silences/silence2?now=true", "", nil)
	o.ask(400, "/api/v1/silences?all=perhaps")
}

// TestSilencesTellWhatTheyCover holds that who adds a silence learns at once whether it fits anything.
func TestSilencesTellWhatTheyCover(t *testing.T) {
	o := newOffice(t)
	o.trouble()
	f := func(matcher string, want int) {
		t.Helper()
		s := decode[Silence](o, o.add(201, `{"matchers": ["`+matcher+`"], "duration": "1h", "created_by": "ann", "comment": "a test"}`))
		if s.Alerts != want {
			t.Errorf("%s covers %d alerts, want %d", matcher, s.Alerts, want)
		}
	}
	f("team=lifecycle", 3)
	f("severity=warning", 1)
	f("campain=*", 0)
	f("source=*", 0) // it is pending
	o.round(30 * time.Second)
	counts := make(map[string]int)
	for _, s := range decode[SilenceList](o, o.ask(200, "/api/v1/silences")).Silences {
		counts[s.Matchers[0].String()] = s.Alerts
	}
	want := map[string]int{"campaign=promo-*": 0, "team=lifecycle": 3, "severity=warning": 1, "campain=*": 0, "source=*": 0}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
}

func TestSilencesThatAreRefused(t *testing.T) {
	o := newOffice(t)
	good := func(change map[string]any) string {
		fields := map[string]any{"matchers": []any{"rule=Lag"}, "duration": "1h", "created_by": "ann", "comment": "why"}
		for name, value := range change {
			if fields[name] = value; value == nil {
				delete(fields, name)
			}
		}
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	o.add(201, good(nil))
	many := make([]any, 21)
	for i := range many {
		many[i] = "rule=Lag"
	}
	for _, c := range []struct{ body, want string }{
		{good(map[string]any{"comment": nil, "created_by": "  ", "duration": nil}), "ends_at: give either this or duration; created_by: must say who wants it; comment: must say why"},
		{good(map[string]any{"ends_at": "2026-11-21T00:00:00Z"}), "ends_at: give either this or duration"},
		{good(map[string]any{"duration": "forever"}), `duration: "forever" is not a length of time such as 2h, 1h30m or 7d`},
		{good(map[string]any{"duration": 3600}), "duration: cannot be a JSON number"},
		{good(map[string]any{"duration": "366d"}), "ends_at: must be within a year"},
		{good(map[string]any{"duration": nil, "ends_at": "tomorrow"}), "ends_at: must be a time such as 2026-11-20T08:00:00Z"},
		{good(map[string]any{"duration": nil, "ends_at": "2026-11-20T11:59:59Z"}), "ends_at: must be after the start"},
		{good(map[string]any{"starts_at": "2026-11-19T00:00:00Z"}), "ends_at: is in the past"},
		{good(map[string]any{"matchers": nil}), "matchers: must not be empty: that would silence everything"},
		{good(map[string]any{"matchers": many}), "matchers: must not be more than 20"},
		{good(map[string]any{"matchers": []any{"rule=Lag", "lag"}}), `matchers[1]: "lag" is not of the form label=value or label!=value`},
		{good(map[string]any{"matchers": []any{"not a label=x"}}), `matchers[0]: "not a label" is not the name of a label`},
		{good(map[string]any{"matchers": []any{7}}), `matchers[0]: must be a text such as "campaign=promo-*", or an object with name, globs and not`},
		{good(map[string]any{"matchers": []any{map[string]any{"name": "rule", "value": "Lag"}}}), `matchers[0]: there is no field "value" here`},
		{good(map[string]any{"matchers": []any{map[string]any{"name": "rule"}}}), "matchers: rule needs one to 20 values"},
		{good(map[string]any{"matchers": []any{map[string]any{"name": "rule", "globs": "Lag"}}}), "matchers[0]: globs: cannot be a JSON string"},
		{good(map[string]any{"matchers": "rule=Lag"}), "matchers: cannot be a JSON string"},
		{good(map[string]any{"created_by": "a\nb"}), "created_by: must be one line of at most 256 bytes"},
		{good(map[string]any{"comment": strings.Repeat("x", 1001)}), "comment: must say why, in at most 1000 bytes"},
		{good(map[string]any{"id": "mine"}), `there is no field "id" here`},
		{good(nil) + good(nil), "the body must hold one JSON object and nothing after it"},
		{"[]", "must be an object, not a JSON array"},
		{"", "the body is not JSON"},
		{"\xff\x00", "the body is not JSON"},
		{strings.Repeat("[", 60_000), "the body is not JSON"},
		{"[[]]", "must be an object, not a JSON array"},
		{`{"matchers": ` + strings.Repeat("[", 60_000), "the body is not JSON"},
	} {
		if got := o.refused(o.add(400, c.body)); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%.100s: %s, want %s", c.body, got, c.want)
		}
	}
	o.add(413, good(map[string]any{"comment": strings.Repeat("x", 70_000)}))
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"} {
		if got := o.refused(o.do(415, http.MethodPost, "/api/v1/silences", good(nil), map[string]string{"Content-Type": kind})); got != "Content-Type must be application/json" {
			t.Errorf("%s: %s", kind, got)
		}
	}
	o.do(201, http.MethodPost, "/api/v1/silences", good(nil), map[string]string{"Content-Type": "application/json; charset=utf-8"})
	if list := decode[SilenceList](o, o.ask(200, "/api/v1/silences?all=true")); list.Total != 2 {
		t.Errorf("%d silences are there", list.Total)
	}
}

func TestOneSilenceTooMany(t *testing.T) {
	o := newOffice(t)
	added := decode[Silence](o, o.add(201, silenceBody))
	for i := range alerts.MaxSilences - 1 {
		one := alerts.Silence{
			ID: fmt.Sprint(i), Matchers: added.Matchers, StartsAt: noon, EndsAt: noon.Add(time.Hour), CreatedBy: "ann", Comment: "one of many",
		}
		body, err := one.Encode()
		if err == nil {
			err = o.ledger.PutSilence(t.Context(), ledger.Silence{ID: one.ID, EndsAt: one.EndsAt, Body: string(body)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := o.refused(o.add(409, silenceBody)); !strings.Contains(got, "there are 1000 already") {
		t.Error(got)
	}
	o.do(200, http.MethodDelete, "/api/v1/silences/silence1", "", nil)
	o.add(201, silenceBody)
}

// TestNothingChangesForAnotherSite holds that a browser changes nothing on behalf of another site, and a program does.
func TestNothingChangesForAnotherSite(t *testing.T) {
	o := newOffice(t)
	added := decode[Silence](o, o.add(201, silenceBody))
	for _, headers := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.com"}, {"Origin": "null"},
	} {
		headers["Content-Type"] = "application/json"
		o.do(403, http.MethodPost, "/api/v1/silences", silenceBody, headers)
		o.do(403, http.MethodDelete, "/api/v1/silences/"+added.ID, "", headers)
		o.do(403, http.MethodPost, "/-/reload", "", headers)
		o.do(200, http.MethodGet, "/api/v1/silences", "", headers)
	}
	if list := decode[SilenceList](o, o.ask(200, "/api/v1/silences")); list.Total != 1 {
		t.Errorf("%d silences", list.Total)
	}
	own := map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", "Origin": o.url}
	o.do(201, http.MethodPost, "/api/v1/silences", silenceBody, own)
}

func TestReadOnly(t *testing.T) {
	o := newOffice(t)
	added := decode[Silence](o, o.add(201, silenceBody))
	o.options.ReadOnly = true
	o.serve()
	for target, method := range map[string]string{
		"/api/v1/silences": http.MethodPost, "/api/v1/silences/" + added.ID: http.MethodDelete, "/-/reload": http.MethodPost,
	} {
		got := o.refused(o.do(403, method, target, silenceBody, map[string]string{"Content-Type": "application/json"}))
		if !strings.Contains(got, "http.read_only") {
			t.Errorf("%s: %s", target, got)
		}
	}
	if list := decode[SilenceList](o, o.ask(200, "/api/v1/silences")); list.Total != 1 {
		t.Errorf("%d silences", list.Total)
	}
	o.ask(200, "/api/v1/alerts")
}
