package trace

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// connectionManager returns the HTTP connection manager of a filter chain and the
// name of the chain's last filter. Without a connection manager, it returns a
// message without fields.
func connectionManager(r *document.Reader, chain any) (hcm document.Message, last string) {
	for _, f := range r.List(chain, "filters") {
		config := r.Message(r.Get(f, "typedConfig"))
		if strings.HasSuffix(config.Text("@type"), "HttpConnectionManager") || config.Has("httpFilters") {
			return config, ""
		}
		last = r.Text(f, "name")
	}
	return document.Message{}, last
}

// managerOf reads what the connection manager of a listener changes in a request
// before the request is routed.
func managerOf(listener any, hcm document.Message, r routing.Request) (routing.HCM, error) {
	m := routing.HCM{
		StripAnyHostPort: hcm.Flag("stripAnyHostPort"), StripTrailingHostDot: hcm.Flag("stripTrailingHostDot"),
		MergeSlashes: hcm.Flag("mergeSlashes"), NormalizePath: hcm.Flag("normalizePath"), EscapedSlashes: hcm.Text("pathWithEscapedSlashesAction"),
		Upgrades: map[string]bool{},
		Edge: &routing.Edge{
			UseRemoteAddress: hcm.Flag("useRemoteAddress"), TrustedHops: int(hcm.Number("xffNumTrustedHops")), SkipXFFAppend: hcm.Flag("skipXffAppend"),
			Scheme: hcm.Sub("schemeHeaderTransformation").Text("schemeToOverwrite"), Via: hcm.Text("via"),
			NoRequestID: !hcm.FlagOr("generateRequestId", true), KeepRequestID: hcm.Flag("preserveExternalRequestId"), ClientCert: hcm.Text("forwardClientCertDetails"),
		},
		Envoy: envoyOf(hcm.Ctx, listener),
	}
	if hcm.Flag("stripMatchingHostPort") {
		m.StripMatchingHostPort = r.DestinationPort
	}
	if hcm.Has("internalAddressConfig") {
		for _, g := range hcm.Sub("internalAddressConfig").List("cidrRanges") {
			if p, ok := routing.PrefixOf(g); ok {
				m.Edge.Internal = append(m.Edge.Internal, p)
			}
		}
	} else if hasInternalHeader(r) && m.PrivateIsInternal() {
		m.Edge.Internal = privateAddresses()
	}
	for _, u := range hcm.List("upgradeConfigs") {
		m.Upgrades[strings.ToLower(u.Text("upgradeType"))] = u.FlagOr("enabled", true)
	}
	return m, hcm.Err
}

// privateAddresses returns the addresses that an older Envoy treats as internal if
// its configuration names none.
func privateAddresses() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1/32", "::1/128", "fd00::/8"} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// hasInternalHeader reports whether the request has a header that Envoy accepts
// only from internal addresses. For requests without such a header, the version of
// Envoy doesn't matter.
func hasInternalHeader(r routing.Request) bool {
	for _, h := range r.Headers {
		if strings.HasPrefix(strings.ToLower(h[0]), "x-envoy-") || strings.EqualFold(h[0], "x-forwarded-for") {
			return true
		}
	}
	return false
}

// routesAt is the result of routesOf: the route configuration that a connection
// manager uses.
type routesAt struct {
	configuration any
	name          string // name of the route configuration; empty for an inline one
	unsupported   string // why there is no route configuration; empty if there is one
}

// routesOf returns the route configuration of a connection manager. It is either
// inline, or chosen by the request's headers from the scopes, or found by name at
// the listener's proxy.
func (t *Tracer) routesOf(l any, hcm document.Message, r routing.Request) (at routesAt, err error) {
	switch {
	case hcm.Has("routeConfig"):
		return routesAt{configuration: hcm.Fields.Get("routeConfig"), name: hcm.Sub("routeConfig").Text("name")}, hcm.Err
	case hcm.Has("scopedRoutes"):
		scope, why, err := routing.Scope(hcm.Ctx, &t.cache, envoyOf(hcm.Ctx, l), hcm.Fields.Get("scopedRoutes"), r)
		if err != nil || why != "" || scope == nil {
			return routesAt{unsupported: why}, err
		}
		s := hcm.Message(scope)
		if s.Has("routeConfiguration") {
			return routesAt{configuration: s.Fields.Get("routeConfiguration")}, nil
		}
		at.name = s.Text("routeConfigurationName")
	default:
		at.name = hcm.Sub("rds").Text("routeConfigName")
	}
	if hcm.Err != nil {
		return at, hcm.Err
	}
	o, ok := l.(*mesh.Object)
	if !ok || o.Owner == nil {
		return at, fmt.Errorf("match: the listener's routes, %s, are its proxy's, and this is only a copy of the listener", at.name)
	}
	at.configuration, _, err = byName(hcm.Ctx, o.Owner, "routes", at.name)
	if err == nil && at.configuration == nil {
		at.unsupported = "route configuration " + at.name
	}
	return at, err
}
