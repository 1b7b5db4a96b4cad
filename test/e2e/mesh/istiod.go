package mesh

import (
	"context"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

const (
	istioNamespace = "istio-system"
	monitoringPort = 15014
	securePort     = 15012 // of xDS over TLS, which istioctl asks for the states of proxies
	// Version is the version that the proxies say they are of.
	Version = "1.31.0"
)

// meshConfig leaves out the telemetry provider: its filters are only in
// Istio's own build of Envoy.
const meshConfig = `
trustDomain: cluster.local
defaultProviders: {}
`

// An Istiod is one istiod, with the pod that it is in.
type Istiod struct {
	Pod, Namespace string
	IP             string
	Revision       string
	Monitoring     int // the local port that the pod's 15014 leads to

	node    *node
	xds     int // the local port that proxies connect to, by their relays
	secure  int // the local port that the pod's 15012 leads to
	process *process
}

// Running tells whether it runs.
func (i *Istiod) Running() bool { return i.process != nil && i.process.running() }

// URL is its own address, past the API server.
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

// startIstiod starts an istiod, with its pod if it has none, and waits until
// it takes proxies.
func (m *Mesh) startIstiod(ctx context.Context, i *Istiod) error {
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
			// A proxy that hangs stays known for as long as a test looks at it.
			"--keepaliveInterval=1h",
		},
		env: []string{
			"POD_NAME=" + i.Pod, "POD_NAMESPACE=" + i.Namespace, "CLUSTER_ID=Kubernetes", "REVISION=" + i.Revision,
			"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false",
			"INJECTION_WEBHOOK_CONFIG_NAME=", "VALIDATION_WEBHOOK_CONFIG_NAME=",
		},
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
	return p
}
