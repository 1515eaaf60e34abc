package campaign

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

func compile(t testing.TB, s Spec) *Rules {
	t.Helper()
	r, err := s.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tagged(pairs ...string) *observation.Event {
	e := &observation.Event{Type: observation.EventSend}
	for i := 0; i < len(pairs); i += 2 {
		e.Tags = append(e.Tags, observation.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return e
}

func withHeaders(identity bool, pairs ...string) *observation.Event {
	e := &observation.Event{Type: observation.EventBounce, Identity: identity}
	for i := 0; i < len(pairs); i += 2 {
		e.Headers = append(e.Headers, observation.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return e
}

func TestIdentify(t *testing.T) {
	set := func(name string) *observation.Event { return &observation.Event{ConfigurationSet: name} }
	from := func(domain string) *observation.Event { return &observation.Event{FromDomain: domain} }
	feedback := func(field string) []Rule { return []Rule{{Header: "feedback-id", Field: field}} }
	for _, c := range []struct {
		name  string
		rules []Rule
		event *observation.Event
		want  string
	}{
		{"tag", []Rule{{Tag: "campaign"}}, tagged("campaign", "spring-sale"), "spring-sale"},
		{"no such tag", []Rule{{Tag: "campaign"}}, tagged("Campaign", "spring-sale"), ""},
		{"empty tag", []Rule{{Tag: "campaign"}}, tagged("campaign", " "), ""},
		{"first rule that finds", []Rule{{Tag: "a"}, {Tag: "b"}, {Tag: "c"}}, tagged("c", "3", "b", "2"), "2"},
		{"tag with match", []Rule{{Tag: "campaign", Match: `^c-(\w+)$`}}, tagged("campaign", "c-sale"), "sale"},
		{"tag without match", []Rule{{Tag: "campaign", Match: `^c-(\w+)$`}}, tagged("campaign", "sale"), ""},
		{"match without group", []Rule{{Tag: "campaign", Match: `\d+`}}, tagged("campaign", "n 17 x"), "17"},
		{"match of nothing", []Rule{{Tag: "campaign", Match: `x*`}, {Tag: "other"}},
			tagged("campaign", "abc", "other", "z"), "z"},
		{"tag in an identity notification", []Rule{{Tag: "campaign"}},
			withHeaders(true, "x-ses-message-tags", "stream=bulk, campaign = spring-sale"), "spring-sale"},
		{"tag header of an event with tags", []Rule{{Tag: "campaign"}},
			withHeaders(false, "X-SES-MESSAGE-TAGS", "campaign=spring-sale"), ""},
		{"header", []Rule{{Header: "X-Campaign"}}, withHeaders(false, "x-campaign", "a"), "a"},
		{"header with field a", feedback("a"), withHeaders(false, "Feedback-ID", "a:b:c:sender"), "a"},
		{"header with field b", feedback("b"), withHeaders(false, "Feedback-ID", "a:b:c:sender"), "b"},
		{"header with field c", feedback("c"), withHeaders(false, "Feedback-ID", "a:b:c:sender"), "c"},
		{"header with the sender", feedback("sender"), withHeaders(false, "Feedback-ID", "a:b:c:sender"), "sender"},
		{"header with more fields", feedback("a"), withHeaders(false, "Feedback-ID", "z:a:b:c:sender"), "a"},
		{"header with fewer fields", feedback("b"), withHeaders(false, "Feedback-ID", "c:sender"), ""},
		{"header of untagged SES mail", feedback("a"),
			withHeaders(false, "Feedback-ID", "::1.us-east-1.q2b3=:AmazonSES"), ""},
		{"configuration set", []Rule{{ConfigurationSet: "true"}}, set("main"), "main"},
		{"configuration set by group", []Rule{{ConfigurationSet: `^t-(\w+)-(?P<campaign>\w+)$`}}, set("t-x-y"), "y"},
		{"configuration set with match", []Rule{{ConfigurationSet: `^t-(.+)$`, Match: `^\w`}}, set("t-xy"), "x"},
		{"no configuration set", []Rule{{ConfigurationSet: "true"}}, set(""), ""},
		{"configuration set of an identity notification", []Rule{{ConfigurationSet: "true"}},
			withHeaders(true, "X-SES-CONFIGURATION-SET", "main"), "main"},
		{"From domain", []Rule{{FromDomain: "true"}}, from("news.example.com"), "news.example.com"},
		{"From domain by group", []Rule{{FromDomain: `^([^.]+)\.`}}, from("news.example.com"), "news"},
		{"folded header", []Rule{{Header: "X-C"}}, withHeaders(false, "X-C", "\tspring\r\n sale\x00"), "spring   sale"},
		{"no UTF-8", []Rule{{Header: "X-C"}}, withHeaders(false, "X-C", "caf\xe9"), "caf\uFFFD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				c.want = observation.Unidentified
			}
			rules := compile(t, Spec{Identify: c.rules})
			for range 2 { // the second time from the cache
				got := rules.Identify(c.event)
				if diff := cmp.Diff(observation.Campaign{Name: c.want}, got); diff != "" {
					t.Errorf("campaign (-want +got):\n%s", diff)
				}
				if from := rules.SourceOf(c.event); (from == "") != (c.want == observation.Unidentified) || from != "" && !slices.Contains(rules.Sources(), from) {
					t.Errorf("it comes from %q, of %q", from, rules.Sources())
				}
			}
		})
	}
}

func TestTenantsAndRename(t *testing.T) {
	rules := compile(t, Spec{
		Identify: []Rule{{Tag: "campaign"}},
		Rename: []Rename{
			{Match: `^(?P<base>.+)-\d{8}$`, To: "$base"},
			{Match: `^drop-(.*)$`, To: "$1"},
			{Match: `^same$`, To: "same"},
			{Match: `news`, To: "Newsletter"},
		},
		Tenants: []Rule{{ConfigurationSet: `^tenant-(?P<tenant>.+)$`}, {Tag: "ses:tenant-name"}},
	})
	for value, want := range map[string]observation.Campaign{
		"promo-20261120": {Name: "promo", Send: "promo-20261120"},
		"news-20261120":  {Name: "news", Send: "news-20261120"},
		"the-news-3":     {Name: "Newsletter", Send: "the-news-3"},
		"drop-":          {Name: "drop-"},
		"same":           {Name: "same"},
		"plain":          {Name: "plain"},
	} {
		e := tagged("campaign", value, "ses:tenant-name", "acme")
		want.Tenant = "acme"
		if diff := cmp.Diff(want, rules.Identify(e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
		e.ConfigurationSet, want.Tenant = "tenant-beta", "beta"
		if diff := cmp.Diff(want, rules.Identify(e)); diff != "" {
			t.Errorf("%s of a set (-want +got):\n%s", value, diff)
		}
	}
}

func TestCheckReportsEverything(t *testing.T) {
	spec := Spec{
		Identify: []Rule{{}, {Tag: "a", Header: "b"}, {Tag: "a", Field: "a"}, {Header: "Feedback-ID", Field: "d"},
			{ConfigurationSet: "("}, {FromDomain: "["}, {Tag: "a", Match: "*"}},
		Rename:  []Rename{{}, {Match: "(", To: "x"}, {Match: "(a)", To: "$2"}, {Match: "(a)", To: "$1x ${1}x $$9"}},
		Tenants: []Rule{{Tag: "t", Match: "("}},
	}
	var got []string
	spec.Check(func(path, _ string) { got = append(got, path) })
	want := []string{"identify[0]", "identify[1]", "identify[2].field", "identify[3].field",
		"identify[4].configuration_set", "identify[5].from_domain", "identify[6].match", "rename[0].to",
		"rename[0].match", "rename[1].match", "rename[2].to", "rename[3].to", "tenants[0].match"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	_, err := spec.Compile()
	if err == nil || len(strings.Split(err.Error(), "\n")) != len(want) {
		t.Errorf("Compile gives %v, want %d problems", err, len(want))
	}
}

// The strings of an event are overwritten by the next message, so what Identify returns must not be part of them.
func TestIdentifyDoesNotAlias(t *testing.T) {
	rules := compile(t, Spec{Identify: []Rule{{Tag: "campaign"}}, Tenants: []Rule{{Tag: "tenant"}}})
	allocations := func(e *observation.Event) float64 {
		return testing.AllocsPerRun(100, func() { rules.Identify(e) })
	}
	value := strings.Repeat("x", 20)
	first := rules.Identify(tagged("campaign", value, "tenant", value))
	second := rules.Identify(tagged("campaign", strings.Clone(value), "tenant", "t"))
	if !sameMemory(first.Name, second.Name) {
		t.Error("two events with one name give two strings")
	}
	if sameMemory(first.Name, value) || sameMemory(first.Tenant, value) {
		t.Error("a name is part of the event")
	}
	if n := allocations(tagged("campaign", value, "tenant", "t")); n != 0 {
		t.Errorf("a known name costs %v allocations", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	rules := compile(t, Spec{Identify: []Rule{{Tag: "campaign"}}})
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 40_000 {
				name := fmt.Sprintf("%d-%d", worker, i)
				if got := rules.Identify(tagged("campaign", name)); got.Name != name {
					t.Errorf("got %q, want %q", got.Name, name)
				}
			}
		})
	}
	group.Wait()
	for i := range rules.campaigns.shards {
		if n := len(rules.campaigns.shards[i].entries); n > shardEntries {
			t.Errorf("a shard holds %d entries", n)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "a", " a ", "a\r\n\tb", "\xff", strings.Repeat("é", 200), "\u2028", "\x7f",
		strings.Repeat(" ", 300) + "x", strings.Repeat("a", 255) + " b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := clean(value)
		if len(got) > maxName || !utf8.ValidString(got) || strings.TrimSpace(got) != got {
			t.Errorf("clean(%q) = %q", value, got)
		}
		if clean(got) != got {
			t.Errorf("clean(%q) = %q, and again %q", value, got, clean(got))
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	rules := compile(b, Spec{
		Identify: []Rule{{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {ConfigurationSet: "true"}},
		Rename:   []Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}},
		Tenants:  []Rule{{ConfigurationSet: `^tenant-(.+)$`}, {Tag: "ses:tenant-name"}},
	})
	e := tagged("ses:configuration-set", "tenant-acme", "ses:from-domain", "example.com", "ses:operation", "SendEmail",
		"ses:source-ip", "192.0.2.1", "campaign", "spring-sale-20261120")
	e.ConfigurationSet = "tenant-acme"
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			rules.Identify(e)
		}
	})
}
