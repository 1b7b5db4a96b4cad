package mesh

import (
	"context"
	"net"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	secrets "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

// startSDS serves certificates to the proxies, as Istio's agent does in each pod of a real cluster: "default" for the
// proxy's service account, and "ROOTCA" for all. Without them, clusters remain in the state WARMING and no proxy ever
// requests its listeners.
func (m *Mesh) startSDS(ctx context.Context) error {
	ca, err := newAuthority("cluster.local")
	if err != nil {
		return err
	}
	snapshots := cache.NewSnapshotCache(false, cache.IDHash{}, nil)
	for _, p := range m.Proxies {
		pair, err := ca.sign(subject{name: "", uri: "spiffe://cluster.local/ns/" + p.Namespace + "/sa/" + p.serviceAccount})
		if err != nil {
			return err
		}
		s, err := cache.NewSnapshot("1", map[resource.Type][]types.Resource{
			resource.SecretType: {workloadSecret(pair), rootSecret(ca)},
		})
		if err != nil {
			return err
		}
		if err := snapshots.SetSnapshot(ctx, p.nodeID(), s); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", loopback(m.port.sds))
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	secrets.RegisterSecretDiscoveryServiceServer(s, server.NewServer(context.WithoutCancel(ctx), snapshots, nil))
	go s.Serve(l)
	m.onDown(s.Stop)
	return nil
}

func workloadSecret(pair keyPair) *tls.Secret {
	return &tls.Secret{Name: "default", Type: &tls.Secret_TlsCertificate{TlsCertificate: &tls.TlsCertificate{
		CertificateChain: inline(pair.cert), PrivateKey: inline(pair.key),
	}}}
}

func rootSecret(ca *authority) *tls.Secret {
	return &tls.Secret{Name: "ROOTCA", Type: &tls.Secret_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
		TrustedCa: inline(ca.pem),
	}}}
}

func inline(b []byte) *core.DataSource {
	return &core.DataSource{Specifier: &core.DataSource_InlineBytes{InlineBytes: b}}
}
