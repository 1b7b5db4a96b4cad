package live

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A question is one request to an admin or debug port. There is no other way
// to make one than by [askAdmin] and [askDebug], which hold what is asked
// against a list.
type question struct {
	method string
	path   string // "/config_dump"
	query  string
	name   string // for errors
	form   transport.Form
}

// target is what the request line has.
func (q *question) target() string {
	if q.query == "" {
		return q.path
	}
	return q.path + "?" + q.query
}

// heavy tells whether the answer is computed whole before it begins, and may
// be large: a dump without a mask, or with endpoints, or what istiod wants an
// Envoy to have.
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

// adminJSON are the paths of Envoy's admin port that may be asked, and whether
// they answer in JSON. Asking any of them changes nothing.
func adminJSON(path string) (always, known bool) {
	switch path {
	case "config_dump", "certs", "server_info", "memory", "runtime", "init_dump":
		return true, true
	case "clusters", "listeners", "stats", "stats/prometheus", "logging", "ready":
		return false, true
	}
	return false, false
}

// askAdmin makes the question of a request to Envoy or ztunnel. The plain
// words that snapshots have their files by are asked for in full, and in JSON
// where there is some; what has a question mark is asked as it is
// ("config_dump?" without endpoints).
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
		case "logging": // without parameters it lists the loggers; Envoy takes no GET
			q.method = "POST"
		}
	}
	if json || slices.Contains(strings.Split(q.query, "&"), "format=json") {
		q.form = transport.JSON
	}
	return q, nil
}

// askDebug makes the question of an endpoint of istiod.
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

// debugEndpoint tells the endpoints that may be asked.
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

// debugParameters tells whether all parameters only choose what is shown: of
// those that istiod knows, push makes it push and clear empties its caches.
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

// sendable tells whether a query can stand in a request line as it is.
func sendable(query string) bool {
	return !strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == '#' || r >= 0x7f })
}

func never(request string) error { return fmt.Errorf("%q is not asked for", request) }
