package query

import (
	"reflect"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Mentions gives those of the names that a query's text looks up as a field,
// in the order of names. It says what a query may touch, not what it will:
// a name can be computed, and a field can go unread.
func Mentions(src string, names []string) []string {
	p, err := syntax.Parse("", src)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	walkIndexes(reflect.ValueOf(p.Query), func(x *syntax.Index) {
		seen[x.Name] = true
		if x.Str != nil {
			seen[x.Str.Str] = true
		}
		if x.Start != nil && x.Start.Term != nil && x.Start.Term.Str != nil { // .["name"]
			seen[x.Start.Term.Str.Str] = true
		}
	})
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !seen[n] })
}

// walkIndexes visits every index of a tree. The tree is plain structs,
// pointers and slices: reflection walks it whatever nodes it gains.
func walkIndexes(v reflect.Value, visit func(*syntax.Index)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if x, ok := v.Interface().(*syntax.Index); ok {
			visit(x)
		}
		walkIndexes(v.Elem(), visit)
	case reflect.Struct:
		for i := range v.NumField() {
			walkIndexes(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkIndexes(v.Index(i), visit)
		}
	}
}
