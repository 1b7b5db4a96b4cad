package kube

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// LastApplied is the annotation in which kubectl keeps the whole of an object,
// with the environment of a pod's containers. No document shows it.
const LastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// A Pod is what a proxy's row takes from its pod.
type Pod struct {
	Name           string
	Namespace      string
	Node           string
	ServiceAccount string
	Workload       string // the name of the Deployment, or what else made the pod; the pod's own when nothing did
	Revision       string // of Istio, by the pod's label or the injector's annotation
	Type           string // of the proxy in it: sidecar, router, waypoint, ztunnel; empty when there is none
	IP             string
	IPs            []string
	Labels         map[string]any
	Annotations    map[string]any
	Ready          bool
	Over           bool // it ran to its end: it should not be connected
}

// ID names the pod as proxies are named: "name.namespace".
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

func pod(m map[string]any) Pod {
	meta, _ := m["metadata"].(map[string]any)
	spec, _ := m["spec"].(map[string]any)
	status, _ := m["status"].(map[string]any)
	p := Pod{
		Name: text(meta["name"]), Namespace: text(meta["namespace"]),
		Node: text(spec["nodeName"]), ServiceAccount: text(spec["serviceAccountName"]),
		IP: text(status["podIP"]), Ready: ready(status),
		Over: status["phase"] == "Succeeded" || status["phase"] == "Failed",
	}
	p.Labels, _ = meta["labels"].(map[string]any)
	p.Annotations, _ = meta["annotations"].(map[string]any)
	if _, ok := p.Annotations[LastApplied]; ok {
		p.Annotations = maps.Clone(p.Annotations)
		p.Annotations[LastApplied] = decode.VeiledText
	}
	for ip := range objects(status["podIPs"]) {
		p.IPs = append(p.IPs, text(ip["ip"]))
	}
	if p.IPs == nil && p.IP != "" {
		p.IPs = []string{p.IP}
	}
	p.Workload = workload(meta, p.Labels, p.Name)
	p.Revision = revision(p.Labels, p.Annotations)
	p.Type = proxyType(p.Labels, spec)
	return p
}

// objects gives the objects in an array.
func objects(v any) func(yield func(map[string]any) bool) {
	return func(yield func(map[string]any) bool) {
		a, _ := v.([]any)
		for _, e := range a {
			if m, ok := e.(map[string]any); ok && !yield(m) {
				return
			}
		}
	}
}

func ready(status map[string]any) bool {
	for c := range objects(status["conditions"]) {
		if c["type"] == "Ready" {
			return c["status"] == "True"
		}
	}
	return false
}

var cronJob = regexp.MustCompile(`^(.+)-\d{8,10}$`)

// workload gives what Istio's injector calls the workload: the controller of
// the pod, or that controller's own where its name tells.
func workload(meta, labels map[string]any, pod string) string {
	for o := range objects(meta["ownerReferences"]) {
		if o["controller"] != true {
			continue
		}
		name := text(o["name"])
		switch o["kind"] {
		case "ReplicaSet":
			if hash := text(labels["pod-template-hash"]); hash != "" {
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

// injected finds the revision in what the injector notes on a pod, a small
// object of JSON: {"initContainers":[…],…,"revision":"default"}.
var injected = regexp.MustCompile(`"revision"\s*:\s*"([^"\\]+)"`)

func revision(labels, annotations map[string]any) string {
	if r := text(labels["istio.io/rev"]); r != "" {
		return r
	}
	if m := injected.FindStringSubmatch(text(annotations["sidecar.istio.io/status"])); m != nil {
		return m[1]
	}
	return ""
}

const proxyContainer = "istio-proxy"

// proxyType tells which proxy runs in a pod: by the words that start it, then
// by the pod's labels, then by what runs beside it.
func proxyType(labels, spec map[string]any) string {
	if labels["app"] == "ztunnel" {
		return "ztunnel"
	}
	others, found := 0, map[string]any(nil)
	for c := range objects(spec["initContainers"]) {
		if c["name"] == proxyContainer && c["restartPolicy"] == "Always" {
			found = c
		}
	}
	for c := range objects(spec["containers"]) {
		if c["name"] == proxyContainer {
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

// startedAs reads the container's arguments: "proxy router --domain …".
func startedAs(container map[string]any) string {
	args, _ := container["args"].([]any)
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

func isWaypoint(labels map[string]any) bool {
	return labels["gateway.istio.io/managed"] == "istio.io-mesh-controller" ||
		labels["gateway.networking.k8s.io/gateway-class-name"] == "istio-waypoint"
}

// isGateway asks for more than the Gateway API's label where there is no
// istio-proxy: other makers' gateways have that too.
func isGateway(labels map[string]any, istio bool) bool {
	_, named := labels["gateway.networking.k8s.io/gateway-name"]
	return named && istio || labels["gateway.istio.io/managed"] == "istio.io-gateway-controller" ||
		strings.HasSuffix(text(labels["istio"]), "gateway")
}
