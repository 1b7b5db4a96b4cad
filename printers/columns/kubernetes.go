package columns

import (
	"fmt"
	"slices"
	"strings"
)

// kubernetesKinds returns the tables of those Kubernetes kinds for which
// kubectl get has special columns. The tables have the same columns.
func kubernetesKinds() []Kind {
	const istio, security, gateway = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
	return []Kind{
		kubernetesKind("Service", "", serviceColumns()...),
		kubernetesKind("VirtualService", istio, listColumn("GATEWAYS", "spec.gateways"), listColumn("HOSTS", "spec.hosts")),
		kubernetesKind("DestinationRule", istio, pathColumn("HOST", "spec.host")),
		kubernetesKind("Gateway", istio, selectorColumn("SELECTOR", "spec.selector")),
		kubernetesKind("ServiceEntry", istio, listColumn("HOSTS", "spec.hosts"), pathColumn("LOCATION", "spec.location"), pathColumn("RESOLUTION", "spec.resolution")),
		kubernetesKind("WorkloadEntry", istio, pathColumn("ADDRESS", "spec.address")),
		kubernetesKind("PeerAuthentication", security, pathColumn("MODE", "spec.mtls.mode")),
		kubernetesKind("AuthorizationPolicy", security, pathColumn("ACTION", "spec.action")),
		kubernetesKind("Gateway", gateway, pathColumn("CLASS", "spec.gatewayClassName"), gatewayAddress(), conditionColumn("PROGRAMMED", "Programmed")),
		clusterKind("GatewayClass", gateway, pathColumn("CONTROLLER", "spec.controllerName"), conditionColumn("ACCEPTED", "Accepted")),
		clusterKind("Namespace", "", pathColumn("STATUS", "status.phase")),
		clusterKind("Node", "", pathColumn("VERSION", "status.nodeInfo.kubeletVersion")),
		kubernetesKind("HTTPRoute", gateway, listColumn("HOSTNAMES", "spec.hostnames")),
		kubernetesKind("GRPCRoute", gateway, listColumn("HOSTNAMES", "spec.hostnames")),
	}
}

// kubernetesKind returns a table with the columns NAME, NAMESPACE, the kind's
// own columns, AGE, and the kind's own columns of -o wide.
func kubernetesKind(name, group string, own ...Column) Kind {
	columns := append([]Column{asName(pathColumn("NAME", "metadata.name")), pathColumn("NAMESPACE", "metadata.namespace")}, own...)
	at := len(columns)
	for at > 0 && columns[at-1].Wide {
		at--
	}
	more := columns[at:]
	columns = append(columns[:at:at], createdColumn())
	return Kind{Name: name, Group: group, kubernetes: true, labels: []string{"metadata", "labels"}, Columns: append(columns, more...)}
}

// clusterKind returns the table of a kind whose objects have no namespace.
func clusterKind(name, group string, own ...Column) Kind {
	k := kubernetesKind(name, group, own...)
	k.Columns = slices.DeleteFunc(k.Columns, func(c Column) bool { return c.Header == "NAMESPACE" })
	return k
}

// createdColumn returns the column with an object's age. Like kubectl, it shows
// <unknown> for an object without a creation time.
func createdColumn() Column {
	c := ageColumn("AGE", "metadata.creationTimestamp")
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
		pathColumn("TYPE", "spec.type"),
		pathColumn("CLUSTER-IP", "spec.clusterIP"),
		{Header: "EXTERNAL-IP", Fields: []string{"spec.type", "spec.externalIPs", "spec.externalName", "status.loadBalancer.ingress"}, cell: externalIP},
		{Header: "PORT(S)", Fields: []string{"spec.ports"}, cell: servicePorts},
	}, asWide(selectorColumn("SELECTOR", "spec.selector"))...)
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

// selectorColumn returns a column that shows a selector as key=value,key=value.
func selectorColumn(header, path string) Column {
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

// conditionColumn returns a column that shows the status of an object's
// condition, given the condition's type.
func conditionColumn(header, kind string) Column {
	return Column{Header: header, Fields: []string{"status.conditions"}, cell: func(s *Subject) string {
		for _, c := range s.objects("status", "conditions") {
			if c.Text("type") == kind {
				return c.Text("status")
			}
		}
		return ""
	}}
}
