package sqlite

import (
	"database/sql"
	"errors"
	"strings"
)

// storeSamples adds to the samples and drops those seen least recently beyond maxSamples.
func (w *writer) storeSamples(samples map[sampleKey]*sampleDelta) error {
	for _, s := range samples {
		if err := w.storeSample(s); err != nil {
			return err
		}
	}
	if len(samples) == 0 {
		return nil
	}
	return w.exec(`DELETE FROM sample WHERE id IN (SELECT id FROM sample ORDER BY last_ms, id
		LIMIT max(0, (SELECT count(*) FROM sample) - ?))`, maxSamples)
}

func (w *writer) storeSample(s *sampleDelta) error {
	k := s.Key
	var id int64
	var had string
	err := w.get([]any{&id, &had}, `SELECT id, message_ids FROM sample
		WHERE text = ? AND campaign_id = ? AND provider_id = ? AND outcome = ? AND reason_id = ?`,
		k.Text, k.Campaign, k.Provider, k.Outcome, k.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return w.exec(`INSERT INTO sample
			(campaign_id, provider_id, outcome, reason_id, text, n, first_ms, last_ms, message_ids)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.Campaign, k.Provider, k.Outcome, k.Reason, k.Text, s.N, s.First, s.Last, strings.Join(s.MessageIDs, "\n"))
	}
	if err != nil {
		return err
	}
	messages := splitMessageIDs(had)
	for _, m := range s.MessageIDs {
		messages = keepNewest(messages, m)
	}
	return w.exec(`UPDATE sample SET n = n + ?, first_ms = min(first_ms, ?), last_ms = max(last_ms, ?), message_ids = ?
		WHERE id = ?`, s.N, s.First, s.Last, strings.Join(messages, "\n"), id)
}

func splitMessageIDs(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, "\n")
}
