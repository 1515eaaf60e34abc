package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/signal"
)

// reportsTheTruth makes a report beside the daemon that holds the ledger, and holds its counts and Gmail's rates
// against what the simulator knows, and its names against those of the API.
func (r *run) reportsTheTruth(t *testing.T) {
	asked := ReportOptions{CommandOptions: r.command()}
	asked.From, asked.To = morning.AddDate(0, 0, -2).Format(time.DateOnly), morning.AddDate(0, 0, -1).Format(time.DateOnly)
	made, err := Report(t.Context(), asked)
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
	asked.From, asked.To = "2099-01-01", "2099-01-02"
	if _, err := Report(t.Context(), asked); !errors.Is(err, report.ErrPeriod) {
		t.Errorf("a report of the future: %v", err)
	}
}

// reportsTheMetrics makes a report of days that hold all mail there is, which so do the counters since the daemon began and
// the windows of seven days: all three and the API have the same figures, to the last mail.
func (r *run) reportsTheMetrics(t *testing.T) {
	made, err := Report(t.Context(), ReportOptions{
		CommandOptions: r.command(), From: morning.AddDate(0, 0, -3).Format(time.DateOnly), To: morning.Format(time.DateOnly),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := made.Totals.Recipients[observation.Sent]; n < 500 || len(made.Campaigns) < 100 {
		t.Fatalf("the report has %d mails of %d campaigns", n, len(made.Campaigns))
	}
	want := make(map[string]float64)
	for name, n := range countsOf(made) {
		want[name] = float64(n)
	}
	if len(ratesOf(made)) == 0 {
		t.Fatal("no rate of the report is known")
	}
	var differ string
	defer func() {
		if t.Failed() {
			t.Logf("-report +metrics or API\n%s", differ)
		}
	}()
	r.until(t, "the same in the metrics", func() bool {
		got := r.exported(t)
		differ = cmp.Diff(want, got["mailvane_campaign_recipients_total"]) + cmp.Diff(want, got["mailvane_campaign_cohort_recipients"]) +
			cmp.Diff(ratesOf(made), got["mailvane_campaign_signal_ratio"])
		return differ == ""
	})
	var text bytes.Buffer
	if err := report.JSON(&text, made); err != nil {
		t.Fatal(err)
	}
	if differ = cmp.Diff(figuresOf(t, &text), figuresOf(t, r.get(t, "/api/v1/campaigns?window=7d").Body)); differ != "" {
		t.Error("the API has other figures")
	}
}

// figuresOf are the counts and the signals of campaigns, of a report as of the API.
func figuresOf(t *testing.T, from io.Reader) map[string]any {
	t.Helper()
	var told struct {
		Campaigns []struct {
			ID, Tenant          string
			Recipients, Signals any
		}
	}
	if err := json.NewDecoder(from).Decode(&told); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]any)
	for _, c := range told.Campaigns {
		all[c.Tenant+"/"+c.ID] = []any{c.Recipients, c.Signals}
	}
	return all
}

// ratesOf are the rates of all campaigns that are known and not 0.
func ratesOf(r *report.Report) map[string]float64 {
	all := make(map[string]float64)
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		for _, s := range signal.Signals() {
			if f := &c.Signals[s]; f.Known && f.Value != 0 {
				all[c.Tenant+"/"+c.ID+" "+s.String()] = f.Value
			}
		}
	}
	return all
}

// exported are the campaigns' counters and their gauges of seven days, by metric and as countsOf and ratesOf name them; noughts are
// left out.
func (r *run) exported(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(r.metrics(t)))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]float64)
	for name, family := range families {
		all[name] = map[string]float64{}
		for _, m := range family.GetMetric() {
			labels := map[string]string{"window": "7d"}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if labels["window"] == "7d" && value != 0 {
				if value, err = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 6, 64), 64); err != nil { // as the API has them
					t.Fatal(err)
				}
				all[name][labels["tenant"]+"/"+labels["campaign"]+" "+labels["outcome"]+labels["signal"]] = value
			}
		}
	}
	return all
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
