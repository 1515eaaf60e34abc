package structure

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// pure are the packages that decide: what they answer follows from what they are told. Their generators are not meant.
func pure() []string {
	return []string{"internal/observation", "internal/signal", "internal/campaign", "internal/mailbox", "alerts"}
}

// TestPurePackages holds that they do no I/O and read no clock, so that a test is one call and the same question always has
// the same answer.
func TestPurePackages(t *testing.T) {
	packages := []string{
		"os", "os/*", "io/ioutil", "io/fs", "path/filepath", "net", "net/http", "net/http/*", "net/smtp", "net/rpc", "log", "log/slog",
		"syscall", "database/sql", "math/rand", "math/rand/v2", "crypto/rand", "runtime", "runtime/*", "unsafe", "plugin", "context",
	}
	// The zone database is a file too; zones are passed in.
	clock := []string{
		"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation", "Local",
	}
	// Contracts say how a call ends; whoever fulfils one lives elsewhere.
	contracts := []string{"alerts/contract.go"}
	all := source(t)
	checked := 0
	for _, f := range all.code() {
		if !slices.Contains(pure(), f.folder) {
			continue
		}
		checked++
		_, others := f.imports()
		for _, spec := range others {
			if importPath(spec) == "context" && slices.Contains(contracts, f.name) {
				continue
			}
			for _, p := range packages {
				if exact := importPath(spec) == p; exact || strings.HasSuffix(p, "/*") && under(importPath(spec), p) {
					t.Errorf("%s: %s may not import %s: it does no I/O and keeps nothing outside its values", all.at(f, spec), f.folder, importPath(spec))
					break
				}
			}
		}
		for _, use := range uses(f, "time") {
			if slices.Contains(clock, use.Sel.Name) {
				t.Errorf("%s: %s may not use time.%s: times are passed in", all.at(f, use), f.folder, use.Sel.Name)
			}
		}
	}
	if checked == 0 {
		t.Error("found no file of a pure package")
	}
}

// TestClockIsPassedIn holds that time comes from Options everywhere. Naming time.Now as a default is allowed, calling it is
// not. The scheduler's tests run it under synctest's clock; the benchmark measures real time.
func TestClockIsPassedIn(t *testing.T) {
	all := source(t)
	for _, f := range all.code() {
		if underAny(f.folder, []string{"cmd/*", "internal/schedule", "internal/bench"}) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := selected(call.Fun, "time")
			if ok && slices.Contains([]string{"Now", "Since", "Until"}, name) {
				t.Errorf("%s: calls time.%s: take a clock (now func() time.Time), so that a test can set it", all.at(f, call), name)
			}
			return true
		})
	}
}

// uses lists where a file names something of an imported package.
func uses(f file, pkg string) (found []*ast.SelectorExpr) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if _, ok := selected(s, pkg); ok {
				found = append(found, s)
			}
		}
		return true
	})
	return found
}

// selected returns the name in an expression pkg.name. A local variable of the package's name is not meant: the parser has
// resolved that to an object.
func selected(e ast.Expr, pkg string) (name string, ok bool) {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || x.Name != pkg || x.Obj != nil {
		return "", false
	}
	return s.Sel.Name, true
}
