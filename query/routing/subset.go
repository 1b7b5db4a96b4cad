package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// subset gives the places of the endpoints that the metadata asked for leaves.
func (b *balancing) subset(criteria *object.Object) []int {
	everything := make([]int, len(b.out.Members))
	for i := range everything {
		everything[i] = i
	}
	config := b.policy.subsets
	if config.fields == nil || len(config.list("subsetSelectors")) == 0 {
		return everything
	}
	keys := criteria.Sorted()
	policy, defaults := config.text("fallbackPolicy"), config.sub("defaultSubset").fields
	for _, s := range config.list("subsetSelectors") {
		if selected := slices.Sorted(slices.Values(s.texts("keys"))); len(keys) == 0 || !slices.Equal(selected, keys) {
			continue
		}
		if some := b.having(criteria, config); len(some) > 0 {
			b.out.Why = "the subset of " + criteriaSaid(criteria)
			return some
		}
		switch own := s.text("fallbackPolicy"); own {
		case "", "NOT_DEFINED":
		case "KEYS_SUBSET":
			fewer := object.New(0)
			for _, k := range s.texts("fallbackKeysSubset") {
				fewer.Set(k, criteria.Get(k))
			}
			if fewer.Len() < criteria.Len() { // Envoy refuses one that is not fewer
				return b.subset(fewer)
			}
		default:
			policy = own
		}
		break
	}
	return b.fallback(policy, defaults, config, criteria, everything)
}

// fallback is what is left where no subset is asked for, or the one asked for
// is empty.
func (b *balancing) fallback(policy string, defaults *object.Object, config message, criteria *object.Object, everything []int) []int {
	switch policy {
	case "ANY_ENDPOINT":
		b.out.Why = "no subset of " + criteriaSaid(criteria) + ": any endpoint"
		return everything
	case "DEFAULT_SUBSET":
		if some := b.having(defaults, config); len(some) > 0 {
			b.out.Why = "no subset of " + criteriaSaid(criteria) + ": the default one"
			return some
		}
		if config.flag("panicModeAny") {
			b.out.Why = "the default subset is empty: any endpoint"
			return everything
		}
	}
	b.out.Reason, b.out.Why = SubsetEmpty, "no subset of "+criteriaSaid(criteria)
	return nil
}

// having gives the endpoints that have all of some metadata.
func (b *balancing) having(criteria *object.Object, config message) (some []int) {
	for i, h := range b.out.Members {
		own := b.message(h.Endpoint).sub("metadata").sub("filterMetadata").sub("envoy.lb")
		all := true
		for k, want := range criteria.All() {
			all = all && b.has(own.value(k), want, config.flag("listAsAny"))
		}
		if all {
			some = append(some, i)
		}
	}
	return some
}

// isContainer tells an array or an object, which Go can't compare.
func isContainer(v any) bool {
	switch v.(type) {
	case []any, *object.Object:
		return true
	}
	return false
}

// has compares metadata; a list may count as any of its elements.
func (b *balancing) has(v, want any, listAsAny bool) bool {
	if list, ok := v.([]any); ok && listAsAny {
		return slices.ContainsFunc(list, func(w any) bool { return b.has(b.force(w), want, false) })
	}
	want = b.force(want)
	if isContainer(v) || isContainer(want) {
		return false
	}
	x, number := numeric(v)
	y, too := numeric(want)
	return v == want && v != nil || number && too && x == y
}

// criteriaSaid puts metadata in words.
func criteriaSaid(criteria *object.Object) string {
	if criteria.Len() == 0 {
		return "nothing"
	}
	var words []string
	for _, k := range criteria.Sorted() {
		words = append(words, fmt.Sprintf("%s=%v", k, criteria.Get(k)))
	}
	return strings.Join(words, ",")
}
