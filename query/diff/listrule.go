package diff

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A listRule says how Envoy reads a list.
type listRule struct {
	free bool  // its order means nothing
	keys []key // what tells which elements of two lists are the same thing, the surest first
	kept bool  // the order of those with one key does mean something
}

// A key is what elements of a list are told apart by: a member that is a text,
// or one of the words below.
type key string

const (
	byChain    key = "(chain)"    // several filter chains may have one name, none the same match
	byHeader   key = "(header)"   // of its name the case means nothing
	byLocality key = "(locality)" // with its priority
	byHost     key = "(host)"     // an endpoint's address
)

var (
	unordered  = listRule{free: true}
	named      = listRule{free: true, keys: []key{"name"}}
	headers    = listRule{free: true, keys: []key{byHeader}, kept: true}   // added one after the other
	priorities = listRule{free: true, keys: []key{"priority"}, kept: true} // the first of a priority counts
)

// freeLists are the lists whose order means nothing to Envoy, by their name,
// or with the name of the member around them. All others are read in order:
// the first route that matches is taken, filters are a chain.
var freeLists = map[string]listRule{
	"virtualHosts":                   named, // the most specific domain is taken
	"domains":                        unordered,
	"filterChains":                   {free: true, keys: []key{byChain, "name"}}, // as is the most specific match
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
	"matchSubjectAltNames":           unordered, // one of them is enough
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

// list is the rule of a list.
func (p place) list() listRule {
	if p.realm != envoy {
		return listRule{}
	}
	if r, ok := freeLists[p.name]; ok {
		return r
	}
	return freeLists[p.parent+"."+p.name] // none: its order counts
}

// of gives an element's key; "" for one that has none.
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

// identity tells which elements of two lists that are read in order are the
// same thing, changed: "" for what has nothing to tell it by.
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

func printOf(v any) string { return strconv.FormatUint(fingerprint(v, place{realm: envoy}), 36) }

// at gives what is under names, nil where there is nothing.
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
