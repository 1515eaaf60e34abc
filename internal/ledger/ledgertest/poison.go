package ledgertest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

func quarantine() []rule {
	return []rule{
		{name: "a message is kept whole, once per message id", check: keptOnce},
		{name: "messages are listed newest first, by source, reason and id", check: listed},
		{name: "a listing is limited and continued", check: listingPaged},
		{name: "bodies come only when asked for", check: bodiesOnRequest},
		{name: "messages beyond the limit of bytes are handed back, by their index", check: quarantineFull},
		{name: "a message without its body takes no room", check: withoutBody},
		{name: "dropping messages makes room", check: dropped},
		{name: "quarantine survives a crash", check: quarantineOverCrash},
	}
}

// poison is a message with a body of size bytes.
func (r *rig) poison(i, size int) ledger.Quarantined {
	return ledger.Quarantined{
		Message: i, MessageID: fmt.Sprintf("sqs-%d", i), At: r.now(), Reason: "not_json", Detail: "byte 1: a brace is missing",
		Body: strings.Repeat("x", size), Size: size,
	}
}

func (r *rig) quarantine(messages ...ledger.Quarantined) (full []int) {
	r.Helper()
	return r.commit(ledger.Put{Source: queue, Quarantine: messages}).QuarantineFull
}

func (r *rig) quarantined(q ledger.QuarantineQuery) []ledger.QuarantineRow {
	r.Helper()
	r.fold()
	return read(r, "quarantined", func(ctx context.Context) ([]ledger.QuarantineRow, error) {
		return r.ledger().Quarantined(ctx, q)
	})
}

// messageIDs are those of a listing, in its order.
func (r *rig) messageIDs(q ledger.QuarantineQuery) []string {
	r.Helper()
	var ids []string
	for _, row := range r.quarantined(q) {
		ids = append(ids, row.MessageID)
	}
	return ids
}

func keptOnce(r *rig) {
	m := r.poison(1, 100)
	m.Body = "{\x00\xff\"é" + m.Body
	m.Size = len(m.Body)
	r.same("full", r.quarantine(m, m), []int(nil))
	r.advance(time.Hour)
	again := r.poison(1, 100)
	r.same("full", r.quarantine(again), []int(nil))
	rows := r.quarantined(ledger.QuarantineQuery{Bodies: true})
	if len(rows) != 1 {
		r.Fatalf("%d rows, want 1", len(rows))
	}
	rows[0].Message, rows[0].At = m.Message, rows[0].At.UTC()
	r.same("message", rows[0].Quarantined, m)
	s := r.status()
	r.same("messages", s.Quarantined, int64(1))
	r.same("bytes", s.QuarantineBytes, int64(m.Size))
}

func listed(r *rig) {
	r.quarantine(r.poison(1, 10), r.poison(2, 10))
	r.advance(time.Minute)
	other := r.poison(3, 10)
	other.Reason = "too_deep"
	r.commit(ledger.Put{Source: "queue-2", Quarantine: []ledger.Quarantined{other}})
	r.same("all", r.messageIDs(ledger.QuarantineQuery{}), []string{"sqs-3", "sqs-2", "sqs-1"})
	r.same("of a source", r.messageIDs(ledger.QuarantineQuery{Source: queue}), []string{"sqs-2", "sqs-1"})
	r.same("of a reason", r.messageIDs(ledger.QuarantineQuery{Reason: "too_deep"}), []string{"sqs-3"})
	r.same("of both", r.messageIDs(ledger.QuarantineQuery{Reason: "too_deep", Source: queue}), []string(nil))
	rows := r.quarantined(ledger.QuarantineQuery{})
	r.same("of an id", r.messageIDs(ledger.QuarantineQuery{ID: rows[1].ID}), []string{"sqs-2"})
	r.same("source", rows[0].Source, "queue-2")
}

func listingPaged(r *rig) {
	var all []ledger.Quarantined
	for i := range 130 {
		all = append(all, r.poison(i, 1))
	}
	r.quarantine(all...)
	r.same("unless told", len(r.quarantined(ledger.QuarantineQuery{})), 100)
	var ids []string
	q := ledger.QuarantineQuery{Limit: 40}
	for {
		page := r.quarantined(q)
		if len(page) == 0 {
			break
		}
		for _, row := range page {
			ids = append(ids, row.MessageID)
		}
		q.Before = page[len(page)-1].ID
	}
	var want []string
	for i := range all {
		want = append(want, all[len(all)-1-i].MessageID)
	}
	r.same("pages", ids, want)
}

func bodiesOnRequest(r *rig) {
	r.quarantine(r.poison(1, 100))
	row := r.quarantined(ledger.QuarantineQuery{})[0]
	if row.Body != "" || row.Size != 100 {
		r.Fatalf("body of %d bytes, size %d", len(row.Body), row.Size)
	}
	row = r.quarantined(ledger.QuarantineQuery{ID: row.ID, Bodies: true})[0]
	if len(row.Body) != 100 {
		r.Fatalf("body of %d bytes", len(row.Body))
	}
}

func quarantineFull(r *rig) {
	r.settings.QuarantineBytes = 1000
	r.same("full", r.quarantine(r.poison(1, 400), r.poison(2, 400), r.poison(3, 400), r.poison(4, 100)), []int{2})
	p := put(r.sent(1))
	p.Quarantine = []ledger.Quarantined{r.poison(5, 500), r.poison(1, 400), r.poison(6, 500)}
	result := r.commit(p)
	r.same("full", result.QuarantineFull, []int{0, 2})
	r.same("fates of the same Put", result.Fates, []ledger.Fate{ledger.Counted})
	r.same("kept", r.messageIDs(ledger.QuarantineQuery{}), []string{"sqs-4", "sqs-2", "sqs-1"})
	r.reopen()
	r.same("full after a restart", r.quarantine(r.poison(7, 500)), []int{0})
	r.same("bytes", r.status().QuarantineBytes, int64(900))
}

func withoutBody(r *rig) {
	r.settings.QuarantineBytes = 100
	m := r.poison(1, 0)
	m.Size = 5000
	r.same("full", r.quarantine(m), []int(nil))
	row := r.quarantined(ledger.QuarantineQuery{Bodies: true})[0]
	r.same("size", row.Size, 5000)
	r.same("bytes", r.status().QuarantineBytes, int64(0))
}

func dropped(r *rig) {
	r.settings.QuarantineBytes = 1000
	r.quarantine(r.poison(1, 500), r.poison(2, 400))
	rows := r.quarantined(ledger.QuarantineQuery{})
	n, err := r.ledger().DropQuarantined(r.Context(), []int64{rows[1].ID, 987654321})
	r.must("drop", err)
	r.same("dropped", n, 1)
	r.same("left", r.messageIDs(ledger.QuarantineQuery{}), []string{"sqs-2"})
	s := r.status()
	r.same("messages", s.Quarantined, int64(1))
	r.same("bytes", s.QuarantineBytes, int64(400))
	r.same("full", r.quarantine(r.poison(3, 500), r.poison(4, 500)), []int{1})
	n, err = r.ledger().DropQuarantined(r.Context(), nil)
	r.must("drop", err)
	r.same("dropped", n, 0)
}

func quarantineOverCrash(r *rig) {
	r.quarantine(r.poison(1, 50))
	r.fold()
	r.quarantine(r.poison(2, 50))
	r.crash()
	r.quarantine(r.poison(1, 50), r.poison(2, 50))
	r.same("kept", r.messageIDs(ledger.QuarantineQuery{}), []string{"sqs-2", "sqs-1"})
	r.same("bytes", r.status().QuarantineBytes, int64(100))
}
