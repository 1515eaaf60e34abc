package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds an output against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (run with -update when it is meant): -want +got\n%s", path, diff)
	}
}

func written(t *testing.T, r *report.Report, f report.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, report.Write(&b, r, f))
	return b.Bytes()
}

// TestStory looks at the reports about one sender.
func TestStory(t *testing.T) {
	w := story(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *world)
	}{{"every form", everyForm}, {"understood", understood}, {"owners", owners}, {"changes", changes}} {
		t.Run(c.name, func(t *testing.T) { c.test(t, w) })
	}
}

// everyForm reads a report in every form, and what is made of what was kept of it.
func everyForm(t *testing.T, w *world) {
	o := w.options(week(t, "2026-W46", "UTC"))
	r := w.build(o)
	kept, err := report.Parse(bytes.NewReader(written(t, r, report.FormatJSON)))
	check(t, err)
	for _, f := range report.Formats() {
		got := written(t, r, f)
		golden(t, "story."+string(f), got)
		if again := written(t, kept, f); !bytes.Equal(got, again) {
			t.Errorf("%s of what was kept differs: %s", f, cmp.Diff(string(got), string(again)))
		}
		if anew := written(t, w.build(o), f); !bytes.Equal(got, anew) {
			t.Errorf("%s of the same ledger differs the second time: %s", f, cmp.Diff(string(got), string(anew)))
		}
	}
	later := o
	later.Now = o.Now.AddDate(0, 1, 0)
	again := w.build(later)
	again.MadeAt = r.MadeAt
	if diff := cmp.Diff(string(written(t, r, report.FormatJSON)), string(written(t, again, report.FormatJSON))); diff != "" {
		t.Errorf("the same ledger gives another report a month later: %s", diff)
	}
	m, err := report.Mail(r)
	check(t, err)
	golden(t, "story.mail.txt", []byte(m.Subject+"\n\n"+m.Text))
	golden(t, "story.mail.html", []byte(m.HTML))
	for _, i := range m.Images {
		if !strings.Contains(m.HTML, `src="cid:`+i.CID+`"`) || !bytes.HasPrefix(i.PNG, []byte("\x89PNG")) {
			t.Errorf("the mail does not show its image %s", i.CID)
		}
	}
	if len(m.Images) != 3 || strings.Count(m.HTML, "cid:") != 3 {
		t.Errorf("%d images, want 3 that are shown", len(m.Images))
	}
}

// The report says what to stop and why, with the right figures.
func understood(t *testing.T, w *world) {
	r := w.build(w.options(week(t, "2026-W46", "UTC")))
	var got []string
	for _, a := range r.Actions {
		stop := ""
		if a.Stop {
			stop = " stop"
		}
		got = append(got, string(a.Level)+stop+" "+a.About+" "+a.Subject+" "+a.Signal)
	}
	want := []string{
		"urgent stop campaign promo complaint_rate", "urgent stop campaign bought-list hard_bounce_rate",
		"act campaign acme-news block_rate", "watch domain news.example.com ",
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("there is no action %q among\n%s", line, strings.Join(got, "\n"))
		}
	}
	for _, c := range r.Campaigns {
		switch c.ID {
		case "promo":
			if n := c.Recipients[observation.Complained]; n != 14 || len(c.Sends) != 1 || c.Sends[0].Name != "promo-20261111" {
				t.Errorf("promo has %d complaints in %d sends", n, len(c.Sends))
			}
			if v := c.Before.Compared["complaint_rate"].Verdict; v != signal.Higher {
				t.Errorf("promo's complaints are %q than before", v)
			}
			if len(c.GmailDays) != 1 || c.GmailDays[0].SpamRate != 0.0035 || c.Gmail.DaysReported != 1 {
				t.Errorf("Gmail's days of promo are %+v", c.GmailDays)
			}
		case "receipts":
			if n, before := c.Recipients[observation.Sent], c.Before.Recipients[observation.Sent]; n != 700 || before != 2800 {
				t.Errorf("receipts sent %d, before %d", n, before)
			}
		case "acme-news":
			if c.Worst == nil || c.Worst.Provider != "microsoft" || c.Worst.Signal != "block_rate" || c.Refusals[0] != (report.Refusal{Reason: "reputation_ip", N: 90}) {
				t.Errorf("the worst of acme-news is %+v, its refusals %+v", c.Worst, c.Refusals)
			}
		}
	}
	if len(r.Alerts) != 1 || r.Alerts[0].Fired != 1 || r.Alerts[0].Ended == nil {
		t.Errorf("alerts: %+v", r.Alerts)
	}
	if n := len(r.Domains[0].Days); n != 7 {
		t.Errorf("Gmail has %d days", n)
	}
}

// An owner's edition is about the owner's campaigns alone.
func owners(t *testing.T, w *world) {
	o := w.options(week(t, "2026-W46", "UTC"))
	o.Owner = "shop"
	r := w.build(o)
	if len(r.Campaigns) != 1 || r.Campaigns[0].ID != "receipts" || r.Totals.Recipients[observation.Sent] != 700 || len(r.Actions) != 0 || len(r.Alerts) != 0 {
		t.Errorf("campaigns %d, totals %v, actions %v", len(r.Campaigns), r.Totals.Recipients, r.Actions)
	}
	// What was read once gives everybody the edition of their own, in any order and again.
	facts, err := report.Read(t.Context(), w.Ledger, w.options(o.Period))
	check(t, err)
	for _, want := range []*report.Report{r, w.build(w.options(o.Period)), r} {
		shared, err := facts.Report(t.Context(), want.Owner, nil)
		check(t, err)
		if diff := cmp.Diff(string(written(t, want, report.FormatJSON)), string(written(t, shared, report.FormatJSON))); diff != "" {
			t.Errorf("the edition of %q: -of a read of its own +of one for all\n%s", want.Owner, diff)
		}
	}
	o.Owner, o.Campaign = "", "acme-*"
	if r = w.build(o); len(r.Campaigns) != 1 || r.Campaigns[0].Tenant != "acme" || r.Totals.Recipients[observation.Sent] != 1200 {
		t.Errorf("campaigns %d, totals %v", len(r.Campaigns), r.Totals.Recipients)
	}
}

// A later edition says what came late.
func changes(t *testing.T, w *world) {
	o := w.options(week(t, "2026-W46", "UTC"))
	o.Previous = w.build(o)
	if c := w.build(o).Changes; c == nil || len(c.Lines) != 0 {
		t.Errorf("changes of nothing: %+v", c)
	}
	w.now = w.now.AddDate(0, 0, 2)
	o.Now = w.now
	w.mail(mail{name: "newsletter", provider: "yahoo", at: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC), complained: 6})
	w.gmailDay("news.example.com", time.Date(2026, 11, 13, 0, 0, 0, 0, time.UTC), 0.0008, nil)
	got := strings.Join(w.build(o).Changes.Lines, "\n")
	for _, want := range []string{
		"newsletter: 6 complaints, before 0.", "newsletter is now judged as “watch” instead of “fine”.",
		"Gmail now tells of news.example.com on Fri 13 Nov: 0.08\u00a0%.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Weeks that are unlike others are said to be so.
func TestWeeks(t *testing.T) {
	one := func(w *world) {
		w.mail(mail{name: "only", provider: "yahoo", at: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC), sent: 20})
	}
	for _, c := range []struct {
		name, week, zone string
		world            func(w *world)
		verdict, says    string
	}{
		{"an empty week", "2026-W46", "UTC", func(w *world) { w.begin(monday.AddDate(0, 0, -40)) }, "No mail was sent", "No mail was sent in this period"},
		{"one campaign", "2026-W46", "UTC", func(w *world) { w.begin(monday.AddDate(0, 0, -40)); one(w) }, "Nothing to stop", "1 campaign sent 20 mails, of which 100"},
		{
			"the first week ever", "2026-W46", "UTC",
			func(w *world) { w.begin(time.Date(2026, 11, 9, 15, 30, 0, 0, time.UTC)); one(w) },
			"Nothing to stop", "Mail is counted since Mon 9 Nov 2026 16:00 UTC",
		},
		{
			"a week with an outage", "2026-W46", "UTC",
			func(w *world) {
				for at := monday.AddDate(0, 0, -30).Truncate(time.Hour); at.Before(monday); at = at.Add(time.Hour) {
					if at.Before(time.Date(2026, 11, 11, 2, 0, 0, 0, time.UTC)) || at.After(time.Date(2026, 11, 11, 14, 0, 0, 0, time.UTC)) {
						w.mail(mail{name: "steady", provider: "yahoo", at: at, sent: 2})
					}
				}
			},
			"Nothing to stop", "Not a single event came from Wed 11 Nov 2026 02:00 UTC to Wed 11 Nov 2026 15:00 UTC",
		},
		{
			"the clocks go back", "2026-W43", "Europe/Berlin",
			func(w *world) {
				w.begin(monday.AddDate(0, 0, -40))
				// The week ends at 23:00 UTC, a day of 25 hours before that.
				w.mail(mail{name: "only", provider: "yahoo", at: time.Date(2026, 10, 25, 22, 0, 0, 0, time.UTC), sent: 20})
				w.mail(mail{name: "only", provider: "yahoo", at: time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC), sent: 500})
				w.mail(mail{name: "only", provider: "yahoo", at: time.Date(2026, 10, 18, 21, 0, 0, 0, time.UTC), sent: 500})
			},
			"Nothing to stop", "1 campaign sent 20 mails",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, monday)
			c.world(w)
			r := w.build(w.options(week(t, c.week, c.zone)))
			page := string(written(t, r, report.FormatMarkdown))
			if !strings.Contains(page, "**"+c.verdict+"**") || !strings.Contains(page, c.says) {
				t.Errorf("it says neither %q nor %q:\n%s", c.verdict, c.says, page)
			}
			for _, f := range report.Formats() {
				if len(written(t, r, f)) == 0 {
					t.Errorf("%s is empty", f)
				}
			}
			if len(r.Campaigns) == 0 {
				_, err := report.Mail(r)
				check(t, err)
			}
		})
	}
}

// Names do nothing but name, whatever they are.
func TestHostileNames(t *testing.T) {
	names := []string{
		`=cmd|'/c calc'!A1`, "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "*bold* [x](http://evil.example) | `c`",
		"name\r\nBcc: victim@example.com", "\u202egnp.exe", "<!channel>", strings.Repeat("long", 200), "+1", "@SUM(A1)", "]]></svg>", "&lt;b&gt;",
		"http://evil.example", "WWW.evil.example",
	}
	w := newWorld(t, monday)
	w.begin(monday.AddDate(0, 0, -40))
	for _, name := range names {
		w.mail(mail{tenant: "t", name: name, send: name, provider: "yahoo", at: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC), sent: 1100, bounced: 300})
	}
	r := w.build(w.options(week(t, "2026-W46", "UTC")))
	if len(r.Campaigns) != len(names) {
		t.Fatalf("%d campaigns of %d", len(r.Campaigns), len(names))
	}
	m, err := report.Mail(r)
	check(t, err)
	for where, text := range map[string]string{"page": string(written(t, r, report.FormatHTML)), "mail": m.HTML} {
		for _, bad := range []string{"<script", "<img src=x", "onerror=alert(1)>", "]]></svg>", "<!channel>"} {
			if strings.Contains(text, bad) {
				t.Errorf("the %s holds %q", where, bad)
			}
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n\u202e") || len([]rune(m.Subject)) > 150 {
		t.Errorf("subject %q", m.Subject)
	}
	for line := range strings.SplitSeq(m.Text, "\n") {
		if strings.HasPrefix(line, "Bcc") || strings.ContainsAny(line, "\r\u202e") {
			t.Errorf("line %q of the mail's text", line)
		}
	}
	for line := range strings.SplitSeq(string(written(t, r, report.FormatMarkdown)), "\n") {
		if strings.HasPrefix(line, "Bcc") || strings.Contains(line, "[x](") || strings.Contains(line, "<script") || strings.Contains(strings.ToLower(line), "http://evil") ||
			strings.Contains(line, "WWW.evil") {
			t.Errorf("Markdown line %q", line)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(string(written(t, r, report.FormatCSV))), "\r\n")[1:] {
		if fields := strings.SplitN(line, ",", 5); strings.ContainsAny(strings.Trim(fields[3], `"`)[:1], "=+-@") {
			t.Errorf("a formula in CSV: %q", line)
		}
	}
	brief := report.Summary(r)
	for _, text := range append(append([]string{brief.Title, brief.Verdict}, brief.Stop...), brief.Sentences...) {
		if strings.ContainsAny(text, "\r\n\u202e") {
			t.Errorf("brief %q", text)
		}
	}
}

// Periods that cannot be reported are refused with a reason.
func TestPeriods(t *testing.T) {
	w := newWorld(t, monday)
	w.begin(monday.Add(-time.Hour))
	check(t, w.Fold(t.Context()))
	for text, want := range map[string]string{
		"2026-W54": "has no week", "2026-46": "is no week", "2026-W4x": "is no week", "": "is no week", "2026-W461": "is no week",
	} {
		if _, err := report.ParseWeek(text, time.UTC); !errors.Is(err, report.ErrPeriod) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseWeek(%q): %v, want %q", text, err, want)
		}
	}
	for _, c := range [][3]string{
		{"2026-11-09", "2026-11-08", "before it begins"}, {"2026-01-01", "2026-12-31", "spans 63 at most"}, {"9 Nov", "2026-11-10", "is no date"},
		{"2026-11-09", "2026-02-30", "is no date"},
	} {
		if _, err := report.Days(c[0], c[1], time.UTC); !errors.Is(err, report.ErrPeriod) || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("Days(%q, %q): %v, want %q", c[0], c[1], err, c[2])
		}
	}
	_, err := report.Build(t.Context(), w.Ledger, w.options(week(t, "2026-W48", "UTC")))
	if !errors.Is(err, report.ErrPeriod) || !strings.Contains(err.Error(), "has not begun") {
		t.Errorf("a future week: %v", err)
	}
	o := w.options(week(t, "2026-W48", "UTC"))
	o.Now = o.Now.AddDate(1, 0, 0)
	if _, err = report.Build(t.Context(), w.Ledger, o); !errors.Is(err, report.ErrPeriod) || !strings.Contains(err.Error(), "knows nothing") {
		t.Errorf("a week after the ledger's last: %v", err)
	}
}

func TestWeekOf(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(t, err)
	p := report.Week(time.Date(2027, 1, 3, 23, 30, 0, 0, time.UTC), berlin) // Monday there
	if p.ID() != "2027-W01" || p.From != "2027-01-04" || p.Previous().ID() != "2026-W53" {
		t.Errorf("%s from %s, before it %s", p.ID(), p.From, p.Previous().ID())
	}
	back := week(t, "2026-W43", "Europe/Berlin")
	if d := back.End.Sub(back.Start); d != 169*time.Hour {
		t.Errorf("the week in which the clocks go back has %v", d)
	}
	if got := back.String(); got != "week 43, 19 to 25 October 2026" {
		t.Errorf("%q", got)
	}
	days, err := report.Days("2026-12-30", "2027-01-02", time.UTC)
	check(t, err)
	if days.ID() != "2026-12-30--2027-01-02" || days.String() != "30 December 2026 to 2 January 2027" || days.Len() != 4 {
		t.Errorf("%s: %s", days.ID(), days.String())
	}
}
