package mesh

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	istioNamespace = "istio-system"
	monitoringPort = 15014
	securePort     = 15012 // xDS over TLS, from which istioctl reads the status of proxies
	// Version is the Istio version that the proxies report.
	Version = "1.31.0"
)

// meshConfig disables the telemetry provider, whose filters exist only in Istio's build of Envoy.
const meshConfig = `
trustDomain: cluster.local
defaultProviders: {}
`

// An Istiod is one istiod and its pod.
type Istiod struct {
	Pod, Namespace string
	IP             string
	Revision       string
	Monitoring     int // the local port that the pod's port 15014 is forwarded to

	node    *node
	xds     int // the local port that proxies connect to, through their relays
	secure  int // the local port that the pod's port 15012 is forwarded to
	process *process
	env     []string // the variables of its environment that its pod names
}

// Running reports whether the istiod's process exists.
func (i *Istiod) Running() bool { return i.process != nil && i.process.running() }

// URL returns the URL of the monitoring port for direct access, without the API server.
func (i *Istiod) URL() string { return "http://" + loopback(i.Monitoring) }

func newIstiods(p *ports) ([]*Istiod, error) {
	all := []*Istiod{
		{Pod: "istiod-78566f45b4-v5qhf", Namespace: istioNamespace, IP: "10.244.0.5"},
		{Pod: "istiod-78566f45b4-x2k7d", Namespace: istioNamespace, IP: "10.244.0.6"},
	}
	for n, i := range all {
		node, err := newNode(p, n)
		if err != nil {
			return nil, err
		}
		i.node, i.Revision = node, "default"
		if err := p.fill(&i.Monitoring, &i.xds, &i.secure); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// startIstiod starts an istiod and waits until it accepts proxies. It creates the istiod's pod if there is none.
func (m *Mesh) startIstiod(ctx context.Context, i *Istiod) error {
	// The pod names these variables, too. The first two disable the filters that exist only in Istio's build of Envoy.
	i.env = []string{
		"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false",
		"PILOT_ENABLE_AMBIENT=" + strconv.FormatBool(m.ambient), "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER=false",
	}
	if err := m.createPod(ctx, i.pod()); err != nil {
		return err
	}
	dir := filepath.Join(m.Dir, i.Pod)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	config := filepath.Join(dir, "mesh.yaml")
	if err := os.WriteFile(config, []byte(meshConfig), 0o600); err != nil {
		return err
	}
	var http, webhook int
	if err := m.ports.fill(&http, &webhook); err != nil {
		return err
	}
	p, err := m.start(command{
		name: i.Pod, path: m.programs.Istiod, dir: dir,
		args: []string{
			"discovery", "--kubeconfig=" + m.Kubeconfig, "--meshConfig=" + config,
			"--httpAddr=" + loopback(http), "--httpsAddr=" + loopback(webhook),
			"--grpcAddr=" + loopback(i.xds), "--secureGRPCAddr=" + loopback(i.secure),
			"--monitoringAddr=" + loopback(i.Monitoring), "--ctrlz_port=0",
			// Keep a connection to a hung proxy open for the length of a test.
			"--keepaliveInterval=1h",
		},
		env: append([]string{
			"POD_NAME=" + i.Pod, "POD_NAMESPACE=" + i.Namespace, "CLUSTER_ID=Kubernetes", "REVISION=" + i.Revision,
			"INJECTION_WEBHOOK_CONFIG_NAME=", "VALIDATION_WEBHOOK_CONFIG_NAME=",
		}, i.env...),
	})
	if err != nil {
		return err
	}
	i.process = p
	return p.await(ctx, func(ctx context.Context) error { return answers(ctx, "http://"+loopback(http)+"/ready") })
}

func (i *Istiod) pod() *corev1.Pod {
	p := newPod(i.Pod, i.Namespace, i.node.name, i.IP, map[string]string{"app": "istiod", "istio": "pilot", "istio.io/rev": i.Revision})
	p.Annotations = map[string]string{"prometheus.io/port": itoa(monitoringPort), "prometheus.io/scrape": "true"}
	p.Spec.ServiceAccountName = "istiod"
	p.Spec.Containers = []corev1.Container{{
		Name: "discovery", Image: "docker.io/istio/pilot:" + Version,
		Ports: containerPorts(8080, 15010, securePort, 15017, monitoringPort),
	}}
	for _, v := range i.env {
		name, value, _ := strings.Cut(v, "=")
		p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: name, Value: value})
	}
	return p
}
