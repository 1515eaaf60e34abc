package mailbox

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule says what reason a reply gives. All that it states must hold for it to apply.
type Rule struct {
	// ID names the rule in verdicts: 1 to 64 characters of a-z, 0-9, '.', '-', '_'; unique among all rules.
	ID string
	// Provider restricts the rule to replies of one provider or platform, by id; empty for any.
	Provider string
	// Codes are reply codes ("550") or classes of them ("4xx"), Statuses enhanced status codes ("5.7.1"), ranges of them
	// ("5.7.606-649") or whole subjects ("4.7.*"); one of each must fit. Empty means any.
	Codes, Statuses []string
	// Match and Also are texts that the reply must contain, compared without case and with blanks collapsed. Match has at
	// least 3 characters; it may be empty when Codes or Statuses are given, and Also needs a Match.
	Match, Also string
	// Reason is one of Reasons.
	Reason string
	// Kind is KindPermanent or KindTransient, or empty to take the class of the reply code (4 or 5).
	Kind string
	// Action is advice for people; it may be empty.
	Action string
}

// RuleError tells which of the rules given to New is wrong, and in what.
type RuleError struct {
	// Index is the place of the rule among those given; Field the name of the wrong field, in lower case.
	Index int
	Field string
	// Problem says what is wrong with it.
	Problem string
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("reason rule %d: %s: %s", e.Index, e.Field, e.Problem)
}

// builtin is a rule of the data. In contrast to a rule of the user, its codes and statuses bind only by class while it has
// a text of 8 characters or more: providers change numbers more often than words.
type builtin struct {
	tier tier
	// scoped rules need the provider to be known; others with a provider apply anywhere, but first at their own.
	scoped bool
	// token marks bracketed and machine-made codes, which beat prose.
	token bool
	Rule
}

// tier is the first order of precedence: the first tier with a hit wins.
type tier uint8

const (
	tierCustom tier = iota
	tierSES
	tierProvider
	tierGateway
	tierDNSBL
	tierPhrase
	tierStatus
	tierReply
)

// shortMatch is the length under which the text of a rule alone is too weak and the status must fit too.
const shortMatch = 8

// compiled is a rule ready to be applied.
type compiled struct {
	*Rule
	tier             tier
	scoped, strict   bool
	match            string
	also             []byte
	codes            []span
	statuses         []span
	base             uint64
	codeCl, statusCl classes
}

// span is an inclusive range of reply codes or of packed statuses.
type span struct{ low, high int }

func (s span) has(n int) bool { return s.low <= n && n <= s.high }

// classes is a set of the reply classes 4 and 5.
type classes uint8

func (c classes) has(class int) bool { return c&(1<<class) != 0 }

// compile checks a rule; order is its place among all of its tier, which is the last tie-break.
func compile(b *builtin, order int) (*compiled, *RuleError) {
	r := &b.Rule
	c := &compiled{
		Rule: r, tier: b.tier, scoped: b.scoped,
		match: string(normalise(nil, r.Match)), also: normalise(nil, r.Also),
	}
	bad := func(field, problem string) (*compiled, *RuleError) {
		return nil, &RuleError{Field: field, Problem: problem}
	}
	switch {
	case !validID(r.ID):
		return bad("id", "must be 1 to 64 characters of a-z, 0-9, '.', '-', '_'")
	case len(r.Match) > maxText:
		return bad("match", fmt.Sprintf("is longer than %d characters", maxText))
	case len(r.Also) > maxText:
		return bad("also", fmt.Sprintf("is longer than %d characters", maxText))
	case r.Match != "" && len(c.match) < gramLength:
		return bad("match", fmt.Sprintf("needs at least %d characters", gramLength))
	case r.Also != "" && len(c.also) == 0:
		return bad("also", "is blank")
	case r.Also != "" && r.Match == "":
		return bad("also", "needs a match")
	case r.Match == "" && len(r.Codes) == 0 && len(r.Statuses) == 0:
		return bad("match", "is required without codes and statuses")
	case !isReason(r.Reason):
		return bad("reason", fmt.Sprintf("%q is not a reason", r.Reason))
	case r.Kind != "" && r.Kind != KindPermanent && r.Kind != KindTransient:
		return bad("kind", fmt.Sprintf("%q is neither permanent nor transient", r.Kind))
	}
	var err error
	if c.codes, c.codeCl, err = parseSpans(r.Codes, parseCodes, 100); err != nil {
		return bad("codes", err.Error())
	}
	if c.statuses, c.statusCl, err = parseSpans(r.Statuses, parseStatuses, statusClass); err != nil {
		return bad("statuses", err.Error())
	}
	c.strict = b.tier == tierCustom || c.match == ""
	c.base = c.rank(b.token, order)
	return c, nil
}

func validID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// The bits of a rank, highest first: tier, own provider, token, also, length of the text, exactness, order. The highest
// rank wins. A rule with also is narrower than any without: "message expired" with its cause beats the longer
// "message expired: unable to deliver in".
const (
	rankTier   = 60
	rankOwn    = 59
	rankToken  = 58
	rankAlso   = 57
	rankLength = 40
	rankExact  = 32
)

// rank returns what is known of a rule's rank before a reply is seen. Rules of the user compare by order alone.
func (c *compiled) rank(token bool, order int) uint64 {
	rank := uint64(tierReply-c.tier)<<rankTier + uint64(1<<32-1-order)
	if c.tier == tierCustom {
		return rank
	}
	if token {
		rank |= 1 << rankToken
	}
	if len(c.also) > 0 {
		rank |= 1 << rankAlso
	}
	return rank | uint64(len(c.match))<<rankLength
}

// applies says whether the rule fits the reply, its text apart, and with what rank.
func (c *compiled) applies(q *query) (rank uint64, ok bool) {
	own := c.Provider != "" && (c.Provider == q.platform || c.Provider == q.provider)
	if c.scoped && !own || len(c.also) > 0 && !bytes.Contains(q.text, c.also) {
		return 0, false
	}
	// SES hands over autoreplies without any SMTP reply; a mail server's reply that holds such a word is none.
	if c.Reason == ReasonAutoreply && c.tier != tierCustom && (q.code != 0 || q.class() == 5) {
		return 0, false
	}
	codeFits, codeExact := fit(c.codes, q.code)
	statusFits, statusExact := fit(c.statuses, q.status)
	if q.code == 0 {
		codeFits = c.codeCl.has(q.class())
	}
	switch {
	case c.strict:
		ok = (len(c.codes) == 0 || codeFits) && (len(c.statuses) == 0 || statusFits)
	case len(c.match) < shortMatch && len(c.statuses) > 0 && !statusFits:
		ok = false
	default:
		ok = (len(c.codes) == 0 || q.class() == 0 || c.codeCl.has(q.class())) &&
			(len(c.statuses) == 0 || q.status == 0 || c.statusCl.has(q.status/statusClass))
	}
	rank = c.base
	if c.tier == tierCustom {
		return rank, ok
	}
	if own {
		rank |= 1 << rankOwn
	}
	return rank | uint64(2*statusExact+codeExact)<<rankExact, ok
}

// fit says whether n is in one of the spans, and how exactly: 2 when named by itself, 1 in a range, 0 not.
func fit(spans []span, n int) (fits bool, exact int) {
	for _, s := range spans {
		if s.low == n && s.high == n {
			return true, 2
		}
		if s.has(n) {
			exact = 1
		}
	}
	return exact > 0, exact
}

// verdict turns a rule that applies into an answer.
func (c *compiled) verdict(q *query) Verdict {
	v := Verdict{Reason: c.Reason, Kind: c.Kind, Rule: c.ID}
	if v.Kind == "" {
		switch q.class() {
		case 4:
			v.Kind = KindTransient
		case 5:
			v.Kind = KindPermanent
		}
	}
	return v
}

// parseSpans reads every text; the class of a span is its low end divided by unit.
func parseSpans(texts []string, parse func(string) (span, bool), unit int) ([]span, classes, error) {
	var all classes
	spans := make([]span, 0, len(texts))
	for _, text := range texts {
		s, ok := parse(text)
		if !ok {
			return nil, 0, fmt.Errorf("%q is not understood", text)
		}
		spans = append(spans, s)
		all |= 1 << (s.low / unit)
	}
	return spans, all, nil
}

// parseCodes reads "550" or "4xx".
func parseCodes(text string) (span, bool) {
	if text == "4xx" || text == "5xx" {
		low := int(text[0]-'0') * 100
		return span{low, low + 99}, true
	}
	n, err := strconv.Atoi(text)
	return span{n, n}, err == nil && len(text) == 3 && 400 <= n && n <= 599
}

// parseStatuses reads "5.7.1", "5.7.606-649" or "4.7.*".
func parseStatuses(text string) (span, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !slices.Contains([]string{"4", "5"}, parts[0]) {
		return span{}, false
	}
	prefix := parts[0] + "." + parts[1] + "."
	low, high, isRange := strings.Cut(parts[2], "-")
	switch {
	case parts[2] == "*":
		low, high = "0", "999"
	case !isRange:
		high = low
	}
	from, rest := parseStatus(prefix + low)
	to, restTo := parseStatus(prefix + high)
	return span{from, to}, from != 0 && to >= from && rest == "" && restTo == ""
}
