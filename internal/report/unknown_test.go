package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// Configuration sets of which no event arrived are named; many of them are few lines.
func TestDeafSetsAreNamed(t *testing.T) {
	t.Parallel()
	a := Account{Account: view.Account{Account: "111122223333", Region: "eu-west-1"}}
	set := func(name string, f signal.Finding) view.SetCoverage {
		return view.SetCoverage{ConfigurationSet: name, Events: view.Coverage{Denominator: 1381, Finding: f}}
	}
	notes := func() (all []string) {
		b := &builder{report: &Report{}}
		b.unknownSets(&a)
		for _, n := range b.report.Unknown {
			all = append(all, n.Topic+": "+n.Text)
		}
		return all
	}
	a.Coverage.Sets = []view.SetCoverage{set("survey-tool", signal.Deaf), set("marketing", signal.Short)}
	want := []string{"Coverage: Of configuration set survey-tool of " + accountName(&a) +
		" nothing arrived, of 1,381 events that CloudWatch counted: its mail is in no figure."}
	if diff := cmp.Diff(want, notes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range 20 {
		a.Coverage.Sets = append(a.Coverage.Sets, set(fmt.Sprint("more-", i), signal.Deaf))
	}
	if got := notes(); len(got) != 6 {
		t.Errorf("%d notes: %q", len(got), got)
	}
}
