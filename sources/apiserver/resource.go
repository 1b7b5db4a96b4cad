package apiserver

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/kube"
)

// own lists the resources that istiod reads besides those of the document, with
// their kinds.
var own = map[string]string{
	"secrets": "Secret", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount", "endpoints": "Endpoints", "events": "Event",
	"ingresses.networking.k8s.io":          "Ingress",
	"ingressclasses.networking.k8s.io":     "IngressClass",
	"leases.coordination.k8s.io":           "Lease",
	"deployments.apps":                     "Deployment",
	"daemonsets.apps":                      "DaemonSet",
	"horizontalpodautoscalers.autoscaling": "HorizontalPodAutoscaler",
	"poddisruptionbudgets.policy":          "PodDisruptionBudget",
	crds:                                   "CustomResourceDefinition",
	"mutatingwebhookconfigurations.admissionregistration.k8s.io":   "MutatingWebhookConfiguration",
	"validatingwebhookconfigurations.admissionregistration.k8s.io": "ValidatingWebhookConfiguration",
}

const crds = "customresourcedefinitions.apiextensions.k8s.io"

// kinds returns the kind of each resource that the server knows, by the name of the
// resource (plural.group).
func kinds() map[string]string {
	all := maps.Clone(own)
	for _, l := range kube.Lists() {
		all[l.Resource] = l.Kind
	}
	return all
}

// ResourceOf returns the name of the resource (plural.group) of an object with this
// apiVersion and kind, and whether the server knows it.
func ResourceOf(apiVersion, kind string) (resource string, ok bool) {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	all := kinds()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if _, g, _ := strings.Cut(name, "."); g == group && all[name] == kind {
			return name, true
		}
	}
	return "", false
}

// IsCustom reports whether a resource is one of Istio's or of the Gateway API, so
// that a cluster serves it only if its definition is installed.
func IsCustom(resource string) bool {
	_, group, _ := strings.Cut(resource, ".")
	return IsCustomGroup(group)
}

// IsCustomGroup reports whether an API group is one of Istio's or of the Gateway API.
func IsCustomGroup(group string) bool {
	return group == gatewayAPI || strings.HasSuffix(group, ".istio.io")
}

// clusterScoped lists the resources whose objects are in no namespace.
var clusterScoped = []string{
	"namespaces", "nodes", crds, "gatewayclasses." + gatewayAPI, "ingressclasses.networking.k8s.io",
	"mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io",
}

// IsNamespaced reports whether the objects of a resource are in namespaces.
func IsNamespaced(resource string) bool { return !slices.Contains(clusterScoped, resource) }

const gatewayAPI = "gateway.networking.k8s.io"

// bundle is the version of the Gateway API that the definitions claim. istiod
// ignores resources whose definitions are older than it requires.
const bundle = "v1.5.0"

// definition returns the definition of a custom resource, with the fields that
// istiod reads to find out whether the resource is served.
func definition(resource, kind string) Object {
	return Object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": Object{
			"name": resource, "uid": resource, "resourceVersion": "1",
			"annotations": Object{"gateway.networking.k8s.io/bundle-version": bundle},
		},
		"spec": Object{"names": Object{"kind": kind}},
	}
}
