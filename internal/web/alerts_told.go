package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	// maxOfKey bounds how many notifications of a group are looked at, maxTold how many are shown of an alert.
	maxOfKey = 100
	maxTold  = 50
)

// tellings finds what notifiers were told last of alerts. Alerts of a group share it.
type tellings struct {
	book *AlertBook
	// groups are those that an alert is a member of, by its id.
	groups map[string][]*alerts.Group
	lasts  map[groupAt]*Notification
}

// groupAt names a group at a notifier.
type groupAt struct{ notifier, key string }

func (b *AlertBook) tellings(s *watch.Standing) *tellings {
	t := &tellings{book: b, groups: make(map[string][]*alerts.Group), lasts: make(map[groupAt]*Notification)}
	if s == nil {
		return t
	}
	for _, g := range s.Groups {
		for _, m := range g.Members {
			t.groups[m.ID] = append(t.groups[m.ID], g)
		}
	}
	return t
}

// last is the last notification of each notifier that knows of an alert.
func (t *tellings) last(ctx context.Context, id string) (all []Notification, err error) {
	for _, g := range t.groups[id] {
		at := groupAt{g.Notifier, g.Key}
		n, known := t.lasts[at]
		if !known {
			if n, err = t.book.lastOf(ctx, at); err != nil {
				return nil, err
			}
			t.lasts[at] = n
		}
		if n != nil {
			all = append(all, *n)
		}
	}
	return all, nil
}

// lastOf is the last notification of a group, nil when it is no longer kept.
func (b *AlertBook) lastOf(ctx context.Context, at groupAt) (*Notification, error) {
	q := watch.MessageQuery{Notifier: at.notifier, Key: at.key, Page: watch.Page{Limit: 1}}
	if at.notifier == "" { // which selects those of all notifiers
		q.State, q.Limit = alerts.EntryDead, maxOfKey
	}
	messages, err := b.o.Records.Messages(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if messages[i].Notification.Notifier == at.notifier {
			n := newNotification(&messages[i])
			return &n, nil
		}
	}
	return nil, nil
}

// notifications are the newest of some groups that told of an alert.
func (b *AlertBook) notifications(ctx context.Context, id string, keys []string) ([]Notification, error) {
	slices.Sort(keys)
	var found []watch.Message
	for _, key := range slices.Compact(keys) {
		messages, err := b.o.Records.Messages(ctx, watch.MessageQuery{Key: key, Page: watch.Page{Limit: maxOfKey}})
		if err != nil {
			return nil, err
		}
		for i := range messages {
			if tellsOf(&messages[i].Notification, id) {
				found = append(found, messages[i])
			}
		}
	}
	slices.SortFunc(found, func(a, b watch.Message) int { return cmp.Compare(b.Number, a.Number) })
	out := make([]Notification, min(len(found), maxTold))
	for i := range out {
		out[i] = newNotification(&found[i])
	}
	return out, nil
}

// tellsOf says whether a notification is about an alert, or may be: a large group does not list all of its members.
func tellsOf(n *alerts.Notification, id string) bool {
	is := func(m alerts.Member) bool { return m.ID == id }
	return n.More > 0 || slices.ContainsFunc(n.Members, is) || slices.ContainsFunc(n.Gone, is)
}
