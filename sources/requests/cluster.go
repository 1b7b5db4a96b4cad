package requests

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Cluster is one Kubernetes cluster. It has all sources of one kubeconfig
// context, and answers requests from any of them. A single answer of a proxy
// that was opened without a mesh, such as a config dump, is a Cluster too.
type Cluster struct {
	Number  int    // the position among the mesh's clusters
	Context string // the kubeconfig context; may be empty
	Kind    string // one of the Kind constants of package transport
	Sources []transport.Source
}

// Clusters groups the sources by context. The clusters keep the order of their
// first source.
func Clusters(all []transport.Source) []*Cluster {
	var out []*Cluster
	for _, s := range all {
		m := s.Manifest()
		c := &Cluster{Number: len(out), Context: m.Context, Kind: m.Kind}
		if !c.IsDump() {
			i := slices.IndexFunc(out, func(o *Cluster) bool { return !o.IsDump() && o.Context == c.Context })
			if i >= 0 {
				out[i].Sources = append(out[i].Sources, s)
				continue
			}
		}
		c.Sources = []transport.Source{s}
		out = append(out, c)
	}
	return out
}

// IsDump reports whether the cluster consists of a single answer of a proxy,
// usually a config dump.
func (c *Cluster) IsDump() bool {
	return c.Kind == transport.KindConfigDump || c.Kind == transport.KindZtunnelDump || c.Kind == transport.KindClusters
}

// IsLive reports whether answers are fetched from a running cluster. It returns
// false if they were recorded.
func (c *Cluster) IsLive() bool { return c.Kind == transport.KindLive }

// HasAPIServer reports whether a live cluster was specified by a kubeconfig.
// Otherwise it was specified by the addresses of istiods and Envoys.
func (c *Cluster) HasAPIServer() bool { return c.Sources[0].Manifest().IstioNamespace != "" }

// CannotHave reports whether err is about data that a live mesh specified by
// addresses cannot have, because there is no API server. Such an error is not a
// fault.
func (c *Cluster) CannotHave(err error) bool {
	return c.IsLive() && !c.HasAPIServer() && errors.Is(err, fs.ErrNotExist)
}

// Pilots returns the ids of the istiods, sorted.
func (c *Cluster) Pilots(ctx context.Context) ([]string, error) {
	return c.names(ctx, transport.Source.Pilots)
}

// Proxies returns the sorted names under which proxies can be reached.
func (c *Cluster) Proxies(ctx context.Context) ([]string, error) {
	return c.names(ctx, transport.Source.Proxies)
}

func (c *Cluster) names(ctx context.Context, list func(transport.Source, context.Context) ([]string, error)) ([]string, error) {
	var all []string
	var errs []error
	for _, s := range c.Sources {
		names, err := list(s, ctx)
		all, errs = append(all, names...), append(errs, err)
	}
	slices.Sort(all)
	return slices.Compact(all), errors.Join(errs...)
}
