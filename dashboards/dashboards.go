package dashboards

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:generate go run ./generate

//go:embed grafana/*.json prometheus/*.rules.yaml
var files embed.FS

// The folders of Files.
const (
	// Grafana holds one board in each file, named for its uid.
	Grafana = "grafana"
	// Prometheus holds files of rules.
	Prometheus = "prometheus"
)

// Files holds the folders Grafana and Prometheus.
func Files() fs.FS { return files }

// File is one that Export wrote, or found as it should be.
type File struct {
	// Path begins with the folder that was asked for.
	Path string
	// Written is false when it was there already.
	Written bool
}

// DiffersError says which files Export would have had to overwrite.
type DiffersError struct{ Paths []string }

// Error names the files.
func (e *DiffersError) Error() string {
	if len(e.Paths) == 1 {
		return fmt.Sprintf("%s is there already and differs", e.Paths[0])
	}
	return fmt.Sprintf("%s and %d more files are there already and differ", e.Paths[0], len(e.Paths)-1)
}

// Export writes Files into a folder, which it makes if need be. Unless force is set, it overwrites nothing that differs: the
// error is then a *DiffersError, and nothing was written.
func Export(folder string, force bool) ([]File, error) {
	wanted, texts, err := compare(folder)
	if err != nil {
		return nil, err
	}
	var differ []string
	for i, f := range wanted {
		if f.Written && texts[i].before {
			differ = append(differ, f.Path)
		}
	}
	if len(differ) > 0 && !force {
		return nil, &DiffersError{differ}
	}
	for i, f := range wanted {
		if !f.Written {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil { //nolint:gosec // for Grafana and Prometheus to read
			return nil, err
		}
		if err := os.WriteFile(f.Path, texts[i].text, 0o644); err != nil { //nolint:gosec // likewise
			return nil, err
		}
	}
	return wanted, nil
}

// content is a file's text; before says that something else stands in its place.
type content struct {
	text   []byte
	before bool
}

// compare says which files have to be written.
func compare(folder string) (list []File, texts []content, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		there, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		list = append(list, File{path, !bytes.Equal(there, text)})
		texts = append(texts, content{text, err == nil})
		return nil
	})
	return list, texts, err
}
