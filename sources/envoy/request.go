package envoy

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Request is a request to an Envoy's admin port, in the terms of the
// document; [Request.Asks] converts it to paths for a live Envoy.
type Request struct {
	What    string       // "config_dump" (with endpoints), "clusters", "server_info", "stats" or "logging"
	Section mesh.Section // the section that a config dump is for; of stats, Updates if they are for that only
	Wanted  mesh.Hint    // the elements wanted of the section

	// Joined asks for all clusters, listeners and routes in one answer.
	Joined bool

	// List is one of the section's lists, in Envoy's spelling: only the fields in
	// Mask are requested of its elements. Others are lists that are requested
	// whole, without the rest of the section. Both empty: the whole section.
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

// maxNames is the largest size in bytes of a pattern of names in a request:
// Envoy refuses request lines of about 60 kB, and proxies before it shorter
// ones.
const maxNames = 4 << 10

// Asks returns the paths to ask a live Envoy for, the cheapest first. Each
// later one returns more than was wanted and is for an Envoy that refuses the
// one before with 400, 404 or 431. knowsMasks is false for an Envoy that is too
// old for masks. Envoy's admin documentation of /config_dump describes the
// parameters.
func (r Request) Asks(knowsMasks bool) []string {
	if r.What == statistics && r.Section == mesh.Updates {
		return []string{statistics + "?format=json&filter=" + url.QueryEscape(updateStats())}
	}
	if r.What != configDump {
		return []string{r.What}
	}
	whole := configDump + "?" // without "?" it is the snapshot's request, with endpoints
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

// pattern returns the regular expression of the elements wanted, escaped for a
// URL. Envoy matches it against whole names (RE2's full match); resources
// without a name have an empty one.
//
// With nameless it also matches the empty name: an Envoy up to 1.22 may have
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

// Refused interprets the status and the text of Envoy's refusal of a section:
// the section is empty, or the next path has to be tried (retry).
func (r Request) Refused(status int, text string) (empty, retry bool) {
	switch {
	case r.What != configDump:
		return false, false
	case r.Section == mesh.Extensions && status == 400 && strings.Contains(text, "could not be successfully applied"):
		return true, false
	}
	return false, status == 400 || status == 404 || status == 431
}

// Partial reports whether the request is for some fields of a section's
// elements.
func (r Request) Partial() bool { return r.List != "" || r.Others != "" }
