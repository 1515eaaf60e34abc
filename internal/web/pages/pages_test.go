package pages

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// everyPage lists the addresses of the site's pages.
func everyPage() []string {
	return []string{
		"/", "/?window=24h&sort=hard_bounce_rate&match=b&tenant=acme&provider=microsoft&page=1", "/campaigns/bought-list",
		"/campaigns/blocked?tenant=acme&window=24h&range=24h&show=all", campaignURL("", scriptName, signal.Week),
		campaignURL("", formulaName, signal.Day), campaignURL(tenantName, pathName, signal.Week), "/providers", "/providers?window=1h&sort=name",
		"/gmail", "/gmail?domain=example.com", "/inbound", "/sources", "/alerts", "/alerts?state=muted", "/alerts/a1", "/alerts/a2",
		"/quarantine/7", "/quarantine/8",
	}
}

// TestPagesAreSafe holds every page against its policy: it loads only what the policy allows, and no name becomes markup.
func TestPagesAreSafe(t *testing.T) {
	s := newSite(t, story(), false)
	inline := regexp.MustCompile(`(?i)<script>|<script [^>]*>[^<]|<style|\sstyle=|\son\w+=|javascript:`)
	quoted := regexp.MustCompile(`"[^"]*"`)
	for _, path := range everyPage() {
		answer, body := s.get(t, path)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %s %s", path, answer.Status, answer.Header.Get("Content-Type"))
		}
		csp := answer.Header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, directive) {
				t.Errorf("%s: the policy %q lacks %s", path, csp, directive)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy is %q", path, csp)
		}
		if wrong := unbalanced(body); wrong != "" {
			t.Errorf("%s: %s", path, wrong)
		}
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(body, -1) {
			if !strings.HasPrefix(tag, "<script src=") && inline.MatchString(quoted.ReplaceAllString(tag, `""`)) {
				t.Errorf("%s: %s", path, tag)
			}
		}
		if len(body) > 200_000 {
			t.Errorf("%s has %d bytes, more than 200 kB", path, len(body))
		}
		if strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: a template shows something where it cannot", path)
		}
	}
	_, body := s.get(t, "/")
	if !strings.Contains(body, html.EscapeString(`<script>alert(`)) {
		t.Error("the campaign with a script as its name is not shown")
	}
}

// unbalanced names an element that is not closed where it should be. Templates close all but the void ones.
func unbalanced(page string) string {
	void := []string{"meta", "link", "input", "img", "br", "hr"}
	var open []string
	for _, m := range regexp.MustCompile(`<(/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>`).FindAllStringSubmatch(page, -1) {
		last := len(open) - 1
		switch {
		case slices.Contains(void, m[2]) || strings.HasSuffix(m[3], "/"):
		case m[1] == "":
			open = append(open, m[2])
		case last < 0 || open[last] != m[2]:
			return fmt.Sprintf("</%s> closes nothing, of %v", m[2], open)
		default:
			open = open[:last]
		}
	}
	if len(open) > 0 {
		return fmt.Sprintf("not closed: %v", open)
	}
	return ""
}

// TestLinksResolve follows every link of every page.
func TestLinksResolve(t *testing.T) {
	s := newSite(t, story(), false)
	links := regexp.MustCompile(`(?:href|src|action|data-chart)="(/[^"]*)"`)
	seen := map[string]bool{"/metrics": true} // switched off here
	todo := everyPage()
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		bare, _, _ := strings.Cut(path, "#")
		if seen[bare] || len(seen) > 2000 {
			continue
		}
		seen[bare] = true
		if strings.HasPrefix(bare, "/silences") || bare == "/quarantine/replay" || strings.HasPrefix(bare, "/api/v1/alerts") || strings.HasPrefix(bare, "/api/v1/silences") {
			continue // forms, and answers that the test's site has not
		}
		answer, body := s.get(t, bare)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s: %.200s", bare, answer.Status, body)
			continue
		}
		if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") && len(seen) < 400 {
			for _, m := range links.FindAllStringSubmatch(body, -1) {
				todo = append(todo, html.UnescapeString(m[1]))
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

// rowOf is the text of the table row that begins with a name.
func rowOf(t *testing.T, body, name string) string {
	t.Helper()
	for _, r := range strings.Split(body, "<tr")[1:] {
		if strings.Contains(r, ">"+html.EscapeString(name)+"</a>") {
			text := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(r[strings.Index(r, ">")+1:], " ")
			return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
		}
	}
	t.Fatalf("no row of %s", name)
	return ""
}

// TestNotKnownIsNotZero: what nobody reports has the word of its state, and what was measured as none is a zero.
func TestNotKnownIsNotZero(t *testing.T) {
	s := newSite(t, story(), false)
	_, body := s.get(t, "/")
	row := rowOf(t, body, "only-at-gmail")
	if !strings.Contains(row, "not reported None of this mail went where anybody reports this.") {
		t.Errorf("complaints nobody reports: %s", row)
	}
	if !strings.Contains(row, "0 % 0 bounced hard of 3,000 attempted.") {
		t.Errorf("no hard bounce of 3,000: %s", row)
	}
	if !strings.Contains(row, "no data") { // of Gmail, that was never asked
		t.Errorf("Gmail: %s", row)
	}
	for path, want := range map[string]string{
		"/campaigns/only-at-gmail":   ",3000,3000,0,0,,0,0,0", // nobody reports complaints of Gmail's
		"/campaigns/annoying":        ",5000,5000,0,0,60,0,0,0",
		"/campaigns/only-deliveries": ",,50,0,0,0,0,0,0", // Send events are not published
	} {
		_, body := s.get(t, path+"?format=csv&table=timeline")
		if lines := strings.Split(body, "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], want) {
			t.Errorf("the timeline of %s is %q, want %s", path, lines, want)
		}
	}
	const clear, unknown = "Nothing about this campaign is beyond a line.", "Nothing is known of the last 7 days by which"
	for path, want := range map[string]string{"/campaigns/only-at-gmail": clear, "/campaigns/long-ago": unknown} {
		if _, body := s.get(t, path); !strings.Contains(body, want) || strings.Contains(body, clear) && strings.Contains(body, unknown) {
			t.Errorf("%s does not say %q alone", path, want)
		}
	}
	_, body = s.get(t, "/?window=1h")
	if strings.Contains(body, "only-at-gmail</a>") {
		t.Error("a campaign without mail in the window is listed")
	}
}

// TestAttention: a newcomer reads what is wrong, where and why.
func TestAttention(t *testing.T) {
	s := newSite(t, story(), false)
	_, body := s.get(t, "/")
	text := html.UnescapeString(regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(body, " "))
	text = strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"10 % of its mail of the last 7 days bounced hard: 400 of 4,000 attempted",
		"All at Gmail, 10 % of its mail there.",
		"20 % of its mail of the last 24 hours was refused for what it is or who sent it: 800 of 4,000 attempted.",
		"All at Microsoft (Outlook.com), 40 % of its mail there.",
		"1.2 % of its mail of the last 7 days is reported as spam: 60 of 5,000 delivered where complaints are told (line: 0.3 %).",
		"Alert: CampaignBlockRate",
		"It could not be read: auth.", "Alert: SourceFailing",
		// Alerts about what no finding is about make one themselves, and those about one thing make one together.
		"Critical Yahoo Mail provider Users of yahoo report mail. Yahoo refuses mail. Alerts: ProviderComplaintRate , ProviderBlockRate",
		"Warning only-deliveries campaign Mail of campaign only-deliveries is late.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the overview does not say %q", want)
		}
	}
	for _, leads := range []string{`<a href="/?provider=yahoo#campaigns">Yahoo Mail</a>`, `<a href="/campaigns/only-deliveries">only-deliveries</a>`} {
		if !strings.Contains(body, leads) {
			t.Errorf("the overview has no %s", leads)
		}
	}
	_, page := s.get(t, "/campaigns/only-deliveries")
	if !strings.Contains(page, "Mail of campaign only-deliveries is late.") || strings.Contains(page, "Nothing about this campaign is beyond a line") {
		t.Error("a campaign that only an alert is about is called fine")
	}
	if strings.Index(text, "blocked acme campaign") > strings.Index(text, "only-at-gmail") {
		t.Error("what is blocked does not come before the table")
	}
}

// TestExplain: the page of an alert says how its figure stands against each line, and what is missing.
func TestExplain(t *testing.T) {
	s := newSite(t, story(), false)
	_, body := s.get(t, "/alerts/a1")
	text := strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`</?[a-z][^>]*>`).ReplaceAllString(body, " "))), " ")
	for _, want := range []string{
		"Warning above 2 % fires 20 % (800 of 4000), surely at least 18 %; crossed; fires.", "Critical above 5 % ",
		"; 7 more of the same mail would cross it. As mailvane rules explain CampaignBlockRate says it",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the alert does not say %q:\n%s", want, text)
		}
	}
}

func TestSortAndFilter(t *testing.T) {
	s := newSite(t, story(), false)
	first := regexp.MustCompile(`<th scope="row"><a href="[^"]*">([^<]*)<`)
	for query, want := range map[string]string{
		"?sort=hard_bounce_rate": "bought-list", "?sort=complaint_rate": "annoying", "?sort=block_rate": "blocked", "?tenant=acme": "blocked",
		"?match=only-*": "only-at-gmail", "?match=gmail": "only-at-gmail", "?provider=microsoft": "blocked", "?sort=sent&limit=1&page=2": "blocked",
	} {
		_, body := s.get(t, "/"+query)
		_, body, _ = strings.Cut(body, `id="table-campaigns"`)
		m := first.FindStringSubmatch(strings.ReplaceAll(body, `<span class="val">`, ""))
		if m == nil || m[1] != want {
			t.Errorf("%s: the first is %q, want %s", query, m, want)
		}
	}
}

func TestWrongAddresses(t *testing.T) {
	s := newSite(t, story(), false)
	for path, want := range map[string]int{
		"/campaigns/nobody": http.StatusNotFound, "/alerts/nothing": http.StatusNotFound, "/quarantine/9": http.StatusNotFound, "/quarantine/x": http.StatusNotFound, "/nowhere": http.StatusNotFound,
		"/?window=3h": http.StatusBadRequest, "/?sort=luck": http.StatusBadRequest, "/?page=0": http.StatusBadRequest,
		"/?format=xml": http.StatusBadRequest, "/sources?format=csv&table=none": http.StatusBadRequest,
		"/campaigns/blocked?tenant=acme&range=1y": http.StatusBadRequest, "/assets/old/style.css": http.StatusNotFound,
		"/providers?sort=gmail_spam_rate": http.StatusBadRequest, "/inbound?sort=luck": http.StatusBadRequest,
	} {
		answer, body := s.get(t, path)
		if answer.StatusCode != want {
			t.Errorf("%s answers %s, want %d", path, answer.Status, want)
		}
		if isPage := !strings.HasPrefix(path, "/assets/"); isPage && !strings.Contains(body, "To the overview") {
			t.Errorf("%s leaves its reader alone", path)
		}
	}
	for path, want := range map[string]string{"/campaigns": "/#campaigns", "/quarantine": "/sources#quarantine", "/silences": "/alerts#silences"} {
		if answer, _ := s.get(t, path); answer.Header.Get("Location") != want {
			t.Errorf("%s leads to %q, not to %s", path, answer.Header.Get("Location"), want)
		}
	}
}

// TestCSV: no cell of a table can become a formula, and what is not known is empty.
func TestCSV(t *testing.T) {
	s := newSite(t, story(), false)
	answer, body := s.get(t, "/?format=csv&sort=name")
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="mailvane-campaigns.csv"` {
		t.Errorf("Content-Disposition is %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(r []string, name string) string { return r[slices.Index(rows[0], name)] }
	var names []string
	for _, r := range rows[1:] {
		names = append(names, column(r, "campaign"))
		if column(r, "campaign") == "only-at-gmail" {
			got := []string{column(r, "sent"), column(r, "hard_bounce_rate"), column(r, "complaint_rate"), column(r, "complaint_rate_state"), column(r, "gmail_spam_rate")}
			if diff := cmp.Diff([]string{"3000", "0", "", "not_reported", ""}, got); diff != "" {
				t.Errorf("only-at-gmail (-want +got):\n%s", diff)
			}
		}
	}
	want := []string{scriptName, "'" + formulaName, pathName, "annoying", "blocked", "bought-list", "only-at-gmail", "only-deliveries"}
	slices.Sort(want)
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, text := range []string{"+1", "-1", "@x", "\tx", " =x", "＝x", " ＠x"} {
		if got := field(text); got != "'"+text {
			t.Errorf("field(%q) is %q", text, got)
		}
	}
	for _, text := range []string{"x=1", ""} {
		if got := field(text); got != text {
			t.Errorf("field(%q) is %q", text, got)
		}
	}
}

// TestTablesAreFiles: every table of every page is there as CSV, with as many columns as values.
func TestTablesAreFiles(t *testing.T) {
	s := newSite(t, story(), false)
	tables := regexp.MustCompile(`<table class="grid" data-live="([^"]*)"`)
	for _, path := range everyPage() {
		_, body := s.get(t, path)
		found := tables.FindAllStringSubmatch(body, -1)
		if links := strings.Count(body, "format=csv"); links < len(found) {
			t.Errorf("%s has %d tables and only %d links to their CSV", path, len(found), links)
		}
		for _, m := range found {
			join := "?"
			if strings.Contains(path, "?") {
				join = "&"
			}
			answer, file := s.get(t, path+join+"format=csv&table="+m[1])
			if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/csv") {
				t.Errorf("%s: the table %s answers %s", path, m[1], answer.Status)
			} else if rows, err := csv.NewReader(strings.NewReader(file)).ReadAll(); err != nil || len(rows) < 2 || len(rows[0]) < 2 {
				t.Errorf("%s: the table %s is %q, %v", path, m[1], file, err)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	s := newSite(t, story(), false)
	_, body := s.get(t, "/")
	style := regexp.MustCompile(`/assets/[^/]*/style.css`).FindString(body)
	answer, _ := s.get(t, style)
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") ||
		answer.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %s %v", style, answer.Status, answer.Header)
	}
	for _, file := range []string{"uplot/LICENSE", "uplot/uPlot.iife.min.js"} {
		if answer, _ := s.get(t, strings.Replace(style, "style.css", file, 1)); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", file, answer.Status)
		}
	}
}

func TestSilences(t *testing.T) {
	s := newSite(t, story(), false)
	form := url.Values{"matchers": {"rule=CampaignBlockRate\ncampaign=blocked\n\n"}, "duration": {"4h"}, "created_by": {" ann "}, "comment": {"looked at"}}
	if answer, _ := s.post(t, "/silences", form.Encode(), "cross-site"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("another site may silence: %s", answer.Status)
	}
	answer, body := s.post(t, "/silences", form.Encode(), "same-origin")
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/alerts#silences" {
		t.Fatalf("%s: %s", answer.Status, body)
	}
	var matchers []alerts.Matcher
	for _, text := range []string{"rule=CampaignBlockRate", "campaign=blocked"} {
		m, err := alerts.ParseMatcher(text)
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	want := []alerts.Silence{{Matchers: matchers, StartsAt: noon, EndsAt: noon.Add(4 * time.Hour), CreatedBy: "ann", Comment: "looked at"}}
	if diff := cmp.Diff(want, s.book.added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	answer, body = s.post(t, "/silences", "matchers=nonsense&duration=soon", "same-origin")
	if answer.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Say why") {
		t.Errorf("%s: %s", answer.Status, body)
	}
	if answer, _ := s.post(t, "/silences/s1/end", "", "same-origin"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("end: %s", answer.Status)
	}
	if answer, _ := s.post(t, "/silences/s9/end", "", "same-origin"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("end of nothing: %s", answer.Status)
	}
	if diff := cmp.Diff([]string{"s1"}, s.book.ended); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}

// TestReadOnly: there is no form, and a request that forges one is refused.
func TestReadOnly(t *testing.T) {
	s := newSite(t, story(), true)
	for _, path := range []string{"/alerts", "/alerts/a1", "/sources", "/quarantine/7"} {
		if _, body := s.get(t, path); strings.Contains(body, `method="post"`) {
			t.Errorf("%s has a form", path)
		}
	}
	if answer, _ := s.post(t, "/silences/s1/end", "", "same-origin"); answer.StatusCode != http.StatusForbidden || len(s.book.ended) > 0 {
		t.Errorf("%s, ended %v", answer.Status, s.book.ended)
	}
	if answer, _ := s.post(t, "/quarantine/replay", "id=7", "same-origin"); answer.StatusCode != http.StatusForbidden || len(s.shelf.asked) > 0 {
		t.Errorf("%s, replayed %v", answer.Status, s.shelf.asked)
	}
}

func TestQuarantine(t *testing.T) {
	s := newSite(t, story(), false)
	_, body := s.get(t, "/quarantine/8")
	if !strings.Contains(body, "This is its beginning") || strings.Contains(body, "\uFFFD") {
		t.Error("a long message is not cut as it should be")
	}
	if answer, _ := s.post(t, "/quarantine/replay", "id=7", "cross-site"); answer.StatusCode != http.StatusForbidden || len(s.shelf.asked) > 0 {
		t.Errorf("another site may replay: %s %v", answer.Status, s.shelf.asked)
	}
	for _, c := range []struct {
		form   string
		status int
		says   string
	}{
		{"id=7", http.StatusOK, "The message is understood now, and has left quarantine.</p>\n<p>Recipients: 2 counted, 1 known already."},
		{"reason=unknown_type", http.StatusOK, "The message is still not understood, and stays in quarantine."},
		{"reason=unknown_type", http.StatusOK, html.EscapeString(scriptName)},
		{"id=9", http.StatusNotFound, "not in quarantine"},
		{"", http.StatusBadRequest, "Say which messages"}, {"id=7&reason=not_json", http.StatusBadRequest, "Say which messages"},
		{"id=-7", http.StatusBadRequest, "must be a number"},
	} {
		if answer, body := s.post(t, "/quarantine/replay", c.form, "same-origin"); answer.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%q answers %s without %q:\n%s", c.form, answer.Status, c.says, body)
		}
	}
	want := []replay.Selection{{IDs: []int64{7}}, {Reason: "unknown_type"}, {Reason: "unknown_type"}, {IDs: []int64{9}}}
	if diff := cmp.Diff(want, s.shelf.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

// TestPrefix: behind a proxy that shows the pages below a path, every address of theirs begins with it, and no text changes.
func TestPrefix(t *testing.T) {
	s := newSite(t, story(), false)
	plain := regexp.MustCompile(`(?:href|src|action|data-chart)="(/[^"]*)"`)
	for _, path := range everyPage() {
		s.pages.Prefix = ""
		_, before := s.get(t, path)
		s.pages.Prefix = "/mail/vane"
		_, after := s.get(t, path)
		found := plain.FindAllStringSubmatch(after, -1)
		for _, m := range found {
			if !strings.HasPrefix(m[1], "/mail/vane/") || strings.HasPrefix(m[1], "/mail/vane/mail") {
				t.Errorf("%s leads to %s", path, m[1])
			}
		}
		if len(found) < 10 || strings.ReplaceAll(after, `"/mail/vane/`, `"/`) != before {
			t.Errorf("%s is another page behind the proxy", path)
		}
	}
	answer, _ := s.post(t, "/silences/s1/end", "", "same-origin")
	if to := answer.Header.Get("Location"); to != "/mail/vane/alerts#silences" {
		t.Errorf("after a silence the browser is led to %s", to)
	}
	mux := http.NewServeMux()
	s.pages.Register(mux)
	for path, want := range map[string]int{"/providers": 200, "/mail/vane/providers": 200, "/mail/vane/": 200, "/mail/providers": 404} {
		w := httptest.NewRecorder()
		if mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)); w.Code != want {
			t.Errorf("%s answers %d, want %d", path, w.Code, want)
		}
	}
}

func TestReplayWords(t *testing.T) {
	for _, c := range []struct {
		sum  replay.Summary
		want []string
	}{
		{replay.Summary{}, []string{"There was no such message in quarantine any more."}},
		{replay.Summary{Values: 1200, Unreadable: 1200}, []string{"None of the 1,200 messages is understood yet; they stay in quarantine."}},
		{replay.Summary{Values: 3, Unreadable: 1, Counted: 1, Held: 2, Refused: 3},
			[]string{"2 of 3 messages are understood now, and have left quarantine.", "Recipients: 1 counted, 2 held until a tagged copy comes, 3 refused."}},
		{replay.Summary{Values: 2, Setup: 2}, []string{"All 2 messages are understood now, and have left quarantine.", "There was nothing in them to count."}},
	} {
		if diff := cmp.Diff(c.want, replayWords(&c.sum)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.sum, diff)
		}
	}
}

func TestWords(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0", 1: "100", 0.0074178: "0.74", 0.001: "0.10", 0.0005: "0.050", 0.00004: "<0.01", 0.0801: "8.01", 0.05: "5", 0.982665: "98.3", 0.4: "40",
	} {
		if got := percent(share); got != want+"\u00a0%" {
			t.Errorf("percent(%v) is %q, want %q", share, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 seconds", time.Second: "1 second", time.Hour: "60 minutes", 24 * time.Hour: "24 hours", 240 * time.Hour: "10 days"} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) is %q, want %q", d, got, want)
		}
	}
	for s := signal.OK; s <= signal.Error; s++ {
		if s != signal.OK && stateMeaning(s, signal.ComplaintRate.Definition()) == "" {
			t.Errorf("state %v has no meaning for people", s)
		}
	}
}

// TestTimed: times in sentences can be shown in the reader's zone, and nothing in a sentence becomes markup.
func TestTimed(t *testing.T) {
	for text, want := range map[string]string{
		"no mail since 2026-11-20 21:55 UTC. <b>": `no mail since <time datetime="2026-11-20T21:55:00Z">2026-11-20 21:55 UTC</time>. &lt;b&gt;`,
		"2026-13-20 21:55 UTC":                    "2026-13-20 21:55 UTC", "": "",
	} {
		if got := string(timed(text)); got != want {
			t.Errorf("timed(%q) is %q, want %q", text, got, want)
		}
	}
}

// TestUpperBound: Gmail's complaints are marked as at most so many.
func TestUpperBound(t *testing.T) {
	rate, bound, age := 0.004, 12.55, 2
	c := gmailCell(&view.Gmail{Delivered: 3093, State: campaign.ReportOK, SpamRate: &rate, AgeDays: &age, Day: campaign.DayOf(noon, time.UTC),
		ComplaintsUpperBound: &bound, DaysReported: 1, DaysInWindow: 7})
	if c.Text != "0.40\u00a0%" || c.Level != critical || !slices.Contains(c.Notes, "≤\u00a013 complaints") || !strings.Contains(c.Tip, "at most 12.6 complaints on 1 reported of 7 days") {
		t.Errorf("%+v", c)
	}
	if c := gmailCell(&view.Gmail{Delivered: 10, State: campaign.ReportNotReported, DaysInWindow: 7}); !c.Unknown || c.Text != "not reported" {
		t.Errorf("%+v", c)
	}
}

// TestManyProviders: the page of providers stays small where mail goes to all that are known, and leads to the rest.
func TestManyProviders(t *testing.T) {
	r := &records{}
	const providers = 150
	for i := range providers {
		of := counts{observation.Sent: 20_000, observation.Delivered: 18_000, observation.HardBounced: 1500, observation.Delayed: 700}
		r.send("", "everywhere", fmt.Sprintf("provider-%03d", i), 3*time.Hour, of)
	}
	s := newSite(t, r, false)
	for path, want := range map[string]int{"/providers": providersAtOnce, "/providers?show=all": providers} {
		_, body := s.get(t, path)
		if got := strings.Count(body, ">provider-"); got < want || got >= want+reasonsOfAll+1 {
			t.Errorf("%s has %d providers, want %d", path, got, want)
		}
		if all := strings.Contains(body, `<a href="/providers?show=all">Show all 150 providers</a>`); all != (want < providers) {
			t.Errorf("%s leads to all of them: %v", path, all)
		}
		if want < providers && len(body) > 200_000 {
			t.Errorf("%s has %d bytes, more than 200 kB", path, len(body))
		}
	}
	if _, body := s.get(t, "/providers?format=csv"); strings.Count(body, "\n") != providers+1 {
		t.Errorf("the CSV has %d lines", strings.Count(body, "\n"))
	}
}

// TestPartlySent: more mail delivered than sent is explained.
func TestPartlySent(t *testing.T) {
	s := newSite(t, story(), false)
	const says = "Of part of it only the delivery is published, so more was sent."
	if _, body := s.get(t, "/"); strings.Contains(body, says) {
		t.Error("what is not so is said")
	}
	r := &records{}
	r.send("", "told", "yahoo", 3*time.Hour, counts{observation.Sent: 10, observation.Delivered: 10})
	r.send("", "half-told", "yahoo", 3*time.Hour, counts{observation.Delivered: 10})
	if _, body := newSite(t, r, false).get(t, "/"); !strings.Contains(body, "10 sent, 20 delivered, counted in recipients. "+says) {
		t.Error("20 of 10 are delivered, without a word")
	}
}

// BenchmarkOverview is the overview of ten thousand campaigns at ten providers each.
func BenchmarkOverview(b *testing.B) {
	s := newSite(b, crowd(10_000), false)
	for _, path := range []string{"/", "/?sort=complaint_rate&page=200", "/?match=campaign-77"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if answer, _ := s.get(b, path); answer.StatusCode != http.StatusOK {
					b.Fatal(answer.Status)
				}
			}
		})
	}
}
