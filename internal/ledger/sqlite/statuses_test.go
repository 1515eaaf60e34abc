package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// TestStatusesAreBounded holds that a flood of status events does not grow the ledger: those that happened first go.
func TestStatusesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return now } })
	var p ledger.Put
	for i := range maxStatuses + 2*expireSome + 7 {
		p.Statuses = append(p.Statuses, observation.Status{
			ID: fmt.Sprint(i), DetailType: "Sending Status Enabled", At: now.Add(time.Duration(i) * time.Millisecond), Detail: []byte("{}"),
		})
	}
	if _, err := l.Commit(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	maintainAll(t, l)
	left, err := l.Statuses(t.Context(), time.Time{})
	if err != nil || len(left) != maxStatuses || left[0].ID != fmt.Sprint(2*expireSome+7) {
		t.Errorf("%d status events are left, %v", len(left), err)
	}
	now = now.Add(time.Minute)
	maintainAll(t, l)
	if left, err = l.Statuses(t.Context(), time.Time{}); err != nil || len(left) != maxStatuses {
		t.Errorf("a minute later %d status events are left, %v", len(left), err)
	}
}
