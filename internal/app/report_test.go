package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
)

// TestTheReportIsTheTruth makes a report beside the daemon that holds the ledger, and holds its counts and Gmail's rates
// against what the simulator knows, and its names against those of the API.
func TestTheReportIsTheTruth(t *testing.T) {
	now := time.Now()
	r := start(t, simulator.Demo(now, 5, 1))
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(now.Add(-6*24*time.Hour), now)); err != nil {
		t.Fatal(err)
	}
	r.daemon.joinSoon()
	r.until(t, "joined", func() bool { return len(r.gmailOf("otp-login").Identifiers) > 0 })
	o := ReportOptions{CommandOptions: CommandOptions{Environment: environmentOf(r.sim), ConfigFile: r.file}}
	o.From, o.To = now.UTC().AddDate(0, 0, -4).Format(time.DateOnly), now.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	made, err := Report(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.truthOf(&made.Period), countsOf(made)); diff != "" {
		t.Errorf("-truth +the report's recipients\n%s", diff)
	}
	rates := 0
	for _, c := range made.Campaigns {
		for _, d := range c.GmailDays {
			rates++
			if truth := r.sim.Postmaster().Truth(d.Domain, d.Day.Start(time.UTC), d.Value); math.Abs(truth.Rate-d.SpamRate) > 1e-6 {
				t.Errorf("%v of %s on %s, the truth is %+v", d.SpamRate, d.Value, d.Day, truth)
			}
		}
	}
	if rates == 0 {
		t.Error("there is no rate of Gmail's")
	}
	r.sameNames(t, made)
	o.From, o.To = "2099-01-01", "2099-01-02"
	if _, err := Report(t.Context(), o); !errors.Is(err, report.ErrPeriod) {
		t.Errorf("a report of the future: %v", err)
	}
}

// truthOf is what was handed out about the mail of a period.
func (r *run) truthOf(p *report.Period) map[string]int64 {
	all := map[string]int64{}
	for cell, tally := range r.sim.Truth().Counts() {
		if !cell.Start.Before(p.Start) && cell.Start.Before(p.End) && cell.Provider != signal.Simulator {
			all[cell.Tenant+"/"+cell.Campaign+" "+cell.Outcome.String()] += tally.N
		}
	}
	return all
}

func countsOf(r *report.Report) map[string]int64 {
	all := map[string]int64{}
	for _, c := range r.Campaigns {
		for _, o := range observation.Outcomes() {
			if n := c.Recipients[o]; n > 0 {
				all[c.Tenant+"/"+c.ID+" "+o.String()] = n
			}
		}
	}
	return all
}

// sameNames makes sure that a campaign of the report has all that one of the API has, under the same names.
func (r *run) sameNames(t *testing.T, made *report.Report) {
	t.Helper()
	var api struct{ Campaigns []map[string]any }
	if err := json.NewDecoder(r.get(t, "/api/v1/campaigns?window=7d&match=otp-login").Body).Decode(&api); err != nil || len(api.Campaigns) != 1 {
		t.Fatalf("%d campaigns of the API, %v", len(api.Campaigns), err)
	}
	var text bytes.Buffer
	if err := report.JSON(&text, made); err != nil {
		t.Fatal(err)
	}
	var told struct{ Campaigns []map[string]any }
	if err := json.Unmarshal(text.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	for _, c := range told.Campaigns {
		if c["id"] != "otp-login" {
			continue
		}
		for _, part := range []func(map[string]any) map[string]any{
			func(c map[string]any) map[string]any { return c },
			func(c map[string]any) map[string]any { return c["signals"].(map[string]any) },
			func(c map[string]any) map[string]any { return c["gmail"].(map[string]any) },
		} {
			for name := range part(api.Campaigns[0]) {
				if _, ok := part(c)[name]; !ok {
					t.Errorf("the API's %q is not in the report", name)
				}
			}
		}
		return
	}
	t.Error("otp-login is not in the report")
}
