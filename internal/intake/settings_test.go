package intake_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// Rules that were applied while the clock was a year ahead are in force when it is set right and they are applied again, and
// not added anew by every start.
func TestRulesOfAClockThatWasAhead(t *testing.T) {
	h := newHarness(t)
	right := h.now
	set := defaultSettings(t)
	set.Identity.Rename = []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}}
	apply := func(at time.Time) {
		t.Helper()
		h.now = at
		if err := h.intake.Apply(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	apply(right.AddDate(1, 0, 0))
	apply(right)
	apply(right.Add(time.Hour))
	apply(right.Add(2 * time.Hour))
	versions, err := h.ledger.Versions(t.Context(), ledger.VersionIdentity)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != 3 || !versions[1].Since.Equal(right) {
		t.Errorf("%d versions, the second since %v", len(versions), versions[1].Since)
	}
	sent := mail(observation.EventSend, "spring-20261120", "jane@yahoo.com")
	sent.SentAt, sent.At = h.now, h.now
	h.put(t, sent)
	wantTotals(t, h, map[string]int64{"spring yahoo sent": 1})
}

// What names are said to come from is by the rules that are in force, not by those of a later year.
func TestFloodsOfAClockThatWasAhead(t *testing.T) {
	h := newHarness(t)
	right := h.now
	for _, c := range []struct {
		at   time.Time
		rule campaign.Rule
	}{{right.AddDate(1, 0, 0), campaign.Rule{Header: "X-Job"}}, {right, campaign.Rule{Tag: "campaign"}}} {
		h.now = c.at
		set := defaultSettings(t)
		set.Identity = campaign.Spec{Identify: []campaign.Rule{c.rule}}
		if err := h.intake.Apply(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]intake.Flood{{From: "tag campaign"}}, h.intake.Floods()); diff != "" {
		t.Error(diff)
	}
}
