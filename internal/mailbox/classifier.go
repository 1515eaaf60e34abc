package mailbox

import "strconv"

// Classifier applies the rules. It never changes and may be shared.
type Classifier struct {
	// domains maps a recipient domain to its provider's id, platforms a provider's id to the platform whose rules apply.
	domains, platforms map[string]string
	texts              *index
	// plain are the rules without a text, in order of tier.
	plain   []*compiled
	actions map[string]string
}

// maxExtra bounds the rules of the user, which every reply is compared with.
const maxExtra = 10_000

// New returns a classifier that applies the extra rules, the first that fits, before those compiled in. Its error is a
// *RuleError when a rule is wrong.
func New(extra ...Rule) (*Classifier, error) {
	if len(extra) > maxExtra {
		return nil, &RuleError{Index: maxExtra, Field: "id", Problem: "is one rule too many; at most " + strconv.Itoa(maxExtra)}
	}
	c := &Classifier{
		domains: make(map[string]string), platforms: make(map[string]string),
		actions: make(map[string]string, len(builtinRules)+len(extra)),
	}
	for i := range providerTable {
		p := &providerTable[i]
		c.platforms[p.ID] = p.ID
		if p.Platform != "" {
			c.platforms[p.ID] = p.Platform
		}
		for _, domain := range p.domains {
			c.domains[domain] = p.ID
		}
	}
	rules, err := c.compileAll(extra)
	if err != nil {
		return nil, err
	}
	c.texts = newIndex(rules)
	for _, r := range rules {
		if r.match == "" {
			c.plain = append(c.plain, r)
		}
	}
	return c, nil
}

// compileAll compiles the rules of the user, then those of the data.
func (c *Classifier) compileAll(extra []Rule) ([]*compiled, error) {
	families := make(map[string]bool, len(c.platforms))
	for id := range c.platforms {
		families[id] = true
	}
	for i := range builtinRules {
		families[builtinRules[i].Provider] = true
	}
	rules := make([]*compiled, 0, len(extra)+len(builtinRules))
	add := func(b *builtin, order int) *RuleError {
		r, err := compile(b, order)
		switch _, taken := c.actions[b.ID]; {
		case err != nil:
			return err
		case taken:
			return &RuleError{Field: "id", Problem: strconv.Quote(b.ID) + " is taken"}
		case b.Provider != "" && !families[b.Provider]:
			return &RuleError{Field: "provider", Problem: strconv.Quote(b.Provider) + " is not known"}
		}
		c.actions[b.ID] = b.Action
		rules = append(rules, r)
		return nil
	}
	for i := range builtinRules {
		if err := add(&builtinRules[i], i); err != nil {
			err.Index = i
			return nil, err
		}
	}
	for i, r := range extra {
		if err := add(&builtin{tier: tierCustom, scoped: r.Provider != "", Rule: r}, i); err != nil {
			err.Index = i
			return nil, err
		}
	}
	return rules, nil
}

// Reply is what is known of a bounce, a delay or a reject of one recipient. Any field may be empty.
type Reply struct {
	// Provider is the recipient's provider; "other" and "" let the reply itself tell whose rules apply.
	Provider string
	// Diagnostic is the receiver's reply (diagnosticCode), Status the enhanced status code of the event (status).
	Diagnostic, Status string
	// BounceType, BounceSubType, DelayType and RejectReason are SES's own, by the type of event.
	BounceType, BounceSubType, DelayType, RejectReason string
}

// Verdict says why a message failed.
type Verdict struct {
	// Reason is one of Reasons, never empty.
	Reason string
	// Kind says whether this message failed for good, by the reply and not by SES's bounceType, with which it may
	// disagree: 550 5.4.4 for a dead domain arrives as Transient, 452 4.2.2 for a full mailbox at times as Permanent.
	// Outcomes follow bounceType, because the figures that AWS judges by do; Kind is for whoever explains or advises.
	// It is KindPermanent, KindTransient, or empty when the reply has no class.
	Kind string
	// Rule is the id of the rule that decided, or the SES type that did ("bounce:Permanent/NoEmail"); empty when nothing
	// did. Its values are bounded by the rules.
	Rule string
}

// suspectedAutoreply is the verdict on what SES says nothing about: it publishes out-of-office answers, which have no
// SMTP reply, as bounces of type Transient and sub-type General.
var suspectedAutoreply = Verdict{Reason: ReasonAutoreply, Kind: KindTransient, Rule: "bounce:Transient/General without reply"}

// Reason classifies a reply. In order: rules of the user and SES's own synthetic replies; SES's types that mean
// suppression; every other rule that names a cause; SES's types that do; bare reply codes; unknown.
func (c *Classifier) Reason(r Reply) Verdict {
	var buf [maxText]byte
	q := newQuery(normalise(buf[:0], r.Diagnostic), r.Status)
	q.provider, q.platform = r.Provider, c.platformOf(r.Provider, q.text)
	ses, known := sesVerdict(&r)

	hit, at := c.find(&q)
	if hit != nil && hit.tier <= tierSES {
		return c.explain(&q, hit, at)
	}
	if known && ses.Reason == ReasonSuppressed {
		return ses
	}
	if hit != nil && hit.tier < tierReply && hit.Reason != ReasonUnknown {
		return c.explain(&q, hit, at)
	}
	switch {
	case known && ses.Reason != ReasonUnknown:
		return ses
	case r.BounceType == "Transient" && r.BounceSubType == "General" && len(q.text) == 0 && q.status == 0:
		return suspectedAutoreply
	case hit != nil:
		return hit.verdict(&q)
	case known:
		return ses
	}
	return Verdict{Reason: ReasonUnknown}
}

// find returns the rule that ranks highest among those that apply, and where its text stands; nil when none applies.
func (c *Classifier) find(q *query) (best *compiled, at int) {
	var highest uint64
	c.texts.each(q.text, func(r *compiled, pos int) {
		if r.base>>rankTier < highest>>rankTier {
			return
		}
		if rank, ok := r.applies(q); ok && (best == nil || rank > highest) {
			best, at, highest = r, pos, rank
		}
	})
	for _, r := range c.plain {
		if best != nil && r.base>>rankTier < highest>>rankTier {
			continue
		}
		if rank, ok := r.applies(q); ok && (best == nil || rank > highest) {
			best, at, highest = r, 0, rank
		}
	}
	return best, at
}

// explain returns the verdict of a rule. A reply that only says that retries ran out, or only wraps another, quotes the
// last reply it got: the cause in there wins, if it is one. The kind stays that of the outer reply, which is final.
func (c *Classifier) explain(q *query, hit *compiled, at int) Verdict {
	v := hit.verdict(q)
	wraps := hit.tier == tierSES && hit.match != "" && hit.match[len(hit.match)-1] == '-'
	if hit.tier == tierCustom || len(hit.also) > 0 || hit.Reason != ReasonTimeout && !wraps {
		return v
	}
	inner := newQuery(innerReply(q.text, hit.match, at), "")
	inner.provider, inner.platform = q.provider, q.platform
	cause, _ := c.find(&inner)
	if cause == nil || cause.tier == tierReply || cause.Reason == ReasonUnknown || cause.Reason == ReasonTimeout {
		return v
	}
	return Verdict{Reason: cause.Reason, Kind: v.Kind, Rule: cause.ID}
}

// Action returns the advice of a rule for people, empty when there is none.
func (c *Classifier) Action(rule string) string { return c.actions[rule] }
