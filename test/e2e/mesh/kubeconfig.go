package mesh

import (
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Context is the name of the only context in the kubeconfig files.
const Context = "bookinfo"

// writeKubeconfig writes a kubeconfig file for one user. Its namespace is default.
func (m *Mesh) writeKubeconfig(path string, user *api.AuthInfo) error {
	return clientcmd.WriteToFile(api.Config{
		Clusters:       map[string]*api.Cluster{Context: {Server: m.server(), CertificateAuthorityData: m.credentials.authority.pem}},
		AuthInfos:      map[string]*api.AuthInfo{Context: user},
		Contexts:       map[string]*api.Context{Context: {Cluster: Context, AuthInfo: Context, Namespace: "default"}},
		CurrentContext: Context,
	}, path)
}

func (m *Mesh) server() string { return "https://" + loopback(m.port.apiserver) }

func (m *Mesh) administrator() *api.AuthInfo {
	pair := m.credentials.administrator
	return &api.AuthInfo{ClientCertificateData: pair.cert, ClientKeyData: pair.key}
}

func (m *Mesh) restConfig() *rest.Config {
	pair := m.credentials.administrator
	return &rest.Config{
		Host: m.server(),
		QPS:  -1,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: m.credentials.authority.pem, CertData: pair.cert, KeyData: pair.key,
		},
	}
}
