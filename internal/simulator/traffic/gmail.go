package traffic

import (
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

const wholeDay = 24 * time.Hour

// gmail is the provider of personal addresses at Gmail, of which alone Postmaster Tools speaks.
const gmail = "gmail"

// SenderValue is the last field of every Feedback-ID that SES writes.
const SenderValue = "AmazonSES"

// AccountValue is the field c that SES writes into the Feedback-ID of an account's mail in a region.
func AccountValue(account, region string) string {
	sum := sha256.Sum256([]byte(account + "/" + region))
	return "1." + region + "." + base64.StdEncoding.EncodeToString(sum[:])
}

// GmailCount is what personal Gmail made of some mail.
type GmailCount struct {
	// Delivered is how many recipients Gmail took it for, Inboxed how many of them found it outside the spam folder.
	Delivered, Inboxed int64
	// Reports is how many reported it as spam. They may do so on a later day than that of the delivery.
	Reports int64
}

// Rate is the spam rate as Gmail divides it, 0 to 1.
func (c GmailCount) Rate() float64 {
	return min(float64(c.Reports)/float64(max(c.Inboxed, 1)), 1)
}

func (c *GmailCount) add(o GmailCount) {
	c.Delivered += o.Delivered
	c.Inboxed += o.Inboxed
	c.Reports += o.Reports
}

// GmailValue is what became of the mail that carried a value in any field of its Feedback-ID.
type GmailValue struct {
	GmailCount
	// Campaigns has Delivered by tenant/campaign; mail of strangers is in none.
	Campaigns map[string]int64
}

// GmailError is a kind of refusal, in the words of the filters of version 2 of the API.
type GmailError struct{ Type, Reason string }

// GmailDay is what Gmail saw of a domain's mail, its subdomains' included, on one day (UTC).
type GmailDay struct {
	GmailCount
	// Foreign is how many of Inboxed were not sent through SES.
	Foreign int64
	Values  map[string]GmailValue
	// Signed has what is added when mail is counted by any domain that signed it, not by the From domain.
	Signed map[string]GmailValue
	Errors map[GmailError]int64
}

// Gmail is what personal Gmail knows about a model's mail. It draws reports from each mail's key, so that it takes nothing
// from the generator of SES events. It is safe for concurrent use and keeps a summary of each day that it is asked for.
type Gmail struct {
	model *Model

	mu   sync.Mutex
	sent map[int64]gmailSent
}

// gmailSent is what became of the mail of one day.
type gmailSent map[gmailKey]*gmailTally

// gmailKey is a send and the day of the delivery, refusal or report, counted since 1970.
type gmailKey struct {
	send *Send
	day  int64
}

type gmailTally struct {
	GmailCount
	errors map[GmailError]int64
}

// Gmail returns the model's mail as Gmail sees it.
func (m *Model) Gmail() *Gmail { return &Gmail{model: m, sent: map[int64]gmailSent{}} }

func dayNumber(t time.Time) int64 { return t.Unix() / int64(wholeDay/time.Second) }

// Day returns what Gmail saw on the day of t.
func (g *Gmail) Day(domain string, t time.Time) GmailDay {
	day := dayNumber(t)
	d := GmailDay{Values: map[string]GmailValue{}, Signed: map[string]GmailValue{}, Errors: map[GmailError]int64{}}
	for sent := day - gmailDaysLate; sent <= day; sent++ {
		for key, tally := range g.sentOn(sent) {
			if key.day == day && covers(domain, key.send.Campaign.FromDomain) {
				d.add(key.send, tally)
			}
		}
	}
	for i := range g.model.story.Strangers {
		if s := &g.model.story.Strangers[i]; covers(domain, s.FromDomain) {
			d.addStranger(s, g.model.stranger(i, day))
		}
	}
	return d
}

// covers says whether what Gmail shows for domain includes mail from that From domain.
func covers(domain, from string) bool {
	return from == domain || strings.HasSuffix(from, "."+domain)
}

// add adds a send's mail, once under each of its values.
func (d *GmailDay) add(send *Send, tally *gmailTally) {
	d.GmailCount.add(tally.GmailCount)
	for kind, n := range tally.errors {
		d.Errors[kind] += n
	}
	c := send.Campaign
	for _, value := range send.values() {
		v := d.Values[value]
		v.add(tally.GmailCount)
		if v.Campaigns == nil {
			v.Campaigns = map[string]int64{}
		}
		if tally.Delivered > 0 {
			v.Campaigns[c.Tenant+"/"+c.Name] += tally.Delivered
		}
		d.Values[value] = v
	}
}

// addStranger adds mail that was not sent through SES.
func (d *GmailDay) addStranger(s *Stranger, count GmailCount) {
	if count == (GmailCount{}) {
		return
	}
	into := d.Values
	if s.SignedOnly {
		into = d.Signed
	} else {
		d.GmailCount.add(count)
		d.Foreign += count.Inboxed
	}
	v := into[s.Value]
	v.add(count)
	into[s.Value] = v
}

// values are the different values of the fields of the Feedback-ID that SES writes into a send's mail.
func (s *Send) values() []string {
	c := s.Campaign
	values := []string{AccountValue(c.Account, c.Region), SenderValue}
	if c.Tagging == TagFeedback {
		values = append(values, s.Name, c.Group)
	}
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
}

// stranger draws how much mail of a stranger Gmail got on a day.
func (m *Model) stranger(i int, day int64) (count GmailCount) {
	s := &m.story.Strangers[i]
	if start := time.Unix(day*int64(wholeDay/time.Second), 0); start.Before(s.From) || !start.Before(s.To) {
		return count
	}
	random := rand.New(rand.NewPCG(mix(m.options.Seed^gmailSalt+uint64(i)), uint64(day)))
	count.Inboxed = int64(s.PerDay * (0.9 + 0.2*random.Float64()))
	count.Delivered = count.Inboxed
	for range count.Inboxed {
		if random.Float64() < s.Report {
			count.Reports++
		}
	}
	return count
}

const (
	// gmailReportLate is the longest that a user takes to report a mail, gmailDaysLate how many days later that can be:
	// mail may be delayed for less than half a day before it is delivered.
	gmailReportLate = 36 * time.Hour
	gmailDaysLate   = 2
	// gmailSalt parts what Gmail's users do from what the key of a mail otherwise decides.
	gmailSalt = 0x676D61696C2E636F
)

// sentOn returns what became of the mail of a day.
func (g *Gmail) sentOn(day int64) gmailSent {
	g.mu.Lock()
	defer g.mu.Unlock()
	if sent, ok := g.sent[day]; ok {
		return sent
	}
	sent := gmailSent{}
	pcg := rand.NewPCG(0, 0)
	gen := generator{model: g.model, pcg: pcg, rand: rand.New(pcg), emit: func(Event) {},
		witness: func(e *Event) { g.model.atGmail(sent, e) }}
	start := time.Unix(day*int64(wholeDay/time.Second), 0).UTC()
	for at := start; at.Before(start.Add(wholeDay)); at = at.Add(slot) {
		gen.slot(at)
	}
	g.sent[day] = sent
	return sent
}

// at returns the tally of a mail at a time.
func (s gmailSent) at(m *Mail, t time.Time) *gmailTally {
	key := gmailKey{m.Send, dayNumber(t)}
	if s[key] == nil {
		s[key] = &gmailTally{errors: map[GmailError]int64{}}
	}
	return s[key]
}

// atGmail counts what Gmail knows of an event. A bounce that comes after more than a day is a message of its own and no
// refusal.
func (m *Model) atGmail(sent gmailSent, e *Event) {
	mail, n := e.Mail, int64(e.Mail.Recipients)
	if mail.Provider != gmail || e.At.Sub(mail.SentAt) > wholeDay {
		return
	}
	switch {
	case e.Type == observation.EventDelivery:
		inboxed, reportedAt := m.judge(mail, e.At)
		tally := sent.at(mail, e.At)
		tally.Delivered += n
		if inboxed {
			tally.Inboxed += n
		}
		if !reportedAt.IsZero() {
			sent.at(mail, reportedAt).Reports++
		}
	case e.Outcome == observation.HardBounced:
		sent.at(mail, e.At).errors[GmailError{"reject", "other"}] += n
	case e.Outcome == observation.SoftBounced:
		sent.at(mail, e.At).errors[GmailError{"temp_fail", "other"}] += n
	case e.Outcome == observation.Delayed:
		sent.at(mail, e.At).errors[GmailError{"temp_fail", "anomalous_traffic_pattern"}] += n
	}
}

// judge says where Gmail puts a mail, and when, if ever, its user reports it.
func (m *Model) judge(mail *Mail, delivered time.Time) (inboxed bool, reportedAt time.Time) {
	rates, x := &mail.Send.Campaign.Rates, mail.key^gmailSalt
	draw := func() float64 {
		x = mix(x + 0x9E3779B97F4A7C15)
		return float64(x>>11) / (1 << 53)
	}
	if draw() < rates.GmailSpam {
		return false, time.Time{}
	}
	report := rates.GmailReport
	for i := range m.story.Annoyances {
		a := &m.story.Annoyances[i]
		if a.Campaign == mail.Send.Campaign.Name && !mail.SentAt.Before(a.From) && mail.SentAt.Before(a.To) {
			report = a.Report
		}
	}
	if draw() >= report {
		return true, time.Time{}
	}
	// Most look at a mail soon: four of five reports come on its day when it was sent in the morning.
	u := draw()
	return true, delivered.Add(time.Minute + time.Duration(u*u*u*u*float64(gmailReportLate-time.Minute)))
}
