package mesh

import (
	"context"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
)

// startAPIServer starts or restarts kube-apiserver and waits until it is ready.
func (m *Mesh) startAPIServer(ctx context.Context) error {
	c := m.credentials
	policy, err := m.writeAuditPolicy()
	if err != nil {
		return err
	}
	p, err := m.start(command{
		name: "kube-apiserver", path: m.programs.APIServer,
		args: []string{
			"--etcd-servers=http://" + loopback(m.port.etcd),
			"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + itoa(m.port.apiserver),
			"--endpoint-reconciler-type=none",
			"--service-cluster-ip-range=10.96.0.0/16",
			"--tls-cert-file=" + c.server, "--tls-private-key-file=" + c.serverKey, "--client-ca-file=" + c.ca,
			"--authorization-mode=RBAC", "--anonymous-auth=false",
			"--disable-admission-plugins=ServiceAccount",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + c.account, "--service-account-signing-key-file=" + c.accountKey,
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-client-certificate=" + c.kubelet, "--kubelet-client-key=" + c.kubeletKey,
			"--shutdown-delay-duration=0s", "--profiling=false",
			"--audit-policy-file=" + policy, "--audit-log-path=" + m.auditLog(),
		},
	})
	if err != nil {
		return err
	}
	m.apiserver = p
	return p.await(ctx, func(ctx context.Context) error {
		return m.kube.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// newClients creates the clients that this package uses. They have an administrator's rights.
func (m *Mesh) newClients() (err error) {
	if m.kube, err = kubernetes.NewForConfig(m.restConfig()); err != nil {
		return err
	}
	m.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(m.kube.Discovery()))
	m.objects, err = dynamic.NewForConfig(m.restConfig())
	return err
}
