package routing

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Passed describes the effect of filters on a request before it reaches its
// cluster. The filters are those of a connection manager or of a filter chain.
type Passed struct {
	Verdicts    []Verdict
	Faults      []Fault
	Unsupported []string // descriptions of filters whose effect this package can't decide
}

// Denied returns the verdict by which an RBAC filter rejects the request, or
// nil if the request is allowed.
func (p *Passed) Denied() *Verdict {
	for i := range p.Verdicts {
		if v := &p.Verdicts[i]; v.Denied && !v.Shadow && v.Unknown == "" {
			return v
		}
	}
	return nil
}

// Aborted returns the fault that aborts every request, or nil if there is none.
func (p *Passed) Aborted() *Fault {
	for i := range p.Faults {
		if f := &p.Faults[i]; f.Kind == "abort" && f.Share >= 1 {
			return f
		}
	}
	return nil
}

// A Fault is a delay or an abort that a fault filter injects.
type Fault struct {
	Kind   string  // the kind of the fault, "abort" or "delay"
	Status int     // the HTTP status of an abort; 0 if it uses a gRPC status
	Delay  string  // the length of a delay, such as "5s"
	Share  float64 // the part of the requests that the fault affects, from 0 to 1
}

// passThroughFilters lists the filters that neither reject nor reroute a request.
// The name of a filter is taken from the package of its configuration type.
const passThroughFilters = " router cors grpc_stats grpc_web grpc_http1_bridge compressor decompressor buffer header_to_metadata set_filter_state" +
	" set_metadata on_demand tap connection_limit alpn peer_metadata stats metadata_exchange proxy_protocol "

// Filters evaluates the HTTP filters of a connection manager in order. The request
// has the path and the headers that the connection manager has set. If the
// connection manager answers the request itself, no filter is evaluated.
func (a *Answer) Filters(filters []any) (*Passed, error) {
	c := a.choice
	if c == nil {
		return &Passed{}, nil
	}
	p := c.filters(filters, []any{a.Route, a.Host, c.configuration}, a.asked)
	return p, c.Err
}

// filters evaluates HTTP filters. levels are the messages that may override a
// filter's configuration, the most specific one first: the route, its virtual
// host, the route configuration.
func (c *choice) filters(filters, levels []any, r *routed) *Passed {
	p := &Passed{}
	for _, f := range filters {
		m := c.Message(f)
		config, off := c.perRoute(m, levels)
		if off || c.Err != nil {
			continue
		}
		name := m.Text("name")
		switch what := kindOfFilter(config.Text("@type"), name, "http"); {
		case hasOldForm(m) && !strings.Contains(passThroughFilters, " "+what+" "):
			p.Unsupported = append(p.Unsupported, name+" (its configuration is in the form of Envoy up to 1.13)")
		case what == "rbac":
			if config.Has("rbac") { // the route overrides the rules of the filter
				config = config.Sub("rbac")
			} else if strings.HasSuffix(config.Text("@type"), "RBACPerRoute") {
				continue // the route turns RBAC off
			}
			p.add(name, c.rbac(config, r))
		case what == "ext_authz" && config.Flag("shadowMode"): // in shadow mode the filter only logs its decision
		case what == "fault":
			c.fault(p, config, r)
		case strings.Contains(passThroughFilters, " "+what+" ") && what != "", strings.HasPrefix(name, "istio.") && what != "lua",
			strings.HasSuffix(name, "_peer_metadata"): // these are Istio's own filters
		default:
			p.Unsupported = append(p.Unsupported, name)
		}
	}
	return p
}

// NetworkFilters evaluates the network filters of a filter chain for a connection,
// except the last filter.
func NetworkFilters(ctx context.Context, x *Cache, e Envoy, filters []any, r Request) (*Passed, error) {
	c := newChoice(ctx, x, e)
	p := &Passed{}
	for _, f := range filters {
		m := c.Message(f)
		config := m.Sub("typedConfig")
		name := m.Text("name")
		switch what := kindOfFilter(config.Text("@type"), name, "network"); {
		case hasOldForm(m) && what == "rbac":
			p.Unsupported = append(p.Unsupported, name+" (its configuration is in the form of Envoy up to 1.13)")
		case what == "rbac":
			p.add(name, c.rbac(config, &routed{Request: r}))
		case what == "http_connection_manager", what == "tcp_proxy", what == "sni_cluster", strings.Contains(passThroughFilters, " "+what+" ") && what != "", strings.HasPrefix(name, "istio."), name == "connect_authority":
		default:
			p.Unsupported = append(p.Unsupported, name)
		}
	}
	return p, c.Err
}

// add records the verdicts of an RBAC filter with the given name.
func (p *Passed) add(filter string, all []Verdict) {
	for _, v := range all {
		v.Filter = filter
		p.Verdicts = append(p.Verdicts, v)
	}
}

// packageOf returns the package of a filter's configuration type. It is "fault"
// for ".../envoy.extensions.filters.http.fault.v3.HTTPFault" and the layer
// "http".
func packageOf(typeURL, layer string) string {
	_, rest, ok := strings.Cut(typeURL, ".filters."+layer+".")
	if !ok {
		_, rest, ok = strings.Cut(typeURL, "envoy.config.filter."+layer+".")
	}
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, ".")
	return name
}

// perRoute returns the configuration of a filter for a route. The most specific
// level that has a configuration for the filter determines it; without one, it is
// the filter's own configuration. off is true if the filter is disabled for the
// route.
func (c *choice) perRoute(filter document.Message, levels []any) (config document.Message, off bool) {
	name := filter.Text("name")
	for _, level := range levels {
		own := c.Message(level).Sub("typedPerFilterConfig")
		if !own.Has(name) {
			continue
		}
		config := own.Sub(name)
		if strings.HasSuffix(config.Text("@type"), "route.v3.FilterConfig") {
			if config.Flag("disabled") {
				return document.Message{}, true
			}
			if config = config.Sub("config"); config.Text("@type") == "" {
				return filter.Sub("typedConfig"), false
			}
		}
		return config, false
	}
	return filter.Sub("typedConfig"), filter.Flag("disabled")
}

// fault records the faults that a fault filter injects into the request.
func (c *choice) fault(p *Passed, config document.Message, r *routed) {
	for _, m := range config.List("headers") {
		switch c.sure(func() bool { return c.header(m, r.headers, headersAlone) }) {
		case no:
			return
		case maybe:
			p.Unsupported = append(p.Unsupported, "faults of some requests only: "+c.doubt)
			return
		}
	}
	if config.Has("upstreamCluster") || len(config.Texts("downstreamNodes")) > 0 {
		p.Unsupported = append(p.Unsupported, "faults of some clusters or nodes only")
		return
	}
	if d := config.Sub("delay"); config.Has("delay") {
		if d.Has("headerDelay") {
			p.Unsupported = append(p.Unsupported, "delays by header")
		} else if share := percentage(d.Sub("percentage")); share > 0 {
			p.Faults = append(p.Faults, Fault{Kind: "delay", Delay: d.Text("fixedDelay"), Share: share})
		}
	}
	if a := config.Sub("abort"); config.Has("abort") {
		if a.Has("headerAbort") {
			p.Unsupported = append(p.Unsupported, "aborts by header")
		} else if share := percentage(a.Sub("percentage")); share > 0 {
			p.Faults = append(p.Faults, Fault{Kind: "abort", Status: int(a.Number("httpStatus")), Share: share})
		}
	}
}

// percentage converts a FractionalPercent to a number from 0 to 1.
func percentage(m document.Message) float64 {
	per := map[string]float64{"": 100, "HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}[m.Text("denominator")]
	if per == 0 {
		return 0
	}
	return min(1, float64(m.Number("numerator"))/per)
}

// kindOfFilter returns the kind of a filter, such as "rbac", "tcp_proxy" or
// "tls_inspector". The layer is "http", "network" or "listener". The kind is
// derived from the type of the filter's configuration. Without a type, it is
// derived from the filter's name in any form that Envoy has used:
// "envoy.filters.http.cors", "envoy.cors", "envoy.listener.tls_inspector". The
// kind is empty for a filter that isn't Envoy's own.
func kindOfFilter(typeURL, name, layer string) string {
	if typeURL != "" {
		return packageOf(typeURL, layer)
	}
	kind, ok := strings.CutPrefix(name, "envoy.")
	if !ok {
		return ""
	}
	kind = strings.TrimPrefix(kind, "filters.")
	kind = strings.TrimPrefix(kind, layer+".")
	if strings.Contains(kind, ".") {
		return ""
	}
	if now, ok := renamed[kind]; ok {
		return now
	}
	return kind
}

// renamed maps the former kinds of filters to the current ones.
var renamed = map[string]string{
	"http_dynamo_filter": "dynamo", "gzip": "compressor", "rate_limit": "ratelimit",
}

// hasOldForm reports whether a filter's configuration has the form of Envoy 1.13
// and earlier. That form has no type, and this package doesn't read it.
func hasOldForm(filter document.Message) bool {
	return !filter.Has("typedConfig") && filter.Has("config")
}
