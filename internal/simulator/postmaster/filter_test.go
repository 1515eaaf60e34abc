package postmaster

import (
	"strings"
	"testing"
)

func FuzzFilterRoundTrip(f *testing.F) {
	for _, value := range []string{"spring-sale", `say "a"`, `back\slash`, "a AND b", "1.us-east-1.a+/b=", "", " ", `\`, `\\"`} {
		f.Add(value, "ALL_DKIM")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
		text := "feedback_loop_id = " + quote(one) + " AND aggregation_key_type=" + quote(two)
		terms, ok := parseFilter(text)
		if !ok || len(terms) != 2 || terms[0] != (term{"feedback_loop_id", one}) || terms[1] != (term{"aggregation_key_type", two}) {
			t.Errorf("%s is read as %q, %v", text, terms, ok)
		}
		_, _ = parseFilter(one) // must not panic
	})
}
