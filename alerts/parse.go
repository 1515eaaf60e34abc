package alerts

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseOf reads a number of days such as "2 of 3".
func ParseOf(text string) (Of, error) {
	days, last, ok := strings.Cut(text, " of ")
	d, errDays := strconv.ParseUint(strings.TrimSpace(days), 10, 8)
	l, errLast := strconv.ParseUint(strings.TrimSpace(last), 10, 8)
	if !ok || errDays != nil || errLast != nil || d < 1 || l < d || l > maxDays {
		return Of{}, fmt.Errorf("%q is not a number of days out of at most %d, such as 2 of 3", shorten(text, 40), maxDays)
	}
	return Of{int(d), int(l)}, nil
}

// String writes it as ParseOf reads it.
func (o Of) String() string { return strconv.Itoa(o.Days) + " of " + strconv.Itoa(o.Last) }

// ParseValue reads the place of a line: for a ratio a percentage ("0.3%") or a number up to 1 ("0.003"), for seconds a
// length of time ("15m", "2h30m"), else a number.
func ParseValue(text string, unit Unit) (float64, error) {
	text = strings.TrimSpace(text)
	switch percent, isPercent := strings.CutSuffix(text, "%"); {
	case isPercent && unit != Ratio:
		return 0, fmt.Errorf("%q is a percentage, and the signal is not a ratio", shorten(text, 40))
	case isPercent:
		// The number is scaled as text, so that 0.3% is exactly 0.003.
		v, err := number(strings.TrimSpace(percent), "e-2")
		if err != nil || v > 1 {
			return 0, fmt.Errorf("%q is not a percentage between 0%% and 100%%", shorten(text, 40))
		}
		return v, nil
	case unit == Ratio:
		v, err := number(text, "")
		if err != nil {
			return 0, fmt.Errorf("%q is not a percentage such as 0.3%%", shorten(text, 40))
		}
		if v > 1 {
			return 0, fmt.Errorf("%q is more than 100%%; write %s%% for %s percent", shorten(text, 40), shorten(text, 40), shorten(text, 40))
		}
		return v, nil
	case unit == Seconds:
		if d, err := time.ParseDuration(text); err == nil && d >= 0 {
			return d.Seconds(), nil
		}
		return 0, fmt.Errorf("%q is not a length of time such as 15m", shorten(text, 40))
	default:
		v, err := number(text, "")
		if err != nil {
			return 0, fmt.Errorf("%q is not a number", shorten(text, 40))
		}
		return v, nil
	}
}

// number reads a plain decimal number that is not negative.
func number(text, exponent string) (float64, error) {
	if text == "" || len(text) > 32 || strings.Trim(text, "0123456789.") != "" {
		return 0, errors.New("not a number")
	}
	v, err := strconv.ParseFloat(text+exponent, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, errors.New("not a number")
	}
	return v, nil
}

// Format writes a value of the unit for people.
func (u Unit) Format(value float64) string {
	switch u {
	case Ratio:
		return strconv.FormatFloat(significant(100*value), 'f', -1, 64) + " %"
	case Seconds:
		return formatDuration(time.Duration(min(value, 1e9) * float64(time.Second)))
	default:
		return strconv.FormatFloat(significant(value), 'f', -1, 64)
	}
}

// significant rounds to three digits that count, and whole numbers not at all.
func significant(v float64) float64 {
	if v == math.Trunc(v) {
		return v
	}
	digits := 3
	if v >= 1000 {
		return math.Round(v)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// formatDuration writes the two largest units of a length of time, as people say them: 3d 4h.
func formatDuration(d time.Duration) string {
	units := [...]struct {
		span time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.span {
			continue
		}
		text := strconv.FormatInt(int64(d/u.span), 10) + u.name
		if i+1 < len(units) && d%u.span >= units[i+1].span {
			text += " " + strconv.FormatInt(int64(d%u.span/units[i+1].span), 10) + units[i+1].name
		}
		return text
	}
	return "0s"
}
