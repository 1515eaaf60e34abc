package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/config"
)

// only checks that there is one problem and that it says so.
func only(t *testing.T, problems []config.Problem, says string) {
	t.Helper()
	if len(problems) != 1 || !strings.Contains(problems[0].String(), says) {
		t.Errorf("problems are %q, want one that says %q", printed(problems), says)
	}
}

func TestLoadFileThatIsNone(t *testing.T) {
	bad := func(path, says string) {
		t.Helper()
		c, problems := config.LoadFile(path)
		if c != nil {
			t.Error("a configuration came back")
		}
		only(t, problems, says)
	}
	folder := t.TempDir()
	bad(filepath.Join(folder, "none.yaml"), "none.yaml:1:1: there is no such file")
	bad(folder, ":1:1: this is a folder")
	bad("/dev/null", "/dev/null:1:1: this is not an ordinary file")
	bad(filepath.Join(corpus, "minimal.good.yaml", "x"), "the file cannot be read: not a directory")
}

func TestLoadTextThatIsNone(t *testing.T) {
	bad := func(data, says string) {
		t.Helper()
		start := time.Now()
		_, problems := config.Load("mailvane.yaml", []byte(data))
		only(t, problems, says)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%q took %v", says, took)
		}
	}
	bad("http: \xff\n", "mailvane.yaml:1:7: the file is not in UTF-8")
	bad("\xff\xfeh\x00", "mailvane.yaml:1:1: the file is in UTF-16")
	bad("a: 1\nb: \x00\n", "mailvane.yaml:2:4: there is a control character (U+0000)")
	bad(strings.Repeat("#", 1<<20)+"\n", "mailvane.yaml:1:1: the file is larger than 1MiB")
	bad(strings.Repeat("[", 5_000), "mailvane.yaml:1:51: values are nested more than 50 deep")
	bad(strings.Repeat("- ", 5_000), "nested more than 50 deep")
	bad(strings.Repeat("? ", 5_000), "nested more than 50 deep")
	bad("a: "+strings.Repeat("!t ", 5_000), "nested more than 50 deep")
	bad(stairs(300), "nested more than 50 deep")
	bad(strings.Repeat("a:\n", 10_001), "mailvane.yaml:10001:2: the file has more than 10000 keys")
}

// stairs is a mapping in a mapping in a mapping, each on a line of its own.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

// TestLoadBomb gives a file that would be millions of values if aliases were followed.
func TestLoadBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := range 60 {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	b.WriteString("campaigns: {streams: *a60}\n")
	start := time.Now()
	_, problems := config.Load("mailvane.yaml", []byte(b.String()))
	if !config.Failed(problems) || time.Since(start) > time.Minute {
		t.Errorf("%d problems after %v", len(problems), time.Since(start))
	}
}

// TestLoadCostly gives files whose every part is wrong or one of very many. They take moments; the limit is for a machine that
// is busy, and far below what they would take if time grew by the square.
func TestLoadCostly(t *testing.T) {
	for _, data := range []string{
		"{" + numbered(5_000, "k%d: 1,") + "}",
		"campaigns: {streams: [" + strings.Repeat("1,", 20_000) + "]}",
		"campaigns: {streams: [" + numbered(9_999, "k%d,") + "]}",
		"campaigns: {identify: [" + strings.Repeat("{},", 9_999) + "]}",
		"collectors: {ses: [" + strings.Repeat("{},", 9_999) + "]}",
		"complaints: {reporting_providers: [" + strings.Repeat("yaho,", 9_999) + "]}",
		"a: \"" + strings.Repeat("\\n", 100_000) + "\"",
		"alerts: {rules: [" + strings.Repeat("{},", 9_999) + "]}",
		"reports: [" + strings.Repeat("{},", 9_999) + "]",
		"reports: [{to: [" + strings.Repeat("{dir: a},", 9_999) + "]}]",
		"campaigns: {owners: [" + numbered(9_999, "{match: '*', owner: o%d},") + "]}\nreports: [" + numbered(100, "{name: r%d, owner: x, to: [{dir: a}]},") + "]",
		"alerts: {rules: [" + numbered(9_999, "{name: a%d,signal: block_rate,warning: {above: 1}},") + "]}",
		"alerts: {rules: [" + numbered(199, "{name: a%d,signal: block_rate,warning: {above: 200%%}},") + "]}",
		"alerts: {routes: [" + strings.Repeat("{to: x},", 9_999) + "]}",
		"alerts: {routes: [{to: x, match: {" + numbered(9_999, "l%d: x,") + "}}]}",
		"alerts: {notifiers: {" + numbered(9_999, "n%d: {},") + "}}",
		"alerts: {notifiers: {n: {}}, routes: [{to: [" + strings.Repeat("n,", 9_999) + "]}]}",
		"alerts: {rules: [{name: a, signal: block_rate, warning: {above: 1%}, summary: '" + strings.Repeat("{{if .Known}}", 300) + "'}]}",
		"alerts: {rules: [{name: a, signal: block_rate, warning: {above: 1%}, summary: '{{" + strings.Repeat("(", 4_000) + "}}'}]}",
	} {
		start := time.Now()
		_, problems := config.Load("mailvane.yaml", []byte(data))
		if took := time.Since(start); len(problems) > 201 || took > time.Minute {
			t.Errorf("%.30s: %d problems after %v", data, len(problems), took)
		}
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestLoadManyProblems gives a file with more problems than anybody reads.
func TestLoadManyProblems(t *testing.T) {
	_, problems := config.Load("mailvane.yaml", []byte(strings.Repeat("nonsense: 1\n", 5000)))
	if len(problems) != 201 {
		t.Fatalf("%d problems, want 200 and one that sums up the rest", len(problems))
	}
	if last := problems[200].String(); !strings.Contains(last, "there are more problems") {
		t.Errorf("the last is %q", last)
	}
}

// TestLoadThirtyFaults counts the faults of a file with one in almost every value.
func TestLoadThirtyFaults(t *testing.T) {
	_, problems := config.LoadFile(filepath.Join(corpus, "everything.bad.yaml"))
	if len(problems) < 30 {
		t.Errorf("%d problems, want 30 at least", len(problems))
	}
	for i := 1; i < len(problems); i++ {
		a, b := problems[i-1], problems[i]
		if a.Line > b.Line || a.Line == b.Line && a.Column > b.Column {
			t.Errorf("%v stands before %v", a, b)
		}
	}
}

// TestNoTypeNames looks for names of the program in what people read.
func TestNoTypeNames(t *testing.T) {
	goldens, err := filepath.Glob(filepath.Join(corpus, "*.problems"))
	if err != nil || len(goldens) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, path := range goldens {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{" config.", "mailbox.", "campaign.", " ast.", "string", "int64", "struct", "slice", "nil", "strconv", "unmarshal"} {
			if strings.Contains(string(text), name) {
				t.Errorf("%s says %q", path, name)
			}
		}
	}
}

// FuzzLoad checks that Load never panics, that every problem has a place inside the file and says something in one line, and
// that a configuration comes back exactly when nothing is wrong.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(corpus, "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := config.Load("mailvane.yaml", data)
		if (c == nil) != config.Failed(problems) {
			t.Fatalf("a configuration came back: %v; problems: %v", c != nil, problems)
		}
		lines := strings.Split(string(data), "\n")
		for _, p := range problems {
			if p.File != "mailvane.yaml" {
				continue
			}
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
				t.Errorf("no such place: %v", p)
			}
			if p.Message == "" || strings.ContainsAny(p.String(), "\n\r\x1b") {
				t.Errorf("not one line of text: %q", p)
			}
		}
	})
}
