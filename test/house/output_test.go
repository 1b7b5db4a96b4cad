package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exceptions are the files that may use functions and variables that bypass the
// escaping of output, with the reasons.
var exceptions = map[string][]string{
	"os.Stdout": {"plugin/process/world.go"}, // Current creates the streams that Safely wraps
	"os.Stderr": {"plugin/process/world.go", "sources/envoy/fieldgen/main.go"},
	".Terminal": {"plugin/process/output.go", "plugin/run/print.go"}, // the progress line moves the cursor
	// Colours, --seq, --raw-output0, an archive on a pipe, and records for the
	// script of a shell:
	".Allow":  {"plugin/process/target.go", "plugin/run/print.go", "plugin/complete_line.go", "plugin/diffcmd/external.go", "plugin/process/output.go"},
	"Allowed": {"plugin/process/target.go", "plugin/run/print.go", "plugin/complete_line.go", "plugin/diffcmd/external.go"},
	".Safely": {"plugin/main.go"},           // execute installs the writer before anything is written
	"klog.":   {"plugin/process/output.go"}, // turns off client-go's log
	// A child process gets the process's streams only if they are passed to it:
	"exec.": {
		"plugin/diffcmd/external.go", "plugin/whatif/fetch.go", "sources/envoy/fieldgen/descriptors.go",
		"sources/sandbox/child.go", "sources/sandbox/child_linux.go", "sources/sandbox/child_other.go", "sources/sandbox/child_unix.go", "sources/sandbox/guard_unix.go", "sources/sandbox/istiod.go",
	},
}

// TestOutputIsEscaped checks that everything written to standard output or
// standard error passes through the writer that escapes. Only the files in
// exceptions may use the process's streams, print with fmt's functions or log.
func TestOutputIsEscaped(t *testing.T) {
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
				t.Errorf("%s imports %s: what it writes is not escaped", path, name)
			case "k8s.io/klog/v2":
				checkBypass(t, path, "klog.")
			case "os/exec":
				checkBypass(t, path, "exec.")
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
				case n.Sel.Name == "Terminal" || n.Sel.Name == "Allow" || n.Sel.Name == "Safely":
					if strings.HasPrefix(path, "plugin/") {
						checkBypass(t, path, "."+n.Sel.Name)
					}
				case pkg == nil:
				case pkg.Name == "os" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr"):
					checkBypass(t, path, "os."+n.Sel.Name)
				case pkg.Name == "fmt" && strings.HasPrefix(n.Sel.Name, "Print"), pkg.Name == "syscall" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr" || n.Sel.Name == "Write"):
					t.Errorf("%s uses %s.%s: that is not escaped", path, pkg.Name, n.Sel.Name)
				}
			case *ast.CompositeLit:
				if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Allowed" {
					checkBypass(t, path, "Allowed")
				}
			case *ast.BasicLit:
				for _, device := range []string{"/dev/tty", "/dev/std", "CONOUT$"} {
					if n.Kind == token.STRING && strings.Contains(n.Value, device) {
						t.Errorf("%s names %s: that is not escaped", path, device)
					}
				}
			}
			return true
		})
	})
}

func checkBypass(t *testing.T, path, name string) {
	t.Helper()
	if !slices.Contains(exceptions[name], path) {
		t.Errorf("%s uses %s: that leads around what escapes output", path, name)
	}
}
