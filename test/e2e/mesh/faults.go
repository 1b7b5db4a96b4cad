package mesh

import (
	"bytes"
	"context"
	"fmt"
	"syscall"
)

// Find returns the proxy of a workload, such as "reviews-v1".
func (m *Mesh) Find(workload string) (*Proxy, error) {
	for _, p := range m.Proxies {
		if p.Workload == workload {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s: no proxy of that workload", workload)
}

// Stall makes a proxy STALE while it still answers: its connection to istiod passes no bytes, and a change is made. The
// other proxies receive the change.
func (m *Mesh) Stall(ctx context.Context, p *Proxy) error {
	p.relay.stall()
	return m.apply(ctx, "default", []byte(change))
}

// change is a change of clusters, listeners and routes that affects every sidecar.
const change = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings}
spec:
  host: ratings
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 17}}}
  subsets: [{name: v1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec:
  hosts: [ratings]
  http: [{timeout: 7s, route: [{destination: {host: ratings, subset: v1}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec:
  hosts: [outside.example.com]
  addresses: [192.0.2.7]
  ports: [{number: 9443, name: tcp, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.8}]
`

// Hang suspends a proxy's Envoy. Its admin port accepts connections but never answers. A change makes the proxy STALE
// as well.
func (m *Mesh) Hang(ctx context.Context, p *Proxy) error {
	if err := p.process.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return m.apply(ctx, "default", []byte(change))
}

// Reject makes a proxy reject an update of its listeners, by adding a filter that its Envoy doesn't have.
func (m *Mesh) Reject(ctx context.Context, p *Proxy) error {
	return m.apply(ctx, p.Namespace, []byte(rejected(p)))
}

func rejected(p *Proxy) string {
	return `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: rejected-` + p.Workload + `}
spec:
  workloadSelector: {labels: {app: ` + p.app + `, version: ` + p.version + `}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: ` + map[string]string{"sidecar": "SIDECAR_INBOUND", "router": "GATEWAY"}[p.kind] + `
      listener:
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
            subFilter: {name: envoy.filters.http.router}
    patch:
      operation: INSERT_BEFORE
      value:
        name: bogus.filter
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/bogus.Type
          value: {}
`
}

// Withhold makes the gateway request a certificate that istiod never sends, so that its SDS status becomes NOT SENT.
func (m *Mesh) Withhold(ctx context.Context) error {
	m.withheld = true
	return m.apply(ctx, istioNamespace, []byte(withheld))
}

const withheld = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: withheld}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 8443, name: https, protocol: HTTPS}
    hosts: [secure.example.com]
    tls: {mode: SIMPLE, credentialName: secure-cred}
`

// Kill kills a proxy's Envoy. Its pod still exists, with the status Running.
func (m *Mesh) Kill(p *Proxy) { p.process.kill() }

// Delete deletes a proxy's pod and closes all streams into it. Its Envoy keeps running, as a real one does for a while.
func (m *Mesh) Delete(ctx context.Context, p *Proxy) error {
	if err := m.deletePod(ctx, p.Pod, p.Namespace); err != nil {
		return err
	}
	p.node.relay.cut()
	return nil
}

// StopIstiod kills an istiod. Its pod still exists.
func (m *Mesh) StopIstiod(i *Istiod) {
	if i.Running() {
		i.process.kill()
	}
}

// StartIstiod starts an istiod, and creates its pod if there is none.
func (m *Mesh) StartIstiod(ctx context.Context, i *Istiod) error {
	if i.Running() {
		return nil
	}
	return m.startIstiod(ctx, i)
}

// Split starts the second istiod with a revision, and makes every second proxy connect to it.
func (m *Mesh) Split(ctx context.Context, revision string) error {
	m.Istiods[1].Revision = revision
	if err := m.StartIstiod(ctx, m.Istiods[1]); err != nil {
		return err
	}
	for n, p := range m.Proxies {
		p.connect(m.Istiods[n%2])
	}
	return m.AwaitSynced(ctx)
}

// StopAPIServer kills the API server, as a crash would.
func (m *Mesh) StopAPIServer() { m.apiserver.kill() }

// StartAPIServer starts the API server again, on the same port and with the same data.
func (m *Mesh) StartAPIServer(ctx context.Context) error {
	if m.apiserver.running() {
		return nil
	}
	return m.startAPIServer(ctx)
}

// Repair repairs all faults, and waits until every proxy is connected to the first istiod and synced.
func (m *Mesh) Repair(ctx context.Context) error {
	if err := m.StartAPIServer(ctx); err != nil {
		return err
	}
	if err := m.StartIstiod(ctx, m.Istiods[0]); err != nil {
		return err
	}
	if err := m.removeFaults(ctx); err != nil {
		return err
	}
	for _, p := range m.Proxies {
		if err := m.repairProxy(ctx, p); err != nil {
			return err
		}
	}
	if err := m.awaitClean(ctx); err != nil {
		return err
	}
	if err := m.forgetSecret(); err != nil {
		return err
	}
	second := m.Istiods[1]
	m.StopIstiod(second)
	if err := m.deletePod(ctx, second.Pod, second.Namespace); err != nil {
		return err
	}
	return m.AwaitSynced(ctx)
}

// removeFaults removes the Istio objects that the faults have added, so that only Bookinfo's own remain.
func (m *Mesh) removeFaults(ctx context.Context) error {
	if err := m.remove(ctx, "default", []byte(change)); err != nil {
		return err
	}
	if err := m.remove(ctx, istioNamespace, []byte(withheld)); err != nil {
		return err
	}
	for _, p := range m.Proxies {
		if err := m.remove(ctx, p.Namespace, []byte(rejected(p))); err != nil {
			return err
		}
	}
	return m.configure(ctx)
}

func (m *Mesh) repairProxy(ctx context.Context, p *Proxy) error {
	if err := m.createPod(ctx, m.pods[p]); err != nil {
		return err
	}
	p.connect(m.Istiods[0])
	p.relay.resume()
	if !p.Running() {
		return m.startEnvoy(ctx, p)
	}
	return p.process.signal(syscall.SIGCONT)
}

// awaitClean waits until no proxy has any remains of a fault, such as a draining listener or a rejected update.
func (m *Mesh) awaitClean(ctx context.Context) error {
	return m.await(ctx, func(ctx context.Context) error {
		for _, p := range m.Proxies {
			listeners, err := get(ctx, p.URL()+"/config_dump?resource=dynamic_listeners")
			if err != nil {
				return err
			}
			for _, left := range []string{"192.0.2.7_9443", "0.0.0.0_8443", "bogus.filter", "draining_state"} {
				if bytes.Contains(listeners, []byte(left)) {
					return fmt.Errorf("%s: has %s still", p.ID(), left)
				}
			}
		}
		return nil
	})
}

// forgetSecret makes the gateway stop requesting the withheld certificate, by closing its connection. An Envoy keeps
// requesting a secret on the same connection even if no listener needs it any more.
func (m *Mesh) forgetSecret() error {
	if !m.withheld {
		return nil
	}
	gateway, err := m.Find(ingress)
	if err != nil {
		return err
	}
	gateway.relay.cut()
	m.withheld = false
	return nil
}
