package report_test

import (
	"bytes"
	"image/png"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/report"
)

// On a phone texts in charts are as large as those around them: the page has charts of a phone's width, and mails show such ones
// no smaller than that.
func TestNarrowCharts(t *testing.T) {
	w := story(t)
	r := w.build(w.options(week(t, "2026-W46", "UTC")))
	page := string(written(t, r, report.FormatHTML))
	wide, narrow := strings.Count(page, `<div class="wide"><svg`), regexp.MustCompile(`<div class="narrow"><svg[^>]*viewBox="0 0 (\d+)`).FindAllStringSubmatch(page, -1)
	if wide == 0 || wide != len(narrow) {
		t.Errorf("%d wide charts and %d narrow ones", wide, len(narrow))
	}
	for _, m := range narrow {
		if width, err := strconv.Atoi(m[1]); err != nil || width > 360 {
			t.Errorf("a narrow chart is %s wide (%v)", m[1], err)
		}
	}
	mail, err := report.Mail(r)
	check(t, err)
	for _, i := range mail.Images {
		c, err := png.DecodeConfig(bytes.NewReader(i.PNG))
		check(t, err)
		if c.Width != 680 {
			t.Errorf("%s is %d wide, want twice 340", i.CID, c.Width)
		}
	}
}

// Where a mail's table of campaigns has no room for columns, each figure says what it is.
func TestMailOnPhone(t *testing.T) {
	w := story(t)
	mail, err := report.Mail(w.build(w.options(week(t, "2026-W46", "UTC"))))
	check(t, err)
	for _, want := range []string{"@media (max-width:520px)", `<span class="label" style="display:none;mso-hide:all">Hard bounces: </span>`, `<tr class="heads"`, ".rows .heads { display:none !important }"} {
		if !strings.Contains(mail.HTML, want) {
			t.Errorf("no %q in\n%s", want, mail.HTML)
		}
	}
}
