package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/mailvane/mailvane"
	// root is the top of the tree, seen from this package.
	root = "../.."
)

// file is one Go source file.
type file struct {
	// name is its path from the top, with slashes.
	name string
	// folder is the path of its package from the top, "." for the top itself.
	folder    string
	test      bool
	generated bool
	syntax    *ast.File
}

// tree is all Go files of the module, in order of their names.
type tree struct {
	fset  *token.FileSet
	files []file
}

// source parses the module's Go files.
func source(t *testing.T) tree {
	t.Helper()
	all := tree{fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if d.Name() == "testdata" || d.Name() == "node_modules" || (name != root && strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		case filepath.Ext(name) != ".go":
			return nil
		}
		syntax, err := parser.ParseFile(all.fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all.files = append(all.files, file{
			name: rel, folder: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
			generated: ast.IsGenerated(syntax), syntax: syntax,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.files) < 50 {
		t.Fatalf("found only %d Go files under %s: the rules would check nothing", len(all.files), root)
	}
	return all
}

// code yields the files that are built into programs.
func (all tree) code() []file {
	return slices.DeleteFunc(slices.Clone(all.files), func(f file) bool { return f.test })
}

// at is where a node stands, as an editor understands it.
func (all tree) at(f file, n ast.Node) string {
	return f.name + ":" + strconv.Itoa(all.fset.Position(n.Pos()).Line)
}

// imports are the paths that a file imports; those of this module are relative to the top.
func (f file) imports() (own, others []*ast.ImportSpec) {
	for _, spec := range f.syntax.Imports {
		if p := importPath(spec); p == module || strings.HasPrefix(p, module+"/") {
			own = append(own, spec)
		} else {
			others = append(others, spec)
		}
	}
	return own, others
}

func importPath(spec *ast.ImportSpec) string {
	p, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
	return p
}

// under tells whether name is the folder or lies below it; a folder that ends in /* stands for all folders directly below.
func under(name, folder string) bool {
	parent, ok := strings.CutSuffix(folder, "/*")
	if !ok {
		return name == folder || strings.HasPrefix(name, folder+"/")
	}
	rest, ok := strings.CutPrefix(name, parent+"/")
	return ok && rest != ""
}

// underAny tells whether name lies under one of the folders.
func underAny(name string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return under(name, f) })
}
