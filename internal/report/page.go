package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// page is a report in words, as pages, texts and mails lay it out. Nothing in it is escaped.
type page struct {
	*Report
	Title, Scope string
	// Verdict says in a few words how it stands.
	Verdict string
	Urgent  []card
	Act     []card
	Watch   []card
	Tiles   []tile
	Charts  []Chart
	Columns []string
	Rows    []row
	// Empty says why there are no rows.
	Empty string
	// MoreRows is how many campaigns are left out.
	MoreRows int
	Gmail    gmailTable
	Accounts []accountRow
	Losses   []lossRow
	Alerts   []alertRow
	Made     string
}

// card is an action.
type card struct {
	Action
	// Badge is a word for the level, Mark a sign, so that neither needs a colour.
	Badge, Mark string
	// Name is the subject, Kind what it is.
	Name, Kind string
}

// tile is a figure of the whole period.
type tile struct{ Name, Value, Note string }

// row is a campaign in the table; Cells are in the order of the columns after the first.
type row struct {
	Name, Owner, Kind string
	Badge             string
	Level             Level
	Cells             []cell
}

// cell is a figure: its value, and below it how sure it is and how it compares.
type cell struct {
	Value, Range, Before string
	// Bad is the level that the figure alone has; Weak says that it rests on little.
	Bad  Level
	Weak bool
}

type gmailTable struct {
	Days []string
	Rows []gmailRow
}

type gmailRow struct {
	Name  string
	Cells []cell
}

type accountRow struct{ Name, Standing, Bounce, Complaint, Quota, Coverage string }

type lossRow struct{ Rule, Purpose, Campaigns, Received, Failed, Lost, Problem string }

type alertRow struct{ Severity, Rule, Subject, Figure, When string }

// newPage puts a report in words, with at most so many campaigns in its table.
func newPage(r *Report, rows int) *page {
	p := &page{Report: r, Title: "Mail report: " + r.Period.String(), Scope: r.scope()}
	for _, a := range r.Actions {
		c := newCard(a)
		switch a.Level {
		case LevelUrgent:
			p.Urgent = append(p.Urgent, c)
		case LevelAct:
			p.Act = append(p.Act, c)
		default:
			p.Watch = append(p.Watch, c)
		}
	}
	p.Verdict = r.headline()
	p.Tiles = r.tiles()
	p.Columns, p.Empty = columns(), r.noMail()
	for i := range r.Campaigns {
		switch c := &r.Campaigns[i]; {
		case c.Recipients == view.Recipients{}: // all of its mail went to the mailbox simulator
		case len(p.Rows) == rows:
			p.MoreRows++
		default:
			p.Rows = append(p.Rows, newRow(c))
		}
	}
	p.Gmail, p.Accounts, p.Losses, p.Alerts = r.gmailTable(), r.accountRows(), r.lossRows(), r.alertRows()
	p.Made = r.moment(r.MadeAt)
	return p
}

// scope says whose campaigns a report is about.
func (r *Report) scope() string {
	var parts []string
	if r.Owner != "" {
		parts = append(parts, "campaigns of "+r.Owner)
	}
	if r.Campaign != "" {
		parts = append(parts, "campaigns named "+r.Campaign)
	}
	if len(parts) == 0 {
		return "all campaigns"
	}
	return strings.Join(parts, ", ")
}

// headline is the verdict of the first screen.
func (r *Report) headline() string {
	stop, urgent, act := r.duties((*Action).named)
	switch {
	case len(stop) > 0:
		return "Stop " + some(stop, 3)
	case len(urgent) > 0:
		return "Look after " + some(urgent, 3) + " today"
	case len(r.Actions) > 0 && r.Actions[0].Level == LevelUrgent:
		return "No campaign to stop, but something is urgent"
	case len(act) > 0:
		return "Nothing to stop; mend " + some(act, 3)
	case r.Totals.Recipients == view.Recipients{} && r.Uncounted:
		return "No mail was counted yet"
	case r.Totals.Recipients == view.Recipients{}:
		return "No mail was sent"
	default:
		return "Nothing to stop"
	}
}

// maxCardText bounds a text of a card, in characters.
const maxCardText = 1000

func newCard(a Action) card {
	a.Also = slices.Clone(a.Also)
	texts := []*string{&a.Title, &a.Why, &a.Sure, &a.Do}
	for i := range a.Also {
		texts = append(texts, &a.Also[i])
	}
	for _, text := range texts {
		*text = shown(*text, maxCardText) // there may be names in it
	}
	a.Title = capital(a.Title)
	c := card{Action: a, Name: a.Subject}
	switch a.About {
	case AboutCampaign:
		c.Name, c.Kind = label(a.Tenant, a.Subject), "campaign"
	case AboutInbound:
		c.Kind = "incoming mail"
	case AboutAccount:
		c.Kind = "SES account"
	case AboutDomain:
		c.Kind = "domain at Gmail"
	default:
		c.Kind = "events"
	}
	switch {
	case a.Stop:
		c.Badge, c.Mark = "Stop", "■"
	case a.Level == LevelUrgent:
		c.Badge, c.Mark = "Urgent", "■"
	case a.Level == LevelAct:
		c.Badge, c.Mark = "Mend", "▲"
	default:
		c.Badge, c.Mark = "Watch", "●"
	}
	return c
}

// tiles are the figures of the whole period.
func (r *Report) tiles() []tile {
	of := func(s signal.Signal) tile {
		f := &r.Totals.Signals[s]
		t := tile{Value: figureWords(f)}
		if f.Known && r.Before != nil && r.Before.Signals[s].Known {
			t.Note = "before: " + percent(r.Before.Signals[s].Value)
		}
		return t
	}
	sent := r.Totals.Recipients[observation.Sent]
	all := []tile{{Name: "Sent", Value: count(sent), Note: counted(int64(r.Totals.Campaigns), "campaign", "campaigns")}}
	if r.Uncounted && r.Totals.Recipients == (view.Recipients{}) {
		all[0] = tile{Name: "Sent", Value: "not known"}
	}
	for _, s := range []struct {
		name   string
		signal signal.Signal
	}{
		{"Delivered", signal.DeliveryRate}, {"Hard bounces", signal.HardBounceRate}, {"Complaints", signal.ComplaintRate},
	} {
		t := of(s.signal)
		t.Name = s.name
		if f := &r.Totals.Signals[s.signal]; s.signal == signal.ComplaintRate && f.Known {
			t.Note = strings.TrimSuffix("of "+percent(f.MeasuredShare)+" of the mail; "+t.Note, "; ")
		}
		all = append(all, t)
	}
	gmail := tile{Name: "Spam at Gmail", Value: "not known"}
	if d := r.worstDomain(); d != nil {
		gmail.Value, gmail.Note = percent(d.Highest.Rate), "of "+shown(d.Domain.Domain, 60)+" on "+dayOf(d.Highest.Day.String())
	}
	return append(all, gmail)
}

// figureWords is a figure, or why there is none.
func figureWords(f *signal.Figure) string {
	if f.Known {
		return percent(f.Value)
	}
	switch f.State {
	case signal.Idle:
		return "–"
	case signal.NotReported:
		return "nobody reports"
	case signal.Error:
		return "contradictory"
	default:
		return "not known"
	}
}

func columns() []string {
	return []string{
		"Campaign", "Sent", "Delivered", "Hard bounces", "Soft bounces", "Blocked", "Put off", "Complaints", "Spam at Gmail",
		"Unsubscribed", "Opened, clicked", "Worst at, and why",
	}
}

func newRow(c *Campaign) row {
	w := row{Name: label(c.Tenant, c.ID), Owner: c.Owner, Level: c.Level}
	if c.Stream {
		w.Kind = "stream"
	}
	if c.Level != "" {
		w.Badge = newCard(Action{Level: c.Level, Stop: c.Level == LevelUrgent && !c.Stream}).Badge
	}
	sent := cell{Value: count(max(c.Recipients[observation.Sent], c.Recipients[observation.Delivered]))}
	if len(c.Sends) > 0 {
		sent.Range = counted(int64(len(c.Sends)), "send", "sends")
	}
	w.Cells = append(w.Cells, sent)
	for _, s := range []signal.Signal{
		signal.DeliveryRate, signal.HardBounceRate, signal.SoftBounceRate, signal.BlockRate, signal.DelayRate, signal.ComplaintRate,
	} {
		w.Cells = append(w.Cells, rateCell(c, s))
	}
	w.Cells = append(w.Cells, gmailCell(c), rateCell(c, signal.UnsubscribeRate), engagedCell(c), worstCell(c))
	return w
}

// rateCell is a rate with its interval, against the campaign's earlier mail.
func rateCell(c *Campaign, s signal.Signal) cell {
	f := &c.Signals[s]
	t := cell{Value: figureWords(f), Bad: levelOf(f, linesOf(s))}
	if !f.Known {
		t.Weak = true
		return t
	}
	if f.State == signal.Immature {
		t.Value += "°"
	}
	t.Weak = f.State == signal.Insufficient
	t.Range = strings.Replace(between(f.Low, f.High), " to ", "–", 1)
	if s == signal.ComplaintRate {
		t.Range += ", of " + percent(f.MeasuredShare)
	}
	if c.Before == nil || !c.Before.Signals[s].Known {
		return t
	}
	t.Before = "before " + percent(c.Before.Signals[s].Value)
	switch c.Before.Compared[s.String()].Verdict {
	case signal.Higher:
		t.Before = "▲ " + t.Before
	case signal.Lower:
		t.Before = "▼ " + t.Before
	}
	return t
}

// gmailCell is the highest rate that is the campaign's own, and how many users there can be behind those of all days.
func gmailCell(c *Campaign) cell {
	g := c.Gmail
	if g == nil {
		return cell{Value: "–", Weak: true}
	}
	if len(c.GmailDays) == 0 {
		t := cell{Value: "not reported", Weak: true}
		if g.State == campaign.ReportNoData {
			t.Value = "no day came"
		}
		for _, id := range g.Identifiers {
			if id.SpamRate != nil && id.SharedBy > 1 {
				t.Value, t.Range = "shared: "+percent(*id.SpamRate), fmt.Sprintf("%s, with %d others", id.Value, id.SharedBy-1)
			}
		}
		return t
	}
	worst := c.GmailDays[0]
	for _, d := range c.GmailDays[1:] {
		if d.SpamRate > worst.SpamRate {
			worst = d
		}
	}
	t := cell{Value: percent(worst.SpamRate), Range: dayOf(worst.Day.String())}
	if f, ok := judgeGmail(c); ok {
		t.Bad = f.level
	}
	if g.ComplaintsUpperBound != nil {
		t.Before = fmt.Sprintf("at most %s on %d of %d days", counted(int64(*g.ComplaintsUpperBound+0.5), "user", "users"), g.DaysReported, g.DaysInWindow)
	}
	return t
}

// engagedCell is how many mails were opened and clicked, without those that a machine did.
func engagedCell(c *Campaign) cell {
	opened, clicked := c.Recipients[observation.Opened], c.Recipients[observation.Clicked]
	bots := c.Recipients[observation.OpenedByBot] + c.Recipients[observation.ClickedByBot]
	if opened+clicked+bots == 0 {
		return cell{Value: "–", Weak: true}
	}
	t := cell{Value: count(opened) + ", " + count(clicked)}
	if bots > 0 {
		t.Range = count(bots) + " by machines left out"
	}
	return t
}

// worstCell is the provider where most goes wrong, and the reasons for refusals: named as such where they are not why.
func worstCell(c *Campaign) cell {
	var t cell
	what := "refused: "
	if w := c.Worst; w != nil {
		s, _ := signal.Parse(w.Signal)
		name, _ := signalWords(s)
		t.Value = providerName(w.Provider) + ": " + percent(w.Value) + " " + name
		if s == signal.HardBounceRate || s == signal.SoftBounceRate || s == signal.BlockRate {
			what = ""
		}
	}
	var reasons []string
	for _, r := range c.Refusals {
		if text := fmt.Sprintf("%s (%s)", reasonWords(r.Reason), count(r.N)); r.N > 1 && len(reasons) < 2 {
			reasons = append(reasons, text)
		}
	}
	switch {
	case len(reasons) > 0:
		t.Range = what + strings.Join(reasons, "; ")
	case t.Value == "":
		t.Value, t.Weak = "–", true
	}
	return t
}
