package faults

import (
	"fmt"
	"testing"
	"time"
)

// held waits until so many notifications wait for their tagged copy.
func (d *daemon) held(t *testing.T, want int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d notifications are held", want), func() string {
		if got := d.sources(t).Held; got != want {
			return fmt.Sprintf("%d are", got)
		}
		return ""
	})
}

// TestTwins reports the same bounces twice, as an identity topic and a configuration set do: the older format tells of one
// recipient at a time, at other times. In every order they count once, under the campaign that only the tagged format names.
// What becomes of notifications whose tagged copy never comes is tested with intake and the ledger, whose clock can be moved.
func TestTwins(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	d := r.start(t)
	var mails []mail
	for i := range 3 {
		m := newMail("spring", i)
		m.to = []string{fmt.Sprintf("jane-%d@gmail.com", i), fmt.Sprintf("joe-%d@yahoo.com", i)}
		mails = append(mails, m)
	}
	twins := func(m *mail) []string {
		return []string{m.twin(t, 2*time.Second, m.to[0]), m.twin(t, 5*time.Second, m.to[1])}
	}

	// The untagged ones first.
	m := &mails[0]
	r.send(t, twins(m)...)
	d.held(t, 2)
	r.drained(t, events)
	r.counts(t, map[string]int64{})
	r.send(t, m.bounced(t))
	d.held(t, 0)
	r.counts(t, map[string]int64{"spring/gmail/hard_bounced": 1, "spring/yahoo/hard_bounced": 1})

	// The tagged one first.
	m = &mails[1]
	r.send(t, m.bounced(t))
	r.counts(t, map[string]int64{"spring/gmail/hard_bounced": 2, "spring/yahoo/hard_bounced": 2})
	r.send(t, twins(m)...)
	r.drained(t, events)
	d.held(t, 0)

	// The tagged one between, most likely all in one receive; and everything once more.
	m = &mails[2]
	pair := twins(m)
	r.send(t, pair[0], m.bounced(t), pair[1])
	for i := range mails {
		r.send(t, append(twins(&mails[i]), mails[i].bounced(t))...)
	}
	r.drained(t, events)
	d.held(t, 0)
	r.counts(t, map[string]int64{"spring/gmail/hard_bounced": 3, "spring/yahoo/hard_bounced": 3})

	// What is held survives a kill.
	last := newMail("spring", 9)
	last.to = []string{"jim@gmail.com"}
	r.send(t, last.twin(t, time.Second, last.to[0]))
	d.held(t, 1)
	d.kill()
	d = r.start(t)
	d.held(t, 1)
	r.send(t, last.bounced(t))
	d.held(t, 0)
	r.counts(t, map[string]int64{"spring/gmail/hard_bounced": 4, "spring/yahoo/hard_bounced": 3})
	d.stop(t)
}
