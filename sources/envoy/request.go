package envoy

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Request is what is asked of an Envoy's admin port, in the words of the
// document: how a live Envoy is asked for it, [Request.Asks] says.
type Request struct {
	What    string       // "config_dump" (with endpoints), "clusters", "server_info", "stats" or "logging"
	Section mesh.Section // of a config dump, the section that it is for; of stats, that they are for Updates only
	Wanted  mesh.Hint    // of the section, the elements wanted, by its key

	// Joined asks for all clusters, listeners and routes in one answer.
	Joined bool

	// List is one of the section's lists, in Envoy's spelling, whose elements are
	// asked for with only what Mask says of them. Others are lists that are asked
	// for whole, without the rest of the section. Both empty: the section as it is.
	List   string
	Mask   string
	Others string
}

// The requests.
const (
	configDump = "config_dump"
	clusters   = "clusters"
	serverInfo = "server_info"
	statistics = "stats"
	logging    = "logging"
)

// maxNames is how long the names asked for may be, all together, as a pattern:
// Envoy refuses a request line of some 60 kB, and proxies before it less.
const maxNames = 4 << 10

// Asks gives the ways to ask a live Envoy, the cheapest first: each later one
// answers more than was wanted and is for an Envoy that refuses the one before
// with 400, 404 or 431. With knowsMasks false the Envoy is too old for masks.
// Parameters as Envoy's admin documentation has them for /config_dump.
func (r Request) Asks(knowsMasks bool) []string {
	if r.What == statistics && r.Section == mesh.Updates {
		return []string{statistics + "?format=json&filter=" + url.QueryEscape(updateStats())}
	}
	if r.What != configDump {
		return []string{r.What}
	}
	whole := configDump + "?" // the bare word is the snapshot's, with endpoints
	if r.Section == mesh.Endpoints || r.Section == "" {
		whole += "include_eds"
	}
	if r.List != "" {
		return []string{configDump + "?resource=" + r.List + "&mask=" + r.Mask}
	}
	if r.Others != "" {
		return []string{configDump + "?mask=" + r.Others}
	}
	mask := sectionOf(r.Section).mask
	if mask == "" || !knowsMasks || r.Joined {
		return []string{whole}
	}
	ask := configDump + "?"
	if r.Section == mesh.Endpoints {
		ask += "include_eds&"
	}
	ask += "mask=" + mask
	asks := []string{ask, whole}
	if r.Section == mesh.Extensions { // an Envoy that has none refuses the mask
		asks = asks[:1]
	}
	if p := pattern(r.Wanted, r.Section == mesh.Endpoints); p != "" && len(p) <= maxNames {
		asks = append([]string{ask + "&name_regex=" + p}, asks...)
	}
	return asks
}

// pattern is a regular expression of what is wanted, as a part of a URL. Envoy
// matches it against whole names (RE2's full match); what has no name it holds
// under an empty one.
//
// With nameless it is also of what has no name: an Envoy up to 1.22 may have
// endpoints of any cluster there.
func pattern(wanted mesh.Hint, nameless bool) string {
	var all []string
	for _, n := range wanted.Names {
		all = append(all, regexp.QuoteMeta(n))
	}
	for _, p := range wanted.Patterns {
		all = append(all, "(?:"+p+")")
	}
	if len(wanted.Patterns) > 0 || nameless && len(all) > 0 {
		all = append(all, "")
	}
	return strings.ReplaceAll(url.QueryEscape(strings.Join(all, "|")), "+", "%20")
}

// Refused tells what the refusal of a section means, by the status and the
// text of Envoy's answer: nothing is there (empty), or it has to be asked in
// another way (again).
func (r Request) Refused(status int, text string) (empty, again bool) {
	switch {
	case r.What != configDump:
		return false, false
	case r.Section == mesh.Extensions && status == 400 && strings.Contains(text, "could not be successfully applied"):
		return true, false
	}
	return false, status == 400 || status == 404 || status == 431
}

// Partial tells whether it is for some fields of a section's elements.
func (r Request) Partial() bool { return r.List != "" || r.Others != "" }
