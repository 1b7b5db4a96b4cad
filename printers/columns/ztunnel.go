package columns

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// ztunnelKinds returns the tables of a ztunnel's objects. They have the same
// columns as in istioctl.
func ztunnelKinds() []Kind {
	return withProxyColumn([]Kind{
		{Name: "Workload", Columns: workloadColumns()},
		{Name: "WorkloadService", Columns: workloadServiceColumns()},
		{Name: "Policy", Columns: []Column{
			pathColumn("NAMESPACE", "namespace"),
			asName(pathColumn("POLICY NAME", "name")),
			pathColumn("ACTION", "action"),
			pathColumn("SCOPE", "scope"),
		}},
		{Name: "Connection", Columns: connectionColumns()},
	})
}

func workloadColumns() []Column {
	return append([]Column{
		pathColumn("NAMESPACE", "namespace"),
		asName(pathColumn("POD NAME", "name")),
		{Header: "ADDRESS", Fields: []string{"workloadIps", "hostname"}, cell: workloadAddress},
		pathColumn("NODE", "node"),
		{Header: "WAYPOINT", Fields: []string{"waypoint.destination"}, cell: waypoint},
		pathColumn("PROTOCOL", "protocol"),
	}, asWide(
		pathColumn("STATUS", "status"),
		pathColumn("WORKLOAD", "workloadName"),
		pathColumn("SERVICE ACCOUNT", "serviceAccount"),
		pathColumn("CLUSTER", "clusterId"),
	)...)
}

func workloadAddress(s *Subject) string {
	if ips := s.texts("workloadIps"); ips != nil {
		return strings.Join(ips, ",")
	}
	return s.Text("hostname")
}

// waypoint returns the name of the waypoint's service. If the ztunnel has no
// such service, it returns the waypoint's destination.
func waypoint(s *Subject) string {
	destination := s.Text("waypoint", "destination")
	if destination == "" {
		return "None"
	}
	if name := s.serviceAt(destination); name != "" {
		return name
	}
	return destination
}

func workloadServiceColumns() []Column {
	return append([]Column{
		pathColumn("NAMESPACE", "namespace"),
		asName(pathColumn("SERVICE NAME", "name")),
		{Header: "SERVICE VIP", Fields: []string{"vips"}, cell: vips},
		{Header: "WAYPOINT", Fields: []string{"waypoint.destination"}, cell: waypoint},
		{Header: "ENDPOINTS", Fields: []string{"endpoints"}, cell: healthyEndpoints},
	}, asWide(
		pathColumn("HOSTNAME", "hostname"),
		whereSaid(pathColumn("CANONICAL", "canonical"), "a ztunnel says which services are canonical"),
		whereSaid(Column{Header: "CIDR VIPS", Fields: []string{"cidrVips"}, cell: cidrVIPs}, "a service has networks of addresses"),
	)...)
}

// whereSaid makes a column appear only if some row has a value for it, because
// older ztunnels don't report the value.
func whereSaid(c Column, when string) Column {
	c.Sometimes, c.shown = when, hasOtherThan("", "-", None)
	return c
}

// cidrVIPs returns the networks of a service's addresses, without the prefix for
// Istio's network.
func cidrVIPs(s *Subject) string {
	var all []string
	for _, vip := range s.texts("cidrVips") {
		_, network, _ := strings.Cut(vip, "/")
		all = append(all, network)
	}
	return strings.Join(all, ",")
}

// vips returns the addresses of a service, without the prefix for Istio's
// network.
func vips(s *Subject) string {
	var all []string
	for _, vip := range s.texts("vips") {
		_, address, ok := strings.Cut(vip, "/")
		if !ok {
			address = vip
		}
		all = append(all, address)
	}
	return strings.Join(all, ",")
}

// healthyEndpoints returns the number of healthy endpoints and the number of
// all, as healthy/all. An endpoint without a status has the status of its
// workload.
func healthyEndpoints(s *Subject) string {
	endpoints, ok := s.at("endpoints").(*object.Object)
	if !ok {
		return s.Text("endpoints")
	}
	healthy := 0
	for _, key := range endpoints.Sorted() {
		at := s.of(endpoints.Get(key))
		status := at.Text("status")
		if status == "Healthy" || status == "" && s.healthyWorkload(at.Text("workloadUid")) {
			healthy++
		}
	}
	return fmt.Sprintf("%d/%d", healthy, endpoints.Len())
}

// connectionColumns returns the columns of connections. The workload's own end
// of a connection is always LOCAL, whether it is the client or the server.
func connectionColumns() []Column {
	end := func(header, inbound, outbound string) Column {
		return Column{Header: header, Fields: []string{inbound, outbound}, cell: func(s *Subject) string {
			if s.Text("direction") == "inbound" {
				return s.Text(inbound)
			}
			return s.Text(outbound)
		}}
	}
	return []Column{
		asName(pathColumn("WORKLOAD", "workload")),
		{Header: "DIRECTION", Fields: []string{"direction"}, cell: func(s *Subject) string { return capitalized(s.Text("direction")) }},
		end("LOCAL", "actualDst", "src"),
		end("REMOTE", "src", "actualDst"),
		pathColumn("REMOTE TARGET", "originalDst"),
		pathColumn("PROTOCOL", "protocol"),
	}
}

// capitalized returns a word with a capital first letter, as istioctl prints
// "Inbound" and "Outbound".
func capitalized(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
