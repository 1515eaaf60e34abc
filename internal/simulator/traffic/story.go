package traffic

import (
	"cmp"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Story says who sends what, and what goes wrong.
type Story struct {
	Campaigns  []Campaign
	Blocks     []Block
	Annoyances []Annoyance
	Strangers  []Stranger
	// Sets has the configuration sets that do more than publish events, wherever campaigns use them.
	Sets     []ConfigurationSet
	RuleSets []RuleSet
}

// Tagging is how a campaign's mail says which campaign it belongs to.
type Tagging uint8

// The ways of tagging.
const (
	// TagFeedback sets the tags ses:feedback-id-a and -b as well as campaign and stream.
	TagFeedback Tagging = iota
	// TagCampaign sets the tags campaign and stream.
	TagCampaign
	// TagNone sets none: the configuration set is all that there is.
	TagNone
)

// Campaign is one unit of work of the sender. Sends, when there are any, make it a campaign of bursts; otherwise it sends
// all the time, by a daily and weekly rhythm.
type Campaign struct {
	// Name is the name that the default rules find: without the date of a send.
	Name string
	// Group is the value of the tags stream and ses:feedback-id-b.
	Group string
	// Tenant is empty or one that its configuration set tenant-<name> gives away.
	Tenant           string
	ConfigurationSet string
	Account, Region  string
	FromName         string
	FromDomain       string
	Subject          string
	// PerDay is how many mails a campaign without Sends sends on a day.
	PerDay float64
	// Even takes the rhythm away.
	Even  bool
	Sends []Schedule
	// Recipients is how many recipients a mail has, all at one domain; 0 means 1.
	Recipients int
	Tagging    Tagging
	// Withheld are event types that the configuration set does not publish.
	Withheld []observation.EventType
	// Twins says that an identity topic reports bounces and complaints as well, in the older format.
	Twins bool
	// ToSimulator sends to SES's mailbox simulator instead of people.
	ToSimulator bool
	Rates       Rates
}

// Schedule is when a campaign sends bursts: once, or every week. A send under a schedule of Dated carries the date.
type Schedule struct {
	// Start is the start of the send, or of any one of the weekly sends.
	Start  time.Time
	Weekly bool
	// Over is how long the send takes, Mails how many it has.
	Over  time.Duration
	Mails float64
	Dated bool
}

// Rates are shares of mails (0 to 1) with that fate. Complaint, NotSpam, Unsubscribe, Open, Click and the bots' are shares
// of delivered mail; Complaint is of mail delivered at providers whose feedback loop reaches SES. Open may exceed 1.
type Rates struct {
	Hard, LateHard, Soft, Undetermined, Autoreply float64
	Suppressed, Rejected, Rendering, Delay        float64
	Complaint, NotSpam, Unsubscribe               float64
	Open, Click, BotOpen, BotClick                float64
	// GmailSpam is the share of what Gmail takes that it puts into the spam folder, GmailReport the share of the rest that
	// its users report. SES is told of neither.
	GmailSpam, GmailReport float64
}

// Block is a provider that refuses a tenant's mail for a while because of the reputation of its senders.
type Block struct {
	Provider, Tenant string
	From, To         time.Time
	Share            float64
}

// Annoyance is a time whose mail of a campaign Gmail users report at another rate than usual.
type Annoyance struct {
	Campaign string
	From, To time.Time
	Report   float64
}

// Stranger is mail in a sender's name that is not sent through SES. Gmail counts it, SES never hears of it.
type Stranger struct {
	// Value is the one field of its Feedback-ID that Gmail makes out.
	Value, FromDomain string
	// SignedOnly says that FromDomain has signed the mail while its From names another domain.
	SignedOnly bool
	// From and To bound the days (UTC) of the mail, PerDay is how much of it reaches inboxes, Report the share reported.
	From, To       time.Time
	PerDay, Report float64
}

// healthy are the rates of a sender who does well.
var healthy = Rates{
	Hard: 0.004, LateHard: 0.0005, Soft: 0.003, Undetermined: 0.0002, Autoreply: 0.003,
	Suppressed: 0.002, Rejected: 0.0001, Delay: 0.012,
	Complaint: 0.0003, NotSpam: 0.00005, Unsubscribe: 0.0015,
	Open: 0.32, Click: 0.035, BotOpen: 0.05, BotClick: 0.008,
	GmailSpam: 0.03, GmailReport: 0.0003,
}

// transactional are the rates of mail that people asked for a moment ago.
var transactional = Rates{
	Hard: 0.005, Soft: 0.002, Autoreply: 0.001, Suppressed: 0.001, Rendering: 0.0004, Delay: 0.008,
	Complaint: 0.0002, Open: 0.55, Click: 0.2, BotOpen: 0.04, BotClick: 0.01,
	GmailSpam: 0.01, GmailReport: 0.0001,
}

// The accounts and domains of the demo's sender. Account numbers are those of AWS's documentation.
const (
	accountUS, regionUS = "123456789012", "us-east-1"
	accountEU, regionEU = "210987654321", "eu-west-1"
)

// Demo is the story that the demo tells about the weeks up to anchor: winter-clearance went to a bought list the day
// before, people complain about flash-friday, Microsoft has blocked the mail of tenant acme for twelve hours; the weekly
// digest, the streams and the rest are well. Gmail users report flash-friday too, and sign-in codes that they did not ask for.
// Tenant globex's list has aged, the events of survey-tool are published nowhere, and inbound mail has troubles of its own
// (demoRuleSets). It sends about 5,200 mails a day.
func Demo(anchor time.Time) Story {
	weekly := func(day time.Weekday, hour int, mails float64) []Schedule {
		start := time.Date(2026, time.January, 4, hour, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)) // 4 January is a Sunday
		return []Schedule{{Start: start, Weekly: true, Over: 90 * time.Minute, Mails: mails, Dated: true}}
	}
	bad, hated, aged := healthy, healthy, healthy
	aged.Hard = 0.042
	bad.Hard, bad.Soft, bad.Complaint, bad.Open, bad.Unsubscribe = 0.08, 0.012, 0.0015, 0.08, 0.006
	hated.Complaint, hated.Unsubscribe, hated.Open = 0.006, 0.008, 0.21
	bad.GmailSpam, bad.GmailReport = 0.3, 0.003
	hated.GmailSpam, hated.GmailReport = 0.12, 0.006
	clearance := []Schedule{{Start: anchor.Add(-26 * time.Hour), Over: 2 * time.Hour, Mails: 6000}}
	s := Story{Campaigns: []Campaign{
		{Name: "weekly-digest", Group: "newsletter", Subject: `Your week: “7 things” worth reading`, Sends: weekly(time.Thursday, 7, 3500), Rates: healthy, Twins: true},
		{Name: "spring-sale", Group: "promotions", Subject: "Frühlingsverkauf – 20 % auf alles für Stammkunden", Sends: weekly(time.Tuesday, 9, 2500), Rates: healthy, Twins: true},
		{Name: "flash-friday", Group: "promotions", Subject: `"LAST CHANCE" \ only today: ⚡ deals end at midnight`, Sends: weekly(time.Friday, 8, 9000), Rates: hated, Twins: true},
		{Name: "winter-clearance", Group: "promotions", Subject: `Winter clearance: "everything must go"`, Sends: clearance, Rates: bad, Twins: true},
		{Name: "welcome-series", Group: "onboarding", Subject: "Welcome aboard, 3 steps to begin", PerDay: 350, Rates: healthy},
		{Name: "cart-reminder", Group: "promotions", Subject: "Noch da? Ihr Warenkorb wartet ☕", PerDay: 250, Rates: healthy, Tagging: TagCampaign},
		{Name: "receipts", Group: "transactional", Subject: "Receipt for your order №", PerDay: 700, Rates: transactional},
		{Name: "otp-login", Group: "transactional", Subject: "Your sign-in code", PerDay: 900, Rates: transactional},
		{Name: "password-reset", Group: "transactional", Subject: "Reset your password", PerDay: 180, Rates: transactional},
		{Name: "acme-news", Tenant: "acme", Group: "newsletter", Subject: "News from Acme: “more for less”", PerDay: 1500, Rates: healthy},
		{Name: "globex-updates", Tenant: "globex", Group: "newsletter", Subject: "Globex-Neuigkeiten für Sie", PerDay: 200, Rates: aged},
		{Name: "initech-alerts", Tenant: "initech", Group: "alerts", Subject: "TPS report reminder", PerDay: 120, Rates: transactional, Recipients: 2},
		{Name: "legacy-crm", ConfigurationSet: "legacy-crm", Subject: "Service note", PerDay: 150, Rates: healthy, Tagging: TagNone},
		{Name: "partner-feed", ConfigurationSet: "partner-feed", Group: "partners", Subject: "Partner feed", PerDay: 200, Rates: healthy,
			Tagging: TagCampaign, Withheld: []observation.EventType{observation.EventSend}},
		{Name: "smoke-test", Group: "monitoring", Subject: "Probe", PerDay: 24, ToSimulator: true},
		{Name: "survey-tool", ConfigurationSet: "survey-tool", FromDomain: "survey.example.net", Subject: "How did we do?", PerDay: 240,
			Rates: healthy, Tagging: TagNone, Withheld: everything()},
	}, Blocks: []Block{{Provider: "microsoft", Tenant: "acme", From: anchor.Add(-12 * time.Hour), To: anchor.Add(6 * time.Hour), Share: 0.9}}}
	s.atGmail(anchor)
	s.RuleSets = demoRuleSets(anchor)
	s.Sets = []ConfigurationSet{{Name: "marketing", Counted: true, Reputation: true}, {Name: "transactional", Reputation: true},
		{Name: "survey-tool", Counted: true}}
	for i := range s.Campaigns {
		s.Campaigns[i].settle(i)
	}
	return s
}

// atGmail adds what Gmail alone knows, in the days up to anchor.
func (s *Story) atGmail(anchor time.Time) {
	daysAgo := func(n int) time.Time { return anchor.UTC().Truncate(wholeDay).AddDate(0, 0, -n) }
	s.Annoyances = []Annoyance{{Campaign: "otp-login", From: daysAgo(6), To: daysAgo(1), Report: 0.012}}
	s.Strangers = []Stranger{
		{Value: "autumn-mailing", FromDomain: "news.example.com", From: daysAgo(6), To: daysAgo(4), PerDay: 700, Report: 0.008},
		{Value: "192.0.2.25", FromDomain: "news.example.com", From: daysAgo(8), To: daysAgo(6), PerDay: 600, Report: 0.008},
		{Value: "partner-mailing", FromDomain: "acme.example.org", SignedOnly: true, From: daysAgo(9), To: daysAgo(6), PerDay: 800, Report: 0.005},
	}
}

// everything lists the event types that a configuration set can publish.
func everything() []observation.EventType {
	return []observation.EventType{observation.EventSend, observation.EventDelivery, observation.EventBounce,
		observation.EventComplaint, observation.EventReject, observation.EventOpen, observation.EventClick,
		observation.EventRenderingFailure, observation.EventDeliveryDelay, observation.EventSubscription}
}

// settle fills what the stories' campaigns leave out. Every fifth is sent from the second account.
func (c *Campaign) settle(i int) {
	c.Account, c.Region = accountUS, regionUS
	from := "news.example.com"
	if i%5 == 4 {
		c.Account, c.Region, from = accountEU, regionEU, "mail.example.net"
	}
	c.FromDomain = cmp.Or(c.FromDomain, from)
	c.FromName = "Example Shop"
	switch {
	case c.ConfigurationSet != "":
	case c.Tenant != "":
		c.ConfigurationSet, c.FromDomain, c.FromName = "tenant-"+c.Tenant, c.Tenant+".example.org", c.Tenant
	case c.Group == "transactional":
		c.ConfigurationSet = "transactional"
	default:
		c.ConfigurationSet = "marketing"
	}
}

// Bench is a story of many campaigns that send all the time, together perDay mails, with the mix of events that docs and
// benchmarks quote: Send 40 %, Delivery 38 %, Open 15 %, Click 4 %, Bounce 2 %, Complaint 1 %.
func Bench(campaigns int, perDay float64) Story {
	rates := Rates{Hard: 0.03, Soft: 0.02, Open: 0.355, Click: 0.095, BotOpen: 0.04, BotClick: 0.01, Complaint: 0.088}
	s := Story{Campaigns: make([]Campaign, campaigns)}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		*c = Campaign{Name: benchName(i), Group: "newsletter", Subject: `"Neuheiten" für Sie – jetzt ansehen`,
			PerDay: perDay / float64(campaigns), Even: true, Rates: rates}
		c.settle(0)
	}
	return s
}

func benchName(i int) string {
	const digits = "0123456789"
	return "campaign-" + string([]byte{digits[i/1000%10], digits[i/100%10], digits[i/10%10], digits[i%10]})
}
