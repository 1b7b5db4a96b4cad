package mesh

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// kwok's configuration: where the ports of pods are forwarded to, and which programs exec runs in containers.
type (
	kwokObject struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       any            `json:"spec"`
	}
	kwokTarget struct {
		Port    int    `json:"port"`
		Address string `json:"address"`
	}
	kwokForward struct {
		Ports  []int      `json:"ports"`
		Target kwokTarget `json:"target"`
	}
	kwokVariable struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	kwokExec struct {
		Containers []string `json:"containers"`
		Local      struct {
			Envs []kwokVariable `json:"envs"`
		} `json:"local"`
	}
)

// startKwok starts the kubelet of all nodes. Its configuration has all pods that may be created later; until then,
// their ports are forwarded to closed ports.
func (m *Mesh) startKwok(ctx context.Context) error {
	config := filepath.Join(m.Dir, "kwok.yaml")
	if err := m.writeKwokConfig(config); err != nil {
		return err
	}
	address := loopback(m.port.kubelet)
	p, err := m.start(command{
		name: "kwok", path: m.programs.Kwok,
		args: []string{
			"--kubeconfig=" + m.Kubeconfig, "--config=" + config, "--manage-all-nodes",
			"--node-ip=127.0.0.1", "--node-port=" + itoa(m.port.kubelet), "--server-address=" + address,
			"--tls-cert-file=" + m.credentials.server, "--tls-private-key-file=" + m.credentials.serverKey,
		},
		// exec finds pilot-agent and pilot-discovery here
		env: []string{"PATH=" + filepath.Dir(m.programs.Agent)},
	})
	if err != nil {
		return err
	}
	return p.await(ctx, func(ctx context.Context) error { return accepts(ctx, address) })
}

func (m *Mesh) writeKwokConfig(path string) error {
	var all []kwokObject
	for _, p := range m.Proxies {
		all = append(all, podPorts(p.Pod, p.Namespace, "istio-proxy", portPair{p.AdminPort, p.Admin})...)
	}
	for _, i := range m.Istiods {
		all = append(all, podPorts(i.Pod, i.Namespace, "discovery", portPair{monitoringPort, i.Monitoring}, portPair{securePort, i.secure})...)
	}
	for _, z := range m.ZTunnels {
		all = append(all, podPorts(z.Pod, istioNamespace, "istio-proxy", portPair{defaultAdminPort, z.admin})...)
	}
	for _, kind := range []string{"Node", "Pod"} {
		all = append(all, noStage(kind))
	}
	var text strings.Builder
	for _, o := range all {
		b, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "---\n%s", b)
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// A portPair is a port of a pod and the local port that it is forwarded to.
type portPair struct{ port, local int }

// podPorts returns kwok's configuration of a pod. Port-forward reaches all the ports; a program that exec starts in the
// container reaches only the first.
func podPorts(pod, namespace, container string, all ...portPair) []kwokObject {
	metadata := map[string]any{"name": pod, "namespace": namespace}
	exec := kwokExec{Containers: []string{container}}
	exec.Local.Envs = []kwokVariable{{"PORTS", fmt.Sprintf("%d=%d", all[0].port, all[0].local)}}
	var forwards []kwokForward
	for _, p := range all {
		forwards = append(forwards, kwokForward{Ports: []int{p.port}, Target: kwokTarget{p.local, "127.0.0.1"}})
	}
	return []kwokObject{
		kwokKind("PortForward", metadata, map[string]any{"forwards": forwards}),
		kwokKind("Exec", metadata, map[string]any{"execs": []kwokExec{exec}}),
	}
}

// noStage returns a stage that no object ever enters. kwok exits unless it has a stage of each kind.
func noStage(kind string) kwokObject {
	return kwokKind("Stage", map[string]any{"name": "never-" + strings.ToLower(kind)}, map[string]any{
		"resourceRef": map[string]any{"apiGroup": "v1", "kind": kind},
		"selector":    map[string]any{"matchLabels": map[string]any{"never": "never"}},
		"next":        map[string]any{},
	})
}

func kwokKind(kind string, metadata map[string]any, spec any) kwokObject {
	return kwokObject{APIVersion: "kwok.x-k8s.io/v1alpha1", Kind: kind, Metadata: metadata, Spec: spec}
}
