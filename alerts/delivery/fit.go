package delivery

import (
	"errors"
	"slices"

	"github.com/mailvane/mailvane/alerts"
)

// errTooLarge says that even the barest form of a notification is too large. What rules allow never is.
var errTooLarge = errors.New("the notification does not fit, however short")

// Fit renders a notification in at most limit bytes. What is too large loses details first, those of the least bad first, then
// the muted, the ended and the listed, and at last all that is not key, severity or summary. The notification itself stays as
// it is.
func Fit(n *alerts.Notification, limit int, render func(*alerts.Notification) ([]byte, error)) ([]byte, error) {
	body, err := render(n)
	if err != nil || len(body) <= limit {
		return body, err
	}
	short := *n
	short.Members, short.Muted, short.Gone = slices.Clone(n.Members), slices.Clone(n.Muted), slices.Clone(n.Gone)
	for _, cut := range cuts() {
		for cut(&short) {
			if body, err = render(&short); err != nil || len(body) <= limit {
				return body, err
			}
		}
	}
	return nil, errTooLarge
}

// cuts are the ways to shorten, in order. Each takes something away, and says whether there was something.
func cuts() []func(*alerts.Notification) bool {
	return []func(*alerts.Notification) bool{
		func(n *alerts.Notification) bool { return dropDetail(n.Muted) },
		func(n *alerts.Notification) bool { return dropDetail(n.Gone) },
		func(n *alerts.Notification) bool { return dropDetail(n.Members) },
		func(n *alerts.Notification) bool { return drop(&n.Muted, &n.MoreMuted, 0) },
		func(n *alerts.Notification) bool { return drop(&n.Gone, new(int), 0) },
		func(n *alerts.Notification) bool { return drop(&n.Members, &n.More, 1) },
		func(n *alerts.Notification) bool {
			had := n.Description != "" || n.Links != nil || n.Commands != nil || n.Group != nil
			n.Description, n.Links, n.Commands, n.Group = "", nil, nil, nil
			return had
		},
		func(n *alerts.Notification) bool { return drop(&n.Members, &n.More, 0) },
	}
}

// step is how many of so many are dropped at once: one of few, an eighth of many, so that the number of tries stays small.
func step(n int) int { return max(1, n/8) }

// dropDetail takes the details of the last members that have some.
func dropDetail(members []alerts.Member) bool {
	var with []int
	for i := range members {
		if members[i].Detail != nil {
			with = append(with, i)
		}
	}
	if len(with) == 0 {
		return false
	}
	for _, i := range with[len(with)-step(len(with)):] {
		members[i].Detail = nil
	}
	return true
}

// drop takes the last members from a list that is longer than keep, and counts them.
func drop(members *[]alerts.Member, more *int, keep int) bool {
	n := len(*members)
	if n <= keep {
		return false
	}
	less := min(step(n), n-keep)
	*members = (*members)[:n-less]
	*more += less
	return true
}
