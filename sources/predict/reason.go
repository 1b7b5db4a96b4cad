package predict

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
)

// Subject is the subject of the fault by which a predicted mesh reports that
// its baseline isn't verified.
const Subject = "what-if"

// Notes returns what the prediction can't know: the notes of the overlay, its objects
// that are not predicted, and the hosts to which istiod was kept from connecting.
func (p *Prediction) Notes() []string {
	all := slices.Concat(p.Overlay.Notes, p.Overlay.Unpredicted)
	for _, host := range p.Blocked {
		all = append(all, "istiod has no network here, so it could not connect to "+host)
	}
	return all
}

// RefusedCount returns the number of objects that istiod's admission webhook
// refuses.
func (p *Prediction) RefusedCount() (n int) {
	for _, v := range p.Verdicts {
		if v.Refused != "" {
			n++
		}
	}
	return n
}

// Changes reports whether the change makes istiod send different configuration to
// any proxy.
func (p *Prediction) Changes() bool { return slices.ContainsFunc(p.Classes, (*Class).Changes) }

// ChangesObjects reports whether the change makes any stored object of the mesh
// different.
func (p *Prediction) ChangesObjects() bool {
	return len(p.Overlay.Derived) > 0 || slices.ContainsFunc(p.Overlay.Edits, func(e *Edit) bool { return !e.Same && p.isAdmitted(e) })
}

// Reasons returns likely reasons why the change makes no difference. They are found
// in the objects of the mesh: the same objects are already stored, an older
// VirtualService has the same hosts, a selector matches no pod, or a host doesn't
// belong to any Service.
func (p *Prediction) Reasons() (all []string) {
	for _, e := range p.Overlay.Edits {
		switch {
		case e.Same:
			all = append(all, e.Name()+": the mesh has it like this already")
		case e.Remove:
		case e.Base != nil && reflect.DeepEqual(e.Base["spec"], e.Object["spec"]):
			all = append(all, e.Name()+": only its metadata changes")
		default:
			all = append(all, p.reasons(e)...)
		}
	}
	return all
}

func (p *Prediction) reasons(e *Edit) (all []string) {
	spec, m := apiserver.At(e.Object, "spec"), apiserver.Metadata(e.Object)
	objects := p.Inputs.Objects
	if apiserver.Text(e.Object["kind"]) == "VirtualService" {
		for _, o := range objects.All(e.Resource) {
			if apiserver.Key(o) == apiserver.Key(e.Object) || !isOlder(o, e.Object) || !sharesGateway(o, e.Object) {
				continue
			}
			for _, host := range apiserver.List(spec, "hosts") {
				if slices.ContainsFunc(apiserver.List(o, "spec", "hosts"), func(h any) bool {
					return full(apiserver.Text(h), o) == full(apiserver.Text(host), e.Object)
				}) {
					all = append(all, fmt.Sprintf("%s: host %s already belongs to VirtualService %s, which is older", e.Name(), apiserver.Text(host), apiserver.Key(o)))
				}
			}
		}
	}
	if match, ok := apiserver.At(spec, "selector", "matchLabels").(apiserver.Object); ok && !selects(objects, match, apiserver.Text(m["namespace"]), p.Inputs.Namespace) {
		all = append(all, e.Name()+": its selector selects no pod")
	}
	if host := apiserver.Text(apiserver.At(spec, "host")); host != "" && !strings.Contains(host, "*") && !isHost(objects, full(host, e.Object)) {
		all = append(all, fmt.Sprintf("%s: there is no Service or ServiceEntry with the host %s", e.Name(), host))
	}
	return all
}

// isOlder reports whether istiod prefers a over b: a was created earlier or, if the
// times are equal, its name sorts first.
func isOlder(a, b apiserver.Object) bool {
	x, y := apiserver.Text(apiserver.Metadata(a)["creationTimestamp"]), apiserver.Text(apiserver.Metadata(b)["creationTimestamp"])
	if x != y {
		return x < y // the texts are RFC 3339 in UTC, so their order is that of the times
	}
	return apiserver.Key(a) < apiserver.Key(b)
}

// sharesGateway reports whether two VirtualServices apply to the same gateway. A
// VirtualService without gateways applies to the mesh.
func sharesGateway(a, b apiserver.Object) bool {
	gateways := func(o apiserver.Object) (all []string) {
		for _, g := range apiserver.List(o, "spec", "gateways") {
			name := apiserver.Text(g)
			if name != "mesh" && !strings.Contains(name, "/") {
				name = apiserver.Text(apiserver.Metadata(o)["namespace"]) + "/" + name
			}
			all = append(all, name)
		}
		if len(all) == 0 {
			all = []string{"mesh"}
		}
		return all
	}
	others := gateways(b)
	return slices.ContainsFunc(gateways(a), func(g string) bool { return slices.Contains(others, g) })
}

// full returns a host with its namespace and domain. A name without dots is the name
// of a Service in the object's namespace.
func full(host string, o apiserver.Object) string {
	if strings.Contains(host, ".") || host == "*" {
		return host
	}
	return host + "." + apiserver.Text(apiserver.Metadata(o)["namespace"]) + ".svc.cluster.local"
}

func isHost(objects *apiserver.Objects, host string) bool {
	for _, o := range objects.All("services") {
		m := apiserver.Metadata(o)
		if host == apiserver.Text(m["name"])+"."+apiserver.Text(m["namespace"])+".svc.cluster.local" {
			return true
		}
	}
	for _, o := range objects.All("serviceentries.networking.istio.io") {
		if slices.Contains(apiserver.List(o, "spec", "hosts"), any(host)) {
			return true
		}
	}
	return false
}

// selects reports whether a label selector matches any pod. If the object is in
// istiod's own namespace, its selector matches pods of all namespaces.
func selects(objects *apiserver.Objects, match apiserver.Object, namespace, root string) bool {
	wanted := labels.Set{}
	for k, v := range match {
		wanted[k] = apiserver.Text(v)
	}
	return slices.ContainsFunc(objects.All("pods"), func(pod apiserver.Object) bool {
		have := labels.Set{}
		given, _ := apiserver.At(pod, "metadata", "labels").(apiserver.Object)
		for k, v := range given {
			have[k] = apiserver.Text(v)
		}
		return (namespace == root || apiserver.Text(apiserver.Metadata(pod)["namespace"]) == namespace) && wanted.AsSelector().Matches(have)
	})
}
