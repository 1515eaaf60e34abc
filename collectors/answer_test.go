package collectors_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/collectors"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		if got := collectors.OneLine(text); got != want {
			t.Errorf("collectors.OneLine(%q) = %q, want %q", text, got, want)
		}
	}
	f("one\ntwo", "one")
	f("a\x1b[31mb\tc", "a[31mbc")
	f(strings.Repeat("é", 200), strings.Repeat("é", 150)+"…")
	f("x"+strings.Repeat("é", 200), "x"+strings.Repeat("é", 149)+"…")
}
