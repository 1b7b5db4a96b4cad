package live

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A question is one request to an admin or debug port. Only [askAdmin], [askDebug]
// and [askLevel] create questions, and they check each against a list of allowed
// requests.
type question struct {
	method string
	path   string // the path of the request, for example "/config_dump"
	query  string
	name   string // the name of the request in errors
	form   transport.Form
}

// target returns the path and the query, as they appear in the request line.
func (q *question) target() string {
	if q.query == "" {
		return q.path
	}
	return q.path + "?" + q.query
}

// heavy reports whether the answer is computed before its first byte and may be
// large: a dump without a mask or with endpoints, or the configuration that istiod
// would send to an Envoy.
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

// adminJSON returns known if a path of Envoy's admin port may be requested, and
// always if the answer is JSON. Requests for these paths change nothing.
func adminJSON(path string) (always, known bool) {
	switch path {
	case "config_dump", "certs", "server_info", "memory", "runtime", "init_dump":
		return true, true
	case "clusters", "listeners", "stats", "stats/prometheus", "logging", "ready":
		return false, true
	}
	return false, false
}

// askAdmin returns the question for a request to Envoy or ztunnel. The plain words
// that name a snapshot's files are completed to full requests, in JSON where Envoy
// has it. A request with a question mark is sent unchanged ("config_dump?" is a dump
// without endpoints).
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
		case "logging": // without parameters logging lists the loggers; Envoy refuses a GET
			q.method = "POST"
		}
	}
	if json || slices.Contains(strings.Split(q.query, "&"), "format=json") {
		q.form = transport.JSON
	}
	return q, nil
}

// askDebug returns the question for one of istiod's endpoints.
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

// debugEndpoint reports whether an endpoint of istiod may be requested.
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

// debugParameters reports whether all parameters only select what is shown. Of the
// others that istiod knows, push makes it push and clear empties its caches.
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

// sendable reports whether a query may be put into a request line unchanged.
func sendable(query string) bool {
	return !strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == '#' || r >= 0x7f })
}

func never(request string) error { return fmt.Errorf("%q is not asked for", request) }
