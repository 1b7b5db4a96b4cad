package query

import (
	"reflect"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Mentions gives those of the names that a query's text looks up as a field,
// or by a function of calls, in the order of names. It says what a query may
// touch, not what it will: a name can be computed, and a field can go unread.
func Mentions(src string, names []string, calls map[string]string) []string {
	p, err := syntax.Parse("", src)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	walk(reflect.ValueOf(p.Query), func(node any) {
		switch x := node.(type) {
		case *syntax.Index:
			seen[x.Name] = true
			if x.Str != nil {
				seen[x.Str.Str] = true
			}
			if x.Start != nil && x.Start.Term != nil && x.Start.Term.Str != nil { // .["name"]
				seen[x.Start.Term.Str.Str] = true
			}
		case *syntax.ObjectKeyVal:
			seen[x.Key] = seen[x.Key] || x.Val == nil // {name} is {name: .name}
		case *syntax.PatternObject:
			seen[strings.TrimPrefix(x.Key, "$")] = true
		case *syntax.Func:
			seen[calls[x.Name]] = true
		}
	})
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !seen[n] })
}

// OneLine gives a query as it was understood, on one line and without its
// comments. A text that is no query is given back as it is.
func OneLine(src string) string {
	p, err := syntax.Parse("", src)
	if err != nil {
		return src
	}
	return syntax.Format(p.Query)
}

// walk visits every node of a tree. The tree is plain structs, pointers and
// slices: reflection walks it whatever nodes it gains.
func walk(v reflect.Value, visit func(node any)) {
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
