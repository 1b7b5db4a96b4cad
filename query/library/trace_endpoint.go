package library

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// checked tells whether Envoy itself finds out about a cluster's endpoints.
func checked(ctx context.Context, cluster any) (bool, error) {
	outlier, err := mesh.Get(ctx, cluster, "outlierDetection")
	if err != nil || outlier != nil {
		return err == nil, err
	}
	checks, err := get[[]any](ctx, cluster, "healthChecks")
	return len(checks) > 0, err
}

// zone is where the proxy is among those of its own cluster, where Envoy was
// told which that is.
func (w *walk) zone() (*routing.Zone, error) {
	z, err := w.zoneKnown()
	if err != nil && w.unread(err) {
		return nil, nil
	}
	return z, err
}

func (w *walk) zoneKnown() (*routing.Zone, error) {
	bootstrap, err := mesh.Get(w.ctx, w.proxy, "bootstrap")
	if err != nil {
		return nil, err
	}
	manager, err := mesh.Get(w.ctx, bootstrap, "clusterManager")
	if err != nil {
		return nil, err
	}
	name, err := get[string](w.ctx, manager, "localClusterName")
	if err != nil || name == "" {
		return nil, err
	}
	node, err := mesh.Get(w.ctx, bootstrap, "node")
	if err != nil {
		return nil, err
	}
	z := &routing.Zone{}
	if z.Locality, err = mesh.Get(w.ctx, node, "locality"); err != nil {
		return nil, err
	}
	z.Local, err = w.assigned(name)
	return z, err
}

// member is an endpoint in the result: what its row says, and how it is
// spoken to: tls where by TLS. What Envoy itself found out is asked for where
// it counts.
func (w *walk) member(row, cluster any, checks bool) (m *object.Object, tls any, err error) {
	v, err := mesh.Force(w.ctx, row)
	if err != nil {
		return nil, nil, err
	}
	fields, _ := v.(*object.Object)
	m = object.Of("outlier", nil, "tunnel", nil)
	for _, key := range []string{"address", "ip", "port", "health", "weight", "priority", "locality"} {
		v, err := mesh.Deep(w.ctx, fields.Get(key))
		if err != nil {
			return nil, nil, err
		}
		m.Set(key, v)
	}
	if checks {
		outlier, err := mesh.Force(w.ctx, fields.Get("outlier"))
		if err != nil {
			return nil, nil, err
		}
		m.Set("outlier", outlier)
	}
	metadata, err := mesh.Get(w.ctx, fields.Get("metadata"), "filterMetadata")
	if err != nil && w.unread(err) { // how it is spoken to is chosen by them
		m.Set("workload", nil)
		m.Set("transport", nil)
		return m, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	istio, err := mesh.Get(w.ctx, metadata, "istio")
	if err != nil {
		return nil, nil, err
	}
	workload, err := get[string](w.ctx, istio, "workload")
	if err != nil {
		return nil, nil, err
	}
	m.Set("workload", orNull(workloadName(workload)))
	socket, err := mesh.Get(w.ctx, metadata, "envoy.transport_socket_match")
	if err != nil {
		return nil, nil, err
	}
	name, config, err := w.transport(cluster, socket)
	if err != nil {
		return nil, nil, err
	}
	m.Set("transport", orNull(name))
	kind, err := get[string](w.ctx, config, "@type")
	if strings.HasSuffix(kind, "UpstreamTlsContext") {
		tls = config
	}
	return m, tls, err
}

// workloadName reads "name;namespace;canonical name;revision;cluster".
func workloadName(s string) string {
	words := strings.Split(s, ";")
	if len(words) < 2 || words[0] == "" {
		return ""
	}
	return words[0] + "." + words[1]
}

// transport gives the transport socket that an endpoint with that metadata is
// spoken to by: the first whose conditions hold, else the cluster's own. The
// name is empty where there is none: plain bytes.
func (w *walk) transport(cluster, metadata any) (name string, config any, err error) {
	matches, err := get[[]any](w.ctx, cluster, "transportSocketMatches")
	if err != nil {
		return "", nil, err
	}
	for _, m := range matches {
		match, err := get[*object.Object](w.ctx, m, "match")
		if err != nil {
			return "", nil, err
		}
		holds := true
		for k, want := range match.All() {
			has, err := mesh.Get(w.ctx, metadata, k)
			if err != nil {
				return "", nil, err
			}
			same, err := routing.Same(w.ctx, has, want)
			if err != nil {
				return "", nil, err
			}
			holds = holds && same
		}
		if !holds {
			continue
		}
		name, err := get[string](w.ctx, m, "name")
		if err != nil {
			return "", nil, err
		}
		socket, err := mesh.Get(w.ctx, m, "transportSocket")
		if err != nil {
			return "", nil, err
		}
		config, err := mesh.Get(w.ctx, socket, "typedConfig")
		return name, config, err
	}
	socket, err := mesh.Get(w.ctx, cluster, "transportSocket")
	if err != nil || socket == nil {
		return "", nil, err
	}
	if name, err = get[string](w.ctx, socket, "name"); err != nil {
		return "", nil, err
	}
	config, err = mesh.Get(w.ctx, socket, "typedConfig")
	return name, config, err
}
