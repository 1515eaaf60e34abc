package view

import (
	"math"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// span is a stretch of send time, up to now, over which sums are kept. Each holds all shorter ones. The spans are the
// rolling windows and the maturities, which say how much of a window is young.
type span int

const (
	spanHour span = iota
	spanDay
	spanThreeDays
	spanWeek
	spanCount
)

var spans = [spanCount]struct{ length, grain time.Duration }{
	spanHour:      {time.Hour, fineGrain},
	spanDay:       {24 * time.Hour, fineGrain},
	spanThreeDays: {72 * time.Hour, time.Hour},
	spanWeek:      {7 * 24 * time.Hour, time.Hour},
}

const (
	// fineGrain is the width of the ledger's narrowest buckets. It keeps them for 48 hours, so only spans of at most a day
	// may begin at any of them.
	fineGrain = 5 * time.Minute
	// step is how much send time is read from the ledger at once. Spans, coverage and lists of reporting providers begin
	// at whole hours or within a step, so that no bucket of an hour is ever parted.
	step = int64(time.Hour / time.Second)
	// forever is later than all mail.
	forever = math.MaxInt64
)

// start is the start of the first bucket of the span, in Unix seconds.
func (s span) start(asOf time.Time) int64 {
	return asOf.Truncate(spans[s].grain).Add(-spans[s].length).Unix()
}

// spanOf is the span of a rolling window.
func spanOf(w signal.Window) span { return spanOfLength(w.Span()) }

func spanOfLength(length time.Duration) span {
	for s := range spans {
		if spans[s].length == length {
			return span(s)
		}
	}
	return spanWeek
}

// hourOf rounds Unix seconds down to a whole hour.
func hourOf(at int64) int64 { return at - at%step }
