package dashboards_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"testing"

	"github.com/mailvane/mailvane/dashboards"
)

// board is what the tests read of a board.
type board struct {
	ID            *int
	UID           string
	Title         string
	Description   string
	Tags          []string
	SchemaVersion int
	Links         []struct{ Type string }
	Templating    struct{ List []variable }
	Panels        []panel
}

type variable struct {
	Name, Type, AllValue, Definition string
	Datasource                       datasource
}

type datasource struct{ Type, UID string }

type panel struct {
	ID                   int
	Type, Title          string
	Description          string
	Datasource           *datasource
	GridPos              struct{ H, W, X, Y int }
	Targets              []target
	Links                []dataLink
	LibraryPanel, Repeat any
	FieldConfig          struct {
		Defaults  defaults
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct {
			IndexByName  map[string]int
			RenameByName map[string]string
		}
	}
}

type target struct {
	RefID, Expr, LegendFormat, Format string
	Datasource                        datasource
	Instant, Range                    bool
}

type defaults struct {
	Unit, NoValue string
	Thresholds    thresholds
	Mappings      []struct{ Type string }
}

type thresholds struct {
	Steps []struct {
		Color string
		Value *float64
	}
}

type dataLink struct{ URL string }

// readBoards reads the boards as they are shipped, by the names of their files.
func readBoards(t *testing.T) map[string]*board {
	t.Helper()
	names, err := fs.Glob(dashboards.Files(), dashboards.Grafana+"/*.json")
	if err != nil || len(names) != 6 {
		t.Fatalf("boards %v, error %v; there must be six", names, err)
	}
	all := map[string]*board{}
	for _, name := range names {
		data, err := fs.ReadFile(dashboards.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		b := new(board)
		if err := json.Unmarshal(data, b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[path.Base(name)] = b
	}
	return all
}
