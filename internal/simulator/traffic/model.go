package traffic

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// slot is the stretch of time for which mails are derived together.
const slot = 5 * time.Minute

// Options says how a Model tells its story.
type Options struct {
	Seed uint64
	// Scale multiplies the number of mails; 0 means 1.
	Scale float64
	// Since, when not zero, is the time before which nothing is sent, Until that from which on nothing is.
	Since, Until time.Time
	// Surge, when not zero, is a time from which SurgeFactor times as many mails are sent.
	Surge       time.Time
	SurgeFactor float64
	// Lateness is how long after the mail its last event may come; 7 days when 0. Complaints, opens and late bounces are
	// spread over it.
	Lateness time.Duration
}

// Model makes a story happen.
type Model struct {
	story     Story
	options   Options
	providers []provider
	// cumulated are the providers' shares, summed, for drawing.
	cumulated []float64
	keys      []uint64

	mu    sync.Mutex
	sends map[sendKey]*Send
}

// Send is one burst of a campaign, or all of a campaign that has none.
type Send struct {
	Campaign *Campaign
	// Name is what the mail's tags say: the campaign's name, with the date when the send is dated.
	Name string
}

type sendKey struct {
	campaign int
	name     string
}

// Mail is one mail to one recipient, or to several at one domain.
type Mail struct {
	SentAt time.Time
	Send   *Send
	// Recipients is how many there are.
	Recipients int
	// Provider is the id of their provider.
	Provider string
	// key is unique to the mail; ids and addresses are derived from it.
	key    uint64
	at     *provider
	domain string
}

// Event is something that SES says about a mail.
type Event struct {
	Type observation.EventType
	// At is the event's own time.
	At   time.Time
	Mail *Mail
	// Outcome and Reason are what has to be counted.
	Outcome observation.Outcome
	Reason  string
	// Twin says that this repeats, in the older format of identity notifications, what another event says.
	Twin bool
	// kind chooses the payload, number tells apart several events of one mail.
	kind   kind
	number uint8
}

// kind is the payload of an event where the type does not say it all.
type kind uint8

const (
	kindPlain kind = iota
	kindHard
	kindSoft
	kindBlock
	kindUndetermined
	kindAutoreply
	kindAccountSuppressed
	kindTenantSuppressed
	kindAbuse
	kindListed // a complaint that lists the recipients without a report
	kindNotSpam
	kindBot
)

// New makes a model of a story.
func New(story Story, o Options) *Model {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Lateness == 0 {
		o.Lateness = 7 * 24 * time.Hour
	}
	m := &Model{story: story, options: o, providers: providers(), sends: map[sendKey]*Send{}}
	sum := 0.0
	for i := range m.providers {
		sum += m.providers[i].share
		m.cumulated = append(m.cumulated, sum)
	}
	for i := range story.Campaigns {
		m.keys = append(m.keys, mix(o.Seed+uint64(i)*0x9E3779B97F4A7C15))
	}
	return m
}

// mix spreads the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// send returns the one Send of a campaign with that name.
func (m *Model) send(campaign int, name string) *Send {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := sendKey{campaign, name}
	if m.sends[key] == nil {
		m.sends[key] = &Send{Campaign: &m.story.Campaigns[campaign], Name: name}
	}
	return m.sends[key]
}

// rhythm is how busy an hour is, 1 on average over a week: quiet at night and at weekends.
func rhythm(t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	daily := 1 + 0.6*math.Sin((hour-8)/24*2*math.Pi)
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		return daily * 0.75
	default:
		return daily * 1.1
	}
}

// due returns how many mails a campaign is to send in the slot that starts at start, on average, and under which name.
func (c *Campaign) due(start time.Time) (mails float64, name string) {
	if len(c.Sends) == 0 && c.Even {
		return c.PerDay * slot.Hours() / 24, c.Name
	}
	if len(c.Sends) == 0 {
		return c.PerDay * rhythm(start) * slot.Hours() / 24, c.Name
	}
	const week = 7 * 24 * time.Hour
	for i := range c.Sends {
		s := &c.Sends[i]
		since := start.Sub(s.Start)
		if s.Weekly {
			since = (since%week + week) % week
		}
		if since >= 0 && since < s.Over {
			name = c.Name
			if s.Dated {
				name += start.Add(-since).Format("-20060102")
			}
			return s.Mails * float64(slot) / float64(s.Over), name
		}
	}
	return 0, ""
}

// generator derives the mails of slots and their events.
type generator struct {
	model *Model
	pcg   *rand.PCG
	rand  *rand.Rand
	emit  func(Event)
	// witness, when not nil, sees every event before it is known whether SES publishes it.
	witness func(*Event)
}

// slot derives everything that mail sent in the slot from start on leads to.
func (g *generator) slot(start time.Time) {
	m := g.model
	if start.Before(m.options.Since) || !m.options.Until.IsZero() && !start.Before(m.options.Until) {
		return
	}
	scale := m.options.Scale
	if !m.options.Surge.IsZero() && !start.Before(m.options.Surge) {
		scale *= m.options.SurgeFactor
	}
	for i := range m.story.Campaigns {
		mails, name := m.story.Campaigns[i].due(start)
		if mails == 0 {
			continue
		}
		g.pcg.Seed(m.keys[i], uint64(start.Unix()))
		count := int(mails*scale + g.rand.Float64())
		if count == 0 {
			continue
		}
		send := m.send(i, name)
		for range count {
			g.mail(start, send)
		}
	}
}

// mail derives one mail and its fate.
func (g *generator) mail(start time.Time, send *Send) {
	mail := &Mail{
		SentAt:     start.Add(time.Duration(g.rand.Int64N(int64(slot/time.Millisecond))) * time.Millisecond),
		Send:       send,
		Recipients: max(send.Campaign.Recipients, 1),
		key:        g.rand.Uint64(),
	}
	if send.Campaign.ToSimulator {
		mail.at = &simulatorMailboxes
	} else {
		sums := g.model.cumulated
		i, _ := slices.BinarySearch(sums, g.rand.Float64()*sums[len(sums)-1])
		mail.at = &g.model.providers[i]
	}
	mail.Provider, mail.domain = mail.at.id, mail.at.domains[g.rand.IntN(len(mail.at.domains))]
	g.fate(mail)
}
