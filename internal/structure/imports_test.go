package structure

import (
	"strings"
	"testing"
)

// tiers lists the packages from the innermost to the outermost. A package imports only packages of tiers before its own, and
// what lies in its own folder. The most exact entry counts.
func tiers() [][]string {
	return [][]string{
		{"internal/observation"},
		{"internal/signal", "internal/campaign", "internal/mailbox"},
		{"collectors", "alerts", "internal/ledger", "internal/ledger/known", "dashboards"},
		{"collectors/awsfault", "alerts/delivery"},                     // what collectors and notifiers share; they are none themselves
		{"collectors/cloudwatch", "internal/outlet", "alerts/wording"}, // what some collectors, notifiers and reports share
		{"collectors/*", "alerts/*", "internal/ledger/*", "internal/intake", "internal/view", "internal/watch", "internal/simulator",
			"internal/googleauth"},
		{"internal/sampler", "internal/describe", "internal/schedule", "internal/telemetry", "internal/report", "internal/replay",
			"internal/ruletest"},
		{"internal/publish"},
		{"internal/web", "internal/config", "internal/backtest"},
		{"internal/app"},
		{"cmd/*", "internal/bench"},
		{"internal/e2e", "internal/faults", "internal/structure"}, // tests alone
	}
}

// place is where a package stands: its tier, and the entry that says so, which is also the component that it belongs to.
type place struct {
	tier      int
	component string
}

func placeOf(folder string) (best place, ok bool) {
	length := -1
	for tier, entries := range tiers() {
		for _, entry := range entries {
			if !under(folder, entry) {
				continue
			}
			component := entry
			if parent, all := strings.CutSuffix(entry, "/*"); all {
				name, _, _ := strings.Cut(strings.TrimPrefix(folder, parent+"/"), "/")
				component = parent + "/" + name
			}
			if len(component) > length {
				best, length, ok = place{tier, component}, len(component), true
			}
		}
	}
	return best, ok
}

// TestImportsGoOneWay holds the arrows of the structure: data flows from the sources to what people see, and so do imports.
func TestImportsGoOneWay(t *testing.T) {
	all := source(t)
	for _, f := range all.code() {
		from, ok := placeOf(f.folder)
		if !ok {
			t.Errorf("%s: the package has no tier; give it one in internal/structure/imports_test.go", f.name)
			continue
		}
		own, _ := f.imports()
		for _, spec := range own {
			folder := strings.TrimPrefix(importPath(spec), module+"/")
			to, ok := placeOf(folder)
			switch {
			case !ok:
				t.Errorf("%s: imports %s, which has no tier", all.at(f, spec), folder)
			case to.component == from.component || to.tier < from.tier:
			default:
				t.Errorf("%s: %s (tier %d) imports %s (tier %d); a package imports only earlier tiers, so that each can be "+
					"understood, tested and replaced without what stands on it", all.at(f, spec), f.folder, from.tier, folder, to.tier)
			}
		}
	}
}

// ban forbids an import although the tiers would allow it.
type ban struct {
	// from are the folders that it binds; empty means all.
	from []string
	// except are folders, or single files, that it does not bind.
	except []string
	// imports are the paths that may not be imported, those of this module relative to the top. A path stands for what lies
	// below it too.
	imports []string
	reason  string
}

func bans() []ban {
	return []ban{
		{
			from: []string{"collectors/*"}, imports: []string{"internal/ledger", "alerts"},
			reason: "a collector knows its source and the Sink, not what becomes of what it reads",
		},
		{
			from: []string{"internal/web", "internal/report", "dashboards"}, imports: []string{"internal/ledger"},
			reason: "what people see is computed by view alone, or two pages will show two figures for one thing",
		},
		{
			except:  []string{"internal/app/demo.go", "internal/app/demo_alerts.go", "internal/bench", "internal/simulator"},
			imports: []string{"internal/simulator"},
			reason:  "only the demo, the benchmark and tests talk to a stand-in; no other code may behave otherwise because of it",
		},
		{
			except:  []string{"internal/ledger/ledgertest"},
			imports: []string{"internal/ledger/ledgertest", "testing", "net/http/httptest", "github.com/google/go-cmp"},
			reason:  "test code does not belong in the program",
		},
		{
			except:  []string{"collectors/*", "internal/outlet", "internal/simulator", "internal/app/environment.go", "internal/app/demo.go", "internal/bench/floor.go"},
			imports: []string{"github.com/aws"},
			reason:  "a cloud's SDK stays inside what talks to that cloud, so that it can be replaced there",
		},
		{
			except:  []string{"internal/ledger/*"},
			imports: []string{"database/sql", "modernc.org/sqlite", "github.com/jackc"},
			reason:  "a database driver stays inside its engine: the rest knows the ledger's contract only",
		},
		{
			except:  []string{"internal/config", "internal/mailbox/generate"},
			imports: []string{"github.com/goccy/go-yaml", "go.yaml.in", "gopkg.in"},
			reason:  "one package knows the format of the configuration, and it alone reports where a fault stands",
		},
		{
			except:  []string{"internal/telemetry"},
			imports: []string{"go.opentelemetry.io", "github.com/prometheus/client_golang"},
			reason:  "instruments come from the one table, from which the documents and the checks of boards are made",
		},
		{
			except:  []string{"cmd/*", "internal/bench", "internal/config/docgen", "internal/mailbox/generate"},
			imports: []string{"github.com/spf13", "flag"},
			reason:  "only command lines know flags; other packages are told by Options",
		},
		{
			from: []string{"internal/observation"}, imports: []string{"github.com", "golang.org", "go.opentelemetry.io"},
			reason: "the words that everything shares rest on the standard library alone",
		},
	}
}

// TestBannedImports holds the bans, each with its reason.
func TestBannedImports(t *testing.T) {
	all := source(t)
	for _, f := range all.code() {
		own, others := f.imports()
		for _, b := range bans() {
			if len(b.from) > 0 && !underAny(f.folder, b.from) || underAny(f.name, b.except) {
				continue
			}
			for _, spec := range append(own, others...) {
				p := strings.TrimPrefix(importPath(spec), module+"/")
				if underAny(p, b.imports) {
					t.Errorf("%s: %s may not import %s: %s", all.at(f, spec), f.folder, p, b.reason)
				}
			}
		}
	}
}

// TestPlaceOf makes sure that the rules above would see a fault.
func TestPlaceOf(t *testing.T) {
	for _, c := range []struct {
		folder string
		want   place
	}{
		{"internal/observation", place{0, "internal/observation"}},
		{"internal/mailbox/generate", place{1, "internal/mailbox"}},
		{"collectors", place{2, "collectors"}},
		{"collectors/awsfault", place{3, "collectors/awsfault"}},
		{"collectors/cloudwatch", place{4, "collectors/cloudwatch"}},
		{"alerts/delivery", place{3, "alerts/delivery"}},
		{"alerts/webhook", place{5, "alerts/webhook"}},
		{"collectors/ses", place{5, "collectors/ses"}},
		{"collectors/ses/event", place{5, "collectors/ses"}},
		{"internal/ledger", place{2, "internal/ledger"}},
		{"internal/ledger/known", place{2, "internal/ledger/known"}},
		{"internal/ledger/sqlite", place{5, "internal/ledger/sqlite"}},
		{"cmd/mailvane", place{10, "cmd/mailvane"}},
	} {
		got, ok := placeOf(c.folder)
		if !ok || got != c.want {
			t.Errorf("placeOf(%q) = %v, %t, want %v", c.folder, got, ok, c.want)
		}
	}
	if got, ok := placeOf("internal/other"); ok {
		t.Errorf("placeOf(internal/other) = %v, want no place", got)
	}
}
