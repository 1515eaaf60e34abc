package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// TestFailingNotifierIsToldElsewhere holds that no notifier is to tell that it fails itself, as long as there is another.
func TestFailingNotifierIsToldElsewhere(t *testing.T) {
	is := func(label, value string) []Matcher { return []Matcher{{Name: label, Globs: []string{value}}} }
	at := func(text string) Hours {
		h, err := ParseHours(text, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	night, day := []Route{{To: []string{"team"}, Hours: at("01:00-02:00")}}, []Route{{To: []string{"team"}, Hours: at("06:00-22:00")}}
	for name, c := range map[string]struct {
		failing  string
		routes   []Route
		catchAll []string
		want     []string
	}{
		"no catch-all":                    {"oncall", to("oncall"), nil, []string{"rest opened warning 1", "team opened warning 1"}},
		"a catch-all beside a route":      {"oncall", to("oncall"), []string{"rest"}, []string{"rest opened warning 1"}},
		"the catch-all itself":            {"oncall", nil, []string{"oncall"}, []string{"rest opened warning 1", "team opened warning 1"}},
		"two in the catch-all":            {"oncall", nil, []string{"oncall", "team"}, []string{"team opened warning 1"}},
		"two in a route":                  {"oncall", to("oncall", "team"), []string{"rest"}, []string{"team opened warning 1"}},
		"another route":                   {"oncall", []Route{{To: []string{"oncall"}}, {Match: is("about", "notifier"), To: []string{"team"}}}, nil, []string{"team opened warning 1"}},
		"not the one that is told":        {"team", to("oncall"), nil, []string{"oncall opened warning 1"}},
		"nobody wants to hear of it":      {"oncall", []Route{{Match: is("owner", "crm"), To: []string{"oncall"}}}, nil, []string{"opened warning 1"}},
		"out of the hours of the other":   {"oncall", night, []string{"oncall"}, []string{"rest opened warning 1", "team opened warning 1"}},
		"within the hours of the failing": {"team", day, []string{"oncall"}, []string{"oncall opened warning 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			rule := Rule{
				Name: "Failing", Signal: NotifierFailing, By: ByNotifier, Warning: above(300), KeepFiringFor: new(time.Duration),
				Labels: []observation.Field{field1("about", "notifier")},
			}
			d := newDesk(t, c.routes, c.catchAll, rule)
			d.expectSent(d.step(gauge(NotifierFailing, Subject{Notifier: c.failing}, 600)), c.want...)
			d.after(time.Hour)
			for i := range c.want {
				c.want[i] = strings.Replace(c.want[i], "opened warning 1", "closed warning 0 cleared", 1)
			}
			d.expectSent(d.step(gauge(NotifierFailing, Subject{Notifier: c.failing}, 0)), c.want...)
		})
	}
	// Who has no other is told when it works again.
	router, err := NewRouter(nil, []string{"only"}, []string{"only"})
	if err != nil {
		t.Fatal(err)
	}
	got := router.route(&Alert{By: ByNotifier, Subject: Subject{Notifier: "only"}}, nil)
	if diff := cmp.Diff([]string{"only"}, got.now); diff != "" {
		t.Error(diff)
	}
}
