package watch

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestNotifierTakenAway holds that what is open at a notifier that is gone, and cannot be ended there, is logged once.
func TestNotifierTakenAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager", "chat")
	var log bytes.Buffer
	w.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	r.set("events", 150)
	r.round(w)
	same(t, "outbox", r.outbox(), []string{"chat opened waiting", "pager opened waiting"})
	w.Apply(w.Rules(), routeTo(t, "chat"))
	r.round(w)
	r.round(w)
	if said := strings.Count(log.String(), "a notifier that is gone"); said != 1 || !strings.Contains(log.String(), "notifier=pager") {
		t.Errorf("said %d times:\n%s", said, log.String())
	}
	same(t, "groups", len(w.Standing().Groups), 1)
}
