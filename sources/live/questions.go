package live

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A question is a request to an admin port or a debug port. Only [askAdmin],
// [askDebug] and [askLevel] create questions. They check each question against a
// list of allowed requests.
type question struct {
	method string
	path   string // the path of the request, such as "/config_dump"
	query  string
	name   string // the name of the request in errors
	form   transport.Form
}

// target returns the path and the query for the request line.
func (q *question) target() string {
	if q.query == "" {
		return q.path
	}
	return q.path + "?" + q.query
}

// heavy reports whether the server computes the response before it sends the
// first byte, and the response may be large. This is so for a dump without a mask
// or with endpoints, and for the configuration that istiod would send to an
// Envoy.
func (q *question) heavy() bool {
	switch q.path {
	case "/debug/config_dump", "/debug/edsz":
		return true
	case "/config_dump":
		masked := false
		for p := range strings.SplitSeq(q.query, "&") {
			name, value, _ := strings.Cut(p, "=")
			if name == "include_eds" {
				return true
			}
			masked = masked || name == "mask" && value != ""
		}
		return !masked
	}
	return false
}

// adminJSON reports whether a path of Envoy's admin port may be requested (known),
// which requires that the request changes nothing. always is true if the response
// is always JSON.
func adminJSON(path string) (always, known bool) {
	switch path {
	case "config_dump", "certs", "server_info", "memory", "runtime", "init_dump":
		return true, true
	case "clusters", "listeners", "stats", "stats/prometheus", "logging", "ready":
		return false, true
	}
	return false, false
}

// askAdmin returns a request to Envoy or ztunnel. A plain word, such as
// "clusters", is the name of a file in a snapshot. askAdmin expands it to a full
// request, for JSON if Envoy supports it. It keeps a request with a question mark
// unchanged ("config_dump?" requests a dump without endpoints).
func askAdmin(request string, ztunnel bool) (*question, error) {
	path, query, asked := strings.Cut(request, "?")
	json, known := adminJSON(path)
	if !known || !sendable(query) || path == "logging" && asked {
		return nil, never(request)
	}
	q := &question{method: "GET", path: "/" + path, query: query, name: path, form: transport.Text}
	if !asked {
		switch path {
		case "config_dump":
			if !ztunnel {
				q.query = "include_eds"
			}
		case "clusters", "stats", "listeners":
			q.query = "format=json"
		case "logging": // without parameters, logging only lists the loggers; Envoy requires a POST for it
			q.method = "POST"
		}
	}
	if json || slices.Contains(strings.Split(q.query, "&"), "format=json") {
		q.form = transport.JSON
	}
	return q, nil
}

// askDebug returns a request to one of istiod's debug endpoints.
func askDebug(endpoint string) (*question, error) {
	name, query, _ := strings.Cut(endpoint, "?")
	if name == "version" && query == "" {
		return &question{method: "GET", path: "/version", name: name, form: transport.Text}, nil
	}
	if !debugEndpoint(name) || !sendable(query) || !debugParameters(query) {
		return nil, never(endpoint)
	}
	return &question{method: "GET", path: "/debug/" + name, query: query, name: name, form: transport.JSON}, nil
}

// debugEndpoint reports whether requests to an endpoint of istiod are allowed.
func debugEndpoint(name string) bool {
	switch name {
	case "syncz", "adsz", "connections", "config_dump", "edsz", "ecdsz", "ndsz",
		"endpointShardz", "endpointz", "registryz", "configz", "sidecarz", "telemetryz", "instancesz",
		"ambientz", "authorizationz", "pushcontext", "push_status", "mesh", "inject", "networkz", "mcsz",
		"krtz", "resourcesz", "clusterz", "cachez", "list":
		return true
	}
	return false
}

// debugParameters reports whether all parameters only select what istiod returns.
// Other parameters are refused: push makes istiod push, and clear empties its
// caches.
func debugParameters(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name := range values {
		switch name {
		case "proxyID", "include_eds", "types", "namespace", "sizes", "pretty":
		default:
			return false
		}
	}
	return true
}

// sendable reports whether a query can be part of a request line without escaping.
func sendable(query string) bool {
	return !strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == '#' || r >= 0x7f })
}

func never(request string) error { return fmt.Errorf("%q is not asked for", request) }
