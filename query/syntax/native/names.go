package native

import (
	"slices"
	"sync"

	"github.com/itchyny/gojq"
)

// names are the functions that gojq offers, in order.
var names = sync.OnceValue(func() []string {
	q, err := gojq.Parse("builtins")
	if err != nil {
		return nil
	}
	v, _ := q.Run(nil).Next()
	list, _ := v.([]any)
	keys := make([]string, 0, len(list))
	for _, k := range list {
		if s, ok := k.(string); ok {
			keys = append(keys, s)
		}
	}
	slices.Sort(keys)
	return keys
})

// Has says whether gojq offers the function, by its name and the number of
// its arguments: "test/1".
func Has(key string) bool {
	_, ok := slices.BinarySearch(names(), key)
	return ok
}

// Keys gives the functions that gojq offers to queries, as "name/arity", in
// order.
func Keys() []string { return slices.Clone(names()) }

// Parses says whether gojq takes the text as a query: nil, or its error.
func Parses(text string) error {
	_, err := gojq.Parse(text)
	return err
}
