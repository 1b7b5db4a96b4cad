package columns

import "strings"

// envoyKinds returns the tables of an Envoy's resources. They have istioctl's
// columns. Where istioctl prints a text in empty cells, they have the same
// text.
func envoyKinds() []Kind {
	kinds := []Kind{
		{Name: "Cluster", Columns: clusterColumns()},
		{Name: "Listener", Columns: listenerColumns(), rows: listenerRows},
		{Name: "RouteConfiguration", Columns: routeColumns(), rows: routeConfigurationRows},
		{Name: "VirtualHost", Columns: routeColumns(), rows: virtualHostRows},
		{Name: "Route", Columns: routeColumns()},
		{Name: "RouteMatch", Columns: matchColumns()},
		{Name: "UnreachableRoute", Columns: unreachableColumns()},
		{Name: "ListenerSummary", Columns: []Column{asName(listColumn("ADDRESSES", "addresses")), pathColumn("PORT", "port"), pathColumn("TYPE", "type"), stateColumn()}},
		{Name: "RouteSummary", Columns: []Column{asName(pathColumn("NAME", "name")), pathColumn("VIRTUAL HOSTS", "virtualHosts"), stateColumn()}},
		{Name: "Endpoint", Columns: endpointColumns()},
		{Name: "Secret", Columns: secretColumns()},
		{Name: "ExtensionConfig", Columns: extensionColumns()},
	}
	return withProxyColumn(kinds)
}

// withProxyColumn adds a column to each kind that shows the proxy to which an
// object belongs. It also makes "-" the text of empty cells.
func withProxyColumn(kinds []Kind) []Kind {
	for i := range kinds {
		kinds[i].none = "-"
		kinds[i].Columns = append([]Column{proxyColumn()}, kinds[i].Columns...)
	}
	return kinds
}

func clusterColumns() []Column {
	return append([]Column{
		{Header: "SERVICE FQDN", Fields: []string{"direction", "fqdn", "name"}, isName: true, cell: clusterService},
		fieldPlace("port"),
		fieldPlace("subset"),
		fieldPlace("direction"),
		{Header: "TYPE", Fields: []string{"type", "clusterType.name"}, cell: clusterType},
		fieldPlace("destinationRule"),
		configurationState(),
	}, asWide(
		ageColumn("UPDATED", "lastUpdated"),
		pathColumn("VERSION", "versionInfo"),
		pathColumn("NAME", "name"),
	)...)
}

// clusterService returns the service that a cluster's name contains, or the
// whole name if it contains none.
func clusterService(s *Subject) string {
	if s.Text("direction") == "" {
		return s.Text("name")
	}
	return s.Text("fqdn")
}

// clusterType returns Envoy's name for a cluster's type. Envoy omits the type
// STATIC from dumps, and also the type if an extension defines it.
func clusterType(s *Subject) string {
	for _, path := range [][]string{{"type"}, {"clusterType", "name"}} {
		if t := s.Text(path...); t != "" {
			return t
		}
	}
	return "STATIC"
}

func endpointColumns() []Column {
	status := pathColumn("STATUS", "health")
	outlier := pathColumn("OUTLIER CHECK", "outlier")
	outlier.Wide = true
	return append([]Column{
		asName(Column{Header: "ENDPOINT", Fields: []string{"address"}, cell: endpointAddress}),
		status,
		outlier,
		pathColumn("CLUSTER", "cluster"),
	}, asWide(
		pathColumn("WEIGHT", "weight"),
		pathColumn("PRIORITY", "priority"),
		Column{Header: "LOCALITY", Fields: []string{"locality"}, cell: locality},
		pathColumn("HOSTNAME", "hostname"),
	)...)
}

// locality returns a locality as region/zone/subZone, up to the first part that
// is not known.
func locality(s *Subject) string {
	var parts []string
	for _, key := range []string{"region", "zone", "subZone"} {
		part := s.Text("locality", key)
		if part == "" {
			break
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/")
}

func secretColumns() []Column {
	trust := pathColumn("TRUST DOMAIN", "trustDomain")
	trust.Sometimes, trust.shown = "some have one", hasOtherThan("-")
	status := pathColumn("STATUS", "state")
	status.Alarm = true
	return append([]Column{
		asName(pathColumn("NAME", "name")),
		pathColumn("TYPE", "type"),
		status,
		pathColumn("VALID CERT", "valid"),
		pathColumn("SERIAL NUMBER", "serialNumber"),
		pathColumn("NOT AFTER", "notAfter"),
		pathColumn("NOT BEFORE", "notBefore"),
		trust,
	}, asWide(
		Column{Header: "EXPIRES IN", Fields: []string{"notAfter"}, cell: func(s *Subject) string { return s.until("notAfter") }},
		listColumn("SUBJECT ALT NAMES", "subjectAltNames"),
		pathColumn("ISSUER", "issuer"),
	)...)
}

func extensionColumns() []Column {
	return append([]Column{
		asName(pathColumn("NAME", "name")),
		{Header: "TYPE", Fields: []string{"typeURL"}, cell: func(s *Subject) string {
			return strings.TrimPrefix(s.Text("typeURL"), "type.googleapis.com/")
		}},
		stateColumn(),
	}, asWide(
		ageColumn("UPDATED", "lastUpdated"),
		pathColumn("VERSION", "versionInfo"),
	)...)
}

// endpointAddress returns the address of an endpoint. That of an internal listener ends
// with a slash if the endpoint has no id, as istioctl prints it.
func endpointAddress(s *Subject) string {
	address := s.Text("address")
	if name, ok := strings.CutPrefix(address, "envoy://"); ok && !strings.Contains(name, "/") {
		return address + "/"
	}
	return address
}
