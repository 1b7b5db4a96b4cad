//go:build unix

package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFuzzListHoldsAllTargets checks that make fuzz-all runs all fuzz targets
// in the module. It finds the targets with Go's parser.
func TestFuzzListHoldsAllTargets(t *testing.T) {
	var want []string
	eachFile(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") || strings.HasPrefix(filepath.ToSlash(path), "test/e2e/") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && isFuzzTarget(fn) {
				dir := filepath.ToSlash(filepath.Dir(path))
				want = append(want, strings.TrimSuffix("./"+dir, "/.")+":"+fn.Name.Name)
			}
		}
	})
	out, err := exec.Command("scripts/fuzz", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(want) < 20 {
		t.Errorf("scripts/fuzz list gives\n%q, and the fuzz targets are\n%q", got, want)
	}
}

// isFuzzTarget reports whether a function is a fuzz target: whether its only
// parameter is a *testing.F.
func isFuzzTarget(fn *ast.FuncDecl) bool {
	if len(fn.Type.Params.List) != 1 || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "F"
}
