package view

import (
	"fmt"
	"regexp"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Purpose is what the mail is for that a receipt rule takes.
type Purpose string

// The purposes.
const (
	PurposeUnsubscribe Purpose = "unsubscribe"
	PurposeReply       Purpose = "reply"
	PurposeDMARC       Purpose = "dmarc"
	PurposeOther       Purpose = "other"
)

// lost says what it means when mail of that purpose is not handed on.
func (p Purpose) lost() string {
	switch p {
	case PurposeUnsubscribe:
		return "People who unsubscribe go on getting mail, and report it as spam instead."
	case PurposeReply:
		return "Replies reach nobody."
	case PurposeDMARC:
		return "DMARC reports are missing: who sends in the name of the domain is not seen."
	default:
		return "Mail that this rule takes reaches nobody."
	}
}

// ReceiptPurposes are what the receipt rules of a region are for; where Account is not empty, of that account, for which no
// other that follows holds.
type ReceiptPurposes struct {
	Account, Region string
	// Rules are tried in their order; the first whose Match fits decides. Rules that none fits serve PurposeOther and all
	// campaigns.
	Rules []ReceiptPurpose
}

// ReceiptPurpose says what some receipt rules are for.
type ReceiptPurpose struct {
	// Match fits the name of a receipt rule. What its group named campaign fits is the campaign that uses the rule.
	Match   *regexp.Regexp
	Purpose Purpose
	// Campaigns matches the campaigns that use the rules, CampaignNames is how they were written. Where these are empty and
	// Match names no campaign, the rules are shared by all.
	Campaigns     *campaign.Matcher
	CampaignNames []string
}

// InboundNote says how failures must be read. It goes wherever they are shown.
const InboundNote = "publish_failure counts attempts, not mails: SES tries again for four hours, so that there can be more of them " +
	"than mails received. publish_expired counts mails that were given up: they are lost."

// InboundWindow says of which periods an answer speaks: those that begin from Start on, before End, when SES took the mail.
type InboundWindow struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Basis is always "handled": a period belongs to the window by when SES handled the mail.
	Basis string    `json:"basis"`
	AsOf  time.Time `json:"as_of"`
}

const basisHandled = "handled"

// Inbound is what receipt rules did.
type Inbound struct {
	Window  InboundWindow   `json:"window"`
	Note    string          `json:"note"`
	Regions []InboundRegion `json:"regions"`
	// Total is how many rules there are, whatever part of them is shown.
	Total int           `json:"total"`
	Rules []InboundRule `json:"rules"`
}

// InboundRegion is how an account stands in a region.
type InboundRegion struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	// Through is up to when every rule was read.
	Through time.Time    `json:"through"`
	State   signal.State `json:"state"`
	// Access is active, none where no mail is received, or denied; RuleSet and Rules are those of the active rule set.
	Access     string `json:"access,omitempty"`
	RuleSet    string `json:"rule_set,omitempty"`
	Rules      *int64 `json:"rules,omitempty"`
	RulesLimit int64  `json:"rules_limit"`
}

// InboundRule is what a receipt rule did. A rule without a name stands for its whole rule set, where CloudWatch counts that
// apart; its events are those of its rules once more.
type InboundRule struct {
	Account     string  `json:"account"`
	Region      string  `json:"region"`
	RuleSet     string  `json:"rule_set"`
	ReceiptRule string  `json:"receipt_rule"`
	Purpose     Purpose `json:"purpose"`
	// Campaigns are those that use the rule, as globs where they were given so; Shared says that all do.
	Campaigns []string `json:"campaigns"`
	Shared    bool     `json:"shared,omitempty"`
	// Actions is what the rule does with mail, such as "S3, SNS", where that is known; Disabled that it is switched off.
	Actions  string `json:"actions,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// Recipients are left out where the rule set is not known; RecipientsLimit is how many SES allows.
	Recipients      *int64 `json:"recipients,omitempty"`
	RecipientsLimit int64  `json:"recipients_limit,omitempty"`
	// Events are sums over the window, by result; nil when the rule was never read.
	Events  map[string]int64 `json:"events,omitempty"`
	Signals ReceiptSignals   `json:"signals"`
	// Problem is left out when there is none.
	Problem *InboundProblem `json:"problem,omitempty"`

	match *ReceiptPurpose
}

// ReceiptSignals are the signals of a receipt rule.
type ReceiptSignals struct {
	Failures ReceiptFigure `json:"receipt_failures"`
	Expired  ReceiptFigure `json:"receipt_expired"`
	Silent   ReceiptFigure `json:"receipt_silent"`
}

// ReceiptFigure is one of them.
type ReceiptFigure struct {
	// Value counts over the window; of silence it is 1 or 0. Nil when it is not known.
	Value *float64 `json:"value,omitempty"`
	// State is ok, idle when nothing happened in the window, stale, no_data when the rule was never read, or insufficient
	// when it has no habit yet from which silence can be told.
	State signal.State `json:"state"`
	// Since is since when the rule has been failing without an end, or has had no mail. Lasting is how long it has been
	// failing, in seconds; 0 when it no longer does.
	Since   *time.Time `json:"since,omitempty"`
	Lasting float64    `json:"lasting_seconds,omitempty"`
}

// InboundProblem is what is wrong with a receipt rule.
type InboundProblem struct {
	// Kind is the worst of lost, failing, disabled and silent.
	Kind string `json:"kind"`
	// Text says what is the matter, Means what follows from it.
	Text  string `json:"text"`
	Means string `json:"means"`
}

// Inbound says what receipt rules did in a rolling window, as of the last RefreshInbound. No more than a week is summed up.
func (v *View) Inbound(w signal.Window) Inbound {
	in := v.inbound.Load()
	if in == nil {
		in = &inbound{}
	}
	v.mu.RLock()
	purposes := v.settings.ReceiptPurposes
	v.mu.RUnlock()
	end := in.asOf.Truncate(signal.ReceiptPeriod).UTC()
	answer := Inbound{
		Window:  InboundWindow{Start: end.Add(-w.Span()), End: end, Basis: basisHandled, AsOf: in.asOf.UTC()},
		Note:    InboundNote,
		Regions: append([]InboundRegion{}, in.regions...),
		Rules:   make([]InboundRule, 0, len(in.rules)),
	}
	for i := range in.rules {
		answer.Rules = append(answer.Rules, in.rules[i].answer(purposes, w))
	}
	answer.Total = len(answer.Rules)
	return answer
}

// answer is what is said of the rule.
func (f *receiptFigures) answer(purposes []ReceiptPurposes, w signal.Window) InboundRule {
	r := InboundRule{
		Account: f.id.Account, Region: f.id.Region, RuleSet: f.id.RuleSet, ReceiptRule: f.id.Rule,
		Purpose: PurposeOther, Campaigns: []string{}, Actions: f.actions, Disabled: f.disabled,
	}
	r.serve(purposes)
	if f.described {
		r.Recipients, r.RecipientsLimit = &f.recipients, observation.ReceiptRecipientLimit
	}
	events := &f.events[min(int(w), len(f.events)-1)]
	if !f.through.IsZero() {
		r.Events = map[string]int64{}
		for i, result := range observation.ReceiptResults() {
			r.Events[result] = events[i]
		}
	}
	r.Signals = f.signals(events)
	r.Problem = f.problem(events, r.Purpose)
	return r
}

// serve says what the rule is for and who uses it.
func (r *InboundRule) serve(purposes []ReceiptPurposes) {
	r.Shared = true
	for i := range purposes {
		p := &purposes[i]
		if p.Region != r.Region || p.Account != "" && p.Account != r.Account {
			continue
		}
		for j := range p.Rules {
			rule := &p.Rules[j]
			found := rule.Match.FindStringSubmatch(r.ReceiptRule)
			if found == nil {
				continue
			}
			r.Purpose, r.match = rule.Purpose, rule
			r.Campaigns = append(r.Campaigns, rule.CampaignNames...)
			if group := rule.Match.SubexpIndex("campaign"); group >= 0 && found[group] != "" {
				r.Campaigns = append(r.Campaigns, found[group])
			}
			r.Shared = len(r.Campaigns) == 0
			return
		}
		if p.Account != "" {
			return
		}
	}
}

func (f *receiptFigures) signals(events *[receiptResults]int64) ReceiptSignals {
	state := signal.OK
	switch {
	case f.through.IsZero():
		state = signal.NoData
	case f.stale:
		state = signal.Stale
	case *events == [receiptResults]int64{}:
		state = signal.Idle
	}
	s := ReceiptSignals{Failures: ReceiptFigure{State: state}, Expired: ReceiptFigure{State: state}, Silent: ReceiptFigure{State: state}}
	if state == signal.NoData {
		return s
	}
	s.Failures.Value, s.Expired.Value = new(float64(events[2])), new(float64(events[3]))
	if f.lasting > 0 {
		s.Failures.Since, s.Failures.Lasting = &f.failingSince, f.lasting.Seconds()
	}
	if state != signal.Stale {
		s.Silent.State = f.silence.State
	}
	if f.silence.State == signal.OK {
		s.Silent.Value = new(0.0)
		if f.silence.Silent {
			s.Silent.Value = new(1.0)
		}
	}
	if !f.silence.Since.IsZero() {
		s.Silent.Since = &f.silence.Since
	}
	return s
}

// problem is the worst that is wrong with the rule, nil when nothing is.
func (f *receiptFigures) problem(events *[receiptResults]int64, p Purpose) *InboundProblem {
	text := func(kind, means, format string, args ...any) *InboundProblem {
		return &InboundProblem{Kind: kind, Text: fmt.Sprintf(format, args...), Means: means}
	}
	const clock = "2006-01-02 15:04 UTC"
	switch {
	case events[3] > 0:
		return text(ProblemLost, p.lost(), "%d mails were given up after four hours of attempts: they are lost.", events[3])
	case f.lasting > 0:
		return text(ProblemFailing, p.lost(), "Since %s attempts to hand mail on have been failing; SES tries each mail for four hours. "+
			"%d attempts failed in the window, which is not a number of mails.", f.failingSince.Format(clock), events[2])
	case f.disabled && p != PurposeOther:
		return text(ProblemDisabled, p.lost(), "The rule is switched off.")
	case f.silence.Silent && !f.stale:
		return text(ProblemSilent, "Perhaps nobody wrote. Perhaps the domain's MX record, or a rule before this one, keeps the mail away.",
			"The rule has had no mail since %s. In the week before it was never without for more than %s.",
			f.silence.Since.Format(clock), spanText(max(f.silence.Longest, signal.ReceiptPeriod)))
	default:
		return nil
	}
}

// spanText writes a span in hours and minutes.
func spanText(d time.Duration) string {
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	switch {
	case hours == 0:
		return counted(minutes, "minute")
	case minutes == 0:
		return counted(hours, "hour")
	default:
		return counted(hours, "hour") + " and " + counted(minutes, "minute")
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
