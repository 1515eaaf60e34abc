package ruletest

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

// MaxValues bounds the values of one series: a month of five minutes is less.
const MaxValues = 20_000

// maxCount bounds a numerator or denominator, so that sums of them do not overflow.
const maxCount = 1_000_000_000_000

// Value is what a series says at one time.
type Value struct {
	// Missing says that there is no sample; of a daily reading, that its day did not arrive.
	Missing bool
	// State is that of the figure. Where it is none that has a value, nothing below means anything. A day that arrived without
	// the figure is signal.NotReported.
	State signal.State
	// Numerator and Denominator are those of a rate.
	Numerator, Denominator int64
	// Number is a number's value or a day's rate; Deliveries and Late are those of a day, see alerts.Day.
	Number     float64
	Deliveries int64
	Late       bool
}

// ParseValues reads the values of a series in the notation of promtool, for what the signal is:
//
//	30/100000         a rate: 30 of 100,000
//	30/100000x3       four times
//	10/1000+5/1000x2  10/1000 15/2000 20/3000
//	0.15%/40000       a daily reading: the rate, and the deliveries that it speaks of
//	120 4.5% 15m      numbers, in the signal's unit
//	0+60x2            0 60 120
//	_ _x3             no sample, once and three times
//	idle stalex2      a state without a value, once and three times
//	3/1000:immature   a value that may still grow
//	0.15%/40000:late  a day that was back-filled
//	3/1000:immaturex2 the first of them three times
//
// The error names what cannot be read.
func ParseValues(text string, s alerts.Signal) ([]Value, error) {
	var all []Value
	d := s.Definition()
	for token := range strings.FieldsSeq(text) {
		values, err := parseToken(token, &d, MaxValues-len(all))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", shorten(token), err)
		}
		all = append(all, values...)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no value")
	}
	return all, nil
}

func shorten(token string) string {
	if len(token) > 60 {
		return strings.ToValidUTF8(token[:60], "") + "…"
	}
	return token
}

var tokenForm = regexp.MustCompile(`^([^:]+?)(?::([a-z_]+?))?(?:x(\d{1,9}))?$`)

// parseToken reads one piece of the notation, which may stand for several values.
func parseToken(token string, d *alerts.Definition, room int) ([]Value, error) {
	parts := tokenForm.FindStringSubmatch(token)
	if parts == nil {
		return nil, errors.New("is not of the form of a value")
	}
	text, mark, times, repeats := parts[1], parts[2], parts[3], 0
	if times != "" {
		repeats, _ = strconv.Atoi(times) // nine digits fit
	}
	if repeats >= room {
		return nil, fmt.Errorf("a series has more than %d values", MaxValues)
	}
	if text == "_" {
		if mark != "" {
			return nil, errors.New("nothing has no state")
		}
		if times == "" {
			repeats = 1
		}
		return repeat(Value{Missing: true}, repeats), nil
	}
	if state, ok := bareState(text); ok {
		if mark != "" {
			return nil, errors.New("has two states")
		}
		return repeat(Value{State: state}, repeats+1), nil
	}
	first, step, err := parseSteps(text, d)
	if err != nil {
		return nil, err
	}
	if err := first.mark(mark, d); err != nil {
		return nil, err
	}
	return first.grow(step, repeats, d)
}

func repeat(v Value, n int) []Value {
	all := make([]Value, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// bareState reads a state that has no value.
func bareState(text string) (signal.State, bool) {
	var s signal.State
	if s.UnmarshalText([]byte(text)) != nil || s == signal.OK || s == signal.Immature {
		return 0, false
	}
	return s, true
}

// steps is by how much a value grows.
type steps struct {
	numerator, denominator int64
	number                 float64
}

// parseSteps reads "a", "a+b" or "a-b".
func parseSteps(text string, d *alerts.Definition) (v Value, s steps, err error) {
	base, by, sign := text, "", int64(1)
	if i := strings.IndexAny(text, "+-"); i > 0 {
		base, by = text[:i], text[i+1:]
		if text[i] == '-' {
			sign = -1
		}
		if d.Kind == alerts.Daily {
			return v, s, errors.New("days do not grow; write each")
		}
	}
	if v, err = parseOne(base, d); err != nil || by == "" {
		if base != text && by == "" {
			err = errors.New("says not by how much")
		}
		return v, s, err
	}
	step, err := parseOne(by, d)
	s = steps{sign * step.Numerator, sign * step.Denominator, float64(sign) * step.Number}
	return v, s, err
}

// parseOne reads a single value.
func parseOne(text string, d *alerts.Definition) (v Value, err error) {
	before, after, fraction := strings.Cut(text, "/")
	switch d.Kind {
	case alerts.Rate:
		if !fraction {
			return v, errors.New("a rate is written as 30/100000")
		}
		if v.Numerator, err = parseCount(before); err == nil {
			v.Denominator, err = parseCount(after)
		}
	case alerts.Daily:
		if !fraction {
			return v, errors.New("a day is written as 0.15%/40000, with its deliveries")
		}
		if v.Number, err = alerts.ParseValue(before, d.Unit); err == nil {
			v.Deliveries, err = parseCount(after)
		}
	default:
		v.Number, err = alerts.ParseValue(text, d.Unit)
	}
	return v, err
}

func parseCount(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n > maxCount {
		return 0, fmt.Errorf("%q is not a count", shorten(text))
	}
	return int64(n), nil
}

// mark adds what stands behind the colon.
func (v *Value) mark(mark string, d *alerts.Definition) error {
	switch {
	case mark == "":
	case mark == "immature" && d.Kind != alerts.Daily:
		v.State = signal.Immature
	case mark == "late" && d.Kind == alerts.Daily:
		v.Late = true
	case d.Kind == alerts.Daily:
		return fmt.Errorf("a day can be :late, not :%s", mark)
	default:
		return fmt.Errorf("a value can be :immature, not :%s", mark)
	}
	return nil
}

// grow lists a value and so many more, each larger by a step.
func (v Value) grow(s steps, repeats int, d *alerts.Definition) ([]Value, error) {
	all := make([]Value, 0, repeats+1)
	for i := range int64(repeats) + 1 {
		next := v
		next.Numerator += i * s.numerator
		next.Denominator += i * s.denominator
		next.Number += float64(i) * s.number
		if err := next.check(d); err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return all, nil
}

func (v *Value) check(d *alerts.Definition) error {
	switch {
	case d.Kind != alerts.Rate && (v.Number < 0 || math.IsInf(v.Number, 0)):
		return errors.New("becomes less than 0, or endless")
	case d.Kind != alerts.Rate:
		return nil
	case v.Numerator < 0 || v.Denominator > maxCount:
		return errors.New("becomes less than 0, or endless")
	case v.Denominator == 0:
		return errors.New("is of nothing; write idle where there is no mail")
	case v.Numerator > v.Denominator:
		return errors.New("is more than all; write error where figures contradict each other")
	default:
		return nil
	}
}
