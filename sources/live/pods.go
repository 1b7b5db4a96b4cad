package live

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A pod identifies a pod by its name and namespace.
type pod struct{ name, namespace string }

// podOf parses "pod.namespace". It splits the text at the last dot, since a
// namespace can't contain a dot.
func podOf(id string) (pod, bool) {
	i := strings.LastIndexByte(id, '.')
	if i <= 0 || i == len(id)-1 {
		return pod{}, false
	}
	return pod{id[:i], id[i+1:]}, true
}

func (p pod) id() string { return p.name + "." + p.namespace }

// pods returns the list of all pods that the user has permission to list.
func (c *Cluster) pods(ctx context.Context) (*transport.Body, error) {
	return c.listed.get(ctx, func() (*transport.Body, error) {
		spool, err := c.get(ctx, "api/v1/pods", cached(), asProtobuf)
		if apierrors.IsForbidden(err) {
			spool, err = c.podsOfSome(ctx, forbidden(err, "pods", ""))
		}
		if err != nil {
			return nil, err
		}
		return c.body(spool, "pods", transport.Protobuf)
	})
}

// podsOfSome returns the pods of the namespaces in [Cluster.fallbackNamespaces],
// for a user without permission to list the pods of all namespaces.
func (c *Cluster) podsOfSome(ctx context.Context, cause error) (*transport.Spool, error) {
	var read, not []string
	var raw []byte
	for _, namespace := range c.fallbackNamespaces() {
		spool, err := c.get(ctx, "api/v1/namespaces/"+namespace+"/pods", cached(), asProtobuf)
		if apierrors.IsForbidden(err) {
			not = append(not, namespace)
			continue
		}
		if err != nil {
			return nil, err
		}
		list, err := unwrap(spool)
		spool.Discard()
		if err != nil {
			return nil, err
		}
		raw = append(raw, list...) // concatenated Protobuf messages are decoded as one merged message
		read = append(read, namespace)
	}
	if len(read) == 0 {
		return nil, cause
	}
	spool := c.depot.Spool()
	if err := wrap(spool, raw); err != nil {
		spool.Discard()
		return nil, err
	}
	c.fault(&mesh.Fault{Subject: "kubernetes", Section: "pods", Err: &forbiddenError{partly(read, not), cause}})
	return spool, nil
}

// fallbackNamespaces returns the namespaces whose pods are listed if the user has
// no permission to list the pods of all namespaces.
func (c *Cluster) fallbackNamespaces() []string {
	all := []string{c.options.IstioNamespace}
	if n := c.options.Namespace; n != "" {
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func partly(read, not []string) string {
	s := fmt.Sprintf("only of %s: forbidden to %s", strings.Join(read, " and "), right("list", "pods", ""))
	for _, n := range not {
		s += ", and in namespace " + n
	}
	return s
}

// podList returns the API version and kind of a list of pods.
func podList() runtime.TypeMeta { return runtime.TypeMeta{APIVersion: "v1", Kind: "PodList"} }

// unwrap returns the list inside the API server's Protobuf envelope.
func unwrap(spool *transport.Spool) ([]byte, error) {
	text := make([]byte, spool.Size())
	if _, err := spool.ReadAt(text, 0); err != nil && err != io.EOF {
		return nil, err
	}
	var u runtime.Unknown
	rest, ok := strings.CutPrefix(string(text), "k8s\x00")
	if !ok {
		return nil, fmt.Errorf("pods: not a list in protobuf")
	}
	if err := u.Unmarshal([]byte(rest)); err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	if u.TypeMeta != podList() {
		return nil, fmt.Errorf("pods: a %q of %q", u.Kind, u.APIVersion)
	}
	return u.Raw, nil
}

// wrap adds the API server's envelope to a list in Protobuf.
func wrap(spool *transport.Spool, raw []byte) error {
	u := runtime.Unknown{TypeMeta: podList(), Raw: raw}
	b, err := u.Marshal()
	if err != nil {
		return err
	}
	_, err = spool.Write(append([]byte("k8s\x00"), b...))
	return err
}

// An adminAddress is the admin port of a proxy. It also has the information
// whether the proxy is a ztunnel.
type adminAddress struct {
	port    int
	ztunnel bool
}

// adminAddress returns the admin port of a proxy. If pods can't be listed, it
// returns the default port.
func (c *Cluster) adminAddress(ctx context.Context, p pod) (adminAddress, error) {
	all, err := c.adminAddresses.get(ctx, func() (map[pod]adminAddress, error) {
		all, err := c.findAdminAddresses(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, nil // an empty result is cached, so that pods aren't listed again for each proxy
		}
		return all, err
	})
	if err != nil {
		return adminAddress{}, err
	}
	s, special := all[p]
	if !special {
		s = adminAddress{port: envoyPort}
	}
	if n := c.options.AdminPort; n > 0 && !s.ztunnel {
		s.port = n
	}
	return s, nil
}

func (c *Cluster) findAdminAddresses(ctx context.Context) (map[pod]adminAddress, error) {
	body, err := c.pods(ctx)
	if err != nil {
		return nil, err
	}
	pods, err := kube.ProtobufPods(ctx, body)
	body.Unload()
	if err != nil {
		return nil, err
	}
	special := map[pod]adminAddress{}
	for _, p := range pods {
		s := adminAddress{adminPort(p.Annotations), p.Type == mesh.ZTunnel}
		if s.ztunnel {
			s.port = envoyPort
		}
		if s.ztunnel || s.port != envoyPort {
			special[pod{p.Name, p.Namespace}] = s
		}
	}
	return special, nil
}

// adminPort returns the admin port in the pod annotation that configures the pod's
// proxy.
func adminPort(annotations *object.Object) int {
	text, _ := annotations.Get("proxy.istio.io/config").(string)
	if !strings.Contains(text, "proxyAdminPort") {
		return envoyPort
	}
	var config struct {
		ProxyAdminPort int `json:"proxyAdminPort"`
	}
	if yaml.Unmarshal([]byte(text), &config) != nil || !isPort(config.ProxyAdminPort) {
		return envoyPort
	}
	return config.ProxyAdminPort
}

func isPort(n int) bool { return n > 0 && n < 1<<16 }
