package alerts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// TestSubjectFields takes a subject with all its fields apart and puts it together again.
func TestSubjectFields(t *testing.T) {
	var fields []observation.Field
	for i, name := range fieldNames {
		fields = append(fields, observation.Field{Name: name, Value: string(rune('a' + i))})
	}
	s, err := SubjectOf(fields)
	if err != nil {
		t.Fatal(err)
	}
	for f := range fieldEnd {
		if s.get(f) != fields[f].Value {
			t.Errorf("%s is %q, want %q", fieldNames[f], s.get(f), fields[f].Value)
		}
	}
	if diff := cmp.Diff(fields, s.Fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (&Subject{Provider: "yahoo"}).Fields(); len(got) != 1 || got[0].Name != "provider" {
		t.Errorf("fields are %v", got)
	}
	if s, err := SubjectOf([]observation.Field{{Name: "owner", Value: "growth"}}); err == nil {
		t.Errorf("an owner became %+v", s)
	}
}

func TestSeriesOf(t *testing.T) {
	rules := compile(t, Defaults()...)
	want := Series{Signal: RateOf(signal.ComplaintRate), By: ByCampaign, Window: signal.Week}
	if got, ok := rules.SeriesOf("CampaignComplaintRate"); !ok || got != want {
		t.Errorf("the series is %+v, %t, want %+v", got, ok, want)
	}
	if got, ok := rules.SeriesOf("Nothing"); ok {
		t.Errorf("a rule that is not there has the series %+v", got)
	}
}
