package watch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// forgetful is a phone whose owner forgets.
type forgetful struct{ *phone }

func (forgetful) ResendEvery() time.Duration { return time.Minute }

// TestReminders tells a receiver that forgets what stands, until it ends, and nothing that is outdated.
func TestReminders(t *testing.T) {
	inBubble(t, func(d *desk) {
		am, pager := newPhone(nil), newPhone(nil)
		notifiers := map[string]alerts.Notifier{"am": forgetful{am}, "pager": pager}
		d.run(notifiers)
		d.after(time.Second)
		d.post("am", "a", alerts.Opened)
		d.post("pager", "a", alerts.Opened)
		d.after(150 * time.Second)
		same(d, "heard", am.changes(d), []alerts.Change{alerts.Opened, alerts.Opened, alerts.Opened})
		d.post("am", "a", alerts.Worsened)
		d.after(time.Minute)
		same(d, "heard", am.changes(d)[3:], []alerts.Change{alerts.Worsened, alerts.Worsened})
		d.stop()
		d.run(notifiers)
		d.after(time.Second)
		same(d, "heard after a restart", am.changes(d)[5:], []alerts.Change{alerts.Worsened})
		d.post("am", "a", alerts.Closed)
		d.after(3 * time.Minute)
		same(d, "heard of the end", am.changes(d)[6:], []alerts.Change{alerts.Closed})
		same(d, "the other one", pager.changes(d), []alerts.Change{alerts.Opened})
		again := 0
		for _, try := range d.tries {
			if try.Again {
				again++
			}
		}
		same(d, "reminders", again, 4)
	})
}

// TestReminderIsNotOutdated has a reminder wait while something newer is sent of its key.
func TestReminderIsNotOutdated(t *testing.T) {
	inBubble(t, func(d *desk) {
		slow := newPhone(func(_ context.Context, _ int, n *alerts.Notification) error {
			if strings.HasPrefix(n.Key, "slow") {
				time.Sleep(10 * time.Second)
			}
			return nil
		})
		for i := range sideBySide {
			d.post("am", fmt.Sprint("slow", i), alerts.Opened)
		}
		d.post("am", "quick", alerts.Opened)
		d.run(map[string]alerts.Notifier{"am": forgetful{slow}})
		d.after(65 * time.Second) // the slow ones are being told again, the quick one waits
		d.post("am", "quick", alerts.Closed)
		d.after(50 * time.Second)
		var heard []alerts.Change
		for _, c := range slow.heard(d) {
			if c.key == "quick" {
				heard = append(heard, c.change)
			}
		}
		same(d, "heard", heard, []alerts.Change{alerts.Opened, alerts.Closed})
	})
}
