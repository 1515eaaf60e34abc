package slack

import (
	"encoding/json"
	"html"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"spring_sale_2026": "spring_sale_2026", "_promo_": "ˍpromoˍ", "a _b_ c": "a ˍbˍ c", "__init__": "ˍ_init_ˍ",
		"<!channel>": "&lt;!channel&gt;", "&lt;": "&amp;lt;", "*b*~s~`c`": "∗b∗∼s∼ˋcˋ", "a\r\nb\u202ec": "a  b c", "\xff": " ",
		"größe_é": "größe_é",
	} {
		if got := Escape(name, 100); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := Escape("a<b>c", 8); got != "a&lt;…" {
		t.Errorf("cut to 8 bytes it is %q", got)
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("<!channel> &amp; _x_", 20)
	f.Fuzz(func(t *testing.T, name string, limit int) {
		if limit < len("…") || limit > MaxText {
			return
		}
		got := Escape(name, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "<>*~`\n\r") {
			t.Errorf("%q becomes %q", name, got)
		}
		// Every & begins one of the three entities, whole.
		plain := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(got)
		if strings.Contains(plain, "&") || html.UnescapeString(plain) != plain {
			t.Errorf("%q becomes %q", name, got)
		}
	})
}

func TestLink(t *testing.T) {
	for _, c := range [][3]string{
		{"https://example.com/?a=1&b=2", "a|b>", "<https://example.com/?a=1&amp;b=2|a/b&gt;>"},
		{"javascript:alert(1)", "no", "no"},
		{"https://example.com/|!channel>", "no", "no"},
		{"https://example.com/ x", "no", "no"},
		{"https://", "no", "no"},
		{"https://example.com/" + strings.Repeat("a", MaxText), "no", "no"},
	} {
		if got := Link(c[0], c[1]); got != c[2] {
			t.Errorf("%s: %q, want %q", c[0], got, c[2])
		}
	}
}

func TestCode(t *testing.T) {
	for name, want := range map[string]string{
		"aws ses --x '<a>' && b": "`aws ses --x '&lt;a&gt;' &amp;&amp; b`", "echo `id`": "", "a\nb": "", "": "", strings.Repeat("a", MaxText): "",
	} {
		if got := Code(name); got != want {
			t.Errorf("%.40q: %q, want %q", name, got, want)
		}
	}
}

func TestSections(t *testing.T) {
	long := strings.Repeat("a", MaxText/2)
	blocks := Sections("", "one", "two", long, long, strings.Repeat("b", MaxText+1), "three")
	want := []string{"one\ntwo\n" + long, long + "\nthree"}
	var got []string
	for _, b := range blocks {
		got = append(got, b.text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Sections(); got != nil {
		t.Errorf("no lines make %v", got)
	}
}

// TestFit holds that a message too large loses its last blocks, and nothing else.
func TestFit(t *testing.T) {
	m := &Message{Text: "Critical"}
	for range 60 {
		m.Blocks = append(m.Blocks, Section(strings.Repeat("a", 10)))
	}
	for _, c := range []struct{ size, want int }{{10, maxBlocks}, {MaxText, 3}} {
		for i := range m.Blocks {
			m.Blocks[i] = Section(strings.Repeat("a", c.size))
		}
		body, err := m.fit()
		if err != nil {
			t.Fatal(err)
		}
		var got payload
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if n := len(got.Attachments[0].Blocks); n != c.want || len(body) > MaxSize || got.Text != "Critical" {
			t.Errorf("%d blocks of %d bytes are left in %d bytes, want %d", n, c.size, len(body), c.want)
		}
	}
	if body, err := (&Message{Text: "a"}).fit(); err != nil || string(body) != `{"text":"a","unfurl_links":false,"unfurl_media":false}` {
		t.Errorf("%s, %v", body, err)
	}
}
