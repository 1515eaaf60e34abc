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
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
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
	d.send(t, early())
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

func (b *browser) narrow(t *testing.T, all []string) {
	for _, width := range []int64{360, 768, 1440} {
		b.do(t, chromedp.EmulateViewport(width, 800))
		for _, path := range all {
			b.open(t, path)
			eval[chromedp.Void](t, b, `new Promise((done) => {
				const look = (left) => left > 0 && document.querySelector('[data-chart]:not([data-drawn])') ? setTimeout(look, 20, left - 1) : done();
				look(250);
			})`)
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
		b.do(t, chromedp.WaitReady("#table-campaigns th[aria-sort] a"))
		deadline := time.Now().Add(5 * time.Second)
		for eval[string](t, b, `document.querySelector('#table-campaigns th[aria-sort] a')?.firstChild.data ?? ''`) != title && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
		}
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
		chromedp.SendKeys("input[name=comment]", "<b>looked at</b>"), chromedp.Click("form.silence button"),
		chromedp.WaitVisible(".silences li form button"),
	)
	if text := eval[string](t, b, `document.querySelector('.silences').innerText`); !strings.Contains(text, "<b>looked at</b>") || !strings.Contains(text, "rule=CampaignBlockRate and campaign=acme-news") {
		t.Errorf("the silence is shown as %q", text)
	}
	b.do(t, chromedp.Click(".silences li form button"), chromedp.WaitNotPresent(".silences li form button"))
	if text := eval[string](t, b, `document.querySelector('.silences').innerText`); !strings.Contains(text, "ended") {
		t.Errorf("the ended silence is shown as %q", text)
	}
}

// quarantine tries a message again from its page, until it is believed.
func (b *browser) quarantine(t *testing.T) {
	b.open(t, "/sources")
	b.do(t, chromedp.WaitVisible("#quarantine form.replay"), chromedp.Click("#table-quarantine tbody th a"), chromedp.WaitVisible("pre.body"))
	if text := eval[string](t, b, `document.querySelector('main').innerText`); !strings.Contains(text, "in the future") ||
		!strings.Contains(text, "zz-early") || strings.Contains(text, "jane") {
		t.Errorf("the message is shown as %q", text)
	}
	b.accessible(t, "a message in quarantine", true)
	message := eval[string](t, b, `location.pathname`)
	eventually(t, "the message is understood", func() string {
		b.do(t, chromedp.Click("form.replay button"), chromedp.WaitVisible(`main > p a[href="/sources#quarantine"]`))
		text := eval[string](t, b, `document.querySelector('main').innerText`)
		if strings.Contains(text, "understood now, and has left quarantine") && strings.Contains(text, "1 counted") {
			return ""
		}
		b.open(t, message)
		return text
	})
	b.do(t, chromedp.Click(`main > p a[href="/sources#quarantine"]`), chromedp.WaitVisible("#quarantine .empty"))
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
	if _, err := chromedp.Call(b.ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(hurry)); err != nil {
		t.Fatal(err)
	}
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
