package delivery

import (
	"errors"
	"slices"

	"github.com/mailvane/mailvane/alerts"
)

// errTooLarge says that even the barest form of a notification is too large. What rules allow never is.
var errTooLarge = errors.New("the notification does not fit, however short")

// Fit renders a notification in at most limit bytes. What is too large loses no more than it must: details first, those of the
// least bad first, then the muted, the ended and the listed, and at last all that is not key, severity or summary. The
// notification itself stays as it is.
func Fit(n *alerts.Notification, limit int, render func(*alerts.Notification) ([]byte, error)) ([]byte, error) {
	body, err := render(n)
	if err != nil || len(body) <= limit {
		return body, err
	}
	for _, c := range cuts() {
		total := c.most(n)
		if total == 0 {
			continue
		}
		whole := c.cut(*n, total)
		if body, err = render(whole); err != nil {
			return nil, err
		}
		if len(body) > limit {
			n = whole
			continue
		}
		// The size falls with what is taken: bisect for the least that is enough.
		for low, high := 1, total; low < high; {
			k := low + (high-low)/2
			try, err := render(c.cut(*n, k))
			switch {
			case err != nil:
				return nil, err
			case len(try) <= limit:
				body, high = try, k
			default:
				low = k + 1
			}
		}
		return body, nil
	}
	return nil, errTooLarge
}

// cut is a way to shorten.
type cut struct {
	// most is how many things there are to take.
	most func(*alerts.Notification) int
	// cut is the notification without the last so many of them. It must not change what it shares with the original.
	cut func(n alerts.Notification, k int) *alerts.Notification
}

// cuts are the ways to shorten, in order.
func cuts() []cut {
	return []cut{
		{func(n *alerts.Notification) int { return details(n.Muted) }, func(n alerts.Notification, k int) *alerts.Notification {
			n.Muted = withoutDetails(n.Muted, k)
			return &n
		}},
		{func(n *alerts.Notification) int { return details(n.Gone) }, func(n alerts.Notification, k int) *alerts.Notification {
			n.Gone = withoutDetails(n.Gone, k)
			return &n
		}},
		{func(n *alerts.Notification) int { return details(n.Members) }, func(n alerts.Notification, k int) *alerts.Notification {
			n.Members = withoutDetails(n.Members, k)
			return &n
		}},
		{func(n *alerts.Notification) int { return len(n.Muted) }, func(n alerts.Notification, k int) *alerts.Notification {
			n.Muted, n.MoreMuted = n.Muted[:len(n.Muted)-k], n.MoreMuted+k
			return &n
		}},
		{func(n *alerts.Notification) int { return len(n.Gone) }, func(n alerts.Notification, k int) *alerts.Notification {
			n.Gone = n.Gone[:len(n.Gone)-k]
			return &n
		}},
		{func(n *alerts.Notification) int { return max(len(n.Members)-1, 0) }, withoutMembers},
		{func(*alerts.Notification) int { return 1 }, func(n alerts.Notification, _ int) *alerts.Notification {
			n.Description, n.Links, n.Commands, n.Group = "", nil, nil, nil
			return &n
		}},
		{func(n *alerts.Notification) int { return len(n.Members) }, withoutMembers},
	}
}

func withoutMembers(n alerts.Notification, k int) *alerts.Notification {
	n.Members, n.More = n.Members[:len(n.Members)-k], n.More+k
	return &n
}

// details counts the members with some.
func details(members []alerts.Member) (count int) {
	for i := range members {
		if members[i].Detail != nil {
			count++
		}
	}
	return count
}

// withoutDetails are the members, the last k of those with details without theirs.
func withoutDetails(members []alerts.Member, k int) []alerts.Member {
	members = slices.Clone(members)
	for i := len(members) - 1; i >= 0 && k > 0; i-- {
		if members[i].Detail != nil {
			members[i].Detail = nil
			k--
		}
	}
	return members
}
