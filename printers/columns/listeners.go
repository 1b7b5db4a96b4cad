package columns

import (
	"slices"
	"strings"
)

// listenerColumns returns the columns of listeners, which are the same as
// istioctl's. A row is a listener with a summary of its matches and
// destinations. With -o wide, a row is one filter chain of a listener.
func listenerColumns() []Column {
	return append([]Column{
		{Header: "ADDRESSES", Fields: []string{"address", "additionalAddresses", "name"}, isName: true, cell: addresses},
		{Header: "PORT", Fields: []string{"address.socketAddress.portValue"}, cell: listenerPort},
		{Header: "MATCH", Fields: chainFields("filterChainMatch", "name"), cell: chainCell(chainMatch)},
		{Header: "DESTINATION", Fields: chainFields("filters"), cell: chainCell(chainDestination)},
		configurationState(),
	}, asWide(
		Column{Header: "CHAIN", Fields: chainFields("name"), cell: chainCell(func(chain *Subject) string { return chain.Text("name") })},
		Column{Header: "LISTENER", Fields: []string{"name"}, cell: func(s *Subject) string { return listener(s).Text("name") }},
		Column{Header: "UPDATED", Fields: []string{"lastUpdated"}, cell: func(s *Subject) string { return listener(s).since("lastUpdated") }},
		Column{Header: "ERROR", Fields: []string{"error"}, cell: func(s *Subject) string { return listener(s).Text("error") }},
	)...)
}

// chainFields returns the paths of fields of every filter chain.
func chainFields(names ...string) (fields []string) {
	for _, name := range names {
		fields = append(fields, "filterChains."+name, "defaultFilterChain."+name)
	}
	return fields
}

// listenerRows returns the subjects of a listener's rows. With -o wide these
// are its filter chains, with the default filter chain last. Otherwise it is
// the listener itself.
func listenerRows(s *Subject) []*Subject {
	if !s.Wide {
		return []*Subject{s}
	}
	if chains := filterChains(s); chains != nil {
		return chains
	}
	return []*Subject{s}
}

func filterChains(s *Subject) []*Subject {
	chains := s.objects("filterChains")
	if last := s.of(s.member("defaultFilterChain")); !last.isAbsent() {
		chains = append(chains, last)
	}
	return chains
}

// listener returns the listener to which the filter chain of a row belongs.
func listener(s *Subject) *Subject {
	if s.parent != nil {
		return s.parent
	}
	return s
}

// chainCell returns a function for the cells of a column. cell returns the text
// for one filter chain. For a listener, the function summarizes the texts of
// the listener's chains.
func chainCell(cell func(*Subject) string) func(*Subject) string {
	return func(s *Subject) string {
		if s.parent != nil {
			return cell(s)
		}
		var all []string
		for _, chain := range filterChains(s) {
			if text := cell(chain); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
		return summary(all, 1)
	}
}

func addresses(s *Subject) string {
	s = listener(s)
	all := []string{address(s.of(s.member("address")))}
	for _, more := range s.objects("additionalAddresses") {
		all = append(all, address(more.of(more.member("address"))))
	}
	return strings.Join(all, ",")
}

func address(a *Subject) string {
	for _, path := range [][]string{{"socketAddress", "address"}, {"pipe", "path"}} {
		if text := a.Text(path...); text != "" {
			return text
		}
	}
	if name := listener(a).Text("name"); name != "" {
		return "envoy://" + name // an internal listener has no socket
	}
	return ""
}

func listenerPort(s *Subject) string {
	if port := listener(s).Text("address", "socketAddress", "portValue"); port != "" {
		return port
	}
	return listener(s).Text("address", "socketAddress", "namedPort")
}

// chainMatch returns the conditions under which a connection matches a filter
// chain, in the same form as istioctl. If the listener selects chains by a
// matcher instead, the conditions are in that matcher, so the cell shows the
// chain's name.
func chainMatch(chain *Subject) string {
	if listener(chain).member("filterChainMatcher") != nil {
		return "Chain: " + chain.Text("name")
	}
	m := chain.of(chain.member("filterChainMatch"))
	var parts []string
	if names := m.texts("serverNames"); names != nil {
		parts = append(parts, "SNI: "+strings.Join(names, ","))
	}
	if transport := m.Text("transportProtocol"); transport != "" {
		parts = append(parts, "Trans: "+transport)
	}
	if protocols := m.texts("applicationProtocols"); protocols != nil {
		parts = append(parts, "App: "+applications(strings.Join(protocols, ",")))
	}
	if address := matchedAddress(m); address != "" {
		parts = append(parts, "Addr: "+address)
	}
	if parts == nil {
		return "ALL"
	}
	return strings.Join(parts, "; ")
}

// applications returns istioctl's short names for the ALPN protocol lists that
// Istio configures.
func applications(list string) string {
	switch list {
	case "http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2":
		return "HTTP TLS"
	case "istio,istio-http/1.0,istio-http/1.1,istio-h2":
		return "Istio HTTP Plain"
	case "istio-peer-exchange,istio":
		return "TCP TLS"
	case "http/1.0,http/1.1,h2c":
		return "HTTP"
	}
	return list
}

func matchedAddress(m *Subject) string {
	port := m.Text("destinationPort")
	if port != "" {
		port = ":" + port
	}
	var ranges []string
	for _, r := range m.objects("prefixRanges") {
		length := r.Text("prefixLen")
		if length == "" {
			length = "0"
		}
		ranges = append(ranges, r.Text("addressPrefix")+"/"+length)
	}
	switch {
	case ranges != nil:
		return strings.Join(ranges, ",") + port
	case port != "":
		return "*" + port
	}
	return ""
}

// chainDestination returns the destination to which a filter chain sends its
// connections. It takes the destination from the first HTTP connection manager
// or TCP proxy among the chain's filters.
func chainDestination(chain *Subject) string {
	for _, filter := range chain.objects("filters") {
		name := filter.Text("name")
		config := filter.of(filter.member("typedConfig"))
		if config.isAbsent() {
			config = filter.of(filter.member("config")) // the field for the configuration in Envoy's API version 2
		}
		switch {
		case strings.HasSuffix(name, "http_connection_manager") || config.isType("HttpConnectionManager"):
			return httpDestination(config)
		case strings.HasSuffix(name, "tcp_proxy") || config.isType("TcpProxy"):
			return tcpDestination(config)
		}
	}
	return "Non-HTTP/Non-TCP"
}

func (s *Subject) isType(message string) bool { return strings.HasSuffix(s.Text("@type"), "."+message) }

func httpDestination(config *Subject) string {
	if inline := config.of(config.member("routeConfig")); !inline.isAbsent() {
		return inlineRoutes(inline)
	}
	if name := config.Text("rds", "routeConfigName"); name != "" {
		return "Route: " + name
	}
	return "HTTP"
}

func tcpDestination(config *Subject) string {
	if cluster := config.Text("cluster"); cluster != "" {
		return toCluster(cluster)
	}
	var names []string
	for _, c := range config.objects("weightedClusters", "clusters") {
		names = append(names, c.Text("name"))
	}
	return "Clusters: " + strings.Join(names, ", ")
}

// toCluster returns the text for a cluster as a destination. Names such as
// PassthroughCluster already contain the word cluster.
func toCluster(name string) string {
	if strings.Contains(name, "Cluster") {
		return name
	}
	return "Cluster: " + name
}

// inlineRoutes returns the destination of a route configuration inside a
// listener. If all requests go to one cluster, it returns that cluster.
// Otherwise it returns the matches of the virtual hosts.
func inlineRoutes(config *Subject) string {
	hosts := config.objects("virtualHosts")
	if len(hosts) == 1 {
		if cluster := onlyCluster(hosts[0]); cluster != "" {
			return toCluster(cluster)
		}
	}
	var all []string
	for _, host := range hosts {
		domains := strings.Join(host.texts("domains"), "/")
		var matches []string
		for _, route := range host.objects("routes") {
			matches = append(matches, pathMatch(route.of(route.member("match"))))
		}
		text := strings.Join(matches, ", ")
		if domains != "*" {
			text = domains + " " + text
		}
		all = append(all, text)
	}
	return "Inline Route: " + strings.Join(all, "; ")
}

func onlyCluster(host *Subject) string {
	routes := host.objects("routes")
	if domains := host.texts("domains"); len(domains) != 1 || domains[0] != "*" || len(routes) != 1 {
		return ""
	}
	if routes[0].Text("match", "prefix") != "/" {
		return ""
	}
	return routes[0].Text("route", "cluster")
}
