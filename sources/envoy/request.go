package envoy

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Request is a request to an Envoy's admin port, in the terms of the document.
// [Request.Asks] converts it to URL paths for a live Envoy.
type Request struct {
	What string // "config_dump" (with endpoints), "clusters", "server_info", "stats" or "logging"
	// the section for which a config dump is requested; for stats, Updates if
	// no other section needs them
	Section mesh.Section
	Wanted  mesh.Hint // selects the wanted elements of the section; clusters can be selected only by Names

	// Joined requests all clusters, listeners and routes in one answer.
	Joined bool

	// List is one of the section's lists in the dump, in Envoy's spelling: only
	// the fields in Mask are requested of its elements. Others are lists that are
	// requested completely, without the rest of the section. If both are empty,
	// the whole section is requested.
	List   string
	Mask   string
	Others string
}

// These are the possible values of Request.What.
const (
	configDump = "config_dump"
	clusters   = "clusters"
	serverInfo = "server_info"
	statistics = "stats"
	logging    = "logging"
)

// maxNames is the largest size in bytes of a pattern of names in a request. Envoy
// refuses request lines of about 60 kB, and other proxies on the way to Envoy
// have lower limits.
const maxNames = 4 << 10

// Asks returns URL paths for a live Envoy, the cheapest first. Each path returns
// more than the path before it, and is meant for an Envoy that refuses that path
// with 400, 404 or 431. knowsMasks is false for an Envoy that is too old for
// masks. Envoy's admin documentation of /config_dump describes the parameters. For
// clusters, the parameter filter is a regular expression that may match any part
// of a name (measured on 1.38.2 and 1.40.0; 1.37.0 ignores it).
func (r Request) Asks(knowsMasks bool) []string {
	if r.What == statistics && r.Section == mesh.Updates {
		return []string{statistics + "?format=json&filter=" + url.QueryEscape(updateStats())}
	}
	if r.What == clusters && len(r.Wanted.Names) > 0 {
		if p := pattern(r.Wanted, false); len(p) <= maxNames {
			return []string{clusters + "?format=json&filter=%5E%28%3F%3A" + p + "%29%24", clusters}
		}
	}
	if r.What != configDump {
		return []string{r.What}
	}
	whole := configDump + "?" // a path without "?" is for snapshots, whose dumps include endpoints
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
	if r.Section == mesh.Extensions { // an Envoy without extensions refuses the mask
		asks = asks[:1]
	}
	if p := pattern(r.Wanted, r.Section == mesh.Endpoints); p != "" && len(p) <= maxNames {
		asks = append([]string{ask + "&name_regex=" + p}, asks...)
	}
	return asks
}

// pattern returns the regular expression that selects the wanted elements,
// escaped for a URL. Envoy matches it against whole names (RE2's full match). For
// a resource without a name, it matches it against the empty string.
//
// If nameless is set, the expression also matches the empty string, because an
// Envoy up to 1.22 may list the endpoints of any cluster without a name.
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

// Refused interprets the status and the text with which Envoy refused a section.
// It reports whether the section is empty, or whether the next path should be
// tried (retry).
func (r Request) Refused(status int, text string) (empty, retry bool) {
	switch {
	case r.What == clusters:
		return false, status == 400 || status == 431
	case r.What != configDump:
		return false, false
	case r.Section == mesh.Extensions && status == 400 && strings.Contains(text, "could not be successfully applied"):
		return true, false
	}
	return false, status == 400 || status == 404 || status == 431
}

// Partial reports whether only some fields of a section's elements are requested.
func (r Request) Partial() bool { return r.List != "" || r.Others != "" }
