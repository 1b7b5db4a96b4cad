package library

import (
	"net/netip"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// toDestination is a cluster that sends where the client connected to, or
// where the endpoint's metadata or a header of the request says.
func (w *walk) toDestination(c any, name string, share float64) (string, error) {
	lb, err := mesh.Get(w.ctx, c, "originalDstLbConfig")
	if err != nil {
		return "", err
	}
	ip, port, err := w.sentTo(lb)
	if err != nil {
		return "", err
	}
	if n, err := get[int](w.ctx, lb, "upstreamPortOverride"); err != nil {
		return "", err
	} else if n != 0 {
		port = n
	}
	address := ""
	if ip == "" {
		w.unsureAddress()
	} else {
		address = joined(ip, port)
	}
	m := object.Of(
		"address", orNull(address), "ip", orNull(ip), "port", port, "cluster", name, "share", share, "health", "UNKNOWN",
		"outlier", nil, "weight", 1, "priority", 0, "locality", nil, "workload", nil, "transport", nil, "tunnel", nil,
	)
	w.endpoints = append(w.endpoints, m)
	w.left += share
	transport, tls, err := w.transport(c, nil)
	if err != nil {
		return "", err
	}
	if m.Set("transport", orNull(transport)); !strings.HasSuffix(typeOf(w.ctx, tls), "UpstreamTlsContext") {
		tls = nil
	}
	reason := ""
	if name == "PassthroughCluster" || name == "InboundPassthroughCluster" {
		reason = passthrough
	}
	w.ends = append(w.ends, end{endpoint: m, tls: tls, share: share, reason: reason})
	return reason, nil
}

// sentTo gives where such a cluster sends: what the metadata says that came
// with the connection, then the request's header, then where the client
// connected to.
func (w *walk) sentTo(lb any) (ip string, port int, err error) {
	key, err := mesh.Get(w.ctx, lb, "metadataKey")
	if err != nil {
		return "", 0, err
	}
	if key != nil {
		said, err := w.passedOn(key)
		if at, e := netip.ParseAddrPort(said); err != nil || e == nil {
			return at.Addr().String(), int(at.Port()), err
		}
	}
	if on, err := get[bool](w.ctx, lb, "useHttpHeader"); err != nil {
		return "", 0, err
	} else if on && w.request.Scheme != routing.Bytes {
		header, err := get[string](w.ctx, lb, "httpHeaderName")
		if err != nil {
			return "", 0, err
		}
		if header == "" {
			header = "x-envoy-original-dst-host"
		}
		for _, h := range w.request.Headers {
			if !strings.EqualFold(h[0], header) {
				continue
			}
			if at, err := netip.ParseAddrPort(h[1]); err == nil {
				return at.Addr().String(), int(at.Port()), nil
			}
			break // what is no address counts as none
		}
	}
	err = w.resolve()
	return w.Destination, w.DestinationPort, err
}

// passedOn is a text of the metadata that came with the connection from the
// cluster ahead of an internal listener; empty where there is none.
func (w *walk) passedOn(key any) (string, error) {
	name, err := get[string](w.ctx, key, "key")
	if err != nil {
		return "", err
	}
	v, err := mesh.Get(w.ctx, w.passed, name)
	if err != nil {
		return "", err
	}
	path, err := get[[]any](w.ctx, key, "path")
	if err != nil {
		return "", err
	}
	for _, p := range path {
		part, err := get[string](w.ctx, p, "key")
		if err != nil {
			return "", err
		}
		if v, err = mesh.Get(w.ctx, v, part); err != nil {
			return "", err
		}
	}
	v, err = mesh.Force(w.ctx, v)
	s, _ := v.(string)
	return s, err
}
