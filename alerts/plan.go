package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

const (
	// gather is how long after a notification a group waits before it tells of members that joined or left. What is worse
	// than before is told at once.
	gather = 5 * time.Minute
	// remember is how long a closed group keeps its sequence.
	remember = 30 * 24 * time.Hour
)

// Planner says which notifications the alerts call for. It does not change.
type Planner struct {
	Rules    *Rules
	Router   *Router
	Silences *Silences
	// Forgets says of a notifier that it ends what it is not told of again, as a Resender's receiver does. It is told of many
	// more members than people read, and of those once told for as long as they fire. Nil stands for never.
	Forgets func(notifier string) bool
}

// GroupChange is a change of what a notifier is told: the group and the notification must be stored together, and with the
// transitions that led to them.
type GroupChange struct {
	// From is the version that the change was made of, 0 when there was none.
	From  int64
	Group Group
	// Forget says that the group is to be deleted; there is then no notification.
	Forget bool
	// Notification is to go to the outbox; nil when there is nothing to say.
	Notification *Notification
}

// Plan is what follows from the state of all alerts.
type Plan struct {
	Changes []GroupChange
	// Muted and Silenced say of firing alerts, by their ids, which alert mutes them and which silence covers them.
	Muted, Silenced map[string]string
}

// planning is one plan in the making.
type planning struct {
	*Planner
	now   time.Time
	ended map[string]*Transition
	plan  Plan
	// firing are all firing alerts; muted those that another stands for, by its id.
	firing []*Alert
	muted  map[string][]*Alert
	places map[groupID][]place
}

// place is an alert in a group. Loud alerts may open a group or be told of; others only keep it open.
type place struct {
	alert *Alert
	id    string
	loud  bool
	// was is the severity under which the notifier was told of it, None if it was not.
	was Severity
}

// Plan compares the alerts of a state with what the notifiers have been told. Round is the one that led to the state; it
// says why alerts ended.
func (p *Planner) Plan(s *State, g *Groups, round Round) Plan {
	w := planning{
		Planner: p, now: round.At, ended: make(map[string]*Transition), muted: make(map[string][]*Alert),
		places: make(map[groupID][]place), plan: Plan{Muted: make(map[string]string), Silenced: make(map[string]string)},
	}
	for i := range round.Transitions {
		if t := &round.Transitions[i]; t.Kind == Resolved {
			w.ended[t.Alert.ID()] = t
		}
	}
	for _, a := range s.Alerts() {
		if a.Firing() {
			w.firing = append(w.firing, a)
		}
	}
	w.place(g)
	ids := maps.Clone(g.byID)
	if ids == nil {
		ids = make(map[groupID]*Group)
	}
	for id := range w.places {
		if _, known := ids[id]; !known {
			ids[id] = nil
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(ids), groupID.compare) {
		w.update(id, ids[id])
	}
	return w.plan
}

// place puts the firing alerts into groups.
func (w *planning) place(told *Groups) {
	inHours := make([]bool, len(w.Router.routes))
	for i := range inHours {
		inHours[i] = w.Router.routes[i].Hours.Contain(w.now)
	}
	// A silenced alert is one that somebody knows of.
	inhibitions := newInhibitions(w.firing, func(a *Alert) bool {
		return len(w.Router.route(a, inHours).now) > 0 || told.know(a)
	})
	for _, a := range w.firing {
		id := a.ID()
		quiet := false
		if by := inhibitions.of(a); by != nil {
			quiet = true
			w.plan.Muted[id] = by.ID()
			w.muted[by.ID()] = append(w.muted[by.ID()], a)
		}
		if silence, ok := w.Silences.Of(a, w.now); ok {
			quiet = true
			w.plan.Silenced[id] = silence
		}
		key, _ := groupOf(a)
		to := w.Router.route(a, inHours)
		if len(to.ever) == 0 {
			to = destinations{now: []string{""}, ever: []string{""}}
		}
		for _, notifier := range to.ever {
			at := groupID{notifier, key}
			loud := !quiet && slices.Contains(to.now, notifier)
			w.places[at] = append(w.places[at], place{alert: a, id: id, loud: loud})
		}
	}
}

// update brings one group up to date.
func (w *planning) update(id groupID, g *Group) {
	told := Group{Key: id.key, Notifier: id.notifier}
	if g != nil {
		told = *g
	}
	if told.Notifier != "" && !w.Router.notifiers[told.Notifier] || !told.open() && w.old(g) && len(w.places[id]) == 0 {
		w.forget(g)
		return
	}
	members, gone, fresh := told.compare(w.places[id])
	worst, worstLoud, worse := None, None, false
	for _, m := range members {
		worst = max(worst, m.alert.Severity)
		if m.loud {
			worstLoud = max(worstLoud, m.alert.Severity)
			worse = worse || m.was != None && m.alert.Severity > m.was
		}
	}
	switch waited := w.now.Sub(told.NotifiedAt) >= gather || told.NotifiedAt.After(w.now); {
	case len(members) == 0 && !told.open():
	case len(members) == 0:
		w.close(told, gone)
	case !told.open():
		w.tell(told, Opened, members, nil, worst)
	case worstLoud > told.Severity:
		w.tell(told, Worsened, members, gone, worst)
	case worst < told.Severity && worstLoud != None:
		w.tell(told, Eased, members, gone, worst)
	case worse && waited: // beside one that was as bad before
		w.tell(told, Worsened, members, gone, worst)
	case fresh && waited:
		w.tell(told, Joined, members, gone, worst)
	case len(gone) > 0 && waited:
		w.tell(told, Left, members, gone, told.Severity)
	}
}

func (w *planning) old(g *Group) bool { return g != nil && w.now.Sub(g.NotifiedAt) > remember }

func (w *planning) forget(g *Group) {
	if g != nil {
		w.plan.Changes = append(w.plan.Changes, GroupChange{From: g.Version, Group: *g, Forget: true})
	}
}

// compare holds the alerts of a group against what the notifier knows: members are those that it is to know of from now on,
// gone those that it knows and that are over; fresh says that there are members it does not know.
func (g *Group) compare(alerts []place) (members []place, gone []Episode, fresh bool) {
	known := make(map[string]*Episode, len(g.Members))
	for i := range g.Members {
		known[g.Members[i].ID] = &g.Members[i]
	}
	stay := make(map[string]bool, len(alerts))
	for _, a := range alerts {
		was := known[a.id]
		switch {
		case was != nil && was.StartedAt.Equal(a.alert.StartedAt):
			stay[a.id] = true
			a.was = was.Severity
		case a.loud:
			fresh = true
			// One that fires again before its end was told has not ended: who were told both would take it for over.
			stay[a.id] = was != nil && was.Severity == a.alert.Severity
		default:
			continue
		}
		members = append(members, a)
	}
	for _, m := range g.Members {
		if !stay[m.ID] {
			gone = append(gone, m)
		}
	}
	return members, gone, fresh
}

// tell makes the notification of a group that fires.
func (w *planning) tell(g Group, why Change, members []place, gone []Episode, worst Severity) {
	if !g.open() {
		a := members[0].alert
		g.StartedAt = w.now
		g.Rule, g.Signal, g.By, g.Owner = a.Rule, a.Signal, a.By, a.Owner
		_, g.Labels = groupOf(a)
	}
	g.Severity = worst
	slices.SortStableFunc(members, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.alert.Severity, a.alert.Severity), cmp.Compare(b.alert.excess(), a.alert.excess()))
	})
	first, listed := members[0].alert, maxMembers
	if w.Forgets != nil && w.Forgets(g.Notifier) {
		listed = maxKept
		g.listedFirst(members)
	}
	g.Members = nil
	for i, m := range members {
		e := Episode{m.id, m.alert.StartedAt, m.alert.Subject, m.alert.Severity, m.alert.Labels}
		if i >= maxGone { // no notification lists it, and what is stored is bounded
			e.Labels = nil
		}
		g.Members = append(g.Members, e)
	}
	// What is stored is bounded: the more members are listed, the fewer of those that are over, which such a receiver ends itself.
	n := w.notification(&g, why, gone[:min(len(gone), maxGone+maxMembers-listed)])
	var muted []*Alert
	for _, m := range members {
		muted = append(muted, w.muted[m.id]...)
		if len(n.Members) < listed {
			n.Members = append(n.Members, w.member(m.alert, m.id))
			n.Members[len(n.Members)-1].Was = m.was
		}
	}
	n.More = len(members) - len(n.Members)
	for _, a := range muted[:min(len(muted), maxMembers)] {
		n.Muted = append(n.Muted, w.member(a, a.ID()))
	}
	n.MoreMuted = len(muted) - len(n.Muted)
	n.Summary = w.Rules.Summary(first, "", w.now)
	if len(members) > 1 {
		n.Summary = shorten(fmt.Sprintf("%d times %s, the worst: %s", len(members), g.Rule, n.Summary), maxSummary)
	}
	n.Description = w.Rules.Description(first, "", w.now)
	w.change(g, n)
}

// listedFirst puts those first that the last notification listed, so that none that fires on falls out of the list.
func (g *Group) listedFirst(members []place) {
	listed := make(map[string]bool, maxKept)
	for _, m := range g.Members[:min(len(g.Members), maxKept)] {
		listed[m.ID] = true
	}
	slices.SortStableFunc(members, func(a, b place) int {
		switch {
		case listed[a.id] == listed[b.id]:
			return 0
		case listed[a.id]:
			return -1
		default:
			return 1
		}
	})
}

// close makes the last notification of a group.
func (w *planning) close(g Group, gone []Episode) {
	n := w.notification(&g, Closed, gone)
	n.Resolved = true
	n.Reason = RouteChanged
	for _, m := range gone {
		if t := w.ended[m.ID]; t != nil {
			n.Reason = t.Reason
		}
	}
	n.Summary = cmp.Or(n.Gone[0].Summary, fmt.Sprintf("Resolved, %s: %s of %s", n.Reason.Words(), g.Rule, gone[0].Subject))
	if len(gone) > 1 {
		n.Summary = fmt.Sprintf("Resolved, %s: %s of %d subjects", n.Reason.Words(), g.Rule, len(gone))
	}
	n.Summary = shorten(n.Summary, maxSummary)
	g.Members = nil
	w.change(g, n)
}

func (w *planning) notification(g *Group, why Change, gone []Episode) *Notification {
	n := &Notification{
		Key: g.Key, Sequence: g.Sequence + 1, Notifier: g.Notifier, Change: why, Severity: g.Severity, Rule: g.Rule,
		Signal: g.Signal, By: g.By, Cause: g.Signal.Definition().Cause, Owner: g.Owner, Group: g.Labels, StartedAt: g.StartedAt,
		At: w.now,
	}
	n.ID = digest(n.Notifier, n.Key, strconv.FormatInt(n.Sequence, 10), w.now.Format(time.RFC3339Nano))
	if rule := w.Rules.byName[g.Rule]; rule != nil {
		n.Runbook, n.Document = rule.Runbook, rule.Document
	}
	for _, m := range gone[:min(len(gone), maxGone)] {
		member := Member{ID: m.ID, StartedAt: m.StartedAt, Severity: m.Severity, Subject: m.Subject, Owner: g.Owner, Labels: m.Labels}
		if t := w.ended[m.ID]; t != nil {
			member.Evidence = t.Alert.Evidence
			member.Summary = w.Rules.Summary(&t.Alert, t.Reason, w.now)
		}
		n.Gone = append(n.Gone, member)
	}
	return n
}

func (w *planning) member(a *Alert, id string) Member {
	return Member{
		ID: id, StartedAt: a.StartedAt, Severity: a.Severity, Subject: a.Subject, Evidence: a.Evidence, Owner: a.Owner,
		Labels: a.Labels, Summary: w.Rules.Summary(a, "", w.now), UpperBound: a.Signal.Definition().Bound,
	}
}

func (w *planning) change(g Group, n *Notification) {
	c := GroupChange{From: g.Version, Group: g, Notification: n}
	c.Group.Version++
	c.Group.Sequence = n.Sequence
	c.Group.NotifiedAt = w.now
	w.plan.Changes = append(w.plan.Changes, c)
}

// excess says by how much an alert's figure is beyond its line, as a factor.
func (a *Alert) excess() float64 {
	e := &a.Evidence
	switch {
	case !e.Known:
		return 0
	case e.Below:
		return e.Line / max(e.Value, 1e-9)
	default:
		return e.Value / max(e.Line, 1e-9)
	}
}
