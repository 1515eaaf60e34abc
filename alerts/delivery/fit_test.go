package delivery

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

func render(n *alerts.Notification) ([]byte, error) { return json.Marshal(n) }

// randomNotification has anything in any amount, up to what no rule could make.
func randomNotification(r *rand.Rand) *alerts.Notification {
	text := func(most int) string { return strings.Repeat("x<\n", r.IntN(most/3+1)) }
	members := func(most int) []alerts.Member {
		list := make([]alerts.Member, r.IntN(most+1))
		for i := range list {
			list[i] = alerts.Member{ID: "id", Severity: alerts.Warning, Summary: text(100), Labels: []observation.Field{{Name: "team", Value: text(60)}}}
			if r.IntN(3) > 0 {
				list[i].Detail = &alerts.Detail{Reasons: []alerts.ReasonShare{{Reason: "other", Reply: text(300)}}}
			}
		}
		return list
	}
	return &alerts.Notification{
		ID: "id", Key: strings.Repeat("k", 255), Severity: alerts.Critical, Summary: text(1000), Description: text(500),
		By: alerts.ByCampaign, Members: members(20), Gone: members(30), Muted: members(20), More: r.IntN(5),
		Links: []alerts.Link{{Text: text(100), URL: text(300)}}, Group: []observation.Field{{Name: "tenant", Value: text(300)}},
	}
}

// TestFit holds of any notification and limit: it fits; key, severity and summary stay; nothing is lost before what may be lost
// earlier, nor uncounted; and one more thing of what was shortened last would not have fitted.
func TestFit(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := randomNotification(r)
		before, err := render(n)
		if err != nil {
			t.Fatal(err)
		}
		limit := 4000 + r.IntN(len(before))
		body, err := Fit(n, limit, render)
		if err != nil || len(body) > limit {
			t.Fatalf("seed %d: %d bytes of at most %d, %v", seed, len(body), limit, err)
		}
		if after, err := render(n); err != nil || string(after) != string(before) {
			t.Fatalf("seed %d: the notification was changed, %v", seed, err)
		}
		var got alerts.Notification
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if got.Key != n.Key || got.Severity != n.Severity || got.Summary != n.Summary || got.ID != n.ID {
			t.Fatalf("seed %d: lost what must stay: %+v", seed, got)
		}
		if len(got.Members)+got.More != len(n.Members)+n.More || len(got.Muted)+got.MoreMuted != len(n.Muted)+n.MoreMuted {
			t.Fatalf("seed %d: members are not counted", seed)
		}
		detailsLost := details(got.Muted)+details(got.Gone)+details(got.Members) == 0
		mutedLost, goneLost, membersLost := len(got.Muted) < len(n.Muted), len(got.Gone) < len(n.Gone), len(got.Members) < len(n.Members)
		switch {
		case (mutedLost || goneLost || membersLost) && !detailsLost:
			t.Fatalf("seed %d: members were lost before details", seed)
		case goneLost && len(got.Muted) > 0, membersLost && len(got.Gone) > 0, got.Description != n.Description && len(got.Members) > 1:
			t.Fatalf("seed %d: lost in the wrong order: %d members, %d gone, %d muted", seed, len(got.Members), len(got.Gone), len(got.Muted))
		}
		if k := len(n.Members) - len(got.Members); membersLost && got.Description != "" {
			more := got
			more.Members, more.More = append(more.Members, n.Members[len(got.Members)]), n.More+k-1
			more.Members[len(more.Members)-1].Detail = nil
			if body, err := render(&more); err != nil || len(body) <= limit {
				t.Fatalf("seed %d: one more member would have fitted, %v", seed, err)
			}
		}
	}
}

func TestFitKeepsWhatFits(t *testing.T) {
	n := &alerts.Notification{By: alerts.ByCampaign, Key: "key", Summary: "summary", Members: []alerts.Member{{ID: "a", Detail: &alerts.Detail{}}}}
	want, err := render(n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Fit(n, len(want), render)
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := Fit(n, 10, render); err == nil {
		t.Error("a notification fits in 10 bytes")
	}
}
