package diff

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// listRule says how Envoy reads a list.
type listRule struct {
	free bool  // the order of the elements means nothing
	keys []key // the keys that identify an element, the most reliable first
	kept bool  // the order of elements with the same key counts
}

// key identifies an element of a list. It is the name of a string field, or one
// of the constants below.
type key string

const (
	byChain    key = "(chain)"    // filter chains may share a name, but not a match
	byHeader   key = "(header)"   // the case of a header's name means nothing
	byLocality key = "(locality)" // the locality and the priority
	byHost     key = "(host)"     // the address of an endpoint
)

var (
	unordered  = listRule{free: true}
	named      = listRule{free: true, keys: []key{"name"}}
	headers    = listRule{free: true, keys: []key{byHeader}, kept: true}   // headers of one name are added in their order
	priorities = listRule{free: true, keys: []key{"priority"}, kept: true} // the first entry of a priority counts
)

// freeLists holds the lists whose order means nothing to Envoy. The key is the
// name of the list, or that name after the name of the enclosing field. All
// other lists are read in order: the first route that matches is taken, and
// filters run in sequence.
var freeLists = map[string]listRule{
	"virtualHosts":                   named, // the most specific domain wins
	"domains":                        unordered,
	"filterChains":                   {free: true, keys: []key{byChain, "name"}}, // the most specific match wins
	"weightedClusters.clusters":      named,
	"circuitBreakers.thresholds":     priorities,
	"perHostThresholds":              priorities,
	"requestHeadersToAdd":            headers,
	"responseHeadersToAdd":           headers,
	"responseTrailersToAdd":          headers,
	"requestHeadersToRemove":         unordered,
	"responseHeadersToRemove":        unordered,
	"match.headers":                  named, // all must match
	"match.queryParameters":          named,
	"retriableHeaders":               named,
	"retriableRequestHeaders":        named,
	"retriableStatusCodes":           unordered,
	"allowOriginStringMatch":         unordered,
	"upgradeConfigs":                 {free: true, keys: []key{"upgradeType"}},
	"customTags":                     {free: true, keys: []key{"tag"}},
	"applicationProtocols":           unordered,
	"serverNames":                    unordered,
	"prefixRanges":                   unordered,
	"sourcePrefixRanges":             unordered,
	"directSourcePrefixRanges":       unordered,
	"sourcePorts":                    unordered,
	"matchSubjectAltNames":           unordered, // one match is enough
	"matchTypedSubjectAltNames":      unordered,
	"verifySubjectAltName":           unordered,
	"verifyCertificateSpki":          unordered,
	"verifyCertificateHash":          unordered,
	"tlsCertificateSdsSecretConfigs": named,
	"principals":                     unordered,
	"permissions":                    unordered,
	"andRules.rules":                 unordered,
	"orRules.rules":                  unordered,
	"andIds.ids":                     unordered,
	"orIds.ids":                      unordered,
	"loadAssignment.endpoints":       {free: true, keys: []key{byLocality}},
	"lbEndpoints":                    {free: true, keys: []key{byHost}},
}

// listRule returns the rule for a list at this location.
func (p location) listRule() listRule {
	if p.rules != envoy {
		return listRule{}
	}
	if r, ok := freeLists[p.name]; ok {
		return r
	}
	return freeLists[p.parent+"."+p.name] // without an entry, the order counts
}

// of returns the key of an element, or "" if it has none.
func (k key) of(v any) string {
	switch k {
	case byChain:
		return textAt(v, "name") + "\x00" + printOf(at(v, "filterChainMatch"))
	case byHeader:
		return strings.ToLower(textAt(v, "header", "key"))
	case byLocality:
		return printOf([]any{at(v, "locality"), at(v, "priority")})
	case byHost:
		return printOf(at(v, "endpoint", "address"))
	}
	return textAt(v, string(k))
}

// identity returns a text that is the same for an element and its changed
// version in another ordered list. It is "" if nothing identifies the element.
func identity(v any) string {
	m, ok := v.(*object.Object)
	if !ok {
		return ""
	}
	id := textAt(v, "name")
	if match, ok := m.Lookup("match"); ok {
		id += "\x00" + printOf(match)
	}
	return id
}

func printOf(v any) string { return strconv.FormatUint(fingerprint(v, location{rules: envoy}), 36) }

// at returns the value at a path of names, or nil if there is none.
func at(v any, names ...string) any {
	for _, name := range names {
		m, _ := v.(*object.Object)
		v = m.Get(name)
	}
	return v
}

func textAt(v any, names ...string) string {
	s, _ := at(v, names...).(string)
	return s
}
