package mesh

import (
	"bytes"
	"context"
	"fmt"
)

// CreateServices adds n Services, each with two ports and one address, and waits until the proxy has received them.
func (m *Mesh) CreateServices(ctx context.Context, n int, p *Proxy) error {
	for i := range n {
		var b bytes.Buffer
		fmt.Fprintf(&b, serviceText, i, i/250, i%250+1)
		if err := m.apply(ctx, "default", b.Bytes()); err != nil {
			return err
		}
	}
	return m.await(ctx, func(ctx context.Context) error {
		active, err := p.Stat(ctx, "cluster_manager.active_clusters")
		if err == nil && active < 2*n {
			err = fmt.Errorf("%s: %d clusters of %d", p.ID(), active, 2*n)
		}
		return err
	})
}

const serviceText = `
apiVersion: v1
kind: Service
metadata: {name: many-%04[1]d}
spec:
  selector: {app: many-%04[1]d}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: grpc, port: 9090, targetPort: 9090}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: many-%04[1]d-a, labels: {kubernetes.io/service-name: many-%04[1]d}}
addressType: IPv4
ports:
- {name: http, port: 8080}
- {name: grpc, port: 9090}
endpoints:
- {addresses: [10.250.%[2]d.%[3]d], conditions: {ready: true}}
`
