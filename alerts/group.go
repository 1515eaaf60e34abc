package alerts

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Group is what a notifier has been told of the alerts of one rule that belong together.
type Group struct {
	// Key and Notifier name it.
	Key      string `json:"key"`
	Notifier string `json:"notifier"`
	Rule     string `json:"rule"`
	// Signal and By are the rule's, which may be gone when the group ends; Labels are what all members share.
	Signal Signal              `json:"signal"`
	By     By                  `json:"by"`
	Owner  string              `json:"owner,omitempty"`
	Labels []observation.Field `json:"labels,omitempty"`
	// Version grows by one with each change, as an alert's does.
	Version int64 `json:"version"`
	// Sequence is that of the last notification. A group that closed is remembered for its sake.
	Sequence int64    `json:"sequence"`
	Severity Severity `json:"severity"`
	// Members are the episodes that the notifier knows of; none when the group is closed.
	Members    []Episode `json:"members,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	NotifiedAt time.Time `json:"notified_at,omitzero"`
}

// Episode is one firing of an alert, with the severity and the labels under which the notifier was told of it.
type Episode struct {
	ID        string              `json:"id"`
	StartedAt time.Time           `json:"started_at"`
	Subject   Subject             `json:"subject"`
	Severity  Severity            `json:"severity"`
	Labels    []observation.Field `json:"labels,omitempty"`
}

// Encode writes a group as ledgers keep it.
func (g *Group) Encode() ([]byte, error) { return encode(g) }

// DecodeGroup reads what Encode wrote. The error is ErrNewer for what a newer version wrote.
func DecodeGroup(data []byte) (Group, error) {
	g, err := decode[Group](data, "group")
	if err != nil {
		return Group{}, err
	}
	if g.Key == "" || g.Version < 1 {
		return Group{}, errors.New("read a stored group: it has no key or no version")
	}
	return g, nil
}

func (g *Group) open() bool { return len(g.Members) > 0 }

// groupID names a group at a notifier.
type groupID struct{ notifier, key string }

// Groups are what all notifiers have been told. They do not change; With makes others. The zero Groups are none.
type Groups struct{ byID map[groupID]*Group }

// NewGroups makes groups of stored ones.
func NewGroups(groups []Group) *Groups {
	g := &Groups{byID: make(map[groupID]*Group, len(groups))}
	for i := range groups {
		g.byID[groupID{groups[i].Notifier, groups[i].Key}] = &groups[i]
	}
	return g
}

// All lists the open groups in the order of notifiers and keys. They must not be changed.
func (g *Groups) All() []*Group {
	var all []*Group
	for _, id := range g.ids() {
		if g.byID[id].open() {
			all = append(all, g.byID[id])
		}
	}
	return all
}

// know says whether a notifier has been told of an alert.
func (g *Groups) know(a *Alert) bool {
	id := a.ID()
	key, _ := groupOf(a)
	for at, group := range g.byID {
		if at.notifier != "" && at.key == key && slices.ContainsFunc(group.Members, func(m Episode) bool {
			return m.ID == id && m.StartedAt.Equal(a.StartedAt)
		}) {
			return true
		}
	}
	return false
}

func (g *Groups) ids() []groupID { return slices.SortedFunc(maps.Keys(g.byID), groupID.compare) }

func (id groupID) compare(o groupID) int {
	if c := strings.Compare(id.notifier, o.notifier); c != 0 {
		return c
	}
	return strings.Compare(id.key, o.key)
}

// With is the groups after changes.
func (g *Groups) With(changes []GroupChange) *Groups {
	next := &Groups{byID: maps.Clone(g.byID)}
	if next.byID == nil {
		next.byID = make(map[groupID]*Group)
	}
	for i := range changes {
		c := &changes[i].Group
		if id := (groupID{c.Notifier, c.Key}); changes[i].Forget {
			delete(next.byID, id)
		} else {
			next.byID[id] = c
		}
	}
	return next
}

// groupOf is the key of an alert's group, and the labels that its members share.
func groupOf(a *Alert) (key string, labels []observation.Field) {
	parts := []string{a.Owner}
	for _, f := range bys[a.By].group {
		v := a.Subject.get(f)
		parts = append(parts, v)
		if v != "" {
			labels = append(labels, observation.Field{Name: fieldNames[f], Value: v})
		}
	}
	return "mailvane/" + a.Rule + "/" + digest(parts...), labels
}
