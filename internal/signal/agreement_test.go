package signal

import (
	"slices"
	"testing"
)

// same are hours in which both counted n.
func same(hours int, n int64) []Counted {
	return slices.Repeat([]Counted{{Ours: n, Theirs: n}}, hours)
}

func TestAgree(t *testing.T) {
	t.Parallel()
	f := func(name string, hours []Counted, finding Finding, state State, share float64) {
		t.Helper()
		a := Agree(hours)
		if a.Finding != finding || a.State != state {
			t.Errorf("%s: finding %q, state %s; want %q, %s", name, a.Finding, a.State, finding, state)
		}
		got, ok := a.Share()
		if share < 0 && ok {
			t.Errorf("%s: share %v, want none", name, got)
		}
		if share >= 0 && (!ok || got != share) {
			t.Errorf("%s: share %v (%v), want %v", name, got, ok, share)
		}
	}
	f("nothing compared", nil, "", NoData, -1)
	f("no mail", same(24, 0), "", Idle, -1)
	f("the same", same(24, 1000), "", OK, 1)
	f("few", same(4, 10), "", Insufficient, 1)
	f("most", []Counted{{Ours: 970, Theirs: 1000}}, "", OK, 0.97)
	f("short", []Counted{{Ours: 700, Theirs: 1000}}, Short, OK, 0.7)
	f("deaf", []Counted{{}, {Theirs: 2}, {Theirs: 1}}, Deaf, Error, 0)
	f("two may have been lost", []Counted{{}, {Theirs: 2}}, "", Insufficient, 0)
	f("a little more", []Counted{{Ours: 1015, Theirs: 1000}}, "", OK, 1)
	f("more", []Counted{{Ours: 1100, Theirs: 1000}}, Excess, Error, -1)
	f("they know of none", []Counted{{Ours: 1000}}, Excess, Error, -1)
	f("what may be counted fits", []Counted{{Ours: 900, Maybe: 200, Theirs: 1000}}, "", OK, 1)
	f("what may be counted is not too much", []Counted{{Ours: 1000, Maybe: 500, Theirs: 1000}}, "", OK, 1)

	// Duplicates of one hour do not fill the hole of another.
	hole := same(24, 1000)
	hole[5].Ours, hole[15].Ours = 0, 2000
	f("a hole and as many duplicates", hole, Excess, Error, -1)
	if a := Agree(hole); a.ShortHours != 1 || a.ExcessHours != 1 || a.Ours != a.Theirs {
		t.Errorf("%+v, want one hour short, one in excess and equal sums", a)
	}
	// The other's clock puts what happened at the turn of an hour into the next one.
	late := same(24, 1000)
	late[9].Theirs, late[10].Theirs = 400, 1600
	f("events that crossed over", late, "", OK, 1)
	// Nothing crosses over from an hour that was not compared.
	gap := []Counted{{Ours: 1000, Theirs: 1000}, {Ours: 900, Theirs: 100, Gap: true}, {Ours: 100, Theirs: 900, Gap: true}}
	f("hours with gaps", gap, Excess, Error, -1)
}

func TestJoin(t *testing.T) {
	t.Parallel()
	sends, bounces := Agree(same(24, 1000)), Agree([]Counted{{Theirs: 40}})
	whole := Join(sends, bounces, Agree(nil))
	if share, ok := whole.Share(); whole.Finding != Deaf || whole.State != Error || !ok || share < 0.99 {
		t.Errorf("%+v, want a deaf loop although nearly all events came", whole)
	}
	if whole := Join(sends, Agree([]Counted{{Ours: 700, Theirs: 1000}})); whole.Finding != Short || whole.State != OK {
		t.Errorf("%+v, want short", whole)
	}
	// What is counted twice fills no hole elsewhere.
	twice := Join(Agree([]Counted{{Ours: 2000, Theirs: 1000}}), Agree([]Counted{{Ours: 1, Theirs: 1000}}))
	if _, ok := twice.Share(); twice.Matched != 1001 || ok {
		t.Errorf("%+v, want 1001 matched and no share", twice)
	}
	if got := Join(Agree(nil), Agree(nil)); got.State != NoData {
		t.Errorf("state %s, want no_data", got.State)
	}
	if got := Join(Agree(same(3, 0)), Agree(nil)); got.State != Idle {
		t.Errorf("state %s, want idle", got.State)
	}
}
