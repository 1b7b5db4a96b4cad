package mesh

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newPod returns a pod without containers.
func newPod(name, namespace, node, ip string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     corev1.PodStatus{PodIP: ip},
	}
}

func containerPorts(numbers ...int32) (ports []corev1.ContainerPort) {
	for _, n := range numbers {
		ports = append(ports, corev1.ContainerPort{ContainerPort: n})
	}
	return ports
}

// createPod creates a pod and sets its status to Running, as a kubelet would.
func (m *Mesh) createPod(ctx context.Context, p *corev1.Pod) error {
	made, err := m.kube.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	} else if err != nil {
		return err
	}
	made.Status = runningStatus(p)
	_, err = m.kube.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// deletePod deletes a pod, if it exists, at once: it doesn't wait for a kubelet.
func (m *Mesh) deletePod(ctx context.Context, name, namespace string) error {
	now := int64(0)
	err := m.kube.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func runningStatus(p *corev1.Pod) corev1.PodStatus {
	now := metav1.Now()
	s := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now,
		HostIP: "127.0.0.1", PodIP: p.Status.PodIP, PodIPs: []corev1.PodIP{{IP: p.Status.PodIP}},
	}
	for _, c := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	s.ContainerStatuses = runningContainers(p.Spec.Containers, now)
	s.InitContainerStatuses = runningContainers(p.Spec.InitContainers, now)
	return s
}

func runningContainers(containers []corev1.Container, now metav1.Time) (all []corev1.ContainerStatus) {
	started := true
	for _, c := range containers {
		all = append(all, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: c.Image, ContainerID: "containerd://" + c.Name, Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return all
}

// sidecar adds the containers that Istio's injector adds to a pod.
func (p *Proxy) sidecar(pod *corev1.Pod) {
	always := corev1.ContainerRestartPolicyAlways
	proxy := corev1.Container{
		Name: "istio-proxy", Image: "docker.io/istio/proxyv2:" + Version,
		Args:  []string{"proxy", p.kind, "--domain", "$(POD_NAMESPACE).svc.cluster.local"},
		Ports: []corev1.ContainerPort{{Name: "http-envoy-prom", ContainerPort: 15090}},
		Env: []corev1.EnvVar{
			{Name: "PROXY_CONFIG", Value: p.proxyConfig()},
			{Name: "ISTIO_META_CLUSTER_ID", Value: "Kubernetes"},
			{Name: "ISTIO_META_WORKLOAD_NAME", Value: p.Workload},
		},
	}
	status := object{"revision": "default", "imagePullSecrets": nil}
	if p.native {
		proxy.RestartPolicy = &always
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, proxy)
		status["initContainers"], status["containers"] = []string{"istio-proxy"}, nil
	} else {
		pod.Spec.Containers = append(pod.Spec.Containers, proxy)
		status["initContainers"], status["containers"] = nil, []string{"istio-proxy"}
	}
	b, _ := json.Marshal(status)
	pod.Annotations = map[string]string{"sidecar.istio.io/status": string(b), "prometheus.io/port": "15020"}
	if p.AdminPort != defaultAdminPort {
		pod.Annotations["proxy.istio.io/config"] = p.proxyConfig()
	}
}

const defaultAdminPort = 15000

func (p *Proxy) proxyConfig() string {
	if p.AdminPort == defaultAdminPort {
		return "{}"
	}
	b, _ := json.Marshal(object{"proxyAdminPort": p.AdminPort})
	return string(b)
}
