package library

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// downstreamTLS gives how a filter chain speaks TLS itself; nil where it does
// not. Envoy up to 1.13 has it as tlsContext.
func downstreamTLS(ctx context.Context, chain any) (any, error) {
	old, err := mesh.Get(ctx, chain, "tlsContext")
	if err != nil || old != nil {
		return old, err
	}
	socket, err := mesh.Get(ctx, chain, "transportSocket")
	if err != nil {
		return nil, err
	}
	config, err := mesh.Get(ctx, socket, "typedConfig")
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(typeOf(ctx, config), "DownstreamTlsContext") {
		return config, nil
	}
	if name, err := get[string](ctx, socket, "name"); err != nil || config != nil || name != "tls" && name != "envoy.transport_sockets.tls" {
		return nil, err
	}
	return object.New(0), nil // TLS, by a configuration of an older form
}

// certified notes that a client shows no certificate where a filter chain that
// speaks TLS asks for none: it has nothing to hold one against. refused tells
// that it takes no client without one, and this one has none; required that it
// takes none without.
func certified(ctx context.Context, chain any, r *routing.Request) (refused, required bool, err error) {
	tls, err := downstreamTLS(ctx, chain)
	if err != nil || tls == nil {
		return false, false, err
	}
	must, err := mesh.Get(ctx, tls, "requireClientCertificate")
	if err != nil {
		return false, false, err
	}
	if must == true {
		return r.TLS && r.NoCertificate, true, nil
	}
	common, err := get[*object.Object](ctx, tls, "commonTlsContext")
	if err != nil || common == nil {
		return false, false, err
	}
	r.NoCertificate = r.NoCertificate || common.Get("validationContext") == nil && common.Get("validationContextSdsSecretConfig") == nil && common.Get("combinedValidationContext") == nil
	return false, false, nil
}

// secretsOf gives the names of the secrets that a filter chain's own
// certificates are. None: they are part of the configuration, or it has none.
func secretsOf(ctx context.Context, tls any) (names []string, err error) {
	common, err := mesh.Get(ctx, tls, "commonTlsContext")
	if err != nil {
		return nil, err
	}
	configs, err := get[[]any](ctx, common, "tlsCertificateSdsSecretConfigs")
	for _, c := range configs {
		name, err := get[string](ctx, c, "name")
		if err != nil {
			return nil, err
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, err
}

// hasCertificate tells whether Envoy has the certificate that a chain speaks TLS
// with. Where it has not, each connection is reset: the listener is in use, and
// waits for none of its secrets. An expired one is told: clients refuse it.
// Envoy lists each secret that it asked for, also one that it waits for: a dump
// without it says nothing.
func (w *walk) hasCertificate(tls any) (bool, error) {
	names, err := secretsOf(w.ctx, tls)
	if err != nil || len(names) == 0 {
		return true, err
	}
	section, err := mesh.Get(w.ctx, w.proxy, "secrets")
	if err != nil {
		return false, err
	}
	some, err := narrowed(w.ctx, section, mesh.Hint{By: "name", Names: names})
	if err != nil {
		if w.unread(err) {
			return true, nil
		}
		return false, err
	}
	has, listed, why := false, false, ""
	for _, name := range names {
		c, err := w.certificate(some, name)
		if err != nil {
			return false, err
		}
		has, listed = has || c.used, listed || c.listed
		why = cmp.Or(why, c.why)
		if c.expired != "" {
			w.took(step{what: "certificate", name: name, why: c.expired})
		}
	}
	if !listed {
		w.missing(w.proxy, doubt{"secrets", "nothing says whether Envoy has the certificate " + strings.Join(names, ", ")})
		return true, nil
	}
	if !has {
		w.took(step{what: "certificate", name: strings.Join(names, ", "), why: why + ", so the connection is reset"})
	}
	return has, nil
}

// certificate is what Envoy has of a secret.
type certificate struct {
	listed  bool
	used    bool
	why     string // it isn't used
	expired string // or not valid yet, in words
}

func (w *walk) certificate(all []any, name string) (c certificate, err error) {
	for _, s := range all {
		if n, err := get[string](w.ctx, s, "name"); err != nil || n != name {
			if err != nil {
				return c, err
			}
			continue
		}
		c.listed = true
		used, err := inUse(w.ctx, s)
		if err != nil {
			return c, err
		}
		if !used {
			state, err := get[string](w.ctx, s, "state")
			if err != nil {
				return c, err
			}
			if c.why = "the secret is " + state; state == "WARMING" {
				c.why += ": Envoy waits for it"
			}
			continue
		}
		c.used = true
		if valid, err := mesh.Get(w.ctx, s, "valid"); err != nil || valid != false {
			return c, err
		}
		from, err := get[string](w.ctx, s, "notBefore")
		if err != nil {
			return c, err
		}
		to, err := get[string](w.ctx, s, "notAfter")
		c.expired = "it is valid from " + from + " to " + to + " only: clients refuse it"
		return c, err
	}
	return c, nil
}

// waits gives the secrets that a listener's chains wait for: why it is WARMING.
func (w *walk) waits(listener any) (string, error) {
	chains, err := get[[]any](w.ctx, listener, "filterChains")
	if err != nil {
		return "", err
	}
	section, err := mesh.Get(w.ctx, w.proxy, "secrets")
	if err != nil {
		return "", err
	}
	all, err := forced(w.ctx, section)
	if err != nil {
		if w.unread(err) {
			return "", nil
		}
		return "", err
	}
	var waits []string
	for _, chain := range chains {
		tls, err := downstreamTLS(w.ctx, chain)
		if err != nil {
			return "", err
		}
		names, err := secretsOf(w.ctx, tls)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			c, err := w.certificate(all, name)
			if err != nil {
				return "", err
			}
			if !c.used && !slices.Contains(waits, name) {
				waits = append(waits, name)
			}
		}
	}
	return strings.Join(waits, ", "), nil
}
