package campaign

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestSends(t *testing.T) {
	at := func(hours float64, name string, n int64) Hour {
		start := noon.Add(time.Duration(hours * float64(time.Hour)))
		return Hour{Start: start, Width: 5 * time.Minute, Name: name, N: n}
	}
	send := func(name string, from, to int, n int64) Send {
		return Send{name, noon.Add(time.Duration(from) * time.Hour), noon.Add(time.Duration(to) * time.Hour), n}
	}
	for _, c := range []struct {
		name  string
		hours []Hour
		want  []Send
	}{
		{"nothing", nil, nil},
		{"no mail", []Hour{at(0, "", 0)}, nil},
		{"one", []Hour{at(0.5, "", 7)}, []Send{send("", 0, 1, 7)}},
		{"one with pauses", []Hour{at(0, "", 1), at(6, "", 2), at(12.9, "", 4)},
			[]Send{send("", 0, 13, 7)}},
		{"silence", []Hour{at(0, "", 1), at(7, "", 2)}, []Send{send("", 0, 1, 1), send("", 7, 8, 2)}},
		{"silence of less than six whole hours", []Hour{at(0, "", 1), at(6.9, "", 2)}, []Send{send("", 0, 7, 3)}},
		{"names", []Hour{at(0, "b", 1), at(1, "a", 2), at(40, "a", 4), at(2, "", 8)},
			[]Send{send("b", 0, 1, 1), send("a", 1, 41, 6), send("", 2, 3, 8)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Sends(c.hours, Gap)); diff != "" {
				t.Errorf("sends (-want +got):\n%s", diff)
			}
		})
	}
}

func randomHours(random *rand.Rand) []Hour {
	hours := make([]Hour, random.IntN(60))
	for i := range hours {
		hours[i] = Hour{
			Start: noon.Add(time.Duration(random.IntN(200*12)) * 5 * time.Minute),
			Width: 5 * time.Minute,
			Name:  []string{"", "", "a", "b"}[random.IntN(4)],
			N:     random.Int64N(5),
		}
	}
	return hours
}

func TestSendsPartTheMail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		hours := randomHours(random)
		sends := Sends(hours, Gap)
		var sum, whole int64
		for i, s := range sends {
			sum += s.N
			if s.N <= 0 || !s.Start.Before(s.End) {
				t.Fatalf("send %d is %+v", i, s)
			}
			for _, other := range sends[:i] {
				if other.Name != s.Name {
					continue
				}
				if s.Name != "" || s.Start.Sub(other.End) < Gap {
					t.Fatalf("%+v and %+v are one send", other, s)
				}
			}
		}
		for _, h := range hours {
			whole += h.N
			holders := 0
			for _, s := range sends {
				if s.Name == h.Name && !h.Start.Before(s.Start) && h.Start.Before(s.End) {
					holders++
				}
			}
			if h.N > 0 && holders != 1 {
				t.Fatalf("%+v is in %d sends", h, holders)
			}
		}
		if sum != whole {
			t.Fatalf("the sends hold %d recipients of %d", sum, whole)
		}
	}
}

func TestSendsDoNotDependOnOrderOrCompaction(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		hours := randomHours(random)
		want := Sends(hours, Gap)
		for i := range hours {
			if random.IntN(2) == 0 {
				hours[i].Start, hours[i].Width = hours[i].Start.Truncate(time.Hour), time.Hour
			}
		}
		random.Shuffle(len(hours), func(i, j int) { hours[i], hours[j] = hours[j], hours[i] })
		if diff := cmp.Diff(want, Sends(hours, Gap)); diff != "" {
			t.Fatalf("sends change (-want +got):\n%s", diff)
		}
	}
}

func TestHistory(t *testing.T) {
	first, second, third := &Rules{}, &Rules{}, &Rules{}
	h := NewHistory([]Dated{{noon.Add(time.Hour), third}, {noon.Add(-time.Hour), first}, {noon, second}})
	for at, want := range map[time.Time]*Rules{
		noon.Add(-2 * time.Hour): first, noon.Add(-time.Hour): first, noon.Add(-1): first, noon: second,
		noon.Add(time.Hour - 1): second, noon.Add(time.Hour): third, noon.Add(24 * time.Hour): third,
	} {
		if h.At(at) != want {
			t.Errorf("wrong rules at %v", at)
		}
	}
	if NewHistory(nil).At(noon) != nil {
		t.Error("a history without versions gives rules")
	}
}

func TestMatcher(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"receipts", "receipts", true}, {"receipts", "receipts2", false}, {"Receipts", "receipts", false},
		{"otp-*", "otp-", true}, {"otp-*", "otp-sms", true}, {"otp-*", "an-otp-", false},
		{"*", "", true}, {"*", "anything", true}, {"?", "é", true}, {"?", "", false}, {"a?c", "abc", true},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxa", false}, {"a[b]*", "a[b]c", true}, {"a[b]*", "ab", false},
		{`a.*`, "axx", false}, {`\*`, `\x`, true},
	} {
		m, err := NewMatcher([]string{c.glob})
		if err != nil {
			t.Fatal(err)
		}
		if m.Match(c.name) != c.want {
			t.Errorf("%q fits %q: %v", c.name, c.glob, !c.want)
		}
	}
	if _, err := NewMatcher([]string{"ok", "", strings.Repeat("x", 257)}); err == nil ||
		len(strings.Split(err.Error(), "\n")) != 2 {
		t.Errorf("got %v, want two problems", err)
	}
	if (*Matcher)(nil).Match("x") {
		t.Error("no matcher matches")
	}
}

func FuzzMatcher(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*a*a*a*a*b", "aaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, glob, name string) {
		glob, name = strings.ToValidUTF8(glob, ""), strings.ToValidUTF8(name, "")
		m, err := NewMatcher([]string{glob})
		if err != nil {
			return
		}
		pattern := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(glob))
		if want := regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(name); m.Match(name) != want {
			t.Errorf("%q fits %q: %v, want %v", name, glob, !want, want)
		}
	})
}
