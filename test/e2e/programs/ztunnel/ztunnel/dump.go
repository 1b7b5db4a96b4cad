package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"
)

type object = map[string]any

// dump returns the config dump of the ztunnel. Fields with their default are left out where ztunnel leaves them out.
func (c *client) dump() object {
	c.mu.Lock()
	defer c.mu.Unlock()
	workloads, services, policies := []any{}, []any{}, []any{}
	for _, uid := range slices.Sorted(maps.Keys(c.workloads)) {
		workloads = append(workloads, workload(c.workloads[uid]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		services = append(services, c.service(c.services[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.policies)) {
		policies = append(policies, policy(c.policies[name]))
	}
	return object{
		"workloads": workloads, "services": services, "policies": policies, "stagedServices": object{}, "certificates": []any{}, "workloadState": object{},
		"config":  object{"localNode": c.node, "clusterId": c.cluster, "network": ""},
		"version": object{"version": "stand-in"},
	}
}

func workload(w *workloadapi.Workload) object {
	m := object{
		"uid": w.Uid, "name": w.Name, "namespace": w.Namespace, "protocol": map[workloadapi.TunnelProtocol]string{workloadapi.TunnelProtocol_HBONE: "HBONE"}[w.TunnelProtocol],
		"networkMode": "Standard", "trustDomain": cmp.Or(w.TrustDomain, "cluster.local"), "serviceAccount": w.ServiceAccount, "network": w.Network, "workloadName": w.WorkloadName,
		"workloadType": strings.ToLower(w.WorkloadType.String()), "canonicalName": w.CanonicalName, "canonicalRevision": w.CanonicalRevision, "hostname": w.Hostname,
		"node": w.Node, "authorizationPolicies": w.AuthorizationPolicies, "status": "Healthy", "clusterId": w.ClusterId,
		"services": slices.Sorted(maps.Keys(w.Services)), "capacity": 1,
	}
	if w.TunnelProtocol == workloadapi.TunnelProtocol_NONE {
		m["protocol"] = "TCP"
	}
	if w.NetworkMode == workloadapi.NetworkMode_HOST_NETWORK {
		m["networkMode"] = "HostNetwork"
	}
	if w.Status == workloadapi.WorkloadStatus_UNHEALTHY {
		m["status"] = "Unhealthy"
	}
	if w.Capacity != nil {
		m["capacity"] = w.Capacity.Value
	}
	if w.Waypoint != nil {
		m["waypoint"] = gateway(w.Waypoint)
	}
	if w.NetworkGateway != nil {
		m["networkGateway"] = gateway(w.NetworkGateway)
	}
	if l := w.Locality; l != nil {
		m["locality"] = object{"region": l.Region, "zone": l.Zone, "subzone": l.Subzone}
	}
	dropDefaults(m, "trustDomain", "serviceAccount", "network", "workloadName", "canonicalName", "canonicalRevision", "hostname", "node", "authorizationPolicies", "services")
	m["workloadIps"] = addresses(w.Addresses)
	return m
}

// dropDefaults removes members with an empty string or list.
func dropDefaults(m object, keys ...string) {
	for _, k := range keys {
		switch v := m[k].(type) {
		case string:
			if v == "" {
				delete(m, k)
			}
		case []string:
			if len(v) == 0 {
				delete(m, k)
			}
		}
	}
}

func addresses(all [][]byte) []string {
	out := []string{}
	for _, b := range all {
		if ip, ok := netip.AddrFromSlice(b); ok {
			out = append(out, ip.String())
		}
	}
	return out
}

func networkAddress(a *workloadapi.NetworkAddress) string {
	ip, _ := netip.AddrFromSlice(a.Address)
	return a.Network + "/" + ip.String()
}

func gateway(g *workloadapi.GatewayAddress) object {
	to := ""
	if h := g.GetHostname(); h != nil {
		to = h.Namespace + "/" + h.Hostname
	} else if a := g.GetAddress(); a != nil {
		to = networkAddress(a)
	}
	return object{"destination": to, "hboneMtlsPort": g.HboneMtlsPort}
}

// service returns a service with its endpoints: the workloads that name it.
func (c *client) service(s *workloadapi.Service) object {
	vips, endpoints := []string{}, object{}
	for _, a := range s.Addresses {
		vips = append(vips, networkAddress(a))
	}
	key := s.Namespace + "/" + s.Hostname
	for uid, w := range c.workloads {
		list, of := w.Services[key]
		if !of || w.Status == workloadapi.WorkloadStatus_UNHEALTHY && s.LoadBalancing.GetHealthPolicy() != workloadapi.LoadBalancing_ALLOW_ALL {
			continue
		}
		endpoints[uid] = object{"workloadUid": uid, "port": ports(list.GetPorts()), "status": "Healthy"}
	}
	m := object{
		"name": s.Name, "namespace": s.Namespace, "hostname": s.Hostname, "vips": vips, "ports": ports(s.Ports), "endpoints": endpoints,
		"subjectAltNames": append([]string{}, s.SubjectAltNames...), "canonical": s.Canonical, "visibility": "Public",
	}
	if s.Waypoint != nil {
		m["waypoint"] = gateway(s.Waypoint)
	}
	return m
}

func ports(all []*workloadapi.Port) object {
	m := object{}
	for _, p := range all {
		m[fmt.Sprint(p.ServicePort)] = p.TargetPort
	}
	return m
}

// policy returns an authorization policy as serde writes it: its groups are rules, and their rules are clauses.
func policy(p *security.Authorization) object {
	rules := [][][]object{}
	for _, group := range p.Groups {
		clauses := [][]object{}
		for _, r := range group.Rules {
			matches := []object{}
			for _, m := range r.Matches {
				matches = append(matches, match(m))
			}
			clauses = append(clauses, matches)
		}
		rules = append(rules, clauses)
	}
	return object{
		"name": p.Name, "namespace": p.Namespace, "dryRun": p.DryRun, "rules": rules,
		"scope":  map[security.Scope]string{security.Scope_GLOBAL: "Global", security.Scope_NAMESPACE: "Namespace", security.Scope_WORKLOAD_SELECTOR: "WorkloadSelector"}[p.Scope],
		"action": map[security.Action]string{security.Action_ALLOW: "Allow", security.Action_DENY: "Deny"}[p.Action],
	}
}

func match(m *security.Match) object {
	out := object{}
	addTexts(out, "namespaces", m.Namespaces)
	addTexts(out, "notNamespaces", m.NotNamespaces)
	addTexts(out, "principals", m.Principals)
	addTexts(out, "notPrincipals", m.NotPrincipals)
	addNetworks(out, "sourceIps", m.SourceIps)
	addNetworks(out, "notSourceIps", m.NotSourceIps)
	addNetworks(out, "destinationIps", m.DestinationIps)
	addNetworks(out, "notDestinationIps", m.NotDestinationIps)
	for name, all := range map[string][]*security.ServiceAccountMatch{"serviceAccounts": m.ServiceAccounts, "notServiceAccounts": m.NotServiceAccounts} {
		var list []object
		for _, a := range all {
			list = append(list, object{"namespace": a.Namespace, "serviceAccount": a.ServiceAccount})
		}
		if list != nil {
			out[name] = list
		}
	}
	for name, all := range map[string][]uint32{"destinationPorts": m.DestinationPorts, "notDestinationPorts": m.NotDestinationPorts} {
		if len(all) > 0 {
			out[name] = all
		}
	}
	return out
}

func addTexts(out object, name string, all []*security.StringMatch) {
	var list []object
	for _, s := range all {
		switch t := s.MatchType.(type) {
		case *security.StringMatch_Exact:
			list = append(list, object{"Exact": t.Exact})
		case *security.StringMatch_Prefix:
			list = append(list, object{"Prefix": t.Prefix})
		case *security.StringMatch_Suffix:
			list = append(list, object{"Suffix": t.Suffix})
		case *security.StringMatch_Presence:
			list = append(list, object{"Presence": []any{}})
		}
	}
	if list != nil {
		out[name] = list
	}
}

func addNetworks(out object, name string, all []*security.Address) {
	var list []string
	for _, a := range all {
		if ip, ok := netip.AddrFromSlice(a.Address); ok {
			list = append(list, netip.PrefixFrom(ip, int(a.Length)).String())
		}
	}
	if list != nil {
		out[name] = list
	}
}
