package traffic

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// event emits an event if the configuration set publishes its type, and its twin if there is one.
func (g *generator) event(e Event) {
	if g.witness != nil {
		g.witness(&e)
	}
	c := e.Mail.Send.Campaign
	if slices.Contains(c.Withheld, e.Type) {
		return
	}
	e.At = e.At.Truncate(time.Millisecond)
	twin := e
	twin.Twin = true
	both := c.Twins && (e.Type == observation.EventBounce || e.Type == observation.EventComplaint)
	if both && e.Mail.key&1 == 0 {
		g.emit(twin)
	}
	g.emit(e)
	if both && e.Mail.key&1 == 1 {
		g.emit(twin)
	}
}

// chance draws true with that probability.
func (g *generator) chance(p float64) bool { return p > 0 && g.rand.Float64() < p }

// within draws a time up to most after t, more often soon than late.
func (g *generator) within(t time.Time, least, most time.Duration) time.Time {
	u := g.rand.Float64()
	return t.Add(least + time.Duration(u*u*u*float64(most-least)))
}

// late draws a time within a share of the model's lateness.
func (g *generator) late(t time.Time, share float64) time.Time {
	return g.within(t, time.Minute, time.Duration(share*float64(g.model.options.Lateness-time.Hour)))
}

// fate decides what becomes of a mail and emits all that SES says about it. Each share of the rates is taken from mail that
// got so far, so that the rates are those of the story up to their product.
func (g *generator) fate(mail *Mail) {
	rates, sent := &mail.Send.Campaign.Rates, mail.SentAt
	g.event(Event{Type: observation.EventSend, At: sent, Mail: mail, Outcome: observation.Sent})
	soon := sent.Add(time.Second + time.Duration(g.rand.IntN(4000))*time.Millisecond)
	bounce := func(at time.Time, k kind, o observation.Outcome, reason string) {
		g.event(Event{Type: observation.EventBounce, At: at, Mail: mail, Outcome: o, Reason: reason, kind: k})
	}
	switch {
	case mail.at == &simulatorMailboxes && mail.key%4 == 0:
		bounce(soon, kindHard, observation.HardBounced, mail.at.hard.reason)
	case mail.at == &simulatorMailboxes:
		g.event(Event{Type: observation.EventDelivery, At: soon, Mail: mail, Outcome: observation.Delivered})
	case g.chance(rates.Rendering):
		g.event(Event{Type: observation.EventRenderingFailure, At: sent, Mail: mail, Outcome: observation.RenderingFailed})
	case g.chance(rates.Rejected):
		g.event(Event{Type: observation.EventReject, At: sent, Mail: mail, Outcome: observation.Rejected,
			Reason: "content_virus_or_attachment"})
	case g.chance(rates.Suppressed):
		k := kindAccountSuppressed
		if mail.Send.Campaign.Tenant != "" {
			k = kindTenantSuppressed
		}
		bounce(soon, k, observation.Suppressed, "suppressed")
	case g.blocked(mail):
		bounce(soon, kindBlock, observation.SoftBounced, microsoftBlock.reason)
	case g.chance(rates.Hard):
		bounce(g.within(soon, 0, time.Minute), kindHard, observation.HardBounced, mail.at.hard.reason)
	case g.chance(rates.Soft):
		g.delays(mail)
		bounce(g.within(soon, time.Hour, min(14*time.Hour, g.model.options.Lateness-time.Hour)), kindSoft,
			observation.SoftBounced, mail.at.soft.reason)
	case g.chance(rates.Undetermined):
		bounce(g.within(soon, 0, time.Hour), kindUndetermined, observation.UndeterminedBounced, "unknown")
	default:
		g.delivered(mail, soon)
	}
}

// blocked says whether the provider refuses the mail because of a block.
func (g *generator) blocked(mail *Mail) bool {
	for i := range g.model.story.Blocks {
		b := &g.model.story.Blocks[i]
		if b.Provider == mail.Provider && b.Tenant == mail.Send.Campaign.Tenant && !mail.SentAt.Before(b.From) &&
			mail.SentAt.Before(b.To) && g.chance(b.Share) {
			return true
		}
	}
	return false
}

// delays emits one to three delays and returns the time of the last.
func (g *generator) delays(mail *Mail) time.Time {
	at := mail.SentAt
	for i := range 1 + g.rand.IntN(3) {
		at = at.Add(time.Duration(5+g.rand.IntN(15)) * time.Minute)
		g.event(Event{Type: observation.EventDeliveryDelay, At: at, Mail: mail, Outcome: observation.Delayed,
			Reason: mail.at.delay.reason, number: uint8(i)})
	}
	return at
}

// delivered emits a delivery and what people and machines make of the mail.
func (g *generator) delivered(mail *Mail, at time.Time) {
	rates := &mail.Send.Campaign.Rates
	if g.chance(rates.Delay) {
		at = g.delays(mail).Add(10 * time.Second)
	}
	say := func(t observation.EventType, at time.Time, o observation.Outcome, k kind, number int) {
		g.event(Event{Type: t, At: at, Mail: mail, Outcome: o, kind: k, number: uint8(number)})
	}
	say(observation.EventDelivery, at, observation.Delivered, kindPlain, 0)
	switch {
	case g.chance(rates.LateHard):
		g.event(Event{Type: observation.EventBounce, At: g.late(at, 0.4), Mail: mail, Outcome: observation.HardBounced,
			Reason: mail.at.hard.reason, kind: kindHard})
		return
	case g.chance(rates.Autoreply):
		g.event(Event{Type: observation.EventBounce, At: g.within(at, 2*time.Second, time.Minute), Mail: mail,
			Outcome: observation.AutoreplySuspected, Reason: "autoreply", kind: kindAutoreply})
	case mail.at.reports && g.chance(rates.Complaint):
		k := kindAbuse
		if mail.Recipients > 1 || mail.key%5 == 0 {
			k = kindListed
		}
		say(observation.EventComplaint, g.late(at, 0.9), observation.Complained, k, 0)
	case mail.at.reports && mail.Recipients == 1 && g.chance(rates.NotSpam):
		say(observation.EventComplaint, g.late(at, 0.9), observation.NotSpam, kindNotSpam, 0)
	case mail.Recipients == 1 && g.chance(rates.Unsubscribe):
		say(observation.EventSubscription, g.late(at, 0.5), observation.Unsubscribed, kindPlain, 0)
	}
	if g.chance(rates.BotOpen) {
		say(observation.EventOpen, at.Add(2*time.Second), observation.OpenedByBot, kindBot, 0)
	}
	if g.chance(rates.BotClick) {
		say(observation.EventClick, at.Add(3*time.Second), observation.ClickedByBot, kindBot, 0)
	}
	if !g.chance(rates.Open) {
		return
	}
	opened := g.late(at, 0.5)
	say(observation.EventOpen, opened, observation.Opened, kindPlain, 1)
	if g.chance(0.15) {
		say(observation.EventOpen, opened.Add(time.Duration(1+g.rand.IntN(900))*time.Second), observation.Opened, kindPlain, 2)
	}
	if g.chance(rates.Click / max(rates.Open, rates.Click)) {
		say(observation.EventClick, opened.Add(9*time.Second), observation.Clicked, kindPlain, 1)
	}
}
