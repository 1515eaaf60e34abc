package campaign

import (
	"fmt"
	"testing"
)

// BenchmarkJoin joins as much as a view ever hands over: ten days of 10,000 campaigns, each with a value of its own and
// one that all of them share, and a week of readings of 200 domains with 50 identifiers each.
func BenchmarkJoin(b *testing.B) {
	p := Postmaster{Covered: today - 9, Today: today}
	for ago := range 10 {
		for i := range 10_000 {
			from := fmt.Sprintf("d%d.example", i%200)
			p.Uses = append(p.Uses, used(ago, fmt.Sprint("c", i), from, fmt.Sprintf("v%d:bulk::", i), int64(i)))
		}
	}
	for ago := range 7 {
		for d := range 200 {
			domain := fmt.Sprintf("d%d.example", d)
			p.Readings = append(p.Readings, reported(ago, domain, "bulk", 0.001))
			for i := range 49 {
				p.Readings = append(p.Readings, reported(ago, domain, fmt.Sprint("v", 200*i+d), 0.001))
			}
		}
	}
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if NewJoin(p).Readings()[0].Match != MatchShared {
				b.Fatal("not joined")
			}
		}
	})
	j := NewJoin(p)
	b.Run("campaign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(j.Identifiers(Name{"", "c7"})) != 2 || j.Bound(Name{"", "c7"}, today-6, today).Days != 7 {
				b.Fatal("not known")
			}
		}
	})
}
