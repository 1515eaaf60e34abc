package app

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// silences silences an alert that fires, by the control socket, as a command does; the API tells it, and
// when the silence ends it fires for people again.
func (r *run) silences(t *testing.T) {
	o := r.command()
	matcher, err := alerts.ParseMatcher("team=lists")
	if err != nil {
		t.Fatal(err)
	}
	now := r.now()
	added, err := SilenceAdd(t.Context(), o, alerts.Silence{
		Matchers: []alerts.Matcher{matcher}, StartsAt: now, EndsAt: now.Add(time.Hour), CreatedBy: "ann", Comment: "they know",
	})
	if err != nil || added.Alerts != 1 || added.State != web.SilenceActive {
		t.Fatalf("added %+v, %v", added, err)
	}
	state := func(want watch.State) func() bool {
		return func() bool {
			var list web.AlertList
			r.ask(t, "/api/v1/alerts?campaign=winter-clearance", &list)
			return len(list.Alerts) == 1 && list.Alerts[0].State == want && (want != watch.Silenced || list.Alerts[0].SilencedBy == added.ID)
		}
	}
	r.until(t, "silenced", state(watch.Silenced))
	list, err := SilenceList(t.Context(), o, false)
	if err != nil || len(list) != 1 || list[0].ID != added.ID || list[0].Alerts != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	r.keepsContract(t, "/api/v1/alerts", "/api/v1/alerts?history=true", "/api/v1/silences?all=true", "/api/v1/alerts/none")
	if ended, err := SilenceEnd(t.Context(), o, added.ID); err != nil || ended.State != web.SilenceEnded {
		t.Errorf("ended %+v, %v", ended, err)
	}
	if _, err := SilenceEnd(t.Context(), o, added.ID); err == nil {
		t.Error("it ended twice")
	}
	r.until(t, "firing again", state(watch.Firing))
}
