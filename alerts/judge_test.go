package alerts

import (
	"testing"

	"github.com/mailvane/mailvane/internal/signal"
)

// TestPublishedIntervals holds a line just inside and just outside of published bounds: Newcombe, R. G. (1998), Two-sided
// confidence intervals for the single proportion, Statistics in Medicine 17, 857-872, table I, method 3. They are two-sided
// at 95 %, so each end is a one-sided bound at 97.5 %.
func TestPublishedIntervals(t *testing.T) {
	for _, c := range []struct {
		k, n      int64
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{1, 29, 0.0061, 0.1718},
	} {
		f := figure(c.k, c.n)
		judge := func(l *Line) verdict {
			l.Confidence = 0.975
			l.AtLeast = Floors{new(int64(1)), new(int64(0))}
			d := RateOf(signal.HardBounceRate).Definition()
			return newLine(l, Warning, &d).judgeRate(&f).verdict
		}
		const off = 0.0001
		for _, test := range []struct {
			line *Line
			want verdict
		}{
			{above(c.low - off), crossed}, {above(c.low + off), near}, {above(float64(c.k)/float64(c.n) + off), clear},
			{below(c.high + off), crossed}, {below(c.high - off), near}, {below(float64(c.k)/float64(c.n) - off), clear},
		} {
			if got := judge(test.line); got != test.want {
				t.Errorf("%d of %d against %+v: %s, want %s", c.k, c.n, *test.line, verdictNames[got], verdictNames[test.want])
			}
		}
	}
}

func TestJudgeRate(t *testing.T) {
	d := RateOf(signal.HardBounceRate).Definition()
	warning, critical := newLine(above(0.05), Warning, &d), newLine(above(0.05), Critical, &d)
	low := newLine(below(0.90), Warning, &d)
	small := newLine(&Line{Above: new(0.05), AtLeast: Floors{new(int64(50)), new(int64(2))}}, Warning, &d)
	for name, c := range map[string]struct {
		line  *line
		f     signal.Figure
		want  verdict
		final bool
	}{
		"one in fifty":                       {warning, figure(1, 50), clear, false},
		"nine of nine hundred":               {warning, figure(90, 900), weak, false},
		"too few in the numerator":           {newLine(above(0.001), Warning, &d), figure(9, 1000), weak, true},
		"the line itself is not sure":        {warning, figure(500, 10_000), near, true},
		"sure at 99 %, not at 99.9 %":        {warning, figure(67, 1000), crossed, true},
		"so no critical":                     {critical, figure(67, 1000), near, true},
		"sure at 99.9 %":                     {critical, figure(80, 1000), crossed, true},
		"own floors":                         {small, figure(20, 100), crossed, true},
		"immature":                           {warning, mixed(80, 1000, 0, 10), crossed, false},
		"immature and good":                  {warning, mixed(8, 1000, 0, 10), clear, false},
		"below tests no young mail":          {low, mixed(100, 2000, 10, 10), clear, false},
		"below tests mature mail":            {low, mixed(1000, 2000, 800, 1000), crossed, true},
		"below needs enough mature mail":     {low, mixed(1000, 2000, 8, 10), weak, false},
		"below without mature mail":          {low, mixed(1000, 2000, 0, 0), weak, false},
		"idle":                               {warning, signal.Figure{State: signal.Idle}, absent, false},
		"not reported":                       {warning, signal.Figure{State: signal.NotReported}, absent, false},
		"stale, although there is a value":   {warning, signal.Figure{State: signal.Stale, Part: part(900, 1000)}, unknown, false},
		"contradiction":                      {warning, signal.Figure{State: signal.Error, Part: part(900, 1000)}, unknown, false},
		"nothing published":                  {warning, signal.Figure{State: signal.NoData}, unknown, false},
		"no denominator in spite of ok":      {warning, signal.Figure{}, weak, false},
		"a rate of one without any interval": {newLine(above(1), Warning, &d), figure(2000, 2000), near, true},
	} {
		if j := c.line.judgeRate(&c.f); j.verdict != c.want || j.final != c.final {
			t.Errorf("%s: %s, final %t, want %s, %t", name, verdictNames[j.verdict], j.final, verdictNames[c.want], c.final)
		}
	}
}

func TestBeyond(t *testing.T) {
	ratio, count := GmailSpamRate.Definition(), ReceiptExpired.Definition()
	for _, c := range []struct {
		line *line
		at   float64
		want bool
	}{
		{newLine(above(0.003), Warning, &ratio), 0.003, true}, {newLine(above(0.003), Warning, &ratio), 0.0029, false},
		{newLine(above(0), Warning, &count), 0, false}, {newLine(above(0), Warning, &count), 1, true},
		{newLine(below(0.95), Warning, &ratio), 0.95, false}, {newLine(below(0.95), Warning, &ratio), 0.949, true},
	} {
		if got := c.line.beyond(c.at); got != c.want {
			t.Errorf("%v beyond %v: %t", c.at, c.line.at, got)
		}
	}
}

func TestJudgeNumber(t *testing.T) {
	d := QueueLag.Definition()
	l := newLine(above(60), Warning, &d)
	for _, c := range []struct {
		state signal.State
		value float64
		want  verdict
	}{
		{signal.OK, 61, crossed}, {signal.Immature, 61, crossed}, {signal.Immature, 60, near}, {signal.OK, 60, clear}, {signal.Insufficient, 61, weak},
		{signal.Stale, 61, unknown}, {signal.Idle, 61, absent}, {signal.Error, 61, unknown}, {signal.NoData, 0, unknown},
	} {
		if j := l.judgeNumber(&Sample{State: c.state, Value: c.value}); j.verdict != c.want {
			t.Errorf("%s %v: %s, want %s", c.state, c.value, verdictNames[j.verdict], verdictNames[c.want])
		}
	}
}
