package kube

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// LastApplied is the annotation in which kubectl stores the whole applied object,
// including the environment of a pod's containers. The document never shows it.
const LastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// A Pod has those fields of a Kubernetes pod that describe the proxy in it.
type Pod struct {
	Name           string
	Namespace      string
	Node           string
	ServiceAccount string
	Workload       string // the name of the Deployment or other owner; the pod's own name if it has no owner
	Revision       string // Istio's revision, from the pod's label or the injector's annotation
	Type           string // the proxy's type: sidecar, router, waypoint, ztunnel or agentgateway; empty if the pod has no proxy
	IP             string
	IPs            []string
	Labels         *object.Object
	Annotations    *object.Object
	Ready          bool
	Over           bool // true if the pod has ended, so that its proxy should not be connected
}

// ID returns the pod's name in the form in which proxies are named:
// "name.namespace".
func (p *Pod) ID() string { return p.Name + "." + p.Namespace }

var podsNode = listNode(&decode.Node{Fields: []decode.Field{
	{Name: "kind", Node: whole},
	{Name: "apiVersion", Node: whole},
	{Name: "metadata", Node: fields("name", "namespace", "labels", "annotations", "ownerReferences")},
	{Name: "spec", Node: &decode.Node{Fields: []decode.Field{
		{Name: "nodeName", Node: whole},
		{Name: "serviceAccountName", Node: whole},
		{Name: "containers", Node: containersNode},
		{Name: "initContainers", Node: containersNode},
	}}},
	{Name: "status", Node: fields("phase", "podIP", "podIPs", "conditions")},
}})

var containersNode = &decode.Node{Elem: fields("name", "restartPolicy", "args")}

func fields(names ...string) *decode.Node {
	n := &decode.Node{}
	for _, name := range names {
		n.Fields = append(n.Fields, decode.Field{Name: name, Node: whole})
	}
	return n
}

// podsList is the resource that [Pods] reads.
var podsList = List{Field: "pods", Resource: "pods", Kind: "Pod"}

// Pods reads a list of pods.
func Pods(ctx context.Context, doc *decode.Document) ([]Pod, error) {
	v, err := doc.Pass(ctx, 0, -1, nil, podsNode, nil)
	if err != nil {
		return nil, err
	}
	var pods []Pod
	for m := range items(v, podsList) {
		pods = append(pods, pod(m))
	}
	return pods, nil
}

func pod(m *object.Object) Pod {
	meta, _ := m.Get("metadata").(*object.Object)
	spec, _ := m.Get("spec").(*object.Object)
	status, _ := m.Get("status").(*object.Object)
	p := Pod{
		Name: meta.Text("name"), Namespace: meta.Text("namespace"),
		Node: spec.Text("nodeName"), ServiceAccount: spec.Text("serviceAccountName"),
		IP: status.Text("podIP"), Ready: ready(status),
		Over: status.Get("phase") == "Succeeded" || status.Get("phase") == "Failed",
	}
	p.Labels, _ = meta.Get("labels").(*object.Object)
	p.Annotations, _ = meta.Get("annotations").(*object.Object)
	if _, ok := p.Annotations.Lookup(LastApplied); ok {
		p.Annotations = p.Annotations.Clone()
		p.Annotations.Set(LastApplied, mesh.Redacted)
	}
	for ip := range objects(status.Get("podIPs")) {
		p.IPs = append(p.IPs, ip.Text("ip"))
	}
	if p.IPs == nil && p.IP != "" {
		p.IPs = []string{p.IP}
	}
	p.Workload = workload(meta, p.Labels, p.Name)
	p.Revision = revision(p.Labels, p.Annotations)
	p.Type = proxyType(p.Labels, spec)
	return p
}

// objects iterates over the objects in an array.
func objects(v any) func(yield func(*object.Object) bool) {
	return func(yield func(*object.Object) bool) {
		a, _ := v.([]any)
		for _, e := range a {
			if m, ok := e.(*object.Object); ok && !yield(m) {
				return
			}
		}
	}
}

func ready(status *object.Object) bool {
	for c := range objects(status.Get("conditions")) {
		if c.Get("type") == "Ready" {
			return c.Get("status") == "True"
		}
	}
	return false
}

var cronJob = regexp.MustCompile(`^(.+)-\d{8,10}$`)

// workload returns the name of the pod's workload, determined in the same way as
// Istio's injector does it: the controller of the pod, or the owner of that
// controller if the controller's name contains the owner's name.
func workload(meta, labels *object.Object, pod string) string {
	for o := range objects(meta.Get("ownerReferences")) {
		if o.Get("controller") != true {
			continue
		}
		name := o.Text("name")
		switch o.Get("kind") {
		case "ReplicaSet":
			if hash := labels.Text("pod-template-hash"); hash != "" {
				return strings.TrimSuffix(name, "-"+hash)
			}
		case "Job":
			if m := cronJob.FindStringSubmatch(name); m != nil {
				return m[1]
			}
		}
		return name
	}
	return pod
}

// injected finds the revision in the injector's annotation of a pod, which is a
// small JSON object: {"initContainers":[…],…,"revision":"default"}.
var injected = regexp.MustCompile(`"revision"\s*:\s*"([^"\\]+)"`)

func revision(labels, annotations *object.Object) string {
	if r := labels.Text("istio.io/rev"); r != "" {
		return r
	}
	if m := injected.FindStringSubmatch(annotations.Text("sidecar.istio.io/status")); m != nil {
		return m[1]
	}
	return ""
}

const proxyContainer = "istio-proxy"

// proxyType returns the type of the proxy in a pod. It checks the arguments of the
// proxy's container first, then the pod's labels, then the other containers.
func proxyType(labels, spec *object.Object) string {
	switch {
	case labels.Get("app") == mesh.ZTunnel:
		return mesh.ZTunnel
	case mesh.IsAgentGateway(labels):
		return mesh.AgentGateway
	}
	others, found := 0, (*object.Object)(nil)
	for c := range objects(spec.Get("initContainers")) {
		if c.Get("name") == proxyContainer && c.Get("restartPolicy") == "Always" {
			found = c
		}
	}
	for c := range objects(spec.Get("containers")) {
		if c.Get("name") == proxyContainer {
			found = c
		} else {
			others++
		}
	}
	started := startedAs(found)
	switch {
	case started != "":
		return started
	case isWaypoint(labels):
		return "waypoint"
	case isGateway(labels, found != nil), found != nil && others == 0:
		return "router"
	case found != nil:
		return "sidecar"
	}
	return ""
}

// startedAs returns the proxy type from a container's arguments, such as "proxy
// router --domain …".
func startedAs(container *object.Object) string {
	args, _ := container.Get("args").([]any)
	i := slices.Index(args, any("proxy"))
	if i < 0 || i+1 == len(args) {
		return ""
	}
	switch t := text(args[i+1]); t {
	case "sidecar", "router", "waypoint":
		return t
	}
	return ""
}

func isWaypoint(labels *object.Object) bool {
	return labels.Get("gateway.istio.io/managed") == "istio.io-mesh-controller" ||
		labels.Get("gateway.networking.k8s.io/gateway-class-name") == "istio-waypoint"
}

// isGateway reports whether a pod is a gateway by its labels. The Gateway API's
// label alone is only enough if the pod has an istio-proxy, because gateways of
// other vendors have that label, too.
func isGateway(labels *object.Object, istio bool) bool {
	_, named := labels.Lookup("gateway.networking.k8s.io/gateway-name")
	return named && istio || labels.Get("gateway.istio.io/managed") == "istio.io-gateway-controller" ||
		strings.HasSuffix(labels.Text("istio"), "gateway")
}
