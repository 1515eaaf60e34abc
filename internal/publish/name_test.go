package publish

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/report"
)

func TestFileName(t *testing.T) {
	f := func(plan, owner string, edition int, want string) {
		t.Helper()
		if got := fileName(plan, owner, "2026-W46", edition, report.FormatHTML); got != want {
			t.Errorf("%q of %q is %s, want %s", plan, owner, got, want)
		}
	}
	f("weekly", "", 1, "weekly_2026-W46.html")
	f("weekly", "growth", 2, "weekly_2026-W46.2_growth.html")
	f("team a/b", "", 1, "team-a-b-79735761_2026-W46.html")
	f("weekly", "Team Größe", 1, "weekly_2026-W46_Team-Gr--e-be8ff203.html")
	f("weekly", "../../etc/passwd", 1, "weekly_2026-W46_etc-passwd-f083bb4f.html")
	f("weekly", "..", 1, "weekly_2026-W46_a105be0d.html")
	f(strings.Repeat("a", 64), "", 1, strings.Repeat("a", 60)+"-e9284fe1_2026-W46.html")
}

var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// FuzzFileName holds that any names make names of files that lead nowhere, and that what differs is called otherwise.
func FuzzFileName(f *testing.F) {
	f.Add("weekly", "growth", "team/a", "team-a", 1, 2)
	f.Add("weekly", "growth-2", "weekly", "growth", 1, 2)
	f.Add("a_b", "", "a", "b", 1, 1)
	f.Add("..", "\x00", "CON", "ä", 1, 1)
	f.Fuzz(func(t *testing.T, plan1, owner1, plan2, owner2 string, edition1, edition2 int) {
		edition1, edition2 = max(edition1, 1), max(edition2, 1)
		if plan1 == "" || plan2 == "" {
			return
		}
		first := fileName(plan1, owner1, "2026-W46", edition1, report.FormatHTML)
		second := fileName(plan2, owner2, "2026-W46", edition2, report.FormatHTML)
		if !safeName.MatchString(first) || !strings.HasSuffix(first, ".html") {
			t.Errorf("%q is no name of a file", first)
		}
		if same := plan1 == plan2 && owner1 == owner2 && edition1 == edition2; same != (first == second) {
			t.Errorf("%q of %q, edition %d, is %s; %q of %q, edition %d, is %s", plan1, owner1, edition1, first, plan2, owner2, edition2, second)
		}
	})
}
