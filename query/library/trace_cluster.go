package library

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// end is an endpoint that is reached: its row, and the cluster that it is
// reached by.
type end struct {
	endpoint any
	tls      any // how TLS is spoken with it; nil: it is not
	share    float64
	reason   string // passthrough, where the endpoint is not one of the mesh
	tunnel   string // where the tunnel leads that the request is in: "10.0.0.7:15008"; empty: it is in none
}

// tcp goes on with a connection as it is: to a TCP proxy's clusters.
func (w *walk) tcp(filters []any) error {
	if len(filters) == 0 {
		return w.end(noCluster)
	}
	last := filters[len(filters)-1]
	config, err := mesh.Get(w.ctx, last, "typedConfig")
	if err != nil {
		return err
	}
	kind, err := get[string](w.ctx, config, "@type")
	if err != nil {
		return err
	}
	name, err := get[string](w.ctx, last, "name")
	if err != nil {
		return err
	}
	if config == nil {
		if old, err := w.untyped(last); err != nil || old {
			return cmp.Or(err, w.end(notKnown))
		}
	}
	if !strings.HasSuffix(kind, "TcpProxy") {
		return w.unable(name)
	}
	cluster, err := get[string](w.ctx, config, "cluster")
	if err != nil {
		return err
	}
	for _, f := range filters[:len(filters)-1] {
		if name, err := get[string](w.ctx, f, "name"); err != nil {
			return err
		} else if strings.HasSuffix(name, "sni_cluster") && w.request.SNI != "" {
			cluster = w.request.SNI
		}
	}
	criteria, err := metadataOf(w.ctx, config)
	if err != nil {
		return err
	}
	shares := []routing.Share{{Name: cluster, Share: 1}}
	if weighted, err := mesh.Get(w.ctx, config, "weightedClusters"); err != nil {
		return err
	} else if weighted != nil {
		if shares, cluster, err = routing.Weighted(w.ctx, envoyOf(w.ctx, w.proxy), weighted, w.Random); err != nil {
			return err
		}
	}
	if tunnel, err := mesh.Get(w.ctx, config, "tunnelingConfig"); err != nil {
		return err
	} else if w.tunnels = tunnel != nil; !w.tunnels {
		w.request.Scheme = routing.Bytes
	}
	w.cluster = cluster
	return w.toClusters(shares, cluster, criteria)
}

// metadataOf gives the metadata that a route, or a TCP proxy, wants of
// endpoints.
func metadataOf(ctx context.Context, of any) (*object.Object, error) {
	m, err := mesh.Get(ctx, of, "metadataMatch")
	if err != nil {
		return nil, err
	}
	return lbMetadata(ctx, m)
}

func lbMetadata(ctx context.Context, v any) (*object.Object, error) {
	f, err := mesh.Get(ctx, v, "filterMetadata")
	if err != nil {
		return nil, err
	}
	lb, err := mesh.Get(ctx, f, "envoy.lb")
	if err != nil {
		return nil, err
	}
	deep, err := mesh.Deep(ctx, lb)
	m, _ := deep.(*object.Object)
	return m, err
}

// toClusters goes on to the clusters, or to the chosen one.
func (w *walk) toClusters(shares []routing.Share, chosen string, criteria *object.Object) error {
	reason, passes := "", false
	if chosen == "" && len(shares) > 1 {
		if err := w.gather(shares); err != nil && !w.unread(err) {
			return err
		}
	}
	for _, s := range shares {
		share := s.Share
		if chosen != "" && len(shares) > 1 {
			if share = 0; s.Name == chosen {
				share = 1
				chosen = "\x00" // one entry only, if two have the name
			}
		}
		own, err := lbMetadata(w.ctx, s.Criteria)
		if err != nil {
			return err
		}
		entry := object.Of("name", s.Name, "share", s.Share, "reason", nil)
		w.clusters = append(w.clusters, entry)
		if share == 0 {
			continue
		}
		before := w.left
		w.stopped = ""
		why, err := w.toCluster(s.Name, share, merged(criteria, own))
		if err != nil {
			if !w.unread(err) {
				return err
			}
			why = notKnown
		}
		entry.Set("reason", orNull(why))
		if arrives(why) {
			w.outcome(why, w.left-before)
			w.outcome(cmp.Or(w.stopped, lost), share-(w.left-before))
		} else {
			w.outcome("", w.left-before)
			w.outcome(why, share-(w.left-before))
		}
		if passes = passes || why == passthrough; w.left == before && reason == "" {
			reason = why
		}
	}
	switch {
	case !w.reached():
		w.reason = reason
	case passes:
		w.reason = passthrough
	}
	return nil
}

// toCluster goes on to a cluster's endpoints, for a share of the requests. The
// reason is empty where they are reached and there is nothing to say.
func (w *walk) toCluster(name string, share float64, criteria *object.Object) (reason string, err error) {
	c, idle, err := w.gathered.cluster(w, name)
	if err != nil {
		w.took(step{what: "cluster", name: name, why: "the clusters could not be read"})
		return "", err
	}
	if c == nil {
		why, err := w.idleWhyCluster(idle)
		if err != nil {
			return "", err
		}
		w.took(step{what: "cluster", name: name, why: why})
		return noCluster, nil
	}
	istio, err := w.origin(c)
	if err != nil {
		return "", err
	}
	kind, err := get[string](w.ctx, c, "type")
	if err != nil {
		return "", err
	}
	w.took(step{what: "cluster", name: name, why: shareSaid(share), istio: istio, object: c})
	if kind == "ORIGINAL_DST" {
		return w.toDestination(c, name, share)
	}
	rows, err := w.rowsOf(c, name, nil)
	if err != nil {
		return "", err
	}
	if name == "BlackHoleCluster" && len(rows) == 0 {
		return blackHole, nil
	}
	b, err := routing.Balance(w.ctx, c, rows, criteria, w.zone)
	if err != nil {
		return "", err
	}
	w.unsure(b.Unsupported...)
	before := w.left
	if err := w.toMembers(c, name, share, b); err != nil || b.Reason != "" || w.left > before {
		return b.Reason, err
	}
	return w.stopped, nil
}

// idleWhyCluster says why a cluster is not in use: Envoy still waits for what it
// needs, or refused it. Nil is one that isn't there.
func (w *walk) idleWhyCluster(c any) (string, error) {
	if c == nil {
		return "there is none of that name", nil
	}
	state, err := get[string](w.ctx, c, "state")
	if err != nil {
		return "", err
	}
	text, err := get[string](w.ctx, c, "error")
	if err != nil {
		return "", err
	}
	why := "it is " + state + ", so it is not in use"
	if text = strings.TrimSpace(text); text != "" {
		why += ": " + text
	}
	return why, nil
}

// shareSaid says how much of the requests that is, where it isn't all.
func shareSaid(share float64) string {
	if share == 1 {
		return ""
	}
	return strconv.FormatFloat(share*100, 'g', 3, 64) + "% of the requests"
}

// rowsOf gives the endpoints of a cluster, and of the clusters that it is made
// of, whose priorities follow one another. Those that it is part of itself are
// within.
func (w *walk) rowsOf(c any, name string, within []string) ([]any, error) {
	kind, err := mesh.Get(w.ctx, c, "clusterType")
	if err != nil {
		return nil, err
	}
	config, err := mesh.Get(w.ctx, kind, "typedConfig")
	if err != nil {
		return nil, err
	}
	members, err := get[[]any](w.ctx, config, "clusters")
	if err != nil {
		return nil, err
	}
	if members == nil {
		of, err := w.assignment(c, name)
		if err != nil {
			return nil, err
		}
		return w.assigned(cmp.Or(of, name))
	}
	within = append(slices.Clone(within), name)
	var out []any
	next := 0
	for _, m := range members {
		name, _ := m.(string)
		if slices.Contains(within, name) {
			w.unsure("cluster " + name + " is made of itself")
			continue
		}
		member, err := named(w.ctx, w.proxy, "clusters", name)
		if err != nil {
			return nil, err
		}
		if member == nil {
			continue
		}
		rows, err := w.rowsOf(member, name, within)
		if err != nil {
			return nil, err
		}
		moved, top, err := w.moved(rows, next)
		if err != nil {
			return nil, err
		}
		out, next = append(out, moved...), top+1
	}
	return out, nil
}

// moved gives endpoints with their priorities behind others'.
func (w *walk) moved(rows []any, by int) (out []any, top int, err error) {
	top = by
	for _, row := range rows {
		v, err := mesh.Force(w.ctx, row)
		if err != nil {
			return nil, 0, err
		}
		fields, _ := v.(*object.Object)
		m := object.New(fields.Len())
		for k, f := range fields.All() {
			m.Set(k, f)
		}
		p, err := get[int](w.ctx, row, "priority")
		if err != nil {
			return nil, 0, err
		}
		m.Set("priority", p+by)
		top = max(top, p+by)
		out = append(out, m)
	}
	return out, top, nil
}

// toMembers adds a cluster's endpoints to the result.
func (w *walk) toMembers(c any, name string, share float64, b *routing.Balanced) error {
	checks, err := checked(w.ctx, c)
	if err != nil {
		return err
	}
	why := b.Why
	if b.Reason != "" && why == "" {
		why = map[string]string{routing.NoEndpoints: "it has none", routing.AllUnhealthy: "all are unhealthy"}[b.Reason]
	}
	if why != "" {
		w.took(step{what: "endpoints", why: why})
	}
	for _, member := range b.Members {
		m, tls, err := w.member(member.Endpoint, c, checks)
		if err != nil {
			return err
		}
		m.Set("cluster", name)
		m.Set("share", share*member.Share)
		if member.Share > 0 {
			if err := w.reach(end{endpoint: m, tls: tls, share: share * member.Share}, member.Endpoint); err != nil {
				return err
			}
		}
		w.endpoints = append(w.endpoints, m)
	}
	return nil
}
