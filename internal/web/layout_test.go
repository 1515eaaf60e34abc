package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayout(t *testing.T) {
	long := strings.Repeat("x", lineWidth)
	got := string(layout([]byte(`{"rate":{"value":0.00085,"state":"ok"},"list":["` + long + `",{"a,b":"c:\"d\\","e":[]},-1e9],"none":{}}`)))
	want := `{
  "rate": {"value": 0.00085, "state": "ok"},
  "list": [
    "` + long + `",
    {"a,b": "c:\"d\\", "e": []},
    -1e9
  ],
  "none": {}
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzLayout: only white space is added.
func FuzzLayout(f *testing.F) {
	for _, seed := range []string{`{}`, `[[],{},null,true,1]`, `"\\"`, `{"a":[{"b":"` + strings.Repeat(`\\\"`, lineWidth) + `"},2]}`, `0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var compact, back bytes.Buffer
		if json.Compact(&compact, text) != nil {
			return
		}
		if err := json.Compact(&back, layout(compact.Bytes())); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(compact.String(), back.String()); diff != "" {
			t.Error(diff)
		}
	})
}
