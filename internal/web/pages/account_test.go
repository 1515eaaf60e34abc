package pages

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// A loop that is deaf is told by the name of what does not arrive, on the overview and in the table.
func TestDeafLoopsAreNamed(t *testing.T) {
	t.Parallel()
	coverage := func(share float64, finding signal.Finding) view.Coverage {
		return view.Coverage{State: signal.OK, Finding: finding, Share: &share, Numerator: int64(share * 400), Denominator: 400}
	}
	account := func(events view.Coverage, of []view.CoverageOf, sets ...view.SetCoverage) *view.Account {
		return &view.Account{Account: "111122223333", Region: "eu-west-1", Coverage: view.EventCoverage{Events: events, Of: of, Sets: sets}}
	}
	survey := view.SetCoverage{ConfigurationSet: "survey-tool", Events: coverage(0, signal.Deaf)}
	fine := view.SetCoverage{ConfigurationSet: "marketing", Events: coverage(1, "")}
	bounces := []view.CoverageOf{{Of: "send", Ours: 9, CloudWatch: 9}, {Of: "bounce", CloudWatch: 30, Finding: signal.Deaf, State: signal.Error}}
	f := func(what string, a *view.Account, want ...string) {
		t.Helper()
		var got []string
		for _, found := range coverageFinding(a) {
			if found.Level == 0 {
				t.Errorf("%s: nothing that needs attention: %+v", what, found)
			}
			for _, r := range found.Reasons {
				got = append(got, r.Text)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	const silent = "CloudWatch counts 400 events of configuration set survey-tool, and none of them arrives here: nothing is known of them."
	f("all arrives", account(coverage(1, ""), nil, fine))
	f("nearly all arrives", account(coverage(0.96, signal.Short), nil, fine))
	f("a set is deaf", account(coverage(0.96, ""), nil, survey, fine), silent)
	f("a type is deaf", account(coverage(0.97, ""), bounces, fine),
		"CloudWatch counts events (bounce), and none of them arrives here: nothing is known of them.")
	f("much is missing", account(coverage(0.5, signal.Short), nil, survey),
		"Only 50\u00a0% of the events that CloudWatch counted arrive here; rates speak of that part alone.", silent)
	f("nothing arrives", account(coverage(0, signal.Deaf), nil, survey),
		"CloudWatch counts events, and none of them arrives here: nothing is known of them.")
	const one = "CloudWatch counts events of 1 more configuration set, and none of them arrives here: nothing is known of them."
	const many = "CloudWatch counts events of 3 more configuration sets, and none of them arrives here: nothing is known of them."
	sets := slices.Repeat([]view.SetCoverage{survey}, 8)
	f("five sets are deaf", account(coverage(0.96, ""), nil, sets[:5]...), silent, silent, silent, silent, silent)
	f("six sets are deaf", account(coverage(0.96, ""), nil, sets[:6]...), silent, silent, silent, silent, silent, one)
	f("eight sets are deaf", account(coverage(0.96, ""), nil, sets...), silent, silent, silent, silent, silent, many)
	f("more arrives", account(view.Coverage{State: signal.Error, Finding: signal.Excess}, nil), "More events were counted here than by CloudWatch.")

	var rows []string
	for _, r := range coverageTable("x", account(coverage(0.96, ""), bounces[:1], survey, fine)).Rows {
		var cells []string
		for _, c := range r.Cells {
			cells = append(cells, strings.Join(append([]string{c.Text}, c.Notes...), " "))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	want := []string{"all|send|9|9|ok", "survey-tool configuration set|all|0|400|0\u00a0% deaf", "marketing configuration set|all|400|400|100\u00a0%"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
