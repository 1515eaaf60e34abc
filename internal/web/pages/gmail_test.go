package pages

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/view"
)

// TestDayTable: a day that came is shown although nothing is known of its mail, and only one that did not come has no data.
func TestDayTable(t *testing.T) {
	days := []view.ShownDay{
		{Day: 20_003, Arrived: true, SpamRate: new(0.004), Deliveries: new(int64(1200)), Late: true, Revised: true}, {Day: 20_002},
		{Day: 20_001, Arrived: true}, {Day: 20_000, Arrived: true, SpamRate: new(0.0)},
	}
	var got []string
	for _, r := range dayTable("example.com", days).Rows {
		text := ""
		for _, c := range r.Cells {
			text += strings.Join(append([]string{c.Text}, c.Notes...), ", ") + " | "
		}
		got = append(got, text)
	}
	want := []string{
		"Mon 7 Oct | 0.40\u00a0%, came late, revised | 1,200 | ", "Sun 6 Oct | no data | – | ", "Sat 5 Oct | not reported | – | ",
		"Fri 4 Oct | 0\u00a0% | – | ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(dayTable("example.com", make([]view.ShownDay, 15)).Rows); n != daysShown {
		t.Errorf("%d days are shown, want %d", n, daysShown)
	}
}
