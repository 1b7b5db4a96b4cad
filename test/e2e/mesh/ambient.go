package mesh

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// A ZTunnel is a stand-in for the ztunnel of a node, and its pod. It receives workloads, services and policies from the
// real istiod, and forwards no connections.
type ZTunnel struct {
	Pod, IP, Node string

	admin, xds int
	node       *node
	relay      *relay
	process    *process
}

// ID returns the proxy's ID, "pod.namespace".
func (z *ZTunnel) ID() string { return z.Pod + "." + istioNamespace }

// Ambient has two namespaces of an ambient mesh: shop, whose service cart has a waypoint and an HTTPRoute, and bank,
// whose workload ledger accepts only teller. The waypoint's Service is created here, since no deployment controller
// runs.
const ambientObjects = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop, labels: {istio.io/use-waypoint: waypoint}}
spec: {clusterIP: 10.96.50.11, selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080, appProtocol: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: bank}
spec: {clusterIP: 10.96.51.10, selector: {app: ledger}, ports: [{name: tcp, port: 5432, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: waypoint, namespace: shop, labels: {gateway.networking.k8s.io/gateway-name: waypoint}}
spec:
  clusterIP: 10.96.50.100
  selector: {gateway.networking.k8s.io/gateway-name: waypoint}
  ports: [{name: mesh, port: 15008, targetPort: 15008, appProtocol: all}]
`

const ambientConfiguration = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio-waypoint}
spec: {controllerName: istio.io/mesh-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: shop, labels: {istio.io/waypoint-for: service}, annotations: {networking.istio.io/service-type: ClusterIP}}
spec:
  gatewayClassName: istio-waypoint
  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ledger-from-teller, namespace: bank}
spec:
  selector: {matchLabels: {app: ledger}}
  action: ALLOW
  rules: [{from: [{source: {principals: [cluster.local/ns/bank/sa/teller]}}], to: [{operation: {ports: ["8080"]}}]}]
`

// ambientChange is a change that every ztunnel is sent.
const ambientChange = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: bank-deny-shop, namespace: bank}
spec:
  action: DENY
  rules: [{from: [{source: {namespaces: [shop], notPrincipals: ["cluster.local/ns/shop/sa/web*"]}}]}]
`

// newAmbient returns the proxies of an ambient mesh: one sidecar, a waypoint, and the ztunnels of two nodes.
func (m *Mesh) newAmbient() error {
	keep := m.Proxies[:0]
	for _, p := range m.Proxies {
		if p.Workload == "productpage-v1" {
			keep = append(keep, p)
		}
	}
	way := &Proxy{
		Workload: "waypoint", Pod: "waypoint-7c9f5d6b8-k2wzj", Namespace: "shop", IP: "10.244.3.2", AdminPort: defaultAdminPort,
		kind: "waypoint", app: "waypoint", version: "latest", serviceAccount: "waypoint",
	}
	var err error
	if way.node, err = newNode(m.ports, 32); err != nil {
		return err
	}
	if err := m.ports.fill(&way.Admin, &way.xds); err != nil {
		return err
	}
	m.Proxies = append(keep, way)
	for i, pod := range []string{"ztunnel-4vx8q", "ztunnel-m9c2h"} {
		z := &ZTunnel{Pod: pod, IP: fmt.Sprintf("10.244.%d.2", i+1)}
		if z.node, err = newNode(m.ports, 30+i); err != nil {
			return err
		}
		z.Node = z.node.name
		if err := m.ports.fill(&z.admin, &z.xds); err != nil {
			return err
		}
		m.ZTunnels = append(m.ZTunnels, z)
	}
	return nil
}

// createAmbient creates the objects of the ambient namespaces, and the pods of their workloads and of the ztunnels.
func (m *Mesh) createAmbient(ctx context.Context) error {
	if err := m.applyFile(ctx, filepath.Join(m.programs.Istio, "tests/integration/pilot/testdata/gateway-api-crd.yaml")); err != nil {
		return err
	}
	if err := m.apply(ctx, "", []byte(ambientObjects)); err != nil {
		return err
	}
	for _, w := range []struct{ pod, namespace, app, ip, node string }{
		{"web-v1-5f6d7c8b9-aaaaa", "shop", "web", "10.244.1.10", m.ZTunnels[0].Node},
		{"cart-v1-6b8d9f7c5-bbbbb", "shop", "cart", "10.244.1.11", m.ZTunnels[0].Node},
		{"cart-v2-7d5c6b9f8-ccccc", "shop", "cart", "10.244.2.11", m.ZTunnels[1].Node},
		{"ledger-v1-5d9b7c6f4-fffff", "bank", "ledger", "10.244.1.20", m.ZTunnels[0].Node},
		{"teller-v1-7b6f5c9d8-ggggg", "bank", "teller", "10.244.2.20", m.ZTunnels[1].Node},
	} {
		account := fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s, namespace: %s}}", w.app, w.namespace)
		if err := m.apply(ctx, w.namespace, []byte(account)); err != nil {
			return err
		}
		pod := newPod(w.pod, w.namespace, w.node, w.ip, map[string]string{"app": w.app})
		pod.Annotations = map[string]string{"ambient.istio.io/redirection": "enabled"}
		pod.Spec.ServiceAccountName = w.app
		pod.Spec.Containers = []corev1.Container{{Name: w.app, Image: w.app, Ports: containerPorts(8080)}}
		if err := m.createPod(ctx, pod); err != nil {
			return err
		}
	}
	for _, z := range m.ZTunnels {
		pod := newPod(z.Pod, istioNamespace, z.Node, z.IP, map[string]string{"app": "ztunnel", "istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"})
		pod.Spec.Containers = []corev1.Container{{Name: "istio-proxy", Image: "docker.io/istio/ztunnel:" + Version, Args: []string{"proxy", "ztunnel"}}}
		if err := m.createPod(ctx, pod); err != nil {
			return err
		}
	}
	return m.await(ctx, func(ctx context.Context) error { return m.apply(ctx, "", []byte(ambientConfiguration)) })
}

// startZTunnels starts the stand-ins, each behind a relay of its own.
func (m *Mesh) startZTunnels(ctx context.Context) (err error) {
	for _, z := range m.ZTunnels {
		if z.relay, err = newRelay(z.xds); err != nil {
			return err
		}
		m.onDown(z.relay.close)
		z.relay.setTarget(loopback(m.Istiods[0].xds))
		z.process, err = m.start(command{name: z.Pod, path: m.programs.ZTunnel, args: []string{
			"-admin", loopback(z.admin), "-xds", loopback(z.xds), "-pod", z.Pod, "-ip", z.IP, "-node", z.Node, "-cluster", "Kubernetes",
		}})
		if err != nil {
			return err
		}
		address := loopback(z.admin)
		if err := z.process.await(ctx, func(ctx context.Context) error { return accepts(ctx, address) }); err != nil {
			return err
		}
	}
	return nil
}

// AwaitAmbient waits until the ztunnels have acknowledged what they were sent, and the waypoint has refused the
// listeners that only Istio's build of Envoy accepts.
func (m *Mesh) AwaitAmbient(ctx context.Context) error { return m.await(ctx, m.ambientSettled) }

func (m *Mesh) ambientSettled(ctx context.Context) error {
	rows, err := m.Istiods[0].Syncz(ctx)
	if err != nil {
		return err
	}
	for _, z := range m.ZTunnels {
		at := slices.IndexFunc(rows, func(s Sync) bool { return s.Proxy == z.ID() })
		if at < 0 {
			return fmt.Errorf("%s: not connected", z.ID())
		}
		for _, end := range []string{"workload.Address", "security.Authorization"} {
			if word := rows[at].ofType(end); word != "SYNCED" {
				return fmt.Errorf("%s: %s is %s", z.ID(), end, word)
			}
		}
	}
	at := slices.IndexFunc(rows, func(s Sync) bool { return strings.HasPrefix(s.Proxy, "waypoint-") })
	if at < 0 || rows[at].Words()["lds"] != "ERROR" {
		return fmt.Errorf("the waypoint is not connected, or has not refused its listeners")
	}
	return m.waypointBound(ctx)
}

// waypointBound returns nil if the ztunnels were told the waypoint of service cart. istiod binds it only after it has
// programmed the Gateway.
func (m *Mesh) waypointBound(ctx context.Context) error {
	for _, z := range m.ZTunnels {
		dump, err := get(ctx, "http://"+loopback(z.admin)+"/config_dump")
		if err != nil {
			return err
		}
		if !bytes.Contains(dump, []byte(`"destination":"shop/waypoint.shop.svc.cluster.local"`)) {
			return fmt.Errorf("%s: has no waypoint for cart", z.ID())
		}
	}
	return nil
}

// ofType returns the word of the type whose URL has an ending.
func (s Sync) ofType(end string) string {
	for url, t := range s.Resources {
		if strings.HasSuffix(url, end) {
			return t.Word()
		}
	}
	return ""
}

// StallZTunnel makes a ztunnel STALE: its connection passes no bytes, and a change of policies is made.
func (m *Mesh) StallZTunnel(ctx context.Context, z *ZTunnel) error {
	z.relay.stall()
	return m.apply(ctx, "", []byte(ambientChange))
}

// ResumeZTunnel ends the stall. The ztunnel then receives the change.
func (m *Mesh) ResumeZTunnel(z *ZTunnel) { z.relay.resume() }
