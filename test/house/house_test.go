package house

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/meshq/kubectl-meshq"

// arrows lists the packages of this module that each package may import. A
// package that is not listed may import none of them.
var arrows = map[string][]string{
	".": {"plugin", "plugin/process"},
	"plugin": {
		"plugin/demo", "plugin/diffcmd", "plugin/graphcmd", "plugin/help", "plugin/input", "plugin/istioctl", "plugin/options", "plugin/partition", "plugin/process", "plugin/repl", "plugin/report", "plugin/run", "plugin/saved", "plugin/shell", "plugin/whatif",
		"printers", "printers/safe", "query", "query/complete", "query/eval", "query/graph", "query/jsontext", "query/library", "query/shipped", "query/request", "query/syntax",
		"sources", "sources/mesh", "sources/object", "sources/recording", "sources/redact", "sources/requests", "sources/transport",
	},
	"plugin/demo":    {},
	"plugin/process": {"printers/safe", "sources/decode", "sources/object", "sources/transport"},
	"plugin/options": {"plugin/process", "query/shipped", "query/syntax"},
	"plugin/input":   {"plugin/options", "plugin/process", "query/jsontext", "sources/decode"},
	"plugin/change":  {"plugin/process"},
	"plugin/whatif": {
		"plugin/change", "plugin/diffcmd", "plugin/options", "plugin/process", "plugin/run", "query/diff", "query/library",
		"sources", "sources/apiserver", "sources/mesh", "sources/object", "sources/predict", "sources/transport",
	},
	"plugin/repl":      {"plugin/process"},
	"plugin/report":    {"plugin/options", "plugin/process", "plugin/run", "printers", "query/graph", "query/shipped"},
	"plugin/saved":     {"plugin/options", "plugin/process", "printers", "query/shipped", "query/syntax"},
	"plugin/shell":     {"plugin/options", "plugin/process"},
	"plugin/partition": {"plugin/process", "printers", "sources", "sources/mesh", "sources/object", "sources/transport"},
	"plugin/run": {
		"plugin/change", "plugin/demo", "plugin/input", "plugin/options", "plugin/process", "plugin/saved", "printers", "printers/columns", "printers/safe",
		"query", "query/demand", "query/eval", "query/library", "query/shipped", "query/syntax",
		"sources", "sources/forward", "sources/inventory", "sources/live", "sources/mesh", "sources/object", "sources/predict", "sources/redact", "sources/requests", "sources/section",
		"sources/store", "sources/transport",
	},
	"plugin/istioctl": {"plugin/options", "plugin/run", "sources/mesh"},
	"plugin/diffcmd":  {"plugin/options", "plugin/process", "plugin/run", "printers/safe", "query/diff", "query/library", "sources", "sources/mesh", "sources/object", "sources/redact", "sources/transport"},
	"plugin/graphcmd": {"plugin/options", "plugin/process", "plugin/run", "printers", "query/graph"},
	"plugin/help":     {"plugin/istioctl", "plugin/options", "plugin/process", "printers/fit", "query/conform", "query/library", "query/shipped", "sources", "sources/mesh", "sources/redact"},

	"printers":         {"printers/columns", "printers/encode", "printers/fit", "printers/safe", "sources/mesh", "sources/object"},
	"printers/columns": {"printers/encode", "printers/safe", "sources/mesh", "sources/object"},
	"printers/encode":  {"printers/safe", "sources/mesh", "sources/object"},
	"printers/fit":     {},
	"printers/safe":    {},

	"query":               {"query/demand", "query/eval", "query/library", "query/syntax", "sources/mesh", "sources/object"},
	"query/conform":       {},
	"query/complete":      {"query/syntax", "sources/mesh"},
	"query/demand":        {"query/syntax", "sources/mesh", "sources/object"},
	"query/graph":         {},
	"query/jsontext":      {"query/syntax/native", "sources/object"},
	"query/eval":          {"query/ahead", "query/builtin", "query/demand", "query/jsontext", "query/syntax", "query/syntax/native", "query/values", "sources/mesh", "sources/object"},
	"query/ahead":         {"query/syntax/native", "query/values", "sources/mesh", "sources/object"},
	"query/builtin":       {"query/jsontext", "query/syntax", "query/syntax/native", "query/values", "sources/object"},
	"query/values":        {"query/jsontext", "query/syntax", "query/syntax/native", "sources/mesh", "sources/object"},
	"query/library":       {"query/diff", "query/document", "query/eval", "query/syntax", "query/trace", "sources/mesh", "sources/object"},
	"query/trace":         {"query/document", "query/eval", "query/request", "query/routing", "query/ztunnel", "sources/mesh", "sources/object"},
	"query/request":       {"query/document", "query/routing", "sources/mesh", "sources/object"},
	"query/ztunnel":       {"query/document", "sources/object"},
	"query/diff":          {"sources/mesh", "sources/object"},
	"query/document":      {"sources/mesh", "sources/object"},
	"query/routing":       {"query/document", "sources/mesh", "sources/object"},
	"query/shipped":       {},
	"query/syntax":        {},
	"query/syntax/native": {"sources/object"},

	"sources":           {"sources/decode", "sources/envoy", "sources/inventory", "sources/istiod", "sources/kube", "sources/mesh", "sources/object", "sources/recording", "sources/redact", "sources/requests", "sources/section", "sources/store", "sources/transport"},
	"sources/requests":  {"sources/decode", "sources/kube", "sources/mesh", "sources/store", "sources/transport"},
	"sources/inventory": {"sources/decode", "sources/envoy", "sources/istiod", "sources/kube", "sources/mesh", "sources/object", "sources/requests", "sources/store", "sources/transport", "sources/ztunnel"},
	"sources/section":   {"sources/decode", "sources/envoy", "sources/inventory", "sources/istiod", "sources/mesh", "sources/object", "sources/requests", "sources/store", "sources/transport", "sources/ztunnel"},
	"sources/recording": {"sources/envoy", "sources/inventory", "sources/istiod", "sources/kube", "sources/mesh", "sources/redact", "sources/requests", "sources/section", "sources/transport", "sources/ztunnel"},
	"sources/apiserver": {"sources/kube"},
	"sources/sandbox":   {"sources/apiserver"},
	"sources/xds":       {},
	"sources/predict": {
		"sources/apiserver", "sources/inventory", "sources/istiod", "sources/kube", "sources/mesh", "sources/requests", "sources/sandbox", "sources/section",
		"sources/transport", "sources/xds",
	},
	"sources/decode":    {"sources/mesh", "sources/object"},
	"sources/envoy":     {"sources/decode", "sources/mesh", "sources/object"},
	"sources/istiod":    {"sources/decode", "sources/mesh", "sources/object"},
	"sources/kube":      {"sources/decode", "sources/mesh", "sources/object"},
	"sources/ztunnel":   {"sources/decode", "sources/mesh", "sources/object"},
	"sources/store":     {"sources/mesh"},
	"sources/transport": {"sources/decode", "sources/mesh", "sources/object"},
	"sources/forward":   {},
	"sources/live":      {"sources/decode", "sources/kube", "sources/mesh", "sources/object", "sources/transport"},
	"sources/redact":    {"sources/decode", "sources/envoy", "sources/kube", "sources/mesh"},
	"sources/mesh":      {"sources/object"},
	"sources/object":    {},
}

// homes lists the packages that may import each outside module; the packages
// below them may too. A module that is not listed may not be imported at all.
var homes = map[string][]string{
	"github.com/itchyny/gojq":                      {"query/syntax"},
	"github.com/blang/semver/v4":                   {"query/library"},
	"github.com/spf13/cobra":                       {"plugin"},
	"github.com/spf13/pflag":                       {"plugin"},
	"golang.org/x/term":                            {"plugin"},
	"github.com/reeflective/readline":              {"plugin/repl"},
	"golang.org/x/sync":                            {"query/diff", "sources", "query/eval"},
	"k8s.io/cli-runtime":                           {"plugin", "printers"},
	"k8s.io/client-go":                             {"plugin", "sources", "printers"}, // printers uses only its jsonpath
	"k8s.io/apimachinery":                          {"plugin", "sources", "printers"},
	"k8s.io/api":                                   {"plugin", "sources"},
	"k8s.io/klog/v2":                               {"plugin"}, // only to turn it off
	"k8s.io/streaming":                             {"sources/forward"},
	"github.com/envoyproxy/go-control-plane/envoy": {"sources/envoy"},
	"github.com/cncf/xds/go":                       {"sources/envoy"},
	"google.golang.org/protobuf":                   {"sources/envoy", "sources/xds"},
	"github.com/klauspost/compress":                {"sources/transport"},
	"sigs.k8s.io/yaml":                             {"printers", "sources"},
	"go.yaml.in/yaml":                              {"printers", "sources"},
}

// generators are programs that generate code and are not part of the product.
// They may import the packages that they read.
var generators = []string{"sources/envoy/fieldgen"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) (all []goPackage) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestImportsAreAllowed checks that packages import only what arrows and homes
// allow. Packages in test/ are exempt, because they test the product from
// outside.
func TestImportsAreAllowed(t *testing.T) {
	for _, p := range packages(t) {
		room := roomOf(p.ImportPath)
		if slices.Contains(generators, room) || strings.HasPrefix(room, "test/") {
			continue
		}
		for _, path := range p.Imports {
			switch {
			case path == module || strings.HasPrefix(path, module+"/"):
				if to := roomOf(path); !slices.Contains(arrows[room], to) {
					t.Errorf("%s imports %s: no such arrow", room, to)
				}
			case strings.Contains(strings.Split(path, "/")[0], "."):
				if !atHome(room, path) {
					t.Errorf("%s imports %s, which is not at home there", room, path)
				}
			}
		}
	}
}

func atHome(room, path string) bool {
	for outside, allowed := range homes {
		if path != outside && !strings.HasPrefix(path, outside+"/") {
			continue
		}
		for _, h := range allowed {
			if room == h || strings.HasPrefix(room, h+"/") {
				return true
			}
		}
	}
	return false
}

func roomOf(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// TestPackagesAndFilesFollowTheRules checks rules for every package and file:
// each package and exported name has a doc comment, no file is too long or has
// a vague name, and there are no init functions.
func TestPackagesAndFilesFollowTheRules(t *testing.T) {
	said := map[string]bool{}
	eachFile(t, func(path string) {
		room := filepath.Dir(path)
		said[room] = said[room] || false
		if n := lines(t, path); n > 700 && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines; the most is 700", path, n)
		}
		for _, word := range []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "types"} {
			if slices.Contains(strings.Split(strings.TrimSuffix(filepath.ToSlash(path), ".go"), "/"), word) {
				t.Errorf("%s: %q says nothing of what is in it", path, word)
			}
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		isTest := strings.HasSuffix(path, "_test.go")
		if !isTest || strings.HasPrefix(room, "test") { // packages under test/ may have only tests
			said[room] = said[room] || f.Doc != nil
		}
		if !isTest {
			checkDeclarations(t, path, f)
		}
	})
	for room, ok := range said {
		if !ok {
			t.Errorf("package %s doesn't say what it knows", room)
		}
	}
}

func checkDeclarations(t *testing.T, path string, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				t.Errorf("%s: init runs before main", path)
			}
			if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil && !satisfies(d) {
				t.Errorf("%s: %s says nothing of what it promises", path, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
					t.Errorf("%s: %s says nothing of what it is", path, ts.Name.Name)
				}
			}
		}
	}
}

// satisfies reports whether a method belongs to a well-known interface, whose
// documentation then applies to the method.
func satisfies(d *ast.FuncDecl) bool {
	known := []string{"Error", "Unwrap", "String", "Set", "Type", "Read", "Write", "Close", "Len", "Less", "Swap"}
	return d.Recv != nil && slices.Contains(known, d.Name.Name)
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if s, ok := typ.(*ast.StarExpr); ok {
		typ = s.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// TestOnlyPluginReadsClockAndProcess checks that no package below plugin reads
// the clock or the state of the process.
func TestOnlyPluginReadsClockAndProcess(t *testing.T) {
	eachFile(t, func(path string) {
		room := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || room == "." || strings.HasPrefix(room, "plugin") || strings.HasPrefix(room, "test/") || slices.Contains(generators, room) {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := s.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch name := pkg.Name + "." + s.Sel.Name; name {
			case "time.Now", "time.Since", "time.Until", "time.After", "time.Sleep", "time.NewTimer", "time.NewTicker", "time.Tick",
				"context.WithTimeout", "context.WithDeadline", "os.Getwd", "os.UserHomeDir", "os.TempDir", "os.Getenv", "os.LookupEnv", "os.Environ", "os.Args", "os.Stdout", "os.Stderr", "os.Stdin", "os.Exit":
				t.Errorf("%s uses %s: that is the plugin's", path, name)
			}
			return true
		})
	})
}

func eachFile(t *testing.T, f func(path string)) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, path string) (n int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); n++ {
	}
	return n
}
