package library

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// listener judges what a listener sends to without routes of another name: the
// clusters of its TCP proxies, and the routes within its own configuration.
func (u *deadEnds) listener(proxy, l any) error {
	name, err := get[string](u.ctx, l, "name")
	if err != nil {
		return err
	}
	chains, err := get[[]any](u.ctx, l, "filterChains")
	if err != nil {
		return err
	}
	last, err := mesh.Get(u.ctx, l, "defaultFilterChain")
	if err != nil {
		return err
	}
	if last != nil {
		chains = append(chains[:len(chains):len(chains)], last)
	}
	for _, chain := range chains {
		if err := u.chain(proxy, name, chain); err != nil {
			return err
		}
	}
	return nil
}

func (u *deadEnds) chain(proxy any, listener string, chain any) error {
	filters, err := get[[]any](u.ctx, chain, "filters")
	if err != nil {
		return err
	}
	name, err := get[string](u.ctx, chain, "name")
	if err != nil {
		return err
	}
	for _, f := range filters {
		config, err := mesh.Get(u.ctx, f, "typedConfig")
		if err != nil {
			return err
		}
		kind := typeOf(u.ctx, config)
		if strings.HasSuffix(kind, "HttpConnectionManager") {
			rc, err := mesh.Get(u.ctx, config, "routeConfig")
			if err != nil {
				return err
			}
			if rc != nil {
				if err := u.configuration(proxy, rc); err != nil {
					return err
				}
			}
		}
		if !strings.HasSuffix(kind, "TcpProxy") {
			continue
		}
		at := object.Of("name", orNull(name), "listener", listener, "routeConfiguration", nil, "virtualHost", nil, "virtualService", nil, "match", nil)
		if err := u.proxied(proxy, config, at); err != nil {
			return err
		}
	}
	return nil
}

// proxied judges the clusters of a TCP proxy.
func (u *deadEnds) proxied(proxy, config any, at *object.Object) error {
	own, err := metadataOf(u.ctx, config)
	if err != nil {
		return err
	}
	cluster, err := get[string](u.ctx, config, "cluster")
	if err != nil {
		return err
	}
	shares := []routing.Share{{Name: cluster, Share: 1}}
	weighted, err := mesh.Get(u.ctx, config, "weightedClusters")
	if err != nil {
		return err
	}
	if weighted != nil {
		if shares, _, err = routing.Weighted(u.ctx, envoyOf(u.ctx, proxy), weighted, nil); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, s := range shares {
		if s.Name == "" || s.Share == 0 || seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		wants, err := lbMetadata(u.ctx, s.Criteria)
		if err != nil {
			return err
		}
		why, err := u.why(proxy, s.Name, merged(own, wants))
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		if err := u.found(at, why, "", s.Name); err != nil {
			return err
		}
	}
	return nil
}

// merged gives the criteria of an action with those of an entry of it, which go
// before the action's.
func merged(all ...*object.Object) *object.Object {
	out := object.New(0)
	for _, m := range all {
		for k, v := range m.All() {
			out.Set(k, v)
		}
	}
	return out
}
