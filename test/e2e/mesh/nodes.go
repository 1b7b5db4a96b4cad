package mesh

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	region = "eu-west1"
	zone   = "eu-west1-b"
)

// A node is the Kubernetes node of one pod. One kwok process is the kubelet of all nodes, but each node has a relay in
// front of it. When a pod is deleted, a kubelet closes all streams into it; the relay can do the same for one pod.
type node struct {
	name  string
	port  int
	relay *relay
}

func newNode(p *ports, number int) (*node, error) {
	n := &node{name: fmt.Sprintf("node-%d", number)}
	return n, p.fill(&n.port)
}

// nodes returns the nodes of all proxies, istiods and ztunnels.
func (m *Mesh) nodes() (all []*node) {
	for _, p := range m.Proxies {
		all = append(all, p.node)
	}
	for _, i := range m.Istiods {
		all = append(all, i.node)
	}
	for _, z := range m.ZTunnels {
		all = append(all, z.node)
	}
	return all
}

// Sessions returns the number of connections from the API server to the kubelet of the proxy's pod. Each open
// port-forward or exec has one.
func (p *Proxy) Sessions() int { return p.node.relay.sessions() }

// createNodes creates the nodes and their relays.
func (m *Mesh) createNodes(ctx context.Context) (err error) {
	for _, n := range m.nodes() {
		if n.relay, err = newRelay(n.port); err != nil {
			return err
		}
		m.onDown(n.relay.close)
		n.relay.setTarget(loopback(m.port.kubelet))
		if err := m.createNode(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mesh) createNode(ctx context.Context, n *node) error {
	made, err := m.kube.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: n.name,
		Labels: map[string]string{
			corev1.LabelHostname: n.name, corev1.LabelTopologyRegion: region, corev1.LabelTopologyZone: zone,
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status = corev1.NodeStatus{
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
		Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(n.port)}},
		NodeInfo:        corev1.NodeSystemInfo{KubeletVersion: "v1.35.4", OperatingSystem: "linux", Architecture: "amd64"},
	}
	_, err = m.kube.CoreV1().Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}
