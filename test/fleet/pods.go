package fleet

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pods builds the fleet's pods from recorded ones: the pods of the proxies, those of the istiods, and pods without a
// proxy.
func (f *Fleet) pods() ([]corev1.Pod, error) {
	workload, istiod, err := f.capture.models()
	if err != nil {
		return nil, err
	}
	var all []corev1.Pod
	for _, p := range f.proxies {
		all = append(all, podOf(workload, p.Name, p.Namespace, p.replacements[appWord], p.replacements[ipWord]))
	}
	for i, d := range f.istiods {
		n := *istiod.DeepCopy()
		n.Name, n.Namespace = d.name, "istio-system"
		n.Status.PodIP = fmt.Sprintf("10.99.0.%d", i+1)
		n.Status.PodIPs = []corev1.PodIP{{IP: n.Status.PodIP}}
		all = append(all, n)
	}
	bare := *workload.DeepCopy()
	bare.Annotations = nil
	for i, c := range bare.Spec.Containers {
		if c.Name != "istio-proxy" {
			bare.Spec.Containers = bare.Spec.Containers[i : i+1]
		}
	}
	for i := range f.options.Pods {
		app := fmt.Sprintf("job-%05d", i)
		all = append(all, podOf(bare, app+"-"+hash(f.options.Seed, uint64(i)+1<<48, 5), fmt.Sprintf("batch-%02d", i%namespaces), app, fmt.Sprintf("10.98.%d.%d", i/250%250, i%250+1)))
	}
	return all, nil
}

// models returns two recorded pods: one with a proxy, and an istiod's.
func (c *capture) models() (workload, istiod corev1.Pod, err error) {
	items, err := c.items("pods")
	if err != nil {
		return workload, istiod, err
	}
	for _, raw := range items {
		var p corev1.Pod
		if err := json.Unmarshal(raw, &p); err != nil {
			return workload, istiod, err
		}
		switch {
		case p.Name == c.pod:
			workload = p
		case strings.HasPrefix(p.Name, "istiod-"):
			istiod = p
		}
	}
	if istiod.Name == "" {
		return workload, istiod, fmt.Errorf("%s: no pod of an istiod", c.folder)
	}
	return workload, istiod, nil
}

func podOf(model corev1.Pod, name, namespace, app, ip string) corev1.Pod {
	p := *model.DeepCopy()
	p.Name, p.Namespace = name, namespace
	template, _, _ := strings.Cut(strings.TrimPrefix(name, app+"-"), "-")
	for _, label := range []string{"app", "service.istio.io/canonical-name"} {
		p.Labels[label] = app
	}
	p.Labels["pod-template-hash"] = template
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-" + template, Controller: &yes}}
	p.Status.PodIP = ip
	p.Status.PodIPs = []corev1.PodIP{{IP: ip}}
	return p
}
