// Generate writes Grafana's boards from their description in Go, so that queries, lines and words that several panels share are
// written once, and panels cannot overlap. What it writes is committed; go generate runs it in the folder above.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("grafana"); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// boards lists them in the order in which they are read.
func boards() []*board {
	return []*board{overview(), campaign(), gmail(), providers(), inbound(), self()}
}

func write(folder string) error {
	for _, b := range boards() {
		text, err := render(b)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, b.uid+".json"), text, 0o644); err != nil { //nolint:gosec // others may read it
			return err
		}
	}
	return nil
}

// render writes a board as JSON with sorted keys.
func render(b *board) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b.model()); err != nil {
		return nil, fmt.Errorf("board %s: %w", b.uid, err)
	}
	return text.Bytes(), nil
}
