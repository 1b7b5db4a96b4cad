package columns

import (
	"fmt"
	"slices"
	"strings"
)

// kubernetesKinds returns the tables of the Kubernetes kinds that have columns
// of their own, those of kubectl get.
func kubernetesKinds() []Kind {
	const istio, security, gateway = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
	return []Kind{
		kubernetesKind("Service", "", serviceColumns()...),
		kubernetesKind("VirtualService", istio, listing("GATEWAYS", "spec.gateways"), listing("HOSTS", "spec.hosts")),
		kubernetesKind("DestinationRule", istio, path("HOST", "spec.host")),
		kubernetesKind("Gateway", istio, selector("SELECTOR", "spec.selector")),
		kubernetesKind("ServiceEntry", istio, listing("HOSTS", "spec.hosts"), path("LOCATION", "spec.location"), path("RESOLUTION", "spec.resolution")),
		kubernetesKind("WorkloadEntry", istio, path("ADDRESS", "spec.address")),
		kubernetesKind("PeerAuthentication", security, path("MODE", "spec.mtls.mode")),
		kubernetesKind("AuthorizationPolicy", security, path("ACTION", "spec.action")),
		kubernetesKind("Gateway", gateway, path("CLASS", "spec.gatewayClassName"), gatewayAddress(), condition("PROGRAMMED", "Programmed")),
		clusterKind("GatewayClass", gateway, path("CONTROLLER", "spec.controllerName"), condition("ACCEPTED", "Accepted")),
		clusterKind("Namespace", "", path("STATUS", "status.phase")),
		clusterKind("Node", "", path("VERSION", "status.nodeInfo.kubeletVersion")),
		kubernetesKind("HTTPRoute", gateway, listing("HOSTNAMES", "spec.hostnames")),
		kubernetesKind("GRPCRoute", gateway, listing("HOSTNAMES", "spec.hostnames")),
	}
}

// kubernetesKind returns a table with the columns NAME, NAMESPACE, the kind's
// own, AGE, and last the kind's own columns of -o wide.
func kubernetesKind(name, group string, own ...Column) Kind {
	columns := append([]Column{naming(path("NAME", "metadata.name")), path("NAMESPACE", "metadata.namespace")}, own...)
	at := len(columns)
	for at > 0 && columns[at-1].Wide {
		at--
	}
	more := columns[at:]
	columns = append(columns[:at:at], created())
	return Kind{Name: name, Group: group, kubernetes: true, labels: []string{"metadata", "labels"}, Columns: append(columns, more...)}
}

// clusterKind returns the table of a kind whose objects have no namespace.
func clusterKind(name, group string, own ...Column) Kind {
	k := kubernetesKind(name, group, own...)
	k.Columns = slices.DeleteFunc(k.Columns, func(c Column) bool { return c.Header == "NAMESPACE" })
	return k
}

// created returns the column with an object's age. Like kubectl, it shows
// <unknown> for an object without a creation time.
func created() Column {
	c := age("AGE", "metadata.creationTimestamp")
	since := c.cell
	c.cell = func(s *Subject) string {
		if text := since(s); text != "" {
			return text
		}
		return Unknown
	}
	return c
}

func serviceColumns() []Column {
	return append([]Column{
		path("TYPE", "spec.type"),
		path("CLUSTER-IP", "spec.clusterIP"),
		{Header: "EXTERNAL-IP", Fields: []string{"spec.type", "spec.externalIPs", "spec.externalName", "status.loadBalancer.ingress"}, cell: externalIP},
		{Header: "PORT(S)", Fields: []string{"spec.ports"}, cell: servicePorts},
	}, wide(selector("SELECTOR", "spec.selector"))...)
}

// externalIP returns the external addresses of a service, as kubectl prints
// them.
func externalIP(s *Subject) string {
	ips := s.texts("spec", "externalIPs")
	switch s.Text("spec", "type") {
	case "ExternalName":
		return s.Text("spec", "externalName")
	case "LoadBalancer":
		var all []string
		for _, ingress := range s.objects("status", "loadBalancer", "ingress") {
			if ip := ingress.Text("ip"); ip != "" {
				all = append(all, ip)
			} else if name := ingress.Text("hostname"); name != "" {
				all = append(all, name)
			}
		}
		if ips = append(all, ips...); len(ips) == 0 {
			return "<pending>"
		}
	}
	return strings.Join(ips, ",")
}

func servicePorts(s *Subject) string {
	var all []string
	for _, p := range s.objects("spec", "ports") {
		text := p.Text("port")
		if node := p.Text("nodePort"); node != "" {
			text += ":" + node
		}
		protocol := p.Text("protocol")
		if protocol == "" {
			protocol = "TCP"
		}
		all = append(all, fmt.Sprintf("%s/%s", text, protocol))
	}
	return strings.Join(all, ",")
}

// selector returns a column that shows a selector as key=value,key=value.
func selector(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return s.pairs(keys...) }}
}

func gatewayAddress() Column {
	return Column{Header: "ADDRESS", Fields: []string{"status.addresses.value"}, cell: func(s *Subject) string {
		var all []string
		for _, a := range s.objects("status", "addresses") {
			all = append(all, a.Text("value"))
		}
		return strings.Join(all, ",")
	}}
}

// condition returns a column that shows the status of the object's condition of
// a type.
func condition(header, kind string) Column {
	return Column{Header: header, Fields: []string{"status.conditions"}, cell: func(s *Subject) string {
		for _, c := range s.objects("status", "conditions") {
			if c.Text("type") == kind {
				return c.Text("status")
			}
		}
		return ""
	}}
}
