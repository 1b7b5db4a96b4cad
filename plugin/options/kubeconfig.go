package options

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/homedir"
)

// kubeFlags are kubectl's connection flags, with the names and help texts that
// they have in genericclioptions.ConfigFlags. That package is not used, because
// it would link the types and the discovery of all Kubernetes APIs into the
// program.
type kubeFlags struct {
	KubeConfig, CacheDir                        *string
	CertFile, KeyFile, BearerToken              *string
	Impersonate, ImpersonateUID                 *string
	ImpersonateGroup, ImpersonateUserExtra      *[]string
	ClusterName, AuthInfoName, Context          *string
	Namespace, APIServer, TLSServerName, CAFile *string
	Timeout, ProxyURL                           *string
	Insecure, DisableCompression                *bool
}

func newKubeFlags() *kubeFlags {
	timeout, cacheDir := "0", os.Getenv("KUBECACHEDIR")
	if cacheDir == "" {
		cacheDir = filepath.Join(homedir.HomeDir(), ".kube", "cache")
	}
	return &kubeFlags{
		KubeConfig: new(string), CacheDir: &cacheDir, CertFile: new(string), KeyFile: new(string), BearerToken: new(string),
		Impersonate: new(string), ImpersonateUID: new(string), ImpersonateGroup: &[]string{}, ImpersonateUserExtra: &[]string{},
		ClusterName: new(string), AuthInfoName: new(string), Context: new(string), Namespace: new(string), APIServer: new(string),
		TLSServerName: new(string), CAFile: new(string), Timeout: &timeout, ProxyURL: new(string),
		Insecure: new(bool), DisableCompression: new(bool),
	}
}

// AddFlags adds the connection flags to the flag set s.
func (f *kubeFlags) AddFlags(s *pflag.FlagSet) {
	s.StringVar(f.KubeConfig, "kubeconfig", *f.KubeConfig, "Path to the kubeconfig file to use for CLI requests.")
	s.StringVar(f.CacheDir, "cache-dir", *f.CacheDir, "Default cache directory")
	s.StringVar(f.CertFile, "client-certificate", *f.CertFile, "Path to a client certificate file for TLS")
	s.StringVar(f.KeyFile, "client-key", *f.KeyFile, "Path to a client key file for TLS")
	s.StringVar(f.BearerToken, "token", *f.BearerToken, "Bearer token for authentication to the API server")
	s.StringVar(f.Impersonate, "as", *f.Impersonate, "Username to impersonate for the operation. User could be a regular user or a service account in a namespace.")
	s.StringVar(f.ImpersonateUID, "as-uid", *f.ImpersonateUID, "UID to impersonate for the operation.")
	s.StringArrayVar(f.ImpersonateGroup, "as-group", *f.ImpersonateGroup, "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.")
	s.StringArrayVar(f.ImpersonateUserExtra, "as-user-extra", *f.ImpersonateUserExtra, "User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same key.")
	s.StringVar(f.ClusterName, "cluster", *f.ClusterName, "The name of the kubeconfig cluster to use")
	s.StringVar(f.AuthInfoName, "user", *f.AuthInfoName, "The name of the kubeconfig user to use")
	s.StringVarP(f.Namespace, "namespace", "n", *f.Namespace, "If present, the namespace scope for this CLI request")
	s.StringVar(f.Context, "context", *f.Context, "The name of the kubeconfig context to use")
	s.StringVarP(f.APIServer, "server", "s", *f.APIServer, "The address and port of the Kubernetes API server")
	s.StringVar(f.TLSServerName, "tls-server-name", *f.TLSServerName, "Server name to use for server certificate validation. If it is not provided, the hostname used to contact the server is used")
	s.BoolVar(f.Insecure, "insecure-skip-tls-verify", *f.Insecure, "If true, the server's certificate will not be checked for validity. This will make your HTTPS connections insecure")
	s.StringVar(f.CAFile, "certificate-authority", *f.CAFile, "Path to a cert file for the certificate authority")
	s.StringVar(f.Timeout, "request-timeout", *f.Timeout, "The length of time to wait before giving up on a single server request. Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests.")
	s.BoolVar(f.DisableCompression, "disable-compression", *f.DisableCompression, "If true, opt-out of response compression for all requests to the server")
	s.StringVar(f.ProxyURL, "proxy-url", *f.ProxyURL, "Proxy URL to use for requests to the API server")
}

// In returns a copy of the flags that selects another kubeconfig context.
func (f *kubeFlags) In(context string) *kubeFlags {
	other := *f
	other.Context = &context
	return &other
}

// ToRESTConfig returns the connection settings that result from the kubeconfig and
// the flags.
func (f *kubeFlags) ToRESTConfig() (*rest.Config, error) {
	return f.ToRawKubeConfigLoader().ClientConfig()
}

// ToRawKubeConfigLoader returns a loader for the kubeconfig with the values of the
// flags applied. The loader reads the files when one of its methods is called.
func (f *kubeFlags) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.DefaultClientConfig = &clientcmd.DefaultClientConfig
	rules.ExplicitPath = *f.KubeConfig

	o := &clientcmd.ConfigOverrides{ClusterDefaults: clientcmd.ClusterDefaults, CurrentContext: *f.Context, Timeout: *f.Timeout}
	o.AuthInfo.ClientCertificate, o.AuthInfo.ClientKey = *f.CertFile, *f.KeyFile
	o.AuthInfo.Token = *f.BearerToken
	o.AuthInfo.Impersonate, o.AuthInfo.ImpersonateUID = *f.Impersonate, *f.ImpersonateUID
	o.AuthInfo.ImpersonateGroups = *f.ImpersonateGroup
	o.AuthInfo.ImpersonateUserExtra = f.userExtra()
	o.ClusterInfo.Server, o.ClusterInfo.TLSServerName = *f.APIServer, *f.TLSServerName
	o.ClusterInfo.CertificateAuthority, o.ClusterInfo.InsecureSkipTLSVerify = *f.CAFile, *f.Insecure
	o.ClusterInfo.DisableCompression, o.ClusterInfo.ProxyURL = *f.DisableCompression, *f.ProxyURL
	o.Context.Cluster, o.Context.AuthInfo, o.Context.Namespace = *f.ClusterName, *f.AuthInfoName, *f.Namespace
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, o)
}

// userExtra parses the "key=value" words of --as-user-extra. It skips words that
// have no "=".
func (f *kubeFlags) userExtra() map[string][]string {
	var extra map[string][]string
	for _, word := range *f.ImpersonateUserExtra {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		if extra == nil {
			extra = map[string][]string{}
		}
		extra[key] = append(extra[key], value)
	}
	return extra
}
