package structure

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestNoInit holds that importing a package does nothing. What is used is named in internal/app, where it can be read.
func TestNoInit(t *testing.T) {
	all := source(t)
	for _, f := range all.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: an init function works behind the reader's back; let the caller do it", all.at(f, fn))
			}
		}
	}
}

// TestNoPackageState holds that package-level variables are tables and sentinels: made when the program starts and never
// changed. State that two parts of a program share unseen cannot be tested side by side.
func TestNoPackageState(t *testing.T) {
	all := source(t)
	variables := make(map[string]map[string]bool) // by folder
	for _, f := range all.code() {
		for _, spec := range packageVariables(f) {
			if variables[f.folder] == nil {
				variables[f.folder] = make(map[string]bool)
			}
			for i, name := range spec.Names {
				variables[f.folder][name.Name] = true
				if why := stateful(spec, i); why != "" && !f.embeds() && !linked(f, name.Name) {
					t.Errorf("%s: %s %s; keep it in a value that is passed on", all.at(f, name), name.Name, why)
				}
			}
		}
	}
	for _, f := range all.code() {
		for _, n := range changes(f, variables[f.folder]) {
			t.Errorf("%s: changes a variable of the package; keep what changes in a value that is passed on", all.at(f, n))
		}
	}
}

func packageVariables(f file) (specs []*ast.ValueSpec) {
	for _, d := range f.syntax.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && v.Names[0].Name != "_" {
				specs = append(specs, v)
			}
		}
	}
	return specs
}

// stateful says why a variable cannot be a table or sentinel, or "".
func stateful(spec *ast.ValueSpec, i int) string {
	if i >= len(spec.Values) {
		return "has no value yet, so something sets it later"
	}
	switch v := spec.Values[i].(type) {
	case *ast.CallExpr:
		if fn, ok := v.Fun.(*ast.Ident); ok && (fn.Name == "make" || fn.Name == "new") {
			return "starts empty, so something fills it later"
		}
	case *ast.UnaryExpr:
		if v.Op == token.AND {
			return "is a pointer to something that can change"
		}
	case *ast.CompositeLit:
		if len(v.Elts) == 0 {
			return "starts empty, so something fills it later"
		}
	}
	for _, pkg := range []string{"sync", "atomic"} {
		if _, ok := selected(spec.Type, pkg); ok {
			return "guards or is something that changes"
		}
	}
	return ""
}

// embeds tells whether the file's variables may be filled by the compiler.
func (f file) embeds() bool {
	return slices.ContainsFunc(f.syntax.Imports, func(s *ast.ImportSpec) bool { return importPath(s) == "embed" })
}

// linked tells the one variable that the linker sets.
func linked(f file, name string) bool { return f.folder == "cmd/mailvane" && name == "version" }

// changes finds assignments to the named variables of a package. A local variable of the same name is not meant: the parser
// has resolved that to its own declaration. Pointers to rows of tables are allowed; what is done through them is not seen.
func changes(f file, variables map[string]bool) (found []ast.Node) {
	global := func(e ast.Expr) bool {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
			case *ast.SelectorExpr:
				e = x.X
			case *ast.StarExpr:
				e = x.X
			case *ast.ParenExpr:
				e = x.X
			case *ast.Ident:
				if x.Obj == nil {
					return variables[x.Name]
				}
				spec, ok := x.Obj.Decl.(*ast.ValueSpec)
				return ok && variables[x.Name] && slices.Contains(packageVariables(f), spec)
			default:
				return false
			}
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE && slices.ContainsFunc(n.Lhs, global) {
				found = append(found, n)
			}
		case *ast.IncDecStmt:
			if global(n.X) {
				found = append(found, n)
			}
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "delete" || fn.Name == "clear") && len(n.Args) > 0 && global(n.Args[0]) {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

// TestPackageNames holds that a package is named for what it is about.
func TestPackageNames(t *testing.T) {
	empty := []string{"util", "utils", "common", "types", "models", "model", "helpers", "helper", "misc", "base", "shared", "lib", "core"}
	all := source(t)
	for _, f := range all.files {
		for part := range strings.SplitSeq(f.folder, "/") {
			if slices.Contains(empty, part) {
				t.Errorf("%s: %q says nothing about what the package is for; name it after that", f.name, part)
			}
		}
	}
}

// TestNoSkips holds that a test either runs or fails: what a machine lacks is installed by the test command.
func TestNoSkips(t *testing.T) {
	all := source(t)
	for _, f := range all.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && f.test && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
				t.Errorf("%s: a skipped test proves nothing and is not noticed", all.at(f, s))
			}
			return true
		})
	}
}
