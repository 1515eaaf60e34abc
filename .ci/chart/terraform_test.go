package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// terraform is the module, seen from this package.
const terraform = "../../docs/terraform"

// TestTerraform holds what can be known of the module without the provider: it is formatted, what it names is there, and what
// is there is used and says what it is for.
func TestTerraform(t *testing.T) {
	files, err := filepath.Glob(terraform + "/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no files in %s (%v)", terraform, err)
	}
	declared, used := make(map[string]bool), make(map[string]bool)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(hclwrite.Format(text), text) {
			t.Errorf("%s is not formatted: run terraform fmt", filepath.Base(file))
		}
		parsed, diags := hclsyntax.ParseConfig(text, filepath.Base(file), hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		body := parsed.Body.(*hclsyntax.Body)
		for _, block := range body.Blocks {
			for _, name := range names(block) {
				declared[name] = true
			}
			if block.Type == "variable" || block.Type == "output" {
				if block.Body.Attributes["description"] == nil {
					t.Errorf("the %s %s says not what it is for", block.Type, block.Labels[0])
				}
			}
		}
		references(body, used)
	}
	for name := range used {
		if !declared[name] {
			t.Errorf("%s is named and is not there", name)
		}
	}
	for name := range declared {
		if (strings.HasPrefix(name, "var.") || strings.HasPrefix(name, "data.") || strings.HasPrefix(name, "local.")) && !used[name] {
			t.Errorf("%s is there and is not used", name)
		}
	}
}

// names are those by which expressions refer to what a block declares.
func names(block *hclsyntax.Block) (all []string) {
	switch block.Type {
	case "variable":
		return []string{"var." + block.Labels[0]}
	case "data":
		return []string{"data." + strings.Join(block.Labels, ".")}
	case "resource":
		return []string{strings.Join(block.Labels, ".")}
	case "locals":
		for name := range block.Body.Attributes {
			all = append(all, "local."+name)
		}
	}
	return all
}

// references adds what the expressions of a body refer to, other than the values of loops.
func references(body *hclsyntax.Body, found map[string]bool) {
	for _, block := range body.Blocks {
		if block.Type != "terraform" && block.Type != "variable" {
			references(block.Body, found)
		}
	}
	for _, attribute := range body.Attributes {
		for _, traversal := range attribute.Expr.Variables() {
			path := []string{traversal.RootName()}
			for _, step := range traversal[1:] {
				if name, ok := step.(hcl.TraverseAttr); ok {
					path = append(path, name.Name)
				}
			}
			length := 2
			if path[0] == "data" {
				length = 3
			}
			if own := []string{"each", "statement"}; !slices.Contains(own, path[0]) && len(path) >= length {
				found[strings.Join(path[:length], ".")] = true
			}
		}
	}
}

// TestTerraformFinders makes sure that the rule above would see a fault.
func TestTerraformFinders(t *testing.T) {
	text := "locals {\n  a = var.b\n}\nresource \"x\" \"y\" {\n  for_each = data.p.q.r\n  z {\n    c = \"${each.value}${local.a}${x.w[0].id}\"\n  }\n}\n"
	parsed, diags := hclsyntax.ParseConfig([]byte(text), "x.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, found := parsed.Body.(*hclsyntax.Body), make(map[string]bool)
	references(body, found)
	for _, name := range []string{"var.b", "data.p.q", "local.a", "x.w"} {
		if !found[name] {
			t.Errorf("%s was not found", name)
		}
		delete(found, name)
	}
	if len(found) > 0 {
		t.Errorf("found %v too", found)
	}
	if got := strings.Join(append(names(body.Blocks[0]), names(body.Blocks[1])...), " "); got != "local.a x.y" {
		t.Errorf("names = %q", got)
	}
}
