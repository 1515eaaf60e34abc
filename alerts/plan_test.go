package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// desk is a world with notifiers.
type desk struct {
	*world
	planner Planner
	groups  *Groups
	// told holds by notifier and key what a receiver would show: whether it is open, and how often it was opened.
	open map[string]bool
	last Plan
}

func newDesk(t testing.TB, routes []Route, catchAll []string, rules ...Rule) *desk {
	t.Helper()
	d := &desk{world: newWorld(t, rules...), groups: &Groups{}, open: make(map[string]bool)}
	d.route(routes, catchAll)
	return d
}

func (d *desk) route(routes []Route, catchAll []string) {
	d.t.Helper()
	router, err := NewRouter(routes, catchAll, []string{"oncall", "team", "rest"})
	if err != nil {
		d.t.Fatal(err)
	}
	d.planner.Router = router
}

func (d *desk) silence(all ...Silence) {
	d.t.Helper()
	var err error
	if d.planner.Silences, err = NewSilences(all); err != nil {
		d.t.Fatal(err)
	}
}

// step evaluates, plans, and goes on from what a ledger would have kept. It says what was sent: notifier, change, severity
// and the number of members.
func (d *desk) step(samples ...Sample) (sent []string) {
	d.t.Helper()
	round := d.round(samples...)
	d.planner.Rules = d.rules
	d.last = d.planner.Plan(d.state, d.groups, round)
	for i, c := range d.last.Changes {
		if held := d.groups.byID[groupID{c.Group.Notifier, c.Group.Key}]; held != nil && held.Version != c.From || held == nil && c.From != 0 {
			d.t.Errorf("a change of version %d", c.From)
		}
		if !c.Forget {
			d.last.Changes[i].Group = d.kept(c.Group)
		}
		n := c.Notification
		if n == nil {
			continue
		}
		at := n.Notifier + n.Key
		if (n.Change == Opened) == d.open[at] || n.Resolved != (n.Change == Closed) {
			d.t.Errorf("%s of a group that is open: %t", n.Change, d.open[at])
		}
		d.open[at] = !n.Resolved
		d.checkContent(n)
		sent = append(sent, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", n.Notifier, n.Change, n.Severity, len(n.Members)+n.More, n.Reason)))
	}
	d.groups = d.groups.With(d.last.Changes)
	slices.Sort(sent)
	return sent
}

func (d *desk) kept(g Group) Group {
	d.t.Helper()
	data, err := g.Encode()
	if err != nil {
		d.t.Fatal(err)
	}
	back, err := DecodeGroup(data)
	if err != nil {
		d.t.Fatal(err)
	}
	return back
}

// checkContent holds what every notification must say.
func (d *desk) checkContent(n *Notification) {
	d.t.Helper()
	if n.ID == "" || len(n.Key) > 255 || n.Sequence < 1 || n.Summary == "" || len(n.Summary) > maxSummary || n.Severity == None || n.At.IsZero() || n.StartedAt.IsZero() {
		d.t.Errorf("notification %+v", n)
	}
	if n.Resolved != (n.Reason != "") || !n.Resolved && len(n.Members) == 0 {
		d.t.Errorf("resolved %t because of %q, %d members", n.Resolved, n.Reason, len(n.Members))
	}
}

func (d *desk) expectSent(got []string, want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Fatalf("at %s:\n%s", d.now.Sub(noon), diff)
	}
}

func (d *desk) after(t time.Duration) { d.now = d.now.Add(t) }

func to(names ...string) []Route { return []Route{{To: names}} }

// quick ends at once when figures are good.
func quick(r Rule) Rule {
	r.KeepFiringFor = new(time.Duration)
	return r
}

func campaigns(k int64, names ...string) (samples []Sample) {
	for _, n := range names {
		samples = append(samples, ofFigure(signal.HardBounceRate, n, figure(k, 1000)))
	}
	return samples
}

func TestGroups(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.expectSent(d.step(campaigns(80, "a", "b", "c")...), "oncall opened warning 3")
	n := d.last.Changes[0].Notification
	if !strings.HasPrefix(n.Summary, "3 times Bounces, the worst: hard_bounce_rate of campaign a is 8 %") {
		t.Errorf("summary %q", n.Summary)
	}
	key := n.Key
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b", "c", "d")...)) // gathered
	d.after(4 * time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b", "c", "d")...), "oncall joined warning 4")
	d.after(time.Minute)
	d.expectSent(d.step(append(campaigns(80, "a", "b", "c"), campaigns(200, "d")...)...), "oncall worsened critical 4")
	if n := d.last.Changes[0].Notification; n.Members[0].Subject.Campaign != "d" || n.Key != key {
		t.Errorf("the worst is %v, key %s", n.Members[0].Subject, n.Key)
	}
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b", "c", "d")...), "oncall eased warning 4")
	d.after(time.Minute)
	d.expectSent(d.step(append(campaigns(80, "a", "b"), campaigns(0, "c", "d")...)...))
	d.after(5 * time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b")...), "oncall left warning 2")
	if n := d.last.Changes[0].Notification; len(n.Gone) != 2 || n.Gone[0].Severity != Warning || n.Gone[1].Subject.Campaign != "d" {
		t.Errorf("gone are %+v, want c and d as they were told", n.Gone)
	}
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(0, "a", "b")...), "oncall closed warning 0 cleared")
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(0, "a", "b")...))
	d.expectSent(d.step(campaigns(80, "a")...), "oncall opened warning 1")
	if n := d.last.Changes[0].Notification; n.Key != key || n.Sequence != 7 {
		t.Errorf("opened again as %s %d, want %s 7", n.Key, n.Sequence, key)
	}
}

// A member that ended and fires anew before its end was told is told of as one that fires, not as one that ended: a receiver
// that hears both under the same labels may take it for over.
func TestMemberFiresAnew(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.expectSent(d.step(campaigns(80, "a", "b")...), "oncall opened warning 2")
	d.after(time.Minute)
	d.expectSent(d.step(append(campaigns(80, "a"), campaigns(0, "b")...)...))
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b")...))
	d.after(4 * time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b")...), "oncall joined warning 2")
	if n := d.last.Changes[0].Notification; len(n.Gone) != 0 || len(n.Members) != 2 {
		t.Errorf("%d gone beside %d members", len(n.Gone), len(n.Members))
	}
	d.after(time.Minute)
	d.expectSent(d.step(append(campaigns(80, "a"), campaigns(0, "b")...)...))
	d.after(5 * time.Minute)
	d.expectSent(d.step(append(campaigns(80, "a"), campaigns(0, "b")...)...), "oncall left warning 1")
	if n := d.last.Changes[0].Notification; len(n.Gone) != 1 || n.Gone[0].Subject.Campaign != "b" {
		t.Errorf("gone are %+v, want b", n.Gone)
	}
}

// A member that becomes critical beside one that is critical already is told of, though the group is no worse: who was told of
// a warning acts on it as on one.
func TestMemberWorsens(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.expectSent(d.step(append(campaigns(300, "a"), campaigns(80, "b")...)...), "oncall opened critical 2")
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(300, "a", "b")...))
	d.after(4 * time.Minute)
	d.expectSent(d.step(campaigns(300, "a", "b")...), "oncall worsened critical 2")
	was := map[string]Severity{}
	for _, m := range d.last.Changes[0].Notification.Members {
		was[m.Subject.Campaign] = m.Was
	}
	if diff := cmp.Diff(map[string]Severity{"a": Critical, "b": Warning}, was); diff != "" {
		t.Errorf("severities told before: %s", diff)
	}
	d.after(10 * time.Minute)
	d.expectSent(d.step(campaigns(300, "a", "b")...))
}

// However many alerts with however many labels a group has, a ledger can store it: what it could not would hold up all alerts.
func TestLargestGroup(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, bounceRule())
	labels := make([]observation.Field, maxSubjectLabels)
	for i := range labels {
		labels[i] = observation.Field{Name: "domain", Value: strings.Repeat("x", maxValue)}
	}
	var samples []Sample
	for i := range maxAlerts {
		samples = append(samples, labelled(campaigns(80, fmt.Sprintf("%04d%s", i, strings.Repeat("c", 200)))[0], labels...))
	}
	d.expectSent(d.step(samples...), fmt.Sprintf("oncall opened warning %d", maxAlerts))
	const most = 4 << 20 // of a body in a ledger
	group, err := d.last.Changes[0].Group.Encode()
	if err != nil || len(group) > most {
		t.Errorf("a group of %d bytes, %v", len(group), err)
	}
	n, err := d.last.Changes[0].Notification.Encode()
	if err != nil || len(n) > most {
		t.Errorf("a notification of %d bytes, %v", len(n), err)
	}
	d.after(time.Minute)
	for i := range samples {
		samples[i].State, samples[i].Figure = signal.OK, new(figure(0, 1000))
	}
	d.after(25 * time.Hour)
	for range 100 {
		if d.step(samples...); d.last.Changes != nil {
			break
		}
		d.after(15 * time.Minute)
	}
	n, err = d.last.Changes[0].Notification.Encode()
	if err != nil || len(n) > most || !d.last.Changes[0].Notification.Resolved {
		t.Errorf("a closing of %d bytes, %v", len(n), err)
	}
}

// The largest notification lists many members for a receiver that forgets, and many that are over.
func TestLargestChange(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.planner.Forgets = func(string) bool { return true }
	labels := make([]observation.Field, maxSubjectLabels)
	for i := range labels {
		labels[i] = observation.Field{Name: "domain", Value: strings.Repeat("x", maxValue)}
	}
	samples := func(first, others int64) (all []Sample) {
		for i := range 2 * maxGone {
			k := others
			if i < maxGone {
				k = first
			}
			all = append(all, labelled(campaigns(k, fmt.Sprintf("%04d%s", i, strings.Repeat("c", 200)))[0], labels...))
		}
		return all
	}
	d.expectSent(d.step(samples(80, 80)...), fmt.Sprintf("oncall opened warning %d", 2*maxGone))
	d.after(time.Minute)
	d.expectSent(d.step(samples(0, 300)...), fmt.Sprintf("oncall worsened critical %d", maxGone))
	const most = 4 << 20 // of a body in a ledger
	n := d.last.Changes[0].Notification
	body, err := n.Encode()
	if err != nil || len(body) > most || len(n.Members) != maxKept || len(n.Gone) < maxGone/2 {
		t.Errorf("a notification of %d bytes with %d members and %d that are over, %v", len(body), len(n.Members), len(n.Gone), err)
	}
}

func TestGroupsApart(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, bounceRule())
	owned := func(s Sample, owner, tenant string) Sample {
		s.Subject.Tenant = tenant
		return labelled(s, observation.Field{Name: "owner", Value: owner})
	}
	all := campaigns(80, "a", "b", "c", "d")
	got := d.step(owned(all[0], "crm", ""), owned(all[1], "crm", ""), owned(all[2], "growth", ""), owned(all[3], "crm", "acme"))
	d.expectSent(got, "oncall opened warning 1", "oncall opened warning 1", "oncall opened warning 2")
}

func TestManyMembers(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, bounceRule())
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("c%03d", i))
	}
	d.expectSent(d.step(campaigns(80, names...)...), "oncall opened warning 500")
	if n := d.last.Changes[0].Notification; len(n.Members) != maxMembers || n.More != 480 {
		t.Errorf("%d members and %d more", len(n.Members), n.More)
	}
}

// A receiver that ends what it is not told of again is told of a member for as long as that fires, however many worse ones come.
func TestMembersAreKept(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.planner.Forgets = func(notifier string) bool { return notifier == "oncall" }
	named := func(prefix string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s%03d", prefix, i))
		}
		return names
	}
	old := campaigns(80, named("old", maxKept-1)...)
	d.expectSent(d.step(old...), fmt.Sprintf("oncall opened warning %d", maxKept-1))
	for _, round := range []struct{ worse, sent string }{{"worse", "oncall worsened critical 129"}, {"yet-worse", "oncall joined critical 179"}} {
		d.after(5 * time.Minute)
		d.expectSent(d.step(append(campaigns(300, named(round.worse, 50)...), old...)...), round.sent)
		n := d.last.Changes[0].Notification
		listed := map[string]bool{}
		for _, m := range n.Members {
			listed[m.Subject.Campaign] = true
		}
		if len(n.Members) != maxKept || !listed["old000"] || !listed["old078"] || !listed["worse000"] {
			t.Errorf("%s: %d members, not all that were listed before: %v", n.Change, len(n.Members), listed)
		}
		if !strings.Contains(n.Summary, "30 %") {
			t.Errorf("the summary is not of the worst: %s", n.Summary)
		}
	}
}

func TestSilences(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	silence := Silence{ID: "s1", Matchers: []Matcher{{Name: "campaign", Globs: []string{"a*"}}}, StartsAt: noon, EndsAt: noon.Add(time.Hour), Comment: "known"}
	d.silence(silence)
	d.expectSent(d.step(campaigns(80, "a")...))
	if len(d.last.Silenced) != 1 {
		t.Errorf("silenced: %v", d.last.Silenced)
	}
	d.after(30 * time.Minute)
	d.expectSent(d.step(campaigns(200, "a", "b")...), "oncall opened critical 1")
	d.after(31 * time.Minute)
	d.expectSent(d.step(campaigns(200, "a", "b")...), "oncall joined critical 2")
	silence.EndsAt = noon.Add(100 * time.Hour)
	silence.Matchers[0].Globs[0] = "*"
	d.silence(silence)
	d.after(10 * time.Minute)
	d.expectSent(d.step(campaigns(80, "a", "b", "c")...)) // eased, but silenced
	d.after(10 * time.Minute)
	d.expectSent(d.step(campaigns(0, "a", "b", "c")...), "oncall closed critical 0 cleared")
}

func TestSilenceCheck(t *testing.T) {
	good := Silence{ID: "s", Matchers: []Matcher{{Name: "rule", Globs: []string{"x"}}}, StartsAt: noon, EndsAt: noon.Add(time.Hour), Comment: "why"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Silence){
		"matchers: must not be empty: that would silence everything": func(s *Silence) { s.Matchers = nil },
		"matchers: rule needs one to 20 values":                      func(s *Silence) { s.Matchers = []Matcher{{Name: "rule"}} },
		"ends_at: must be after the start":                           func(s *Silence) { s.EndsAt = s.StartsAt },
		"ends_at: must be within a year":                             func(s *Silence) { s.EndsAt = s.EndsAt.AddDate(2, 0, 0) },
		"comment: must say why, in at most 1000 bytes":               func(s *Silence) { s.Comment = "" },
		"created_by: must be one line of at most 256 bytes":          func(s *Silence) { s.CreatedBy = "a\nb" },
	} {
		bad := good
		change(&bad)
		if err := bad.Check(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := NewSilences([]Silence{bad}); err == nil {
			t.Errorf("a silence that %s", want)
		}
	}
}

func TestRoutes(t *testing.T) {
	is := func(label, value string) []Matcher { return []Matcher{{Name: label, Globs: []string{value}}} }
	critical := Route{Match: is("severity", "critical"), To: []string{"oncall"}}
	team := Route{Match: is("campaign", "a"), To: []string{"team"}}
	stop := team
	stop.Stop = true
	all := Route{To: []string{"rest"}}
	for name, c := range map[string]struct {
		routes   []Route
		catchAll []string
		want     []string
	}{
		"all that match":            {[]Route{critical, team, all}, nil, []string{"oncall opened critical 1", "rest opened critical 1", "team opened critical 1"}},
		"stop":                      {[]Route{stop, critical, all}, nil, []string{"team opened critical 1"}},
		"one notifier, two routes":  {[]Route{team, {To: []string{"team"}}}, nil, []string{"team opened critical 1"}},
		"taken, so not caught":      {[]Route{team}, []string{"rest"}, []string{"team opened critical 1"}},
		"caught":                    {[]Route{{Match: is("campaign", "x"), To: []string{"team"}}}, []string{"rest"}, []string{"rest opened critical 1"}},
		"nothing takes it":          {nil, nil, []string{"opened critical 1"}},
		"by rule, cause and signal": {[]Route{{Match: append(append(is("rule", "Bounces"), is("cause", "bounces")...), is("signal", "hard_*")...), To: []string{"team"}}}, nil, []string{"team opened critical 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.routes, c.catchAll, bounceRule())
			d.expectSent(d.step(campaigns(300, "a")...), c.want...)
			d.after(time.Minute)
			d.expectSent(d.step(campaigns(300, "a")...))
		})
	}
	if e := NewEntry(Notification{Notifier: "", At: noon}); e.State != EntryDead {
		t.Errorf("a dead letter is %s", e.State)
	}
}

func TestRouteHours(t *testing.T) {
	office, err := ParseHours("Mon-Fri 08:00-18:00", zone(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	routes := []Route{{To: []string{"team"}, Hours: office, Stop: true}}
	evening := time.Date(2026, 11, 16, 21, 0, 0, 0, time.UTC)
	t.Run("waits for the morning", func(t *testing.T) {
		d := newDesk(t, routes, nil, quick(bounceRule()))
		d.now = evening
		d.expectSent(d.step(campaigns(80, "a")...))
		d.now = evening.Add(10 * time.Hour)
		d.expectSent(d.step(campaigns(80, "a")...), "team opened warning 1")
	})
	t.Run("what ends in the night is never told", func(t *testing.T) {
		d := newDesk(t, routes, nil, quick(bounceRule()))
		d.now = evening
		d.expectSent(d.step(campaigns(80, "a")...))
		d.after(time.Hour)
		d.expectSent(d.step(campaigns(0, "a")...))
	})
	t.Run("the end of hours ends nothing", func(t *testing.T) {
		d := newDesk(t, routes, []string{"rest"}, quick(bounceRule()))
		d.expectSent(d.step(campaigns(80, "a")...), "team opened warning 1")
		d.now = evening
		d.expectSent(d.step(campaigns(80, "a")...), "rest opened warning 1")
		d.after(time.Minute)
		d.expectSent(d.step(campaigns(300, "a")...), "rest worsened critical 1")
		d.after(12 * time.Hour)
		d.expectSent(d.step(campaigns(300, "a")...), "team worsened critical 1")
		d.now = evening.Add(24 * time.Hour)
		d.expectSent(d.step(campaigns(0, "a")...), "rest closed critical 0 cleared", "team closed critical 0 cleared")
	})
}

func TestRoutesReload(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, bounceRule())
	d.expectSent(d.step(campaigns(80, "a")...), "oncall opened warning 1")
	d.route(to("team"), nil)
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a")...), "oncall closed warning 0 route_changed", "team opened warning 1")
	router, err := NewRouter(nil, []string{"rest"}, []string{"rest"})
	if err != nil {
		t.Fatal(err)
	}
	d.planner.Router = router
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a")...), "rest opened warning 1") // nobody is left to tell team
	if n := len(d.groups.All()); n != 1 {
		t.Errorf("%d groups are open, want one", n)
	}
	d.rules = compile(t)
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a")...), "rest closed warning 0 rule_deleted")
}

// A member that is less severe than its route asks for leaves that route's group.
func TestEasedOutOfARoute(t *testing.T) {
	d := newDesk(t, []Route{{Match: []Matcher{{Name: "severity", Globs: []string{"critical"}}}, To: []string{"oncall"}}, {To: []string{"team"}}}, nil, quick(bounceRule()))
	d.expectSent(d.step(campaigns(300, "a")...), "oncall opened critical 1", "team opened critical 1")
	d.after(time.Minute)
	d.expectSent(d.step(campaigns(80, "a")...), "oncall closed critical 0 route_changed", "team eased warning 1")
}

func TestClosedGroupsAreForgotten(t *testing.T) {
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()))
	d.step(campaigns(80, "a")...)
	d.after(time.Minute)
	d.step(campaigns(0, "a")...)
	d.after(remember + time.Hour)
	d.step()
	if n := len(d.groups.byID); n != 0 {
		t.Errorf("%d groups are remembered", n)
	}
}

func TestCheckRoutes(t *testing.T) {
	var got []string
	CheckRoutes([]Route{{}, {To: []string{"x"}, Match: []Matcher{{Name: "1"}}}, {To: []string{"a"}, Stop: true}, {To: []string{"a"}}}, []string{"y"}, []string{"a"},
		func(path, problem string) { got = append(got, path+": "+problem) })
	want := []string{
		"routes[0].to: must name a notifier", `routes[1].to: there is no notifier "x"`, `routes[1].match: "1" is not the name of a label`,
		"routes[2].stop: takes every alert, so no later route is ever reached", `catch_all: there is no notifier "y"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := NewRouter([]Route{{}}, nil, nil); err == nil {
		t.Error("a router of a route that leads nowhere")
	}
}
