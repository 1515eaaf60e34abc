package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// storyTold waits until the demo's story can be told: what arrives by itself has arrived, and alerts fire.
func storyTold(t *testing.T, base string) {
	t.Helper()
	for _, rule := range []string{"CampaignBlockRate", "CampaignComplaintRate", "GmailSpamRate", "AccountComplaintRate"} {
		eventually(t, rule+" fires", func() string {
			answer, err := http.Get(base + "/api/v1/alerts?state=firing&rule=" + rule)
			if err != nil {
				return err.Error()
			}
			defer answer.Body.Close()
			var list struct{ Total int }
			if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
				return err.Error()
			}
			if list.Total == 0 {
				return "no such alert"
			}
			return ""
		})
	}
}

// browser is a headless Chromium that remembers what its console said.
type browser struct {
	ctx  context.Context
	base string
	axe  string

	mu     sync.Mutex
	faults []string
}

func startBrowser(t *testing.T, base string) *browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatalf("this test looks at the pages in a browser, so it needs the Debian package chromium: %v", err)
	}
	install(t, "axe")
	axe, err := os.ReadFile("axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	// In a container Chromium cannot make a sandbox of its own; it sees nothing but the demo.
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 15*time.Minute) // on a machine that others use, too
	t.Cleanup(cancel)
	b := &browser{ctx: ctx, base: base, axe: string(axe)}
	err = chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.fault(fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *log.EventEntryAdded:
			if strings.HasSuffix(e.Entry.URL, missingPage) {
				return // that it is not found is said there, too
			}
			b.fault(fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nobody looks at a headless browser, but what has the focus must look so.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) fault(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, text)
}

// quiet checks that the console said nothing since the last look.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		t.Errorf("the console says %s", f)
	}
	b.faults = nil
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func (b *browser) open(t *testing.T, path string) {
	t.Helper()
	b.do(t, chromedp.Navigate(b.base+path), chromedp.WaitReady("main"))
}

// eval is the value of an expression in the page.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression[:min(len(expression), 80)], err)
	}
	return value
}

// press goes to a link or button and presses Enter, as who has no mouse does. A click might miss what moves meanwhile.
func (b *browser) press(t *testing.T, selector string) {
	t.Helper()
	b.do(t, chromedp.WaitVisible(selector))
	eval[chromedp.Void](t, b, fmt.Sprintf(`document.querySelector(%q).focus()`, selector))
	b.do(t, chromedp.KeyEvent("\r"))
}

// until waits for an expression to have a value. While one page follows another, there is none.
func (b *browser) until(t *testing.T, what, expression, want string) {
	t.Helper()
	eventually(t, what, func() string {
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`String(`+expression+`)`))
		if err != nil && b.ctx.Err() != nil {
			t.Fatal(err)
		}
		if err == nil && got == want {
			return ""
		}
		return fmt.Sprintf("it is %q, %v", got, err)
	})
}

func (b *browser) theme(t *testing.T, name string) {
	t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// missingPage is the page of a campaign that does not exist.
const missingPage = "/campaigns/never-sent"

// sitePages are all pages of the demo.
func sitePages(t *testing.T, b *browser) []string {
	t.Helper()
	b.open(t, "/alerts")
	alert := eval[string](t, b, `new URL(document.querySelector('#table-alerts tbody th a').href).pathname`)
	return []string{
		"/", "/campaigns/flash-friday", "/alerts", "/gmail", alert, "/campaigns/acme-news?tenant=acme&window=24h",
		"/campaigns/otp-login?range=7d", "/providers", "/inbound", "/reports", "/sources", missingPage,
	}
}

// seenInABrowser looks at the demo as its reader does.
func seenInABrowser(t *testing.T, d *demo) {
	d.quarantine(t)
	for _, name := range unkindNames() {
		d.send(t, sentAs(name))
	}
	b := startBrowser(t, d.url)
	storyTold(t, d.url)
	b.do(t, chromedp.EmulateViewport(1280, 900))
	all := sitePages(t, b)
	for _, theme := range []string{"light", "dark"} {
		t.Run("accessible and quiet in "+theme, func(t *testing.T) {
			b.theme(t, theme)
			paths := all
			if theme == "dark" {
				paths = all[:4] // every colour is on these
			}
			for _, path := range paths {
				b.open(t, path)
				b.accessible(t, path, theme == "light")
				b.files(t, path)
				b.quiet(t)
			}
		})
	}
	t.Run("nothing overflows", func(t *testing.T) { b.narrow(t, all) })
	b.do(t, chromedp.EmulateViewport(1280, 900))
	t.Run("names do no harm", b.names)
	t.Run("the table sorts and filters", b.sortsAndFilters)
	t.Run("figures explain themselves", b.explains)
	t.Run("charts are drawn", b.charts)
	t.Run("the theme can be chosen", b.themes)
	t.Run("a silence is made and ended", b.silences)
	t.Run("quarantine is looked at and replayed", b.quarantine)
	t.Run("times are the reader's", b.zones)
	t.Run("an open page is kept up to date", b.live)
	t.Run("without JavaScript", b.scriptless)
	b.quiet(t)
}

// accessible asks axe for what keeps people from using the page (https://github.com/dequelabs/axe-core). What does not depend
// on colours is the same in every theme.
func (b *browser) accessible(t *testing.T, path string, all bool) {
	t.Helper()
	rules, least := "{}", 15
	if !all {
		rules, least = "{runOnly: ['color-contrast']}", 1
	}
	eval[chromedp.Void](t, b, b.axe+";undefined")
	found := eval[[]string](t, b, fmt.Sprintf(`axe.run(document, %s).then((r) => (r.passes.length < %d ? ['axe found little to check'] : []).concat(r.violations
		.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' (' + (n.any[0]?.message ?? '') + ')').join('; '))))`, rules, least))
	for _, f := range found {
		t.Errorf("%s: %s", path, f)
	}
}

// files holds that every table of a page can be had as CSV.
func (b *browser) files(t *testing.T, path string) {
	t.Helper()
	missing := eval[[]string](t, b, `(async () => {
		const links = [...document.querySelectorAll('.downloads a[href*="format=csv"]')].map((a) => a.href), missing = [];
		for (const table of document.querySelectorAll('table.grid')) {
			const id = table.dataset.live, own = links.find((l) => new URL(l).searchParams.get('table') === id) ?? links[0];
			const answer = own && await fetch(own), name = answer?.headers.get('Content-Disposition') ?? '';
			if (!answer?.ok || !name.includes(id)) missing.push(id + ': ' + own + ' ' + name);
		}
		return missing;
	})()`)
	for _, m := range missing {
		t.Errorf("%s has no CSV of the table %s", path, m)
	}
}

func (b *browser) narrow(t *testing.T, all []string) {
	for _, width := range []int64{360, 768, 1440} {
		b.do(t, chromedp.EmulateViewport(width, 800))
		for _, path := range all {
			b.open(t, path)
			b.until(t, "charts are drawn on "+path, `document.querySelector('[data-chart]:not([data-drawn])')`, "null")
			// A figure's explanation must fit, too: of all, the ones furthest right are shown.
			over := eval[string](t, b, `(() => {
				let worst = document.documentElement.scrollWidth - innerWidth;
				for (const fig of [...document.querySelectorAll('.fig')].slice(0, 60)) {
					if (fig.closest('details:not([open])')) continue;
					fig.focus({ preventScroll: true });
					const tip = fig.querySelector('.tip').getBoundingClientRect();
					if (tip.width === 0) return 'an explanation is not shown';
					worst = Math.max(worst, document.documentElement.scrollWidth - innerWidth, Math.ceil(-tip.left));
				}
				return worst > 0 ? worst + ' pixels too much' : '';
			})()`)
			if over != "" {
				t.Errorf("%s at %d pixels: %s", path, width, over)
			}
		}
	}
}

// unkindNames are names of campaigns that would become markup, turn the text behind them round, or be wider than a screen.
func unkindNames() []string {
	return []string{`zz-"><img src=x onerror=alert(1)>`, "zz-\u202eevil", "zz-" + strings.Repeat("x", 252)}
}

// sentAs is the delivery of a campaign's mail, told by SES.
func sentAs(name string) string {
	at, tag := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), strings.ReplaceAll(name, `"`, `\"`)
	return fmt.Sprintf(`{"eventType":"Delivery","mail":{"timestamp":%[1]q,"messageId":"unkind-%[2]d","source":"news@news.example.com",`+
		`"destination":["jane.doe@example.net"],"tags":{"ses:configuration-set":["tenant-zz"],"ses:feedback-id-a":["%[3]s"]}},`+
		`"delivery":{"timestamp":%[1]q,"recipients":["jane.doe@example.net"]}}`, at, len(name), tag)
}

func (b *browser) names(t *testing.T) {
	const list = "/?match=zz-&tenant=zz"
	eventually(t, "campaigns with unkind names are listed", func() string {
		b.open(t, list)
		if rows := eval[int](t, b, `document.querySelectorAll('#table-campaigns tbody tr').length`); rows != len(unkindNames()) {
			return fmt.Sprintf("there are %d", rows)
		}
		return ""
	})
	if got := eval[string](t, b, `[...document.querySelectorAll('#table-campaigns tbody th')].filter((th) => th.textContent.includes('evil'))
		.map((th) => th.querySelector('.mark').getBoundingClientRect().left >= th.querySelector('a').getBoundingClientRect().right ? 'behind' : 'before')[0]`); got != "behind" {
		t.Errorf("the tenant stands %s a name that turns text round", got)
	}
	paths := append(eval[[]string](t, b, `[...document.querySelectorAll('#table-campaigns tbody th a')].map((a) => a.getAttribute('href'))`), list)
	b.narrow(t, paths)
	b.do(t, chromedp.EmulateViewport(1280, 900))
	b.quiet(t)
}

const firstCampaign = `document.querySelector('#table-campaigns tbody th a').textContent`

func (b *browser) sortsAndFilters(t *testing.T) {
	for title, want := range map[string]string{
		"Hard bounces": "winter-clearance", "Complaints": "flash-friday", "Gmail spam": "otp-login", "Campaign": "acme-news",
	} {
		b.open(t, "/")
		eval[chromedp.Void](t, b, fmt.Sprintf(`[...document.querySelectorAll('#table-campaigns thead a')].find((a) => a.firstChild.data === %q).click()`, title))
		b.until(t, "the table is sorted by "+title, `document.querySelector('#table-campaigns th[aria-sort] a')?.firstChild.data`, title)
		if got := eval[string](t, b, firstCampaign); got != want {
			t.Errorf("by %s the first is %s, want %s", title, got, want)
		}
	}
	b.open(t, "/")
	b.do(t, chromedp.SendKeys("input[name=match]", "otp\r"), chromedp.WaitReady(`.filter input[value="otp"]`))
	if rows := eval[int](t, b, `document.querySelectorAll('#table-campaigns tbody tr').length`); rows != 1 {
		t.Errorf("%d campaigns have otp in their name, want 1", rows)
	}
	if got := eval[string](t, b, firstCampaign); got != "otp-login" {
		t.Errorf("found %s", got)
	}
}

func (b *browser) explains(t *testing.T) {
	b.open(t, "/?sort=hard_bounce_rate")
	const shown = `(() => { const tip = document.activeElement.querySelector('.tip'); return tip && getComputedStyle(tip).display !== 'none' ? tip.textContent : ''; })()`
	eval[chromedp.Void](t, b, `document.querySelector('#table-campaigns tbody .fig[tabindex="0"]').focus()`)
	for range 3 { // from mail over Gmail's and complaints to hard bounces
		b.do(t, chromedp.KeyEvent("\u0303")) // ArrowRight
	}
	tip := eval[string](t, b, shown)
	for _, part := range []string{" of ", "attempted", "between", "as of"} {
		if !strings.Contains(tip, part) {
			t.Errorf("the focused figure says %q, without %q", tip, part)
		}
	}
	if stops := eval[int](t, b, `document.querySelectorAll('#table-campaigns .fig[tabindex="0"]').length`); stops != 1 {
		t.Errorf("the tab key stops %d times in the table, want once", stops)
	}
	b.do(t, chromedp.KeyEvent("\u001b"))
	if tip := eval[string](t, b, shown); tip != "" {
		t.Errorf("after Escape %q is still shown", tip)
	}
}

func (b *browser) charts(t *testing.T) {
	b.open(t, "/campaigns/flash-friday")
	b.do(t, chromedp.WaitReady(`.charts[data-drawn]`))
	if n := eval[int](t, b, `document.querySelectorAll('.charts canvas').length`); n != 3 {
		t.Errorf("there are %d charts, want 3", n)
	}
	inked := eval[bool](t, b, `[...document.querySelectorAll('.charts canvas')].every((c) => {
		const seen = new Set();
		const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		for (let i = 0; i < d.length; i += 4 * 7) if (d[i + 3] > 200) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]);
		return seen.size > 2;
	})`)
	if !inked {
		t.Error("a chart is empty, or has no colour")
	}
	over := eval[int](t, b, `[...document.querySelectorAll('.u-title')].at(-1).textContent = 'x'.repeat(300), document.documentElement.scrollWidth - innerWidth`)
	if over > 0 {
		t.Errorf("a chart of a long identifier is %d pixels too wide", over)
	}
}

func (b *browser) themes(t *testing.T) {
	b.open(t, "/")
	b.do(t, chromedp.Click("[data-theme-toggle]"))
	const theme = `document.documentElement.dataset.theme ?? ''`
	if got := eval[string](t, b, theme); got != "dark" {
		t.Errorf("after one press the theme is %q", got)
	}
	b.open(t, "/sources")
	if got := eval[string](t, b, theme); got != "dark" {
		t.Errorf("on the next page the theme is %q", got)
	}
	b.do(t, chromedp.Click("[data-theme-toggle]"), chromedp.Click("[data-theme-toggle]"))
	if got := eval[string](t, b, theme); got != "" {
		t.Errorf("after three presses the theme is %q, want the system's", got)
	}
}

func (b *browser) silences(t *testing.T) {
	b.open(t, "/alerts")
	eval[chromedp.Void](t, b, `[...document.querySelectorAll('#table-alerts tbody tr')].find((r) => r.textContent.includes('CampaignBlockRate')).querySelector('th a').click()`)
	b.do(t,
		chromedp.WaitVisible("form.silence"), chromedp.SendKeys("input[name=created_by]", "the test"),
		chromedp.SendKeys("input[name=comment]", "<b>looked at</b>"),
	)
	b.press(t, "form.silence button")
	b.do(t, chromedp.WaitVisible(".silences li form button"))
	if text := eval[string](t, b, `document.querySelector('.silences').innerText`); !strings.Contains(text, "<b>looked at</b>") || !strings.Contains(text, "rule=CampaignBlockRate and campaign=acme-news") {
		t.Errorf("the silence is shown as %q", text)
	}
	b.press(t, ".silences li form button")
	b.until(t, "the silence has ended", `document.querySelector('.silences') !== null && document.querySelector('.silences li form button') === null`, "true")
	if text := eval[string](t, b, `document.querySelector('.silences').innerText`); !strings.Contains(text, "ended") {
		t.Errorf("the ended silence is shown as %q", text)
	}
}

// quarantine tries a message again from its page, until it is believed.
func (b *browser) quarantine(t *testing.T) {
	b.open(t, "/sources")
	b.do(t, chromedp.WaitVisible("#quarantine form.replay"))
	b.press(t, "#table-quarantine tbody th a")
	b.do(t, chromedp.WaitVisible("pre.body"))
	if text := eval[string](t, b, `document.querySelector('main').innerText`); !strings.Contains(text, "in the future") ||
		!strings.Contains(text, "zz-early") || strings.Contains(text, "jane") {
		t.Errorf("the message is shown as %q", text)
	}
	b.accessible(t, "a message in quarantine", true)
	message := eval[string](t, b, `location.pathname`)
	eventually(t, "the message is understood", func() string {
		b.press(t, "form.replay button")
		b.do(t, chromedp.WaitVisible(`main > p a[href="/sources#quarantine"]`))
		text := eval[string](t, b, `document.querySelector('main').innerText`)
		if strings.Contains(text, "understood now, and has left quarantine") && strings.Contains(text, "1 counted") {
			return ""
		}
		b.open(t, message)
		return text
	})
	b.press(t, `main > p a[href="/sources#quarantine"]`)
	b.do(t, chromedp.WaitVisible("#quarantine .empty"))
}

// zones holds that times are in the zone of whoever looks, with UTC on hover, and that Gmail's days keep their names.
func (b *browser) zones(t *testing.T) {
	set := func(zone, locale string) {
		if _, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(b.ctx, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: locale}); err != nil {
			t.Fatal(err)
		}
	}
	defer set("", "")
	set("Asia/Kolkata", "en-GB")
	kolkata := time.FixedZone("GMT+5:30", 5*60*60+30*60)
	for path, least := range map[string]int{"/": 9, "/sources": 8, "/alerts": 6, "/campaigns/acme-news?tenant=acme": 3} {
		b.open(t, path)
		b.until(t, "the times of "+path+" are looked at", `document.querySelector('#as-of time[title]') !== null`, "true")
		times := eval[[][3]string](t, b, `[...document.querySelectorAll('time')].map((x) => [x.dateTime, x.textContent.replaceAll(',', ''), x.title])`)
		if len(times) < least {
			t.Errorf("%s has %d times, want at least %d", path, len(times), least)
		}
		for _, x := range times {
			at, err := time.Parse(time.RFC3339, x[0])
			if err != nil {
				t.Fatal(err)
			}
			if want := at.In(kolkata).Format("2 Jan 15:04 MST"); x[1] != want {
				t.Errorf("%s: %s is shown as %q, want %q", path, x[0], x[1], want)
			}
			if short, long := at.Format("2 Jan 15:04 MST"), at.Format("2006-01-02 15:04 MST"); x[2] != short && x[2] != long {
				t.Errorf("%s: on hover %s is %q", path, x[0], x[2])
			}
		}
		if left := eval[[]string](t, b, `(() => {
			for (const tip of document.querySelectorAll('.tip')) tip.remove();
			return document.querySelector('main').textContent.match(/.{0,40}\d UTC/g) ?? [];
		})()`); len(left) > 0 {
			t.Errorf("%s still shows UTC: %q", path, left)
		}
	}
	set("America/Los_Angeles", "en-GB")
	b.open(t, "/campaigns/flash-friday")
	b.do(t, chromedp.WaitReady(`.charts[data-drawn]`))
	// The one day that Gmail reports of this campaign is the highest of its chart.
	named := eval[[2]string](t, b, `fetch(document.querySelector('[data-chart]').dataset.chart).then((r) => r.json()).then((data) => {
		const chart = [...document.querySelectorAll('.chart')].at(-1), over = chart.querySelector('.u-over');
		const day = data.gmail.flatMap((g) => g.days).find((d) => d.rate !== null).start;
		const box = over.getBoundingClientRect();
		const at = box.left + box.width * (day + 43_200 - data.start) / (data.end - data.start);
		for (const kind of ['mouseenter', 'mousemove']) over.dispatchEvent(new MouseEvent(kind, { clientX: at, clientY: box.top + 5, bubbles: true }));
		return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
			done([new Date(day * 1000).toISOString(), [...chart.querySelectorAll('.u-legend .u-value')].map((v) => v.textContent.replaceAll(',', '')).join(' ')]))));
	})`)
	at, err := time.Parse(time.RFC3339, named[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := at.Format("Mon 2 Jan") + " "; !strings.HasPrefix(named[1], want) {
		t.Errorf("Gmail's day %s is called %q, want %q", named[0], named[1], want)
	}
}

// live holds that an open page shows what is new without being loaded again, and leaves alone what somebody reads.
func (b *browser) live(t *testing.T) {
	// The page's clock is made to run faster: ten seconds are half of one.
	hurry, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const slow = setTimeout; window.setTimeout = (what, after, ...rest) => slow(what, after / 20, ...rest); }`,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.open(t, "/")
	const asOf = `document.querySelector('#as-of time').dateTime`
	first := eval[string](t, b, `document.querySelector('#table-campaigns').dataset.loaded = 'at first'; document.querySelector('#table-campaigns .fig').focus(); `+asOf)
	eventually(t, "the page is newer", func() string {
		if now := eval[string](t, b, asOf); now == first {
			return "still as of " + now
		}
		return ""
	})
	if said := eval[string](t, b, `document.querySelector('[data-live-state]').textContent`); said != "Kept up to date." {
		t.Errorf("the page says %q", said)
	}
	const loaded = `document.querySelector('#table-campaigns').dataset.loaded ?? 'anew'`
	if got := eval[string](t, b, loaded); got != "at first" {
		t.Error("a table in which somebody reads was replaced")
	}
	eval[chromedp.Void](t, b, `document.activeElement.blur()`)
	eventually(t, "the table is newer", func() string {
		if got := eval[string](t, b, loaded); got != "anew" {
			return "it is as it was loaded " + got
		}
		return ""
	})
	if stops := eval[int](t, b, `document.querySelectorAll('#table-campaigns .fig[tabindex="0"]').length`); stops != 1 {
		t.Errorf("in the new table the tab key stops %d times", stops)
	}
	b.liveCampaign(t)
	if _, err := chromedp.Call(b.ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(hurry)); err != nil {
		t.Fatal(err)
	}
}

// liveCampaign holds that the page of a campaign, which comes in pieces, is kept up to date in all of them.
func (b *browser) liveCampaign(t *testing.T) {
	b.open(t, "/campaigns/otp-login?range=24h")
	b.do(t, chromedp.WaitReady(`.charts[data-drawn]`))
	eval[chromedp.Void](t, b, `for (const part of document.querySelectorAll('.chart, [data-live="replies"]')) part.dataset.loaded = 'at first';
		document.querySelector('.u-legend .u-series:nth-child(2) th').click()`)
	const replies = `document.querySelector('[data-live="replies"]')`
	if open := eval[int](t, b, replies+`.querySelectorAll('details[open]').length`); open == 0 {
		t.Fatal("no reply came open")
	}
	b.until(t, "the replies are newer", replies+`.dataset.loaded`, "undefined")
	b.until(t, "the charts are newer", `document.querySelectorAll('.chart[data-loaded]').length`, "0")
	if n := eval[int](t, b, `document.querySelectorAll('.charts canvas').length`); n != 3 {
		t.Errorf("there are %d charts after they were drawn anew, want 3", n)
	}
	if off := eval[int](t, b, `document.querySelectorAll('.u-legend .u-series.u-off').length`); off != 1 {
		t.Errorf("%d lines are switched off after that, want the one that was before", off)
	}
	// What somebody has closed stays so.
	eval[chromedp.Void](t, b, replies+`.querySelector('details[open]').open = false, `+replies+`.dataset.loaded = 'and read'`)
	b.rounds(t, 3)
	if got := eval[string](t, b, replies+`.dataset.loaded ?? 'anew'`); got != "and read" {
		t.Error("replies of which one was closed were replaced")
	}
	// A page that lacks a part says so.
	eval[chromedp.Void](t, b, `document.querySelector('#sends, #earlier').remove()`)
	b.until(t, "the page says that it is not whole", `document.querySelector('[data-live-state]').textContent`, "Parts have come or gone: load the page again.")
	b.press(t, `[data-live-state] a`)
	b.until(t, "the part is there again", `document.querySelector('#sends, #earlier') !== null`, "true")
}

// rounds waits until the page was fetched again so many times.
func (b *browser) rounds(t *testing.T, n int) {
	t.Helper()
	eval[chromedp.Void](t, b, `window.rounds = 0, document.addEventListener('refreshed', () => { window.rounds++; })`)
	b.until(t, "the page is fetched again", fmt.Sprintf(`window.rounds >= %d`, n), "true")
}

func (b *browser) scriptless(t *testing.T) {
	set := func(off bool) {
		if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off}); err != nil {
			t.Fatal(err)
		}
	}
	set(true)
	defer set(false)
	for path, want := range map[string]string{
		"/": "What needs attention now", "/campaigns/flash-friday": "The charts need JavaScript", "/providers": "Microsoft",
		"/gmail": "otp-login", "/inbound": "unsub-flash-friday", "/alerts": "CampaignComplaintRate", "/sources": "ses-events",
	} {
		b.open(t, path)
		text, err := chromedp.Run(b.ctx, chromedp.Text("main"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q without scripts", path, want)
		}
	}
}
