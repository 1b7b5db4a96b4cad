package shipped_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestNoQuerySwallowsAList checks that no query of the plugin or of the library
// hides the error of a list of the document, or of a section of a proxy, that
// can't be read. With ?, with try without catch and with //, an unreadable list
// would look empty.
func TestNoQuerySwallowsAList(t *testing.T) {
	programs := map[string]*syntax.Program{}
	for _, pattern := range []string{"*.jq", "check/*.jq", "../library/*.jq"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if programs[path], err = syntax.Parse(path, string(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	library := map[string]*syntax.FuncDef{}
	for path, p := range programs {
		if strings.HasPrefix(path, "../library/") {
			definitions(p, library)
		}
	}
	for path, p := range programs {
		for _, found := range swallows(p, library) {
			t.Errorf("%s: %s", path, found)
		}
	}
}

// TestSwallowsAreFound checks that the previous test finds the forbidden forms,
// and accepts similar ones that are allowed.
func TestSwallowsAreFound(t *testing.T) {
	for query, found := range map[string]bool{
		`.virtualServices[]?`:                                      true,
		`.proxies[].clusters[]?`:                                   true,
		`.proxies[] | .clusters?`:                                  true,
		`.proxies[] | .clusters[0].name?`:                          false, // the ? belongs to the field of a cluster
		`$mesh.sidecars[]? | .spec`:                                true,
		`first($mesh.proxies[] | .id)?`:                            true,
		`try .proxies[] | .id`:                                     true,
		`.clusters // []`:                                          true,
		`def all: .clusters[]; [.proxies[] | (all)?]`:              true,
		`def all: .clusters[]; first(all) // null`:                 true,
		`.proxies[] | .routes[].virtualHosts[]?.routes[]?.name`:    false,
		`.proxies[] | try .clusters[] catch null`:                  false,
		`.proxies[] | .listeners[] | .filterChains[]?`:             false,
		`.pilots[] | .version // "unknown"`:                        false,
		`[.clusters[] | .name // "none", .edsClusterConfig.x?][0]`: false,
	} {
		p, err := syntax.Parse("", query)
		if err != nil {
			t.Fatal(err)
		}
		if got := swallows(p, nil); (len(got) > 0) != found {
			t.Errorf("%s: %q", query, got)
		}
	}
}

// definitions adds all functions that a program defines, at any depth, to a map
// by name.
func definitions(p *syntax.Program, to map[string]*syntax.FuncDef) {
	walk(reflect.ValueOf(p.Query), func(n any) {
		if d, ok := n.(*syntax.FuncDef); ok {
			to[d.Name] = d
		}
	})
}

// swallows returns a message for each expression of a program that hides the error of a
// list or a section.
func swallows(p *syntax.Program, library map[string]*syntax.FuncDef) (found []string) {
	s := &swallowing{lists: lists(), known: map[string]*syntax.FuncDef{}}
	for name, d := range library {
		s.known[name] = d
	}
	definitions(p, s.known)
	check := func(span syntax.Span, how string, names []string) {
		for _, name := range names {
			line, _ := p.LineCol(span.Start)
			found = append(found, fmt.Sprintf("line %d: %s over %s", line, how, name))
		}
	}
	walk(reflect.ValueOf(p.Query), func(n any) {
		switch n := n.(type) {
		case *syntax.Term:
			for i, x := range n.SuffixList {
				if x.Optional {
					check(n.Span, "?", s.guarded(n, i))
				}
			}
		case *syntax.Try:
			if n.Catch == nil {
				check(n.Body.Span, "try", s.in(n.Body))
			}
		case *syntax.Query:
			if n.Op == syntax.OpAlt {
				check(n.Span, "//", s.in(n.Left))
			}
		}
	})
	return found
}

// lists returns the fields of the mesh and of proxies that are loaded on their
// own.
func lists() map[string]bool {
	names := map[string]bool{}
	for _, kind := range []string{"Mesh", "Proxy"} {
		all := sources.Kinds()
		k := all[slices.IndexFunc(all, func(k mesh.Kind) bool { return k.Name == kind })]
		for _, f := range k.Fields {
			if kind == "Mesh" && f.Name != "kind" && f.Name != "takenAt" && f.Name != "faults" && f.Name != "contexts" || kind == "Proxy" && f.Cost != mesh.InOutline {
				names[f.Name] = true
			}
		}
	}
	return names
}

type swallowing struct {
	lists map[string]bool
	known map[string]*syntax.FuncDef
	under map[string]bool // the functions whose bodies are being visited; prevents endless recursion
}

// guarded returns the lists whose errors are hidden by a "?". at is the index of the "?"
// among the suffixes of t. In .a[].b[]? and in .a[].b? it hides only errors of .b. In
// (f)? it hides the errors of every list that f reads.
func (s *swallowing) guarded(t *syntax.Term, at int) []string {
	var links []*syntax.Index // a nil element means []
	if t.Type == syntax.TermIndex {
		links = append(links, t.Index)
	}
	for _, x := range t.SuffixList[:at] {
		if !x.Optional {
			links = append(links, x.Index)
		}
	}
	if n := len(links); n > 0 && links[n-1] == nil {
		links = links[:n-1] // without the final [], the last link is the list
	}
	if len(links) == 0 { // a call or parentheses
		head := *t
		head.SuffixList = nil
		return s.in(&head)
	}
	all, whole := s.names(links)
	if last := nameOf(links[len(links)-1]); whole && last != "" {
		return all[len(all)-1:]
	}
	return nil
}

// in returns the lists that a node reads, including those that its functions
// read.
func (s *swallowing) in(n any) (names []string) {
	walk(reflect.ValueOf(n), func(n any) {
		switch n := n.(type) {
		case *syntax.Term:
			var links []*syntax.Index
			if n.Type == syntax.TermIndex {
				links = append(links, n.Index)
			}
			for _, x := range n.SuffixList {
				links = append(links, x.Index)
			}
			all, _ := s.names(links)
			names = append(names, all...)
		case *syntax.Func:
			d := s.known[n.Name]
			if d == nil || s.under[n.Name] {
				return
			}
			if s.under == nil {
				s.under = map[string]bool{}
			}
			s.under[n.Name] = true
			names = append(names, s.in(d.Body)...)
			delete(s.under, n.Name)
		}
	})
	return names
}

// names returns the lists that a chain of indexes goes through. whole is whether every
// index of the chain is a list. It is false, for example, for the routes of a virtual
// host, which have the name of a list but are a part of another one.
func (s *swallowing) names(links []*syntax.Index) (names []string, whole bool) {
	for _, x := range links {
		switch name := nameOf(x); {
		case name == "":
		case !s.lists[name]:
			return names, false
		default:
			names = append(names, name)
		}
	}
	return names, true
}

func nameOf(x *syntax.Index) string {
	switch {
	case x == nil:
		return ""
	case x.Str != nil:
		return x.Str.Str
	}
	return x.Name
}

// walk visits all nodes of a tree that are pointers.
func walk(v reflect.Value, visit func(any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		visit(v.Interface())
		walk(v.Elem(), visit)
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	}
}
