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

// doors are the files that may use functions and variables that bypass the
// escaping of output, with the reasons.
var doors = map[string][]string{
	"os.Stdout": {"plugin/world.go"}, // Process creates the streams that safe() wraps
	"os.Stderr": {"plugin/world.go", "sources/envoy/fieldgen/main.go"},
	".terminal": {"plugin/output.go", "plugin/progress.go"},                                                     // the progress line moves the cursor
	".pass":     {"plugin/output.go", "plugin/target.go", "plugin/complete_line.go", "plugin/diff_external.go"}, // colours, --seq, --raw-output0, an archive on a pipe, records for the shell's script
	".safe":     {"plugin/main.go"},                                                                             // execute installs the writer before anything is written
	"Passing":   {"plugin/output.go", "plugin/target.go", "plugin/complete_line.go", "plugin/diff_external.go", "printers/unsafe.go"},
	"klog.":     {"plugin/output.go"},                                                 // turns off client-go's log
	"exec.":     {"plugin/diff_external.go", "sources/envoy/fieldgen/descriptors.go"}, // a child process gets the process's streams only if they are passed to it
}

// TestOutputHasOneDoor checks that everything written to standard output or
// standard error passes through the writer that escapes. Only the files in
// doors may use the process's streams, print with fmt's functions or log.
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
