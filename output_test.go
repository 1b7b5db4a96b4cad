package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doors are the files that may name what leads around the escaping of output,
// each with what it is for.
var doors = map[string][]string{
	"os.Stdout": {"plugin/world.go"}, // Process: the world that safe() wraps
	"os.Stderr": {"plugin/world.go", "sources/envoy/fieldgen/main.go"},
	".terminal": {"plugin/output.go", "plugin/progress.go"},                                                     // the line of progress moves the cursor
	".pass":     {"plugin/output.go", "plugin/target.go", "plugin/complete_line.go", "plugin/diff_external.go"}, // colours, --seq, --raw-output0, an archive on a pipe, records for the shell's script
	".safe":     {"plugin/main.go"},                                                                             // execute: ahead of whatever is written
	"Passing":   {"plugin/output.go", "plugin/target.go", "plugin/complete_line.go", "plugin/diff_external.go", "printers/unsafe.go"},
	"klog.":     {"plugin/output.go"},                                                 // client-go's log is turned off there
	"exec.":     {"plugin/diff_external.go", "sources/envoy/fieldgen/descriptors.go"}, // a program has the process's streams only where it is given them
}

// TestOutputHasOneDoor holds that whatever is written to standard output or
// standard error goes through the writer that escapes: nothing else names the
// process's streams, prints by fmt's own, or logs.
func TestOutputHasOneDoor(t *testing.T) {
	eachFile(t, func(path string) {
		path = filepath.ToSlash(path)
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/") || strings.HasPrefix(path, "scripts/") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			switch name := strings.Trim(spec.Path.Value, `"`); name {
			case "log", "log/slog":
				t.Errorf("%s imports %s: what it writes goes around the door", path, name)
			case "k8s.io/klog/v2":
				through(t, path, "klog.")
			case "os/exec":
				through(t, path, "exec.")
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") && id.Obj == nil {
					t.Errorf("%s calls %s, which writes to standard error", path, id.Name)
				}
			case *ast.SelectorExpr:
				pkg, _ := n.X.(*ast.Ident)
				switch {
				case n.Sel.Name == "terminal" || n.Sel.Name == "pass" || n.Sel.Name == "safe":
					if strings.HasPrefix(path, "plugin/") {
						through(t, path, "."+n.Sel.Name)
					}
				case pkg == nil:
				case pkg.Name == "os" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr"):
					through(t, path, "os."+n.Sel.Name)
				case pkg.Name == "fmt" && strings.HasPrefix(n.Sel.Name, "Print"), pkg.Name == "syscall" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr" || n.Sel.Name == "Write"):
					t.Errorf("%s uses %s.%s: that goes around the door", path, pkg.Name, n.Sel.Name)
				}
			case *ast.CompositeLit:
				if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Passing" {
					through(t, path, "Passing")
				}
			case *ast.BasicLit:
				for _, device := range []string{"/dev/tty", "/dev/std", "CONOUT$"} {
					if n.Kind == token.STRING && strings.Contains(n.Value, device) {
						t.Errorf("%s names %s: that goes around the door", path, device)
					}
				}
			}
			return true
		})
	})
}

func through(t *testing.T, path, name string) {
	t.Helper()
	if !slices.Contains(doors[name], path) {
		t.Errorf("%s uses %s: that leads around what escapes output", path, name)
	}
}
