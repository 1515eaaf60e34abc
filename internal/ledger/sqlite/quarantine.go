package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// quarantineUse is how many messages are, or become, quarantined and how long their bodies are together.
type quarantineUse struct{ n, bytes int64 }

func (q *quarantineUse) add(d quarantineUse) {
	q.n += d.n
	q.bytes += d.bytes
}

// quarantineOne keeps a message, or says that quarantine is full. A redelivered message is kept once.
func (g *group) quarantineOne(source string, q *ledger.Quarantined) (full bool, err error) {
	size := int64(len(q.Body))
	used := g.l.quarantine
	used.add(g.quarantine)
	if used.bytes+size > g.l.o.QuarantineBytes || used.n >= maxQuarantined {
		kept, err := g.quarantined(source, q.MessageID)
		return !kept, err
	}
	n, err := g.l.w.execN(`INSERT INTO quarantine (source, message_id, message, at_ms, stored, reason, detail, size, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		source, q.MessageID, q.Message, q.At.UnixMilli(), g.now.Unix(), q.Reason, q.Detail, q.Size, []byte(q.Body))
	if err != nil {
		return false, err
	}
	if n > 0 {
		g.quarantine.add(quarantineUse{1, size})
	}
	g.rows = true
	return false, nil
}

func (g *group) quarantined(source, messageID string) (kept bool, err error) {
	if messageID == "" {
		return false, nil
	}
	err = g.l.w.get([]any{&kept}, "SELECT EXISTS (SELECT 1 FROM quarantine WHERE source = ? AND message_id = ?)",
		source, messageID)
	return kept, err
}

// DropQuarantined forgets quarantined messages and returns how many there were.
func (l *Ledger) DropQuarantined(_ context.Context, ids []int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	list := strings.ReplaceAll(fmt.Sprint(ids), " ", ",") // a JSON array
	var dropped quarantineUse
	err := l.step(func() (err error) {
		dropped, err = l.dropQuarantined("id IN (SELECT value FROM json_each(?))", list)
		return err
	}, func() { l.quarantine.add(quarantineUse{-dropped.n, -dropped.bytes}) })
	return int(dropped.n), err
}

func (l *Ledger) dropQuarantined(where string, args ...any) (dropped quarantineUse, err error) {
	err = l.w.get([]any{&dropped.n, &dropped.bytes},
		"SELECT count(*), coalesce(sum(length(body)), 0) FROM quarantine WHERE "+where, args...)
	if err != nil || dropped.n == 0 {
		return dropped, err
	}
	return dropped, l.w.exec("DELETE FROM quarantine WHERE "+where, args...)
}

// expireQuarantine drops messages that have been kept long enough, some at a time: bodies may be large.
func (l *Ledger) expireQuarantine(now time.Time) (more bool, err error) {
	const some = 20
	var dropped quarantineUse
	err = l.stepLocked(func() (err error) {
		dropped, err = l.dropQuarantined("id IN (SELECT id FROM quarantine WHERE stored < ? ORDER BY stored LIMIT ?)",
			l.clock.aged(now).Add(-l.o.QuarantineKeep).Unix(), some)
		return err
	}, func() { l.quarantine.add(quarantineUse{-dropped.n, -dropped.bytes}) })
	return dropped.n == some, err
}
