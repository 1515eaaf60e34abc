package watch

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// TestRefusalIsForgiven holds that a notifier of which nothing more is asked does not count as failing for ever.
func TestRefusalIsForgiven(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	h := newHealth(func() time.Time { return now })
	h.keep(map[string]alerts.Notifier{"pager": newPhone(nil)})
	refused := deliveryError("pager", refusal(alerts.DeliveryRefused, 0))
	for i, first := range []bool{true, false, false} {
		same(t, "has begun to fail", h.note("pager", refused, now), first)
		same(t, "fails for", h.states()[0].FailingFor(now), time.Duration(i)*forgiven)
		now = now.Add(forgiven)
	}
	same(t, "an hour after the last", h.states()[0].FailingFor(now), 3*forgiven)
	now = now.Add(time.Second)
	same(t, "later", h.states()[0].FailingFor(now), time.Duration(0))
	same(t, "begins anew", h.note("pager", refused, now), true)
	h.keep(map[string]alerts.Notifier{"chat": newPhone(nil)})
	same(t, "of one that is gone", h.note("pager", refused, now), false)
	same(t, "those that are left", h.states(), []NotifierState{{Notifier: "chat"}})
}
