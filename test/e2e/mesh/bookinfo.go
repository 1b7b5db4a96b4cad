package mesh

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// newProxies returns Bookinfo's proxies. One of them is a native sidecar and one has an unusual admin port.
func newProxies(p *ports) ([]*Proxy, error) {
	all := []*Proxy{
		{Workload: "details-v1", Pod: "details-v1-6758dd9d8d-rcfnn", app: "details", version: "v1"},
		{Workload: "productpage-v1", Pod: "productpage-v1-6b746f74dc-9stvs", app: "productpage", version: "v1"},
		{Workload: "ratings-v1", Pod: "ratings-v1-7dc98c7588-8jsbw", app: "ratings", version: "v1", AdminPort: 15099},
		{Workload: "reviews-v1", Pod: "reviews-v1-7f99cc4496-gdxfn", app: "reviews", version: "v1"},
		{Workload: "reviews-v2", Pod: "reviews-v2-7d79d5bd5d-8zzqd", app: "reviews", version: "v2"},
		{Workload: "reviews-v3", Pod: "reviews-v3-7dbcdcbc56-m8dph", app: "reviews", version: "v3", native: true},
		{Workload: ingress, Pod: ingress + "-674cc989b8-76lqn", app: ingress, version: "v1", Namespace: istioNamespace, kind: "router", serviceAccount: ingress},
	}
	for i, proxy := range all {
		proxy.IP = fmt.Sprintf("10.244.0.%d", 10+i)
		if proxy.Namespace == "" {
			proxy.Namespace, proxy.kind, proxy.serviceAccount = "default", "sidecar", "bookinfo-"+proxy.app
		}
		if proxy.AdminPort == 0 {
			proxy.AdminPort = defaultAdminPort
		}
		node, err := newNode(p, 10+i)
		if err != nil {
			return nil, err
		}
		proxy.node = node
		if err := p.fill(&proxy.Admin, &proxy.xds); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const ingress = "istio-ingressgateway"

// labels returns the pod's labels, including those that Istio's injector adds.
func (p *Proxy) labels() map[string]string {
	l := map[string]string{
		"app": p.app, "version": p.version,
		"security.istio.io/tlsMode":           "istio",
		"service.istio.io/canonical-name":     p.app,
		"service.istio.io/canonical-revision": p.version,
		"pod-template-hash":                   p.templateHash(),
	}
	switch p.kind {
	case "router":
		l["istio"], l["istio.io/rev"] = "ingressgateway", "default"
	case "waypoint":
		l["gateway.networking.k8s.io/gateway-name"], l["istio.io/dataplane-mode"] = p.app, "none"
		l["gateway.istio.io/managed"] = "istio.io-mesh-controller"
	}
	return l
}

func (p *Proxy) templateHash() string { return p.Pod[len(p.Workload)+1 : len(p.Pod)-6] }

// createWorkloads creates the objects in Bookinfo's manifest, and the pods and endpoint slices that controllers would
// create for them.
func (m *Mesh) createWorkloads(ctx context.Context, samples string) error {
	b, err := os.ReadFile(filepath.Join(samples, "platform/kube/bookinfo.yaml"))
	if err != nil {
		return err
	}
	if err := m.apply(ctx, "default", b); err != nil {
		return err
	}
	if err := m.createIngress(ctx); err != nil {
		return err
	}
	templates, err := podTemplates(b)
	if err != nil {
		return err
	}
	for _, p := range m.Proxies {
		m.pods[p] = p.pod(templates[p.Workload])
		if err := m.createPod(ctx, m.pods[p]); err != nil {
			return err
		}
	}
	for _, service := range []string{"details", "productpage", "ratings", "reviews", ingress, "waypoint"} {
		if !slices.ContainsFunc(m.Proxies, func(p *Proxy) bool { return p.app == service }) {
			continue
		}
		if err := m.createSlice(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// podTemplates returns the pod templates of the Deployments, by the Deployments' names.
func podTemplates(b []byte) (map[string]corev1.PodTemplateSpec, error) {
	all := map[string]corev1.PodTemplateSpec{}
	for _, doc := range documents(b) {
		var d appsv1.Deployment
		if err := yaml.Unmarshal(doc, &d); err != nil {
			return nil, err
		}
		if d.Kind == "Deployment" {
			all[d.Name] = d.Spec.Template
		}
	}
	return all, nil
}

func (p *Proxy) pod(t corev1.PodTemplateSpec) *corev1.Pod {
	controls := true
	pod := newPod(p.Pod, p.Namespace, p.node.name, p.IP, p.labels())
	pod.GenerateName = p.Workload + "-" + p.templateHash() + "-"
	pod.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: p.Workload + "-" + p.templateHash(),
		UID: types.UID("00000000-0000-4000-8000-" + fmt.Sprintf("%012x", []byte(p.Workload)[:6])), Controller: &controls,
	}}
	pod.Spec.ServiceAccountName = p.serviceAccount
	pod.Spec.Containers = t.Spec.Containers
	pod.Spec.Volumes = t.Spec.Volumes
	p.sidecar(pod)
	return pod
}

func (m *Mesh) createIngress(ctx context.Context) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: ingress, Namespace: istioNamespace}}
	if _, err := m.kube.CoreV1().ServiceAccounts(istioNamespace).Create(ctx, account, metav1.CreateOptions{}); err != nil {
		return err
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: ingress, Namespace: istioNamespace, Labels: map[string]string{"app": ingress, "istio": "ingressgateway"}},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": ingress},
			Ports:    []corev1.ServicePort{{Name: "http2", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	_, err := m.kube.CoreV1().Services(istioNamespace).Create(ctx, service, metav1.CreateOptions{})
	return err
}

// createSlice creates the endpoint slice of a Service. It contains the pods whose app label is the Service's name.
func (m *Mesh) createSlice(ctx context.Context, service string) error {
	name, port, ready := "http", int32(9080), true
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
	for _, p := range m.Proxies {
		if p.app != service {
			continue
		}
		switch p.kind {
		case "router":
			name, port = "http2", 8080
		case "waypoint": // istiod binds services to a waypoint that has a ready endpoint
			name, port = "mesh", 15008
		}
		slice.Namespace = p.Namespace
		where := zone
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{p.IP}, NodeName: &p.node.name, Zone: &where,
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Name: p.Pod, Namespace: p.Namespace},
		})
	}
	slice.Name, slice.Labels = service+"-abcde", map[string]string{discoveryv1.LabelServiceName: service}
	slice.Ports = []discoveryv1.EndpointPort{{Name: &name, Port: &port}}
	_, err := m.kube.DiscoveryV1().EndpointSlices(slice.Namespace).Create(ctx, slice, metav1.CreateOptions{})
	return err
}
