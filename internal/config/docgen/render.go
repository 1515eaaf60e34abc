package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailvane/mailvane/internal/config"
)

const head = `# Configuration

<!-- Made from internal/config by "go generate ./internal/config"; do not edit. -->

Mailvane reads one YAML file. ` + "`mailvane check --config mailvane.yaml`" + ` reports everything that is wrong with it, each with its
line, its column and what to write instead; ` + "`mailvane run`" + ` refuses a file with problems. A running Mailvane reads it again on
SIGHUP and on ` + "`POST /-/reload`" + `; a file with problems changes nothing then.

Every key is known or refused. Each stands once. Anchors, aliases, merge keys, tags and further documents are refused, and
nothing in the file is replaced from the environment. No secret stands in it: AWS credentials come from the usual places
(environment, profile, role of the machine), TLS and passwords from the file of ` + "`--web.config.file`" + `, keys of notifiers from
files or environment variables that the keys ending in ` + "`_file` and `_env`" + ` name.

The smallest file:

` + "```yaml" + `
collectors:
  ses:
    - queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/ses-events
` + "```" + `

A file that uses most of it:

`

const forms = `## How values are written

| form | written as |
|---|---|
| a length of time | whole numbers with the units ` + "`s`, `m`, `h`, `d` and `w`: `90s`, `1h30m`, `14d`" + ` |
| a size | a whole number with ` + "`B`, `KiB`, `MiB` or `GiB`: `256MiB`" + ` |
| a regular expression | [RE2 syntax](https://github.com/google/re2/wiki/Syntax); best in single quotes, in which YAML leaves backslashes alone. It matches anywhere unless it has ` + "`^` and `$`" + ` |
| a name with * | a name; ` + "`*`" + ` stands for any text. It needs quotes where it starts with ` + "`*`" + ` |
| a percentage | ` + "`0.3%`, or as a number `0.003`" + ` |
| days out of days | ` + "`2 of 3`" + `: on two of the last three days that were reported; seven at most |
| spans of the week | ` + "`Mon-Fri 08:00-18:00, Sat 10:00-14:00`" + `; without days on every day; ` + "`22:00-06:00`" + ` ends on the next day |
| labels with names with * | ` + "`{campaign: \"promo-*\", \"provider!\": [gmail, other]}`" + `: all must match, each with one of its names; with ` + "`!`" + ` after the label none may fit. ` + "`*`" + ` alone asks for the label's presence |
| a schedule | days of the week and a time, ` + "`Mon 08:00`, `Mon,Thu 08:00`, `Mon-Fri 07:30`, or `08:00` for every day; or the five fields of a cron expression, `0 8 1 * *`" + ` for the first of each month. No more often than every hour. A time that a day leaves out when clocks change is due when the clock jumps; one that a day has twice, the first time |
| a path | relative to the folder of the configuration file, unless it starts with ` + "`/`" + ` |

`

// render makes the page from the source of package config, its example, and one with alerts.
func render(source, alertsExample string) ([]byte, error) {
	comments, err := fieldComments(source)
	if err != nil {
		return nil, err
	}
	example, err := os.ReadFile(filepath.Join(source, "example.yaml"))
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, "%s```yaml\n%s```\n\n%s", head, example, forms)
	keys, rules := config.Reference()
	errs := []error{table(&page, "## Keys\n\n", keys, comments)}
	errs = append(errs, alertsPage(&page, alertsExample))
	errs = append(errs, table(&page, "## Rules file\n\nThe file of `classification.rules_file`.\n\n", rules, comments))
	return page.Bytes(), errors.Join(errs...)
}

// table writes the keys under a heading, those of each section and of each kind of list element together.
func table(page *bytes.Buffer, heading string, keys []config.Key, comments map[string]string) error {
	page.WriteString(heading)
	var errs []error
	for _, g := range groups(keys) {
		if g.section != nil {
			fmt.Fprintf(page, "### %s\n\n%s\n\n", title(g.section.Path), comments[g.section.Section+"."+g.section.Field])
		} else if g.path != "" {
			fmt.Fprintf(page, "Each of `%s`:\n\n", g.path)
		}
		if len(g.keys) > 0 {
			page.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
		}
		for _, k := range g.keys {
			row(page, k, comments[k.Section+"."+k.Field])
		}
		if len(g.keys) > 0 {
			page.WriteString("\n")
		}
	}
	for _, k := range keys {
		if comments[k.Section+"."+k.Field] == "" {
			errs = append(errs, fmt.Errorf("%s (%s.%s) has no comment that explains it", k.Path, k.Section, k.Field))
		}
	}
	return errors.Join(errs...)
}

// title keeps what stands for a name in a path from being taken for HTML.
func title(path string) string {
	if strings.Contains(path, "<") {
		return "`" + path + "`"
	}
	return path
}

// group is the keys that stand beside each other in a file. Its section is nil for the elements of a list.
type group struct {
	path    string
	section *config.Key
	keys    []config.Key
}

// groups gathers keys by where they stand, in the order in which the places first appear. Elements that have been explained
// at an earlier list are left out.
func groups(keys []config.Key) []*group {
	var list []*group
	byPath := make(map[string]*group)
	at := func(path string) *group {
		if byPath[path] == nil {
			byPath[path] = &group{path: path}
			list = append(list, byPath[path])
		}
		return byPath[path]
	}
	explained := make(map[string]string)
	for _, k := range keys {
		owner := parent(k.Path)
		if first, ok := explained[k.Section]; ok && first != owner {
			continue
		}
		explained[k.Section] = owner
		if k.Form == "section" {
			at(k.Path).section = &k
			continue
		}
		g := at(owner)
		g.keys = append(g.keys, k)
	}
	return list
}

func row(page *bytes.Buffer, k config.Key, meaning string) {
	form, standard := k.Form, k.Default
	if k.Range != "" {
		form += ": " + k.Range
	}
	if k.Required {
		standard = "**required**"
	}
	if k.Example != "" && "`"+k.Example+"`" != k.Default {
		meaning += " Example: `" + k.Example + "`"
	}
	name := k.Path[strings.LastIndex(k.Path, ".")+1:]
	fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", name, cell(form), cell(standard), cell(meaning))
}

// cell keeps a text from ending its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func parent(path string) string {
	return path[:max(strings.LastIndex(path, "."), 0)]
}

// fieldComments reads the comments of the fields of all structs in a folder, by "Type.Field".
func fieldComments(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	comments := make(map[string]string)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, id := range f.Names {
						comments[spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
				}
			}
			return true
		})
	}
	return comments, nil
}
