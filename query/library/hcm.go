package library

import (
	"context"
	"net/netip"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// hcmOf reads what a connection manager does to a request before its routes.
func hcmOf(ctx context.Context, listener any, hcm *object.Object, r routing.Request) (routing.HCM, error) {
	flag := func(key string) bool { return hcm.Get(key) == true }
	text := func(key string) string { s, _ := hcm.Get(key).(string); return s }
	m := routing.HCM{
		StripAnyHostPort: flag("stripAnyHostPort"), StripTrailingHostDot: flag("stripTrailingHostDot"),
		MergeSlashes: flag("mergeSlashes"), NormalizePath: flag("normalizePath"), EscapedSlashes: text("pathWithEscapedSlashesAction"),
		Upgrades: map[string]bool{},
		Edge: &routing.Edge{
			UseRemoteAddress: flag("useRemoteAddress"), SkipXFFAppend: flag("skipXffAppend"), Via: text("via"),
			NoRequestID: hcm.Get("generateRequestId") == false, KeepRequestID: flag("preserveExternalRequestId"), ClientCert: text("forwardClientCertDetails"),
		},
		Envoy: envoyOf(ctx, listener),
	}
	if flag("stripMatchingHostPort") {
		m.StripMatchingHostPort = r.DestinationPort
	}
	m.Edge.TrustedHops, _ = hcm.Get("xffNumTrustedHops").(int)
	scheme, err := get[string](ctx, hcm.Get("schemeHeaderTransformation"), "schemeToOverwrite")
	if err != nil {
		return m, err
	}
	m.Edge.Scheme = scheme
	if m.Edge.Internal, err = internal(ctx, hcm.Get("internalAddressConfig")); err != nil {
		return m, err
	}
	if hcm.Get("internalAddressConfig") == nil && saysInternal(r) && m.PrivateIsInternal() {
		m.Edge.Internal = private
	}
	upgrades, _, err := elements(ctx, hcm.Get("upgradeConfigs"))
	for _, u := range upgrades {
		kind, err := get[string](ctx, u, "upgradeType")
		if err != nil {
			return m, err
		}
		on, err := mesh.Get(ctx, u, "enabled")
		if err != nil {
			return m, err
		}
		m.Upgrades[strings.ToLower(kind)] = on != false
	}
	return m, err
}

// private are the addresses that older Envoys count as internal where nothing
// else is said.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd00::/8"),
}

// saysInternal tells whether an answer may hang on the request's being
// internal: whether it has a header that only such requests may have.
func saysInternal(r routing.Request) bool {
	for _, h := range r.Headers {
		if strings.HasPrefix(strings.ToLower(h[0]), "x-envoy-") || strings.EqualFold(h[0], "x-forwarded-for") {
			return true
		}
	}
	return false
}

// internal reads which addresses are internal.
func internal(ctx context.Context, config any) (all []netip.Prefix, err error) {
	ranges, err := get[[]any](ctx, config, "cidrRanges")
	for _, g := range ranges {
		address, err := get[string](ctx, g, "addressPrefix")
		if err != nil {
			return nil, err
		}
		bits, err := get[int](ctx, g, "prefixLen")
		if err != nil {
			return nil, err
		}
		if addr, err := netip.ParseAddr(address); err == nil {
			if p, err := addr.Prefix(bits); err == nil {
				all = append(all, p)
			}
		}
	}
	return all, err
}
