package house

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The size of what one reader can keep in mind.
const (
	mostFiles       = 30   // of a package
	mostLines       = 4000 // of code in a package: neither blank nor comment
	mostMethods     = 60   // of a type
	mostMethodFiles = 8    // over which the methods of a type are spread
)

// wide are the types that may have more methods: a recursive descent parser has
// one for each rule of its grammar.
var wide = []string{"query/syntax.parser"}

// borders are the interfaces that one type of the product implements. Each is the
// border of a package: what it needs from a package that it must not import.
var borders = []string{
	"query/complete.Schema", "query/eval.ModuleLoader", "query/syntax.Names",
	"sources/decode.TaggedShape", "sources/live.Dialer", "sources/mesh.Narrower", "sources/mesh.Whole", "sources/recording.Archive", "sources/requests.StatusError",
}

// TestSizes holds packages to so many files and lines, and types to so many
// methods in so many files.
func TestSizes(t *testing.T) {
	lines, files := map[string]int{}, map[string]int{}
	methods, spread := map[string]int{}, map[string]map[string]bool{}
	eachProductFile(t, func(path string) {
		room := filepath.ToSlash(filepath.Dir(path))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[room]++
		lines[room] += codeLines(string(text))
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if name := receiver(d); name != "" {
				name = room + "." + name
				methods[name]++
				if spread[name] == nil {
					spread[name] = map[string]bool{}
				}
				spread[name][path] = true
			}
		}
	})
	for room, n := range files {
		if n > mostFiles || lines[room] > mostLines {
			t.Errorf("%s: %d files and %d lines of code; the most is %d and %d", room, n, lines[room], mostFiles, mostLines)
		}
	}
	for name, n := range methods {
		if n > mostMethods && !slices.Contains(wide, name) || len(spread[name]) > mostMethodFiles {
			t.Errorf("%s: %d methods in %d files; the most is %d in %d", name, n, len(spread[name]), mostMethods, mostMethodFiles)
		}
	}
}

// eachProductFile calls do with the Go files of the product, without tests.
func eachProductFile(t *testing.T, do func(path string)) {
	for _, top := range []string{"plugin", "query", "sources", "printers"} {
		err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "testdata") {
				do(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// codeLines counts the lines that are neither blank nor comment.
func codeLines(text string) (n int) {
	inside := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case inside || strings.HasPrefix(line, "/*"):
			inside = !strings.Contains(line, "*/")
		case line != "" && !strings.HasPrefix(line, "//"):
			n++
		}
	}
	return n
}

// receiver returns the type that a declaration is a method of, "" for none.
func receiver(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok || f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// TestInterfacesHaveSeveralImplementations finds the interfaces of the product
// that one type of the product implements, and expects that list to be borders.
func TestInterfacesHaveSeveralImplementations(t *testing.T) {
	product := typecheck(t)
	for _, p := range product {
		for _, name := range p.Scope().Names() {
			iface, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Interface)
			if _, isType := p.Scope().Lookup(name).(*types.TypeName); !ok || !isType || iface.NumMethods() == 0 {
				continue
			}
			full := roomOf(p.Path()) + "." + name
			implementing := implementations(iface, product)
			if listed := slices.Contains(borders, full); listed != (len(implementing) < 2) {
				t.Errorf("%s is implemented by %q, listed as a border: %t", full, implementing, listed)
			}
		}
	}
}

func implementations(iface *types.Interface, product []*types.Package) (names []string) {
	for _, p := range product {
		for _, name := range p.Scope().Names() {
			tn, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || types.IsInterface(tn.Type()) || tn.IsAlias() {
				continue
			}
			if named, ok := tn.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
				continue
			}
			if types.Implements(tn.Type(), iface) || types.Implements(types.NewPointer(tn.Type()), iface) {
				names = append(names, roomOf(p.Path())+"."+name)
			}
		}
	}
	return names
}

// typecheck gives the packages of the product with the types of their source.
func typecheck(t *testing.T) (product []*types.Package) {
	out, err := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,GoFiles,Export", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	exports := map[string]string{}
	own := map[string]*types.Package{}
	compiled := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	config := types.Config{Importer: importerFunc(func(path string) (*types.Package, error) {
		if p := own[path]; p != nil {
			return p, nil
		}
		return compiled.Import(path)
	})}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; { // a package comes after those that it imports
		var p struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return product
		} else if err != nil {
			t.Fatal(err)
		}
		if exports[p.ImportPath] = p.Export; p.ImportPath != module && !strings.HasPrefix(p.ImportPath, module+"/") {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		checked, err := config.Check(p.ImportPath, fset, files, nil)
		if err != nil {
			t.Fatal(err)
		}
		own[p.ImportPath] = checked
		product = append(product, checked)
	}
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }
