package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func fullBatch() *batch {
	cell := cellKey{Campaign: 1, Provider: 2, Origin: 3, Reason: 4, Outcome: uint8(observation.HardBounced)}
	return &batch{
		Puts:    []putIDs{{Source: 1, Routine: 2, Others: 1}, {Exceptional: 1}},
		Routine: []uint64{1, 1<<64 - 1}, Exceptional: []uint64{0}, Others: []uint64{7},
		Cells:     []cellDelta{{Minute: -5, Cell: cell, N: 1 << 40, Possible: 3}},
		Own:       []ownDelta{{Hour: 490_000, Origin: 3, Outcome: 1, N: 2}},
		Uses:      []useDelta{{Hour: 490_000, Stamp: 5, Campaign: 1, Origin: 3, Sent: 9, GmailDelivered: 4}},
		Published: []publishedDelta{{Origin: 3, Type: 1, First: 1_700_000_000_000, Last: 1_800_000_000_000}},
		Samples: []sampleDelta{{
			Key: sampleKey{Campaign: 1, Provider: 2, Reason: 4, Outcome: 3, Text: "550 \x00 é"}, N: 2, First: 1, Last: 2,
			MessageIDs: []string{"a", ""},
		}},
	}
}

func TestBatchComesBack(t *testing.T) {
	for _, b := range []*batch{{}, fullBatch()} {
		var got batch
		if err := decodeBatch(batchFormat, appendBatch(nil, b), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*b, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestBatchCutShortIsRefused(t *testing.T) {
	body := appendBatch(nil, fullBatch())
	for n := range body {
		if err := decodeBatch(batchFormat, body[:n], &batch{}); err == nil {
			t.Errorf("the first %d of %d bytes are accepted", n, len(body))
		}
	}
	if err := decodeBatch(batchFormat, append(body, 0), &batch{}); err == nil {
		t.Error("a byte too many is accepted")
	}
	if err := decodeBatch(batchFormat+1, body, &batch{}); err == nil {
		t.Error("an unknown format is accepted")
	}
}

// FuzzBatch: what is accepted, written again, says the same; nothing panics.
func FuzzBatch(f *testing.F) {
	f.Add(appendBatch(nil, &batch{}))
	f.Add(appendBatch(nil, fullBatch()))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, again batch
		if decodeBatch(batchFormat, body, &b) != nil {
			return
		}
		if err := decodeBatch(batchFormat, appendBatch(nil, &b), &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

// FuzzHeldEntry is the same for held entries.
func FuzzHeldEntry(f *testing.F) {
	e := ledger.Entry{ID: 5, Type: observation.EventBounce, Message: 3, Sample: &ledger.Sample{Text: "t", MessageID: "m"}}
	e.Cell.Outcome = observation.HardBounced
	e.Cell.Campaign.Name = "spring"
	f.Add(appendEntry(nil, &e, true))
	f.Fuzz(func(t *testing.T, body []byte) {
		first, replay, err := decodeEntry(body)
		if err != nil {
			return
		}
		again, replayAgain, err := decodeEntry(appendEntry(nil, &first, replay))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again); diff != "" || replay != replayAgain {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}
