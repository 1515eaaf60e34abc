// Docgen writes docs/configuration.md from the configuration's own definition: keys, forms and defaults from package config,
// meanings from the comments of its fields. It is run by go generate; a test keeps the page and the code together.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", ".", "folder of package config")
	alertsExample := flag.String("alerts", "../../testdata/config/alerts.good.yaml", "example of a file with alerts")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	page, err := render(*source, *alertsExample)
	if err == nil {
		err = os.WriteFile(*out, page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}
