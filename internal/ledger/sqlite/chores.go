package sqlite

import (
	"context"
	"time"
)

// chore is a piece of maintenance. Each step is a transaction, of a size that takes at most about 50 ms, so that commits
// never wait long for it.
type chore struct {
	name string
	// every is how long to rest once there is nothing left to do.
	every time.Duration
	step  func(now time.Time) (more bool, err error)
	// next is when it is due again.
	next time.Time
}

func newChores(l *Ledger) []*chore {
	chores := []*chore{
		{name: "checkpoint", every: time.Second, step: l.checkpoint},
		{name: "unconfirmed", every: time.Minute, step: l.ageUnconfirmed},
		{name: "compact to hours", every: time.Minute, step: l.compactToHours},
		{name: "compact to days", every: time.Minute, step: l.compactToDays},
		{name: "old ids", every: time.Minute, step: l.expireIDs},
		{name: "old quarantine", every: time.Minute, step: l.expireQuarantine},
		{name: "history of alerts beyond its bound", every: time.Minute, step: l.boundHistory},
		{name: "status events beyond their bound", every: time.Minute, step: l.boundStatuses},
		{name: "settled notifications", every: time.Minute, step: l.expireSettled},
		{name: "old reports", every: time.Minute, step: l.expireReports},
		{name: "unused pages", every: time.Minute, step: l.vacuum},
	}
	for _, r := range retentions() {
		chores = append(chores, &chore{
			name: "old rows of " + r.table, every: time.Minute,
			step: func(now time.Time) (bool, error) { return l.expireRows(r, now) },
		})
	}
	return chores
}

// Maintain implements ledger.Ledger. It works also when the ledger cannot commit for lack of disk: then it is what makes
// room.
func (l *Ledger) Maintain(context.Context) (more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return false, err
	}
	now := l.o.Now()
	l.lookAtClock(now)
	c := l.due(now)
	if c == nil {
		return false, nil
	}
	again, err := c.step(now)
	if err != nil || !again {
		c.next = now.Add(c.every)
	}
	return l.due(now) != nil, err
}

// due returns the chore that has waited longest among those whose time has come.
func (l *Ledger) due(now time.Time) *chore {
	var longest *chore
	for _, c := range l.chores {
		if !c.next.After(now) && (longest == nil || c.next.Before(longest.next)) {
			longest = c
		}
	}
	return longest
}
