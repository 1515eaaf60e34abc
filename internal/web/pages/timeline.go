package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// timelineOutcomes are those that a timeline shows.
var timelineOutcomes = []observation.Outcome{
	observation.Sent, observation.Delivered, observation.HardBounced, observation.SoftBounced, observation.Complained,
	observation.Delayed, observation.Unsubscribed, observation.Suppressed,
}

func timelineTable(r *http.Request, line *view.Timeline) *table {
	t := &table{ID: "timeline", Caption: "What became of the mail, by when it was sent", CSV: with(r.URL, "format", "csv", "table", "timeline", "show", "")}
	t.Columns = []column{{Title: "Sent from", fields: []string{"start"}}}
	for _, o := range timelineOutcomes {
		t.Columns = append(t.Columns, column{Title: outcomeWords[o], Numeric: true, fields: []string{o.String()}})
	}
	for i := range line.Points {
		x := &line.Points[i]
		if x.Recipients == (view.Recipients{}) {
			continue
		}
		cells := []cell{at(&x.Start, "")}
		for _, o := range timelineOutcomes {
			cells = append(cells, pointCell(o, x))
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t
}

// pointCell is how many recipients had an outcome. None is not known to be none where nobody would have told.
func pointCell(o observation.Outcome, x *view.TimelinePoint) cell {
	switch {
	case x.Recipients[o] > 0:
	case o == observation.Sent:
		return cell{Text: stateWord("no_data"), Unknown: true, Tip: "There was mail, but how much was sent is not published.", values: []any{nil}}
	case !x.Coverage.Covers(judging(o)):
		return cell{Text: stateWord("no_data"), Unknown: true, Tip: "The events that would tell are not published of all of this mail.", values: []any{nil}}
	case o == observation.Complained && x.ReportedOf == 0:
		return cell{Text: stateWord("not_reported"), Unknown: true, Tip: stateMeaning(signal.NotReported, signal.ComplaintRate.Definition()), values: []any{nil}}
	}
	return whole(x.Recipients[o])
}

// judging is the signal that says whether there being none of an outcome would mean anything.
func judging(o observation.Outcome) signal.Signal {
	switch o {
	case observation.Delivered:
		return signal.DeliveryRate
	case observation.Complained:
		return signal.ComplaintRate
	case observation.Unsubscribed:
		return signal.UnsubscribeRate
	case observation.Suppressed:
		return signal.SuppressedRate
	case observation.Delayed:
		return signal.DelayRate
	default:
		return signal.HardBounceRate
	}
}

// chart is what the timeline's script draws; internal/web/openapi.yaml describes it.
type chart struct {
	// Width is how many seconds a point holds; Times are when each begins, in Unix seconds.
	Width int64 `json:"width"`
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Since is from when on what was sent or delivered is known.
	Since  int64              `json:"since"`
	Times  []int64            `json:"times"`
	Counts map[string][]int64 `json:"counts"`
	// Reported are the complaints at reporting providers, ReportedOf the deliveries there.
	Reported   []int64      `json:"reported"`
	ReportedOf []int64      `json:"reported_of"`
	Gmail      []chartGmail `json:"gmail"`
	Alerts     []chartAlert `json:"alerts"`
}

// chartAlert is an alert about the campaign that began to fire, became worse or ended.
type chartAlert struct {
	At       int64  `json:"at"`
	Rule     string `json:"rule"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
}

// chartGmail is what Gmail said about an identifier, day by day. A day that has not arrived is missing; one that arrived
// without a rate has none.
type chartGmail struct {
	Identifier string     `json:"identifier"`
	Domain     string     `json:"domain"`
	Own        bool       `json:"own"`
	Days       []chartDay `json:"days"`
}

type chartDay struct {
	Start      int64    `json:"start"`
	Rate       *float64 `json:"rate"`
	Deliveries int64    `json:"deliveries"`
}

func (s *Site) timelineJSON(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	tenant, id := q.text("tenant"), r.PathValue("id")
	over := rangeOf(q.choice("range", "5w", "24h", "7d", "5w"))
	if err := q.err(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	line, err := s.View.Timeline(r.Context(), tenant, id, over)
	if err != nil {
		s.Log.Error("timeline not shown", "err", err)
		http.Error(w, "The timeline could not be read.", http.StatusInternalServerError)
		return
	}
	c := chart{
		Width: int64(line.Width / time.Second), Start: line.Start.Unix(), End: line.End.Unix(), Since: line.Since.Unix(), Times: []int64{},
		Counts: map[string][]int64{}, Reported: []int64{}, ReportedOf: []int64{},
	}
	for i := range line.Points {
		x := &line.Points[i]
		c.Times = append(c.Times, x.Start.Unix())
		c.Reported, c.ReportedOf = append(c.Reported, x.Reported), append(c.ReportedOf, x.ReportedOf)
		for _, o := range timelineOutcomes {
			c.Counts[o.String()] = append(c.Counts[o.String()], x.Recipients[o])
		}
	}
	c.Gmail = s.gmailDays(tenant, id, line.Start)
	if c.Alerts, err = s.alertTimes(r.Context(), tenant, id, line.Start); err != nil {
		s.Log.Error("alerts of a timeline not shown", "err", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c) // a client that is gone needs no answer
}

// alertTimes are when alerts about the campaign changed, the newest first.
func (s *Site) alertTimes(ctx context.Context, tenant, id string, from time.Time) ([]chartAlert, error) {
	out := []chartAlert{}
	if s.Alerts == nil {
		return out, nil
	}
	history, err := s.Alerts.History(ctx, web.HistoryQuery{
		AlertFilter: web.AlertFilter{Labels: map[string]string{"campaign": id}, Since: from}, Limit: 200,
		Kinds: []alerts.TransitionKind{alerts.Triggered, alerts.Escalated, alerts.Resolved},
	})
	for i := range history.Events {
		if e := &history.Events[i]; e.Alert.Subject.Tenant == tenant {
			out = append(out, chartAlert{e.At.Unix(), e.Alert.Rule, kindWords[e.Kind], e.Alert.Severity})
		}
	}
	return out, err
}

// add adds a day that has arrived, if it is among those that are shown.
func (g *chartGmail) add(day campaign.Day, from time.Time, rate *float64, deliveries int64) {
	if start := day.Start(time.UTC); !start.Before(from.Add(-24 * time.Hour)) {
		g.Days = append(g.Days, chartDay{start.Unix(), rate, deliveries})
	}
}

// gmailDays are Gmail's days about the identifiers that a campaign uses. Of one that Gmail never reported, the days that
// arrived are those of its domain.
func (s *Site) gmailDays(tenant, id string, from time.Time) []chartGmail {
	g := s.View.Brief(tenant, id, signal.Week).Campaign.Gmail
	out := []chartGmail{}
	if g == nil {
		return out
	}
	used := map[[2]string]*view.GmailIdentifier{}
	for i := range g.Identifiers {
		x := &g.Identifiers[i]
		used[[2]string{x.Domain, x.Value}] = x
	}
	told := map[string]bool{}
	s.View.WalkGmailDays(observation.PostmasterFeedbackLoopSpamRate, func(series *view.GmailSeries) bool {
		if x := used[[2]string{series.Domain, series.Identifier}]; x != nil {
			line := chartGmail{Identifier: series.Identifier, Domain: series.Domain, Own: x.SharedBy <= 1, Days: []chartDay{}}
			for _, d := range series.Days {
				line.add(d.Day, from, d.Value, d.Deliveries)
			}
			told[series.Identifier], out = true, append(out, line)
		}
		return true
	})
	arrived := s.domainDays()
	for i := range g.Identifiers {
		x := &g.Identifiers[i]
		if told[x.Value] || arrived[x.Domain] == nil {
			continue
		}
		line := chartGmail{Identifier: x.Value, Domain: x.Domain, Own: x.SharedBy <= 1, Days: []chartDay{}}
		for _, d := range arrived[x.Domain].Days {
			line.add(d.Day, from, nil, 0)
		}
		told[x.Value], out = true, append(out, line)
	}
	return out
}

// domainDays are the rates of spam reports day by day, by domain.
func (s *Site) domainDays() map[string]*view.GmailSeries {
	out := map[string]*view.GmailSeries{}
	s.View.WalkGmailDays(observation.PostmasterSpamRate, func(x *view.GmailSeries) bool {
		if out[x.Domain] == nil {
			out[x.Domain] = x
		}
		return true
	})
	return out
}
