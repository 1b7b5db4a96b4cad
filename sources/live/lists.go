package live

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// cached returns the query parameters that allow the API server to respond from
// its cache instead of etcd. The list may then be some seconds old.
func cached() url.Values { return url.Values{"resourceVersion": {"0"}} }

var resourceName = regexp.MustCompile(`^[a-z0-9]+(\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$`)

// errNoResource returns the error for a resource that the API server doesn't
// serve.
func errNoResource(err error) error { return &absent{"the cluster has no such resource", err} }

// List returns all objects of a resource. Pods are returned in Protobuf. If the
// user may not list the pods of some namespaces, the result lacks these pods.
// Pods are requested only once until [Cluster.Forget].
func (c *Cluster) List(ctx context.Context, resource string) (*transport.Body, error) {
	defer c.begin()()
	if resource == "pods" {
		return c.pods(ctx)
	}
	if !resourceName.MatchString(resource) {
		return nil, errNoResource(nil)
	}
	name, group, _ := strings.Cut(resource, ".")
	if group == "" {
		return c.list(ctx, "api/v1/"+name, resource)
	}
	versions, err := c.groups.versions(ctx, c, group)
	if err != nil {
		return nil, err
	}
	for _, v := range versions { // the resource may not exist in the group's preferred version
		body, err := c.list(ctx, "apis/"+group+"/"+v+"/"+name, resource)
		if err == nil || !apierrors.IsNotFound(err) {
			return body, err
		}
	}
	return nil, errNoResource(nil)
}

// list requests the list of objects at a path of the Kubernetes API.
func (c *Cluster) list(ctx context.Context, path, resource string) (*transport.Body, error) {
	spool, err := c.get(ctx, path, cached(), asJSON)
	if apierrors.IsNotFound(err) {
		return nil, errNoResource(err)
	}
	if err != nil {
		return nil, forbidden(err, resource, "")
	}
	return c.body(spool, resource, transport.JSON)
}

// groups caches the versions of API groups.
type groups struct {
	mu sync.Mutex
	of map[string]*memo[[]string]
}

// versions returns the versions of an API group, the preferred one first. It
// returns no versions if the API server doesn't serve the group.
func (g *groups) versions(ctx context.Context, c *Cluster, group string) ([]string, error) {
	g.mu.Lock()
	if g.of == nil {
		g.of = map[string]*memo[[]string]{}
	}
	m := g.of[group]
	if m == nil {
		m = newMemo[[]string]()
		g.of[group] = m
	}
	g.mu.Unlock()
	return m.get(ctx, func() ([]string, error) { return c.askVersions(ctx, group) })
}

func (c *Cluster) askVersions(ctx context.Context, group string) ([]string, error) {
	spool, err := c.get(ctx, "apis/"+group, nil, asJSON)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer spool.Discard()
	var of metav1.APIGroup
	if err := json.NewDecoder(io.NewSectionReader(spool, 0, spool.Size())).Decode(&of); err != nil {
		return nil, &rewordedError{"API group " + group + ": " + err.Error(), err}
	}
	preferred := of.PreferredVersion.Version
	var all []string
	if preferred != "" {
		all = append(all, preferred)
	}
	for _, v := range of.Versions {
		if v.Version != preferred {
			all = append(all, v.Version)
		}
	}
	return all, nil
}
