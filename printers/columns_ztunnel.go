package printers

import (
	"fmt"
	"strings"
)

// ztunnelKinds are the tables of what a ztunnel holds: istioctl's columns.
func ztunnelKinds() []Kind {
	return ofProxies([]Kind{
		{Name: "Workload", Columns: workloadColumns()},
		{Name: "WorkloadService", Columns: workloadServiceColumns()},
		{Name: "Policy", Columns: []Column{
			path("NAMESPACE", "namespace"),
			naming(path("POLICY NAME", "name")),
			path("ACTION", "action"),
			path("SCOPE", "scope"),
		}},
		{Name: "Connection", Columns: connectionColumns()},
	})
}

func workloadColumns() []Column {
	return append([]Column{
		path("NAMESPACE", "namespace"),
		naming(path("POD NAME", "name")),
		{Header: "ADDRESS", Fields: []string{"workloadIps", "hostname"}, cell: workloadAddress},
		path("NODE", "node"),
		{Header: "WAYPOINT", Fields: []string{"waypoint.destination"}, cell: waypoint},
		path("PROTOCOL", "protocol"),
	}, wide(
		path("STATUS", "status"),
		path("WORKLOAD", "workloadName"),
		path("SERVICE ACCOUNT", "serviceAccount"),
		path("CLUSTER", "clusterId"),
	)...)
}

func workloadAddress(s *subject) string {
	if ips := s.texts("workloadIps"); ips != nil {
		return strings.Join(ips, ",")
	}
	return s.text("hostname")
}

// waypoint is the service that traffic goes through first: its name, where the
// destination is namespace/hostname, or its address, where it is network/ip.
func waypoint(s *subject) string {
	destination := s.text("waypoint", "destination")
	if destination == "" {
		return "None"
	}
	_, host, _ := strings.Cut(destination, "/")
	if name, _, ok := strings.Cut(host, ".svc."); ok {
		name, _, _ = strings.Cut(name, ".")
		return name
	}
	return host
}

func workloadServiceColumns() []Column {
	return append([]Column{
		path("NAMESPACE", "namespace"),
		naming(path("SERVICE NAME", "name")),
		{Header: "SERVICE VIP", Fields: []string{"vips"}, cell: vips},
		{Header: "WAYPOINT", Fields: []string{"waypoint.destination"}, cell: waypoint},
		{Header: "ENDPOINTS", Fields: []string{"endpoints"}, cell: healthyEndpoints},
	}, wide(
		path("HOSTNAME", "hostname"),
	)...)
}

// vips are addresses, without the network in front.
func vips(s *subject) string {
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

// healthyEndpoints is healthy/all. Dumps that don't say how an endpoint is
// call none unhealthy.
func healthyEndpoints(s *subject) string {
	endpoints, ok := s.at("endpoints").(map[string]any)
	if !ok {
		return s.text("endpoints")
	}
	healthy := 0
	for _, e := range endpoints {
		if status := s.of(e).text("status"); status == "Healthy" || status == "" {
			healthy++
		}
	}
	return fmt.Sprintf("%d/%d", healthy, len(endpoints))
}

// connectionColumns turn a connection so that the workload's own end stands
// first.
func connectionColumns() []Column {
	end := func(header, inbound, outbound string) Column {
		return Column{Header: header, Fields: []string{inbound, outbound}, cell: func(s *subject) string {
			if s.text("direction") == "inbound" {
				return s.text(inbound)
			}
			return s.text(outbound)
		}}
	}
	return []Column{
		naming(path("WORKLOAD", "workload")),
		path("DIRECTION", "direction"),
		end("LOCAL", "actualDst", "src"),
		end("REMOTE", "src", "actualDst"),
		path("REMOTE TARGET", "originalDst"),
		path("PROTOCOL", "protocol"),
	}
}
