package predict

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
)

const (
	slicesResource = "endpointslices.discovery.k8s.io"
	serviceLabel   = "kubernetes.io/service-name"
)

// services completes the Services in the overlay as the API server and the endpoint
// controller would. A new Service gets its defaults. A Service whose selector or
// ports have changed gets new EndpointSlices, except those that the change itself
// contains.
func (o *Overlay) services(objects *apiserver.Objects) {
	given := map[string]bool{} // the Services whose EndpointSlices are part of the change
	for _, e := range o.Edits {
		if e.Resource == slicesResource {
			given[sliceOf(e.Object)] = true
		}
	}
	fresh := 0
	for _, e := range o.Edits {
		if e.Resource != "services" {
			continue
		}
		if !e.Remove {
			o.defaults(e, &fresh)
		}
		spec, old := apiserver.At(e.Object, "spec"), apiserver.At(e.Base, "spec")
		selects := apiserver.At(spec, "selector") != nil && apiserver.At(spec, "type") != "ExternalName"
		unchanged := e.Base != nil && !e.Remove && reflect.DeepEqual(apiserver.At(spec, "selector"), apiserver.At(old, "selector")) &&
			reflect.DeepEqual(apiserver.List(spec, "ports"), apiserver.List(old, "ports"))
		if unchanged || given[apiserver.Key(e.Object)] || !e.Remove && !selects {
			continue
		}
		for _, s := range objects.All(slicesResource) {
			if sliceOf(s) == apiserver.Key(e.Object) {
				o.Derived = append(o.Derived, apiserver.Change{Resource: slicesResource, Object: s, Remove: true})
			}
		}
		if !e.Remove {
			for _, s := range endpointSlices(e.Object, objects.All("pods")) {
				o.Derived = append(o.Derived, apiserver.Change{Resource: slicesResource, Object: s})
			}
		}
	}
}

// sliceOf returns the key of the Service to which an EndpointSlice belongs.
func sliceOf(slice apiserver.Object) string {
	m := apiserver.Metadata(slice)
	return apiserver.Text(m["namespace"]) + "/" + apiserver.Text(apiserver.At(m, "labels", serviceLabel))
}

// defaults sets the fields that the API server sets in a Service
// (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/).
// The API server would allocate an address for a new Service. defaults sets a
// placeholder instead, from the address range for benchmarks, which no network uses
// (RFC 2544).
func (o *Overlay) defaults(e *Edit, fresh *int) {
	spec, ok := e.Object["spec"].(apiserver.Object)
	if !ok {
		return
	}
	set := func(object apiserver.Object, field string, v any) {
		if _, ok := object[field]; !ok {
			object[field] = v
		}
	}
	set(spec, "type", "ClusterIP")
	set(spec, "sessionAffinity", "None")
	for _, p := range apiserver.List(spec, "ports") {
		if port, ok := p.(apiserver.Object); ok {
			set(port, "protocol", "TCP")
			set(port, "targetPort", port["port"])
		}
	}
	if spec["type"] == "ExternalName" {
		return
	}
	set(spec, "internalTrafficPolicy", "Cluster")
	set(spec, "ipFamilies", []any{"IPv4"})
	set(spec, "ipFamilyPolicy", "SingleStack")
	if _, ok := spec["clusterIP"]; !ok {
		*fresh++
		ip := fmt.Sprintf("198.19.0.%d", *fresh)
		spec["clusterIP"], spec["clusterIPs"] = ip, []any{ip}
		o.Notes = append(o.Notes, fmt.Sprintf("%s: its address is allocated when it is applied; %s stands for it", e.Name(), ip))
	}
	set(spec, "clusterIPs", []any{spec["clusterIP"]})
}

// endpointSlices returns the EndpointSlices of a Service. There is one for each
// set of port numbers that its pods use for the Service's ports.
func endpointSlices(service apiserver.Object, pods []apiserver.Object) (all []apiserver.Object) {
	m := apiserver.Metadata(service)
	selector := labels.Set{}
	wanted, _ := apiserver.At(service, "spec", "selector").(apiserver.Object)
	for k, v := range wanted {
		selector[k] = apiserver.Text(v)
	}
	byPorts := map[string]int{}
	for _, pod := range pods {
		ip := apiserver.Text(apiserver.At(pod, "status", "podIP"))
		have := labels.Set{}
		given, _ := apiserver.At(pod, "metadata", "labels").(apiserver.Object)
		for k, v := range given {
			have[k] = apiserver.Text(v)
		}
		if ip == "" || strings.Contains(ip, ":") || apiserver.Metadata(pod)["namespace"] != m["namespace"] || !selector.AsSelector().Matches(have) {
			continue
		}
		ports := portsOf(service, pod)
		text, _ := json.Marshal(ports) // can't fail, because ports are maps of texts and numbers
		i, ok := byPorts[string(text)]
		if !ok {
			i = len(all)
			byPorts[string(text)] = i
			name := fmt.Sprintf("%s-whatif%d", apiserver.Text(m["name"]), i)
			all = append(all, apiserver.Object{
				"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports, "endpoints": []any{},
				"metadata": apiserver.Object{
					"name": name, "namespace": m["namespace"], "uid": "whatif-" + name, "resourceVersion": "1",
					"labels": apiserver.Object{serviceLabel: m["name"]},
				},
			})
		}
		all[i]["endpoints"] = append(all[i]["endpoints"].([]any), endpoint(pod, ip))
	}
	return all
}

func endpoint(pod apiserver.Object, ip string) apiserver.Object {
	m := apiserver.Metadata(pod)
	ready := slices.ContainsFunc(apiserver.List(pod, "status", "conditions"), func(c any) bool {
		return apiserver.At(c, "type") == "Ready" && apiserver.At(c, "status") == "True"
	})
	e := apiserver.Object{
		"addresses":  []any{ip},
		"conditions": apiserver.Object{"ready": ready, "serving": ready, "terminating": m["deletionTimestamp"] != nil},
		"targetRef":  apiserver.Object{"kind": "Pod", "name": m["name"], "namespace": m["namespace"], "uid": m["uid"]},
	}
	if node := apiserver.At(pod, "spec", "nodeName"); node != nil {
		e["nodeName"] = node
	}
	return e
}

// portsOf returns the ports of a Service as port numbers of a pod. It leaves out a
// port whose name no container has.
func portsOf(service, pod apiserver.Object) []any {
	out := []any{}
	for _, p := range apiserver.List(service, "spec", "ports") {
		number := apiserver.At(p, "targetPort")
		if name, ok := number.(string); ok {
			number = namedPort(pod, name)
		}
		if number == nil {
			continue
		}
		port := apiserver.Object{"name": apiserver.Text(apiserver.At(p, "name")), "port": number, "protocol": apiserver.At(p, "protocol")}
		if app := apiserver.At(p, "appProtocol"); app != nil {
			port["appProtocol"] = app
		}
		out = append(out, port)
	}
	return out
}

func namedPort(pod apiserver.Object, name string) any {
	for _, c := range apiserver.List(pod, "spec", "containers") {
		for _, p := range apiserver.List(c, "ports") {
			if apiserver.At(p, "name") == name {
				return apiserver.At(p, "containerPort")
			}
		}
	}
	return nil
}
