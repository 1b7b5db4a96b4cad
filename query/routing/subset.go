package routing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// subset returns the indexes of the endpoints that match the metadata criteria.
func (b *balancing) subset(criteria *object.Object) []int {
	everything := make([]int, len(b.out.Members))
	for i := range everything {
		everything[i] = i
	}
	config := b.policy.subsets
	if config.Fields == nil || len(config.List("subsetSelectors")) == 0 {
		return everything
	}
	keys := criteria.Sorted()
	policy, defaults := config.Text("fallbackPolicy"), config.Sub("defaultSubset").Fields
	for _, s := range config.List("subsetSelectors") {
		if selected := slices.Sorted(slices.Values(s.Texts("keys"))); len(keys) == 0 || !slices.Equal(selected, keys) {
			continue
		}
		if some := b.withMetadata(criteria, config); len(some) > 0 {
			b.out.Why = "the subset of " + formatCriteria(criteria)
			return some
		}
		switch own := s.Text("fallbackPolicy"); own {
		case "", "NOT_DEFINED":
		case "KEYS_SUBSET":
			fewer := object.New(0)
			for _, k := range s.Texts("fallbackKeysSubset") {
				fewer.Set(k, criteria.Get(k))
			}
			if fewer.Len() < criteria.Len() { // Envoy rejects a fallback unless it has fewer keys
				return b.subset(fewer)
			}
		default:
			policy = own
		}
		break
	}
	return b.fallback(policy, defaults, config, criteria, everything)
}

// fallback returns the indexes of the endpoints that are used if the criteria
// select no subset, or an empty one.
func (b *balancing) fallback(policy string, defaults *object.Object, config document.Message, criteria *object.Object, everything []int) []int {
	switch policy {
	case "ANY_ENDPOINT":
		b.out.Why = "no subset of " + formatCriteria(criteria) + ": any endpoint"
		return everything
	case "DEFAULT_SUBSET":
		if some := b.withMetadata(defaults, config); len(some) > 0 {
			b.out.Why = "no subset of " + formatCriteria(criteria) + ": the default one"
			return some
		}
		if config.Flag("panicModeAny") {
			b.out.Why = "the default subset is empty: any endpoint"
			return everything
		}
	}
	b.out.Reason, b.out.Why = SubsetEmpty, "no subset of "+formatCriteria(criteria)
	return nil
}

// withMetadata returns the indexes of the endpoints that have all metadata in
// criteria.
func (b *balancing) withMetadata(criteria *object.Object, config document.Message) (some []int) {
	for i, h := range b.out.Members {
		own := b.Message(h.Endpoint).Sub("metadata").Sub("filterMetadata").Sub("envoy.lb")
		all := true
		for k, want := range criteria.All() {
			all = all && b.matchesMetadata(own.Value(k), want, config.Flag("listAsAny"))
		}
		if all {
			some = append(some, i)
		}
	}
	return some
}

// isContainer reports whether v is an array or an object. Go can't compare such
// values with ==.
func isContainer(v any) bool {
	switch v.(type) {
	case []any, *object.Object:
		return true
	}
	return false
}

// matchesMetadata reports whether the metadata v equals the metadata want. If
// listAsAny is true, a list matches if one of its elements does.
func (b *balancing) matchesMetadata(v, want any, listAsAny bool) bool {
	if list, ok := v.([]any); ok && listAsAny {
		return slices.ContainsFunc(list, func(w any) bool { return b.matchesMetadata(b.Force(w), want, false) })
	}
	want = b.Force(want)
	if isContainer(v) || isContainer(want) {
		return false
	}
	x, number := numeric(v)
	y, too := numeric(want)
	return v == want && v != nil || number && too && x == y
}

// formatCriteria formats metadata criteria for a message.
func formatCriteria(criteria *object.Object) string {
	if criteria.Len() == 0 {
		return "nothing"
	}
	var words []string
	for _, k := range criteria.Sorted() {
		words = append(words, fmt.Sprintf("%s=%v", k, criteria.Get(k)))
	}
	return strings.Join(words, ",")
}

// CriteriaOf returns the metadata (of envoy.lb) that a route requires of the
// endpoints. The result has one object for each cluster of the route, in the
// route's order. The object is nil if the route requires no metadata for this
// cluster.
func CriteriaOf(ctx context.Context, route any) ([]*object.Object, error) {
	r := document.NewReader(ctx)
	action := r.Message(route).Sub("route")
	own := metadataOf(action)
	all := []*object.Object{own}
	if action.Has("weightedClusters") {
		all = nil
		for _, e := range action.Sub("weightedClusters").List("clusters") {
			all = append(all, merge(own, metadataOf(e)))
		}
	}
	return all, r.Err
}

// metadataOf returns the metadata that a route, or an entry of its weighted
// clusters, requires of the endpoints.
func metadataOf(m document.Message) *object.Object {
	fields, _ := m.Deep(m.Sub("metadataMatch").Sub("filterMetadata").Fields.Get("envoy.lb")).(*object.Object)
	return fields
}

// merge adds the metadata of an entry (over) to that of its route (under). If a
// key is in both, the entry's value is used.
func merge(under, over *object.Object) *object.Object {
	if over.Len() == 0 {
		return under
	}
	out := over.Clone()
	for k, v := range under.All() {
		if _, has := out.Lookup(k); !has {
			out.Set(k, v)
		}
	}
	return out
}
