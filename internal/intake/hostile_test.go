package intake_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// What is kept of an event is bounded, however long the values are that it brings.
func TestLongValuesAreNotKept(t *testing.T) {
	h := newHarness(t)
	long := strings.Repeat("x", 1<<19)

	bounce := mail(observation.EventBounce, "a", "jane@gmail.com")
	bounce.BounceType = "Permanent"
	bounce.Recipients[0].Diagnostic = "smtp; 550 5.1.1 no such user " + long
	for _, id := range []string{"0100-1", "0100-2\n0100-3", "é" + long} {
		bounce.MessageID = id
		h.put(t, bounce)
	}
	h.status(t)
	samples, err := h.ledger.Samples(t.Context(), ledger.SampleQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) != 1 || len(samples[0].Text) > 1000 {
		t.Fatalf("%d samples", len(samples))
	}
	if ids := samples[0].MessageIDs; !slices.Equal(ids, []string{"0100-1", "0100-2", "é" + long[:254]}) {
		t.Errorf("message ids %.40q", ids)
	}

	delivery := mail(observation.EventDelivery, "a", "jane@"+long+".example")
	delivery.SMTPResponse = "250 2.0.0 OK 1763633731 abc - gsmtp"
	delivery.SentAt, delivery.At = h.now, h.now
	h.put(t, delivery)
	if learned, err := h.ledger.LearnedDomains(t.Context()); err != nil || len(learned) != 0 {
		t.Errorf("learned %d domains, %v", len(learned), err)
	}
}
