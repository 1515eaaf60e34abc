package ledgertest

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func samples() []rule {
	return []rule{
		{name: "samples come most frequent first, equal texts of all origins merged", check: mostFrequentFirst},
		{name: "a sample keeps three message ids, newest last, each once", check: threeMessageIDs},
		{name: "samples are selected by campaign, provider and reason", check: samplesSelected},
		{name: "samples are limited, to 100 unless told", check: samplesLimited},
		{name: "duplicates leave no sample", check: duplicateSamples},
	}
}

func (r *rig) samples(q ledger.SampleQuery) []ledger.SampleRow {
	r.Helper()
	r.fold()
	return read(r, "samples", func(ctx context.Context) ([]ledger.SampleRow, error) { return r.ledger().Samples(ctx, q) })
}

func (r *rig) bounce(id uint64, text string, changes ...change) ledger.Entry {
	changes = append([]change{reason("policy"), sample(text, messageID(int(id)))}, changes...)
	return r.entry(id, observation.HardBounced, changes...)
}

func messageIDs(numbers ...int) []string {
	ids := make([]string, len(numbers))
	for i, n := range numbers {
		ids[i] = messageID(n)
	}
	return ids
}

func mostFrequentFirst(r *rig) {
	first := r.now()
	r.count(r.bounce(1, "rare"), r.bounce(2, "often"), r.bounce(3, "often"))
	r.fold()
	r.advance(3 * time.Hour)
	r.count(r.bounce(4, "often", from(observation.Origin{})), r.bounce(5, "sometimes"), r.bounce(6, "sometimes"))
	cell := r.bounce(0, "", from(observation.Origin{})).Cell
	want := []ledger.SampleRow{
		{Cell: cell, Text: "often", N: 3, First: first, Last: r.now(), MessageIDs: messageIDs(2, 3, 4)},
		{Cell: cell, Text: "sometimes", N: 2, First: r.now(), Last: r.now(), MessageIDs: messageIDs(5, 6)},
		{Cell: cell, Text: "rare", N: 1, First: first, Last: first, MessageIDs: messageIDs(1)},
	}
	for _, restart := range []func(){r.fold, r.crash, r.reopen} {
		restart()
		got := r.samples(ledger.SampleQuery{})
		for i := range got {
			got[i].First, got[i].Last, got[i].Cell.Origin = got[i].First.UTC(), got[i].Last.UTC(), observation.Origin{}
		}
		r.same("samples", got, want)
	}
}

func threeMessageIDs(r *rig) {
	for i := range uint64(5) {
		r.count(r.bounce(2*i, "no such user", sample("no such user", messageID(int(i)))),
			r.bounce(2*i+1, "no such user", sample("no such user", messageID(int(i)))))
		if i != 2 {
			r.fold()
		}
		r.advance(time.Minute)
	}
	got := r.samples(ledger.SampleQuery{})
	if len(got) != 1 || got[0].N != 10 {
		r.Fatalf("samples: %+v", got)
	}
	r.same("message ids", got[0].MessageIDs, messageIDs(2, 3, 4))
}

func samplesSelected(r *rig) {
	tenant := func(e *ledger.Entry) { e.Cell.Campaign.Tenant = "acme" }
	r.count(
		r.bounce(1, "one"), r.bounce(2, "two", campaign("autumn")), r.bounce(3, "three", provider("yahoo")),
		r.bounce(4, "four", reason("no_such_user")), r.bounce(5, "five", tenant),
	)
	texts := func(q ledger.SampleQuery) map[string]bool {
		seen := map[string]bool{}
		for _, row := range r.samples(q) {
			seen[row.Text] = true
		}
		return seen
	}
	r.same("of a campaign", texts(ledger.SampleQuery{Campaign: "autumn"}), map[string]bool{"two": true})
	r.same("of a tenant", texts(ledger.SampleQuery{Tenant: "acme", Campaign: "spring"}), map[string]bool{"five": true})
	r.same("of a provider", texts(ledger.SampleQuery{Provider: "yahoo"}), map[string]bool{"three": true})
	r.same("of a reason", texts(ledger.SampleQuery{Reason: "no_such_user"}), map[string]bool{"four": true})
	r.same("of both", texts(ledger.SampleQuery{Reason: "policy", Provider: observation.Gmail}),
		map[string]bool{"one": true, "two": true, "five": true})
	r.same("of all", len(texts(ledger.SampleQuery{})), 5)
	r.same("of none", texts(ledger.SampleQuery{Reason: "policy", Campaign: "winter"}), map[string]bool{})
}

func samplesLimited(r *rig) {
	for i := range uint64(120) {
		r.count(r.bounce(i, fmt.Sprintf("text %d", i%110)))
	}
	r.same("unless told", len(r.samples(ledger.SampleQuery{})), 100)
	got := r.samples(ledger.SampleQuery{Limit: 10})
	r.same("limit", len(got), 10)
	for _, row := range got {
		r.same("times of the most frequent", row.N, int64(2))
	}
}

func duplicateSamples(r *rig) {
	r.count(r.bounce(1, "first"))
	r.expect(put(r.bounce(1, "first"), r.bounce(1, "second")), ledger.Duplicate, ledger.Duplicate)
	got := r.samples(ledger.SampleQuery{})
	if len(got) != 1 || got[0].N != 1 || got[0].Text != "first" {
		r.Fatalf("samples: %+v", got)
	}
}
