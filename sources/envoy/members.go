package envoy

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Members returns the fields of a message, given the message's full name. The
// fields have their names and order in the document; fields that only older
// versions of the message have are left out. It returns nil for an unknown
// message. The possible values of an enumeration are its names.
func Members(message string) []mesh.Member { return envoyFields().fieldsOf(message) }

func (t *fieldTable) fieldsOf(message string) []mesh.Member {
	line, ok := t.line(message)
	if !ok || line[0] == '#' || strings.HasPrefix(line[len(message):], " #") {
		return nil
	}
	home := packageOf(message)
	all := []mesh.Member{}
	for word := range strings.FieldsSeq(line[len(message):]) {
		if word[0] == '-' {
			continue
		}
		name, holds := word, ""
		if i := strings.IndexAny(word, "[#=@*?%"); i >= 0 {
			name, holds = word[:i], word[i:]
		}
		name, own, named := strings.Cut(name, "|")
		if !named {
			own = camel(name)
		}
		m := mesh.Member{Name: own, Holding: t.holding(message, holds, home)}
		m.Doc = describe(holds)
		all = append(all, m)
	}
	return all
}

// holding converts the type of a field, in the format of the field table, to a
// mesh.Holding.
func (t *fieldTable) holding(message, holds, home string) (h mesh.Holding) {
	holds, h.List = strings.CutPrefix(holds, "[]")
	holds, h.Map = strings.CutPrefix(holds, "%")
	if holds == "" {
		return h
	}
	name := holds[1:]
	if own, ok := strings.CutPrefix(name, "^"); ok {
		name = home + "." + own
	}
	switch holds[0] {
	case '#':
		if line, ok := t.line(name); ok {
			h.Values = strings.Fields(strings.TrimPrefix(line[len(name):], " #"))
		}
	case '=':
		h.Objects = []string{name}
	case '@':
		h.Objects, h.Open = commonly(message), true
	default:
		h.Open = true
	}
	return h
}

// describe returns the name of the message that a field contains, without its
// package.
func describe(holds string) string {
	holds, list := strings.CutPrefix(holds, "[]")
	if !strings.HasPrefix(holds, "=") {
		return ""
	}
	name := strings.TrimPrefix(holds[1:], "^")
	if p := packageOf(name); p != name && p != "" {
		name = strings.TrimPrefix(name, p+".")
	}
	if list {
		return "[" + name + "]"
	}
	return name
}

// commonly returns the messages that an Any in a message usually contains in
// Istio's configuration. Descriptors don't contain this information.
func commonly(message string) []string {
	const filters, sockets = "envoy.extensions.filters.", "envoy.extensions.transport_sockets.tls.v3."
	return slices.Clone(map[string][]string{
		"envoy.config.listener.v3.Filter":                         {filters + "network.http_connection_manager.v3.HttpConnectionManager", filters + "network.tcp_proxy.v3.TcpProxy", filters + "network.rbac.v3.RBAC"},
		"envoy.config.core.v3.TransportSocket":                    {sockets + "UpstreamTlsContext", sockets + "DownstreamTlsContext"},
		"envoy.config.accesslog.v3.AccessLog":                     {"envoy.extensions.access_loggers.file.v3.FileAccessLog"},
		"envoy.config.cluster.v3.Cluster":                         {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions"},
		filters + "network.http_connection_manager.v3.HttpFilter": {filters + "http.router.v3.Router", filters + "http.fault.v3.HTTPFault", filters + "http.rbac.v3.RBAC", filters + "http.grpc_stats.v3.FilterConfig"},
	}[message])
}
