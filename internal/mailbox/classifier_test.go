package mailbox

import (
	_ "embed"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newClassifier(t testing.TB, extra ...Rule) *Classifier {
	t.Helper()
	c, err := New(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

//go:embed testdata/replies.txt
var repliesFile string

// reply is a line of testdata/replies.txt.
type reply struct{ reason, kind, domain, text string }

func replies(t testing.TB) []reply {
	t.Helper()
	var all []reply
	for line := range strings.Lines(repliesFile) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " | ", 4)
		if len(f) != 4 {
			t.Fatalf("bad line %q", line)
		}
		kind := map[string]string{"p": KindPermanent, "t": KindTransient}[f[1]]
		all = append(all, reply{f[0], kind, f[2], f[3]})
	}
	return all
}

func TestReplies(t *testing.T) {
	c := newClassifier(t)
	all := replies(t)
	if len(all) < 80 {
		t.Errorf("%d replies", len(all))
	}
	for _, r := range all {
		got := c.Reason(Reply{Provider: c.Provider(r.domain), Diagnostic: r.text})
		if got.Reason != r.reason || got.Kind != r.kind || got.Rule == "" {
			t.Errorf("%s: %s\n got %+v\nwant %s %s", r.domain, r.text, got, r.reason, r.kind)
		}
	}
}

// TestEveryRule feeds the text of each rule, worded as the shortest reply that it was made for, and expects its reason. It
// has no exceptions: where rules overlap, those that win agree.
func TestEveryRule(t *testing.T) {
	c := newClassifier(t)
	for i := range builtinRules {
		r := &builtinRules[i]
		got := c.Reason(replyOf(r))
		if got.Reason != r.Reason {
			t.Errorf("%s (%s): got %+v for %+v", r.ID, r.Reason, got, replyOf(r))
		}
	}
}

// replyOf words the reply that a rule was made for.
func replyOf(r *builtin) Reply {
	var words []string
	if len(r.Codes) > 0 {
		words = append(words, strings.Replace(r.Codes[0], "xx", "99", 1))
	}
	if len(r.Statuses) > 0 {
		status, _, _ := strings.Cut(r.Statuses[0], "-")
		words = append(words, strings.Replace(status, "*", "199", 1))
	}
	if text := r.Match; text != "" {
		words = append(words, text)
	}
	if r.Also != "" {
		words = append(words, r.Also)
	}
	return Reply{Provider: r.Provider, Diagnostic: "smtp; " + strings.Join(words, " ")}
}

func TestNewChecksRules(t *testing.T) {
	good := Rule{ID: "own-1", Match: "some words", Reason: "policy"}
	tests := []struct {
		field  string
		change func(r *Rule)
	}{
		{"id", func(r *Rule) { r.ID = "" }},
		{"id", func(r *Rule) { r.ID = "Größe" }},
		{"id", func(r *Rule) { r.ID = "ses-expired" }},
		{"id", func(r *Rule) { r.ID = "own-0" }},
		{"match", func(r *Rule) { r.Match = "" }},
		{"match", func(r *Rule) { r.Match = "  ab " }},
		{"match", func(r *Rule) { r.Match = strings.Repeat("x", maxText+1) }},
		{"also", func(r *Rule) { r.Also = " " }},
		{"also", func(r *Rule) { r.Also = strings.Repeat("x", maxText+1) }},
		{"also", func(r *Rule) { r.Match, r.Also, r.Codes = "", "x", []string{"550"} }},
		{"provider", func(r *Rule) { r.Provider = "nobody" }},
		{"reason", func(r *Rule) { r.Reason = "bad_luck" }},
		{"kind", func(r *Rule) { r.Kind = "by_class" }},
		{"codes", func(r *Rule) { r.Codes = []string{"550", "650"} }},
		{"codes", func(r *Rule) { r.Codes = []string{"+55"} }},
		{"statuses", func(r *Rule) { r.Statuses = []string{"5.7"} }},
		{"statuses", func(r *Rule) { r.Statuses = []string{"2.7.1"} }},
		{"statuses", func(r *Rule) { r.Statuses = []string{"5.7.9-1"} }},
		{"statuses", func(r *Rule) { r.Statuses = []string{"5.7.1000"} }},
	}
	first := good
	first.ID = "own-0"
	for _, tt := range tests {
		r := good
		tt.change(&r)
		_, err := New(first, r)
		wrong, ok := errors.AsType[*RuleError](err)
		if !ok || wrong.Index != 1 || wrong.Field != tt.field || !strings.Contains(err.Error(), "rule 1: "+tt.field) {
			t.Errorf("%+v: %v, want field %s", r, err, tt.field)
		}
	}
	if _, err := New(first, good); err != nil {
		t.Error(err)
	}
	if _, err := New(make([]Rule, maxExtra+1)...); err == nil {
		t.Error("too many rules accepted")
	}
}

func TestOwnRulesComeFirst(t *testing.T) {
	c := newClassifier(t,
		Rule{ID: "own-gmail", Provider: "gmail", Match: "User Unknown", Reason: "policy", Kind: KindTransient, Action: "Wait."},
		Rule{ID: "own-any", Match: "user  unknown", Also: "vip", Codes: []string{"550"}, Reason: "auth_dkim"},
		Rule{ID: "own-longer", Match: "user unknown, vip", Reason: "auth_spf"},
		Rule{ID: "own-status", Statuses: []string{"5.7.90-95"}, Reason: "tls_required"},
	)
	tests := []struct {
		reply Reply
		want  Verdict
	}{
		{Reply{Provider: "gmail", Diagnostic: "550 user unknown, vip"}, Verdict{"policy", KindTransient, "own-gmail"}},
		{Reply{Provider: "google_workspace", Diagnostic: "550 user unknown"}, Verdict{"policy", KindTransient, "own-gmail"}},
		{Reply{Provider: "other", Diagnostic: "550 user unknown, vip"}, Verdict{"auth_dkim", KindPermanent, "own-any"}},
		{Reply{Provider: "other", Diagnostic: "551 user unknown, vip"}, Verdict{"auth_spf", KindPermanent, "own-longer"}},
		{Reply{Provider: "other", Diagnostic: "550 user unknown"}, Verdict{"bad_mailbox", KindPermanent, "gen-userunknown"}},
		{Reply{Diagnostic: "550 5.7.93 user unknown"}, Verdict{"tls_required", KindPermanent, "own-status"}},
	}
	for _, tt := range tests {
		if got := c.Reason(tt.reply); got != tt.want {
			t.Errorf("%+v: got %+v, want %+v", tt.reply, got, tt.want)
		}
	}
	if got := c.Action("own-gmail"); got != "Wait." {
		t.Errorf("action %q", got)
	}
	if c.Action("ses-expired") == "" || c.Action("no such rule") != "" {
		t.Error("actions of the data are wrong")
	}
}

func TestSESTypes(t *testing.T) {
	c := newClassifier(t)
	tests := []struct {
		name  string
		reply Reply
		want  Verdict
	}{
		{"autoreply suspected", Reply{BounceType: "Transient", BounceSubType: "General"}, suspectedAutoreply},
		{"autoreply told", Reply{BounceType: "Transient", BounceSubType: "General", Diagnostic: "I am out of office"},
			Verdict{"autoreply", KindTransient, "gen-autoreply-ooo"}},
		{"a refusal is no autoreply", Reply{BounceType: "Permanent", BounceSubType: "General", Diagnostic: "550 the vacation list is closed"},
			Verdict{"unknown", KindPermanent, "reply-550"}},
		{"transient with a status only", Reply{BounceType: "Transient", BounceSubType: "General", Status: "4.2.2"},
			Verdict{"mailbox_full", KindTransient, "status-x.2.2"}},
		{"sub-type where the reply is silent", Reply{BounceType: "Transient", BounceSubType: "MailboxFull", Diagnostic: "smtp; 450 no"},
			Verdict{"mailbox_full", KindTransient, "bounce:Transient/MailboxFull"}},
		{"reply before sub-type", Reply{BounceType: "Transient", BounceSubType: "MailboxFull", Diagnostic: "smtp; 421 try again, greylisted"},
			Verdict{"temporary_server", KindTransient, "gen-tryagain"}},
		{"suppressed, status says bad mailbox", Reply{BounceType: "Permanent", BounceSubType: "EmailValidationSuppressed", Status: "5.1.1", Diagnostic: "words never seen"},
			Verdict{"suppressed", KindPermanent, "bounce:Permanent/EmailValidationSuppressed"}},
		{"suppressed without a word", Reply{BounceType: "Permanent", BounceSubType: "OnAccountSuppressionList"},
			Verdict{"suppressed", KindPermanent, "bounce:Permanent/OnAccountSuppressionList"}},
		{"no address in the report", Reply{BounceType: "Permanent", BounceSubType: "NoEmail"},
			Verdict{"bad_mailbox", KindPermanent, "bounce:Permanent/NoEmail"}},
		{"permanent, nothing known", Reply{BounceType: "Permanent", BounceSubType: "General"},
			Verdict{"unknown", KindPermanent, "bounce:Permanent/General"}},
		{"undetermined", Reply{BounceType: "Undetermined", BounceSubType: "Undetermined"},
			Verdict{"unknown", KindTransient, "bounce:Undetermined/Undetermined"}},
		{"sub-type of the future", Reply{BounceType: "Permanent", BounceSubType: "Novel", Diagnostic: "550 5.1.1 no"},
			Verdict{"bad_mailbox", KindPermanent, "status-x.1.1"}},
		{"delay by type", Reply{DelayType: "IPFailure", Diagnostic: "smtp; 421 no"}, Verdict{"reputation_ip", KindTransient, "delay:IPFailure"}},
		{"delay by reply", Reply{DelayType: "SpamDetected", Diagnostic: "smtp; 421 4.7.28 unusual rate of unsolicited mail", Provider: "gmail"},
			Verdict{"rate_limited", KindTransient, "gmail-421-legacy-rate"}},
		{"delay of an unknown type", Reply{DelayType: "Novel"}, Verdict{Reason: "unknown"}},
		{"reject", Reply{RejectReason: "Bad content"}, Verdict{"content_virus_or_attachment", KindPermanent, "reject:bad content"}},
		{"nothing", Reply{}, Verdict{Reason: "unknown"}},
		{"permanent says SES, transient says the status", Reply{BounceType: "Permanent", BounceSubType: "General", Status: "4.2.2"},
			Verdict{"mailbox_full", KindTransient, "status-x.2.2"}},
		{"transient says SES, dead says the status", Reply{BounceType: "Transient", BounceSubType: "General", Status: "5.4.4", Diagnostic: "smtp; 550 5.4.4 Invalid domain"},
			Verdict{"bad_domain", KindPermanent, "ses-invalid-domain"}},
		{"own timeout with its cause", Reply{BounceType: "Transient", BounceSubType: "CustomTimeoutExceeded", Diagnostic: "smtp; 550 4.4.7 Message expired: unable to deliver in 5 minutes.<452 4.2.2 over quota>"},
			Verdict{"mailbox_full", KindPermanent, "gen-overquota"}},
		{"own timeout", Reply{BounceType: "Transient", BounceSubType: "CustomTimeoutExceeded"},
			Verdict{"timeout_expired", KindTransient, "bounce:Transient/CustomTimeoutExceeded"}},
	}
	for _, tt := range tests {
		if got := c.Reason(tt.reply); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestTraps holds what data/README.md warns of.
func TestTraps(t *testing.T) {
	c := newClassifier(t)
	tests := []struct{ name, provider, text, status, want string }{
		{"7.23 at Gmail is PTR", "gmail", "550 5.7.23 no ptr record", "", "protocol_or_routing"},
		{"7.23 elsewhere is SPF", "other", "550 5.7.23 no", "", "auth_spf"},
		{"7.27 at Gmail is SPF", "google_workspace", "550 5.7.27 no", "", "auth_spf"},
		{"7.27 elsewhere is a null MX of the sender", "other", "550 5.7.27 no", "", "protocol_or_routing"},
		{"7.29 at Gmail is TLS", "gmail", "550 5.7.29 no", "", "tls_required"},
		{"7.29 elsewhere is ARC", "other", "550 5.7.29 no", "", "auth_missing"},
		{"7.30 at Gmail is DKIM", "gmail", "550 5.7.30 no", "", "auth_dkim"},
		{"7.30 elsewhere is REQUIRETLS", "other", "550 5.7.30 no", "", "tls_required"},
		{"7.30 by Gmail's mark", "other", "550 5.7.30 no a1b2 - gsmtp", "", "auth_dkim"},
		{"e-mail or mail", "gmail", "421 4.7.28 Gmail has detected an unusual rate of email from you", "", "rate_limited"},
		{"5.7.32 after 421", "gmail", "421 5.7.32 no", "", "auth_dmarc"},
		{"FAQ's 4.7.31", "gmail", "421 4.7.31 no", "", "auth_dmarc"},
		{"list's 4.7.40", "gmail", "421 4.7.40 no", "", "auth_dmarc"},
		{"unrelated 504 5.7.40", "gmail", "504 5.7.40 unrecognized authentication type", "", "policy"},
		{"Yahoo 552 is no quota", "yahoo", "552 mailbox not found", "", "bad_mailbox"},
		{"Orange 552 5.1.1 is quota", "orange", "552 5.1.1 ofr_417", "", "mailbox_full"},
		{"Yandex 5.7.1 is no policy", "yandex", "550 5.7.1 no such user!", "", "bad_mailbox"},
		{"QQ's 550 is a throttle", "qq", "550 domain frequency limited", "", "rate_limited"},
		{"KDDI's filter", "kddi", "550 : User unknown", "", "policy"},
		{"KDDI's unknown user", "kddi", "550 <jane@example.com>: User unknown", "", "bad_mailbox"},
		{"suppression with the status of a bad mailbox", "other", "Amazon SES did not send the message to this address because it is on the suppression list for your account.", "5.1.1", "suppressed"},
		{"short text without its status", "other", "550 null mx", "", "unknown"},
		{"short text with its status", "other", "556 5.1.10 null mx", "", "bad_domain"},
		{"a word in an address", "other", "550 5.1.1 <virus@phish.example>", "", "bad_mailbox"},
		{"an address of an IP is no status", "other", "550 5.1.1.7 is bad", "", "unknown"},
	}
	for _, tt := range tests {
		if got := c.Reason(Reply{Provider: tt.provider, Diagnostic: tt.text, Status: tt.status}); got.Reason != tt.want {
			t.Errorf("%s: got %+v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestReasons(t *testing.T) {
	all := Reasons()
	if len(all) != 23 {
		t.Errorf("%d reasons", len(all))
	}
	groups := map[string]bool{}
	for _, r := range all {
		if r.Name == "" || r.Definition == "" || r.Address == "" || Group(r.Name) != r.Group {
			t.Errorf("%+v", r)
		}
		groups[r.Group] = true
	}
	if len(groups) != 9 {
		t.Errorf("groups %v", groups)
	}
	for _, name := range []string{ReasonUnknown, ReasonAutoreply, ReasonSuppressed, ReasonTimeout} {
		if !isReason(name) {
			t.Errorf("%s is not on the list", name)
		}
	}
	all[0].Name = "changed"
	if Reasons()[0].Name == "changed" || Group("changed") != "other" {
		t.Error("the list can be changed")
	}
}

func TestNormalise(t *testing.T) {
	tests := []struct{ in, want string }{
		{"smtp; 550 5.1.1 <Jane@Example.com>... User", "550 5.1.1 <@>... user"},
		{"  x-postfix;smtp;550 A\r\n\tB  ", "550 a b"},
		{"550-5.1.1 a 550-5.1.1 b 550 5.1.1 c", "550 5.1.1 a b c"},
		{"550-a\r\n550-b\r\n550 c", "550 a b 550 c"},
		{"550-5.1.1 a 550-5.7.1 b", "550 5.1.1 a 550-5.7.1 b"},
		{"550 5.1.1 a <550 5.1.1 b>", "550 5.1.1 a <550 5.1.1 b>"},
		{"550 5.1.1 550 5.1.1", "550 5.1.1"},
		{"550-", "550 "},
		{"smtp", "smtp"},
		{"dns; a.example", "dns; a.example"},
	}
	for _, tt := range tests {
		q := newQuery(normalise(nil, tt.in), "")
		if diff := cmp.Diff(tt.want, string(q.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestCodeAndStatus(t *testing.T) {
	tests := []struct {
		text, event  string
		code, status int
	}{
		{"550 5.1.1 a", "", 550, 5_001_001},
		{"smtp; 421-4.7.28 a", "5.0.0", 421, 4_007_028},
		{"host a said: 554 b", "5.7.1", 554, 5_007_001},
		{"550 #5.1.0 a", "", 550, 5_001_000},
		{"550 (5.7.606)", "", 550, 5_007_606},
		{"from 5.1.1.4 port 550.", "", 0, 0},
		{"a550 b5.1.1 5.1.1111", "4.4.7 (x)", 0, 4_004_007},
		{"250 2.0.0 OK", "", 0, 2_000_000},
		{"", "nonsense", 0, 0},
		{"55", "5.", 0, 0},
	}
	for _, tt := range tests {
		q := newQuery(normalise(nil, tt.text), tt.event)
		if q.code != tt.code || q.status != tt.status {
			t.Errorf("%q, %q: %d %d, want %d %d", tt.text, tt.event, q.code, q.status, tt.code, tt.status)
		}
	}
}

// TestIndexFindsWhatASearchFinds compares the index with the plain search for every rule in every reply of the corpus.
func TestIndexFindsWhatASearchFinds(t *testing.T) {
	c := newClassifier(t)
	for _, r := range replies(t) {
		text := normalise(nil, r.text)
		var got, want []string
		c.texts.each(text, func(r *compiled, at int) {
			got = append(got, r.ID+" "+strconv.Itoa(at))
		})
		for _, e := range c.texts.entries {
			for at := 0; at < len(text); at++ {
				n := strings.Index(string(text[at:]), e.rule.match)
				if n < 0 {
					break
				}
				at += n
				want = append(want, e.rule.ID+" "+strconv.Itoa(at))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.text, diff)
		}
	}
}

func FuzzReason(f *testing.F) {
	for _, r := range replies(f) {
		f.Add("gmail", r.text, "5.1.1", "Permanent", "General")
	}
	c := newClassifier(f)
	f.Fuzz(func(t *testing.T, provider, text, status, bounceType, subType string) {
		r := Reply{Provider: provider, Diagnostic: text, Status: status, BounceType: bounceType, BounceSubType: subType}
		got := c.Reason(r)
		if !isReason(got.Reason) || got.Kind != "" && got.Kind != KindPermanent && got.Kind != KindTransient {
			t.Fatalf("%+v", got)
		}
		if again := c.Reason(r); again != got {
			t.Fatalf("%+v, then %+v", got, again)
		}
		c.PlatformOf(provider, text)
	})
}
