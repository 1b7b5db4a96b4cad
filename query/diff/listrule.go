package diff

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// listRule describes how the elements of a list are compared, which depends on how Envoy
// reads the list.
type listRule struct {
	free bool  // whether the order of the elements has no meaning
	keys []key // keys that identify an element, the most reliable one first
	kept bool  // whether the order of elements with the same key has a meaning
}

// key is a way to identify an element of a list: the name of a string field, or one of
// the constants below.
type key string

const (
	byChain    key = "(chain)"    // match of a filter chain, because several chains may have the same name
	byHeader   key = "(header)"   // name of a header, in upper or lower case
	byLocality key = "(locality)" // locality and priority of an endpoint group
	byHost     key = "(host)"     // address of an endpoint
)

var (
	unordered = listRule{free: true}
	named     = listRule{free: true, keys: []key{"name"}}
	// Envoy adds headers with the same name in their order
	headers = listRule{free: true, keys: []key{byHeader}, kept: true}
	// Envoy uses only the first entry of each priority
	priorities = listRule{free: true, keys: []key{"priority"}, kept: true}
)

// freeLists contains the rules of the lists whose order has no meaning to Envoy. The key
// is the name of the list, or the name of the enclosing field, a dot, and the name of the
// list. The order of all other lists has a meaning: for example, Envoy uses the first
// route that matches, and runs filters in sequence.
var freeLists = map[string]listRule{
	"virtualHosts":                   named, // Envoy uses the virtual host with the most specific domain
	"domains":                        unordered,
	"filterChains":                   {free: true, keys: []key{byChain, "name"}}, // Envoy uses the chain with the most specific match
	"weightedClusters.clusters":      named,
	"circuitBreakers.thresholds":     priorities,
	"perHostThresholds":              priorities,
	"requestHeadersToAdd":            headers,
	"responseHeadersToAdd":           headers,
	"responseTrailersToAdd":          headers,
	"requestHeadersToRemove":         unordered,
	"responseHeadersToRemove":        unordered,
	"match.headers":                  named, // all headers must match
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
	"matchSubjectAltNames":           unordered, // Envoy requires only that one of the entries matches
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

// listRule returns the rule for the list at this location.
func (p location) listRule() listRule {
	if p.rules != envoy {
		return listRule{}
	}
	if r, ok := freeLists[p.name]; ok {
		return r
	}
	return freeLists[p.parent+"."+p.name] // without an entry in freeLists, the order of a list has a meaning
}

// of returns the value that identifies an element of a list, or "" if there is none.
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

// identity returns a text that identifies an element of an ordered list, even after the
// element has changed. It is "" if nothing identifies the element.
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

// at returns the value at a path of member names, or nil if there is none.
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
