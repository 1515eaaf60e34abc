package report

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// Source is what a report reads of a ledger. Every ledger is one.
type Source = view.PeriodReader

// Options say which report is made.
type Options struct {
	Period Period
	// Owner restricts the report to the campaigns of one owner, Campaign to those whose name fits a glob; empty ones select
	// all.
	Owner, Campaign string
	// Now is when the report is made.
	Now time.Time
	// Previous is an earlier edition of the same report, nil when there is none. Changes says what changed since.
	Previous *Report
	// Settings and Group are those of the view that the daemon shows figures with.
	Settings view.Settings
	Group    func(reason string) string
	// Link is the address of the daemon's pages, empty when there is none.
	Link string
	// Progress is told now and then how much of the reading is done; it may be nil.
	Progress func(done, total int)
}

// format is the version of the form in which reports are kept.
const format = 1

// Report is a report. Its JSON names campaigns, recipients, signals and what Gmail says as the API does.
type Report struct {
	// Format is the version of this form.
	Format int    `json:"format"`
	Period Period `json:"period"`
	// Owner and Campaign are what the report is restricted to.
	Owner    string `json:"owner,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	// MadeAt is when the report was made, AsOf up to when the ledger knew what became of the mail.
	MadeAt time.Time `json:"made_at"`
	AsOf   time.Time `json:"as_of"`
	Link   string    `json:"link,omitempty"`

	// Sentences are the period in three sentences. Actions are what should be done, the most urgent first.
	Sentences []string `json:"sentences"`
	Actions   []Action `json:"actions"`
	// Totals are of all mail that was selected, Before of that of the weeks before: for a week the four before it.
	Totals Totals        `json:"totals"`
	Before *view.Figures `json:"before,omitempty"`
	// Days are those of the period, Weeks those before and of it, in order.
	Days  []Span `json:"days"`
	Weeks []Span `json:"weeks"`
	// Accounts and Domains say how SES and Gmail see all mail, whatever was selected.
	Accounts []Account `json:"accounts"`
	Domains  []Domain  `json:"domains"`
	// Campaigns are those with something to do first, then those with most mail.
	Campaigns []Campaign      `json:"campaigns"`
	Providers []view.Provider `json:"providers"`
	Inbound   view.Inbound    `json:"inbound"`
	// Alerts are those that fired in the period, the worst first.
	Alerts []Alert `json:"alerts"`
	// Unknown is what the figures do not hold.
	Unknown []Note `json:"unknown"`
	// Uncounted says that no mail was counted yet in the period, so that even how much was sent is not known.
	Uncounted bool `json:"uncounted,omitempty"`
	// Changes is what changed since an earlier edition, nil when there is none.
	Changes *Changes `json:"changes,omitempty"`
}

// Totals sums up mail.
type Totals struct {
	Campaigns int `json:"campaigns"`
	view.Figures
}

// Span is the mail of some days. From and To are its first and last.
type Span struct {
	From string `json:"from"`
	To   string `json:"to"`
	view.Figures
	// Immature says that figures may still grow: part of the mail is younger than the longest maturity of a signal. Partial
	// says that events were not counted for all of the time.
	Immature bool `json:"immature,omitempty"`
	Partial  bool `json:"partial,omitempty"`
}

// Level says how urgent something is.
type Level string

// The levels. A campaign that is urgent should be stopped, unless it is a stream: people wait for its mail.
const (
	LevelUrgent Level = "urgent"
	LevelAct    Level = "act"
	LevelWatch  Level = "watch"
)

// rank is lower for what is more urgent.
func (l Level) rank() int {
	switch l {
	case LevelUrgent:
		return 0
	case LevelAct:
		return 1
	case LevelWatch:
		return 2
	default:
		return 3
	}
}

// The kinds of subjects of actions.
const (
	AboutCampaign = "campaign"
	AboutInbound  = "receipt_rule"
	AboutAccount  = "account"
	AboutDomain   = "domain"
	AboutCoverage = "coverage"
)

// Action is something that should be done, and why.
type Action struct {
	Level Level `json:"level"`
	// About is the kind of the subject; Subject names it, a campaign within its Tenant.
	About   string `json:"about"`
	Subject string `json:"subject"`
	Tenant  string `json:"tenant,omitempty"`
	Owner   string `json:"owner,omitempty"`
	// Stop says that the subject is a campaign that should be stopped.
	Stop bool `json:"stop,omitempty"`
	// Title says it in a few words, Why with the figure and the line, Sure how sure that is, Do what to do.
	Title string `json:"title"`
	Why   string `json:"why"`
	Sure  string `json:"sure"`
	Do    string `json:"do"`
	// Also says what else is wrong with the subject.
	Also []string `json:"also,omitempty"`
	// Signal is that of the figure, with its Value and the Line that it is held against; all are left out where there is none.
	Signal string   `json:"signal,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Line   *float64 `json:"line,omitempty"`
}

// Campaign is a campaign's mail of the period.
type Campaign struct {
	view.Campaign
	// Level is that of its action, empty when there is none.
	Level Level `json:"level,omitempty"`
	// Before is its earlier mail: of a stream that of the same days of earlier weeks, else that of its sends in the weeks
	// before. It is left out when there was none.
	Before *Before `json:"before,omitempty"`
	// Worst is the provider where most goes wrong.
	Worst *Worst `json:"worst_provider,omitempty"`
	// Reasons are the most frequent reasons why mail was refused or put off, by provider and outcome; Refusals are those of
	// bounces alone, over all providers.
	Reasons  []view.Reason `json:"reasons,omitempty"`
	Refusals []Refusal     `json:"refusals,omitempty"`
	// GmailDays are the days on which Gmail told a rate that is the campaign's own.
	GmailDays []GmailDay `json:"gmail_days,omitempty"`
	// Sends are those of the period, newest first, each with all of its mail; told of the campaigns with something to do.
	Sends []view.Send `json:"sends,omitempty"`
}

// Refusal is a reason for bounces, and how many had it.
type Refusal struct {
	Reason string `json:"reason"`
	N      int64  `json:"n"`
}

// Before is earlier mail, and the period's set against it.
type Before struct {
	view.Figures
	Compared view.Compared `json:"compared,omitempty"`
}

// Worst is a provider and what goes wrong there.
type Worst struct {
	Provider string   `json:"provider"`
	Signal   string   `json:"signal"`
	Value    float64  `json:"value"`
	Low      float64  `json:"low"`
	High     float64  `json:"high"`
	Count    int64    `json:"numerator"`
	Of       int64    `json:"denominator"`
	Line     *float64 `json:"line,omitempty"`
}

// GmailDay is what Gmail told about a campaign's own identifier on a day.
type GmailDay struct {
	Day       campaign.Day `json:"day"`
	SpamRate  float64      `json:"spam_rate"`
	Value     string       `json:"value"`
	Domain    string       `json:"domain"`
	Delivered int64        `json:"delivered"`
}

// Account is how an SES account stood at the end of the period, and how its rates went: the last of each day.
type Account struct {
	view.Account
	Bounces    []Point `json:"bounce_rates"`
	Complaints []Point `json:"complaint_rates"`
}

// Point is a value at a time.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

func pointsOf(points []signal.Point) []Point {
	all := make([]Point, len(points))
	for i, p := range points {
		all[i] = Point{p.At, p.Value}
	}
	return all
}

// Domain is what Gmail said about a domain, day by day.
type Domain struct {
	view.Domain
	Days []DomainDay `json:"days"`
	// Earlier are the days of the weeks before.
	Earlier []DomainDay `json:"earlier_days"`
}

// DomainDay is a day of a domain: not_reported when Gmail's day came without a rate, no_data when it did not come.
type DomainDay struct {
	Day       campaign.Day         `json:"day"`
	SpamRate  *float64             `json:"spam_rate,omitempty"`
	State     campaign.ReportState `json:"state"`
	Delivered int64                `json:"delivered,omitempty"`
}

// Alert is an alert that fired in the period.
type Alert struct {
	Rule     string `json:"rule"`
	Subject  string `json:"subject"`
	Severity string `json:"severity"`
	Owner    string `json:"owner,omitempty"`
	// Fired is how often it began to fire in the period. Started is when it first did, perhaps before the period; Ended is
	// when it last ended, left out when it fired at the period's end.
	Fired   int        `json:"fired"`
	Started time.Time  `json:"started_at"`
	Ended   *time.Time `json:"ended_at,omitempty"`
	// Signal is what the rule watches; Value and Line are those of the worst moment that is known.
	Signal string   `json:"signal,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Line   *float64 `json:"line,omitempty"`
}

// Note is something that is not known.
type Note struct {
	Topic string `json:"topic"`
	Text  string `json:"text"`
}

// Changes is what changed since an earlier edition.
type Changes struct {
	MadeAt time.Time `json:"made_at"`
	AsOf   time.Time `json:"as_of"`
	// Lines are the changes that matter most; More is how many there are beside them.
	Lines []string `json:"lines"`
	More  int      `json:"more,omitempty"`
}
