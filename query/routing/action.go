package routing

import (
	"cmp"
	"context"
	"strconv"
)

// act says what a route does with the request that it matched.
func (c *choice) act(m message, r *routed) {
	switch {
	case m.has("redirect"):
		c.redirect(m, r)
	case m.has("directResponse"):
		c.answer.DirectStatus = int(m.sub("directResponse").number("status"))
	case m.has("route"):
		c.forward(m, r)
	case m.has("nonForwardingAction"):
		c.answer.DirectStatus = 503
	default:
		c.unsupported("filter action")
	}
}

// forward is a route to clusters.
func (c *choice) forward(m message, r *routed) {
	a := m.sub("route")
	literal, known := c.clusters(a, r)
	if c.answer.DirectStatus != 0 {
		return
	}
	path := c.pathTo(m.sub("match"), a, r)
	host := c.hostTo(a, r, cmp.Or(literal, r.Host)+r.connectPort, known)
	if c.answer.URL = path; host != "" { // whose host isn't known has a path only
		c.answer.URL = r.headers.first(":scheme") + "://" + host + path
	}
}

// clusters chooses, and gives the host that the chosen entry of weighted
// clusters writes in place of the request's; known is false where that hangs
// on which is chosen.
func (c *choice) clusters(a message, r *routed) (host string, known bool) {
	switch {
	case a.has("cluster"):
		c.one(a.text("cluster"))
	case a.has("clusterHeader"):
		name := r.headers.first(asciiLower(a.text("clusterHeader")))
		if name == "" {
			c.answer.DirectStatus = noCluster(a)
			return "", true
		}
		c.one(name)
	case a.has("weightedClusters"):
		return c.weighted(a, a.sub("weightedClusters"), r)
	default:
		c.bySpecifier(a, r)
	}
	return "", true
}

// noCluster is what Envoy answers when a header names no cluster: measured on
// 1.40, where the API's comment says 404.
func noCluster(a message) int {
	switch a.text("clusterNotFoundResponseCode") {
	case "NOT_FOUND":
		return 404
	case "INTERNAL_SERVER_ERROR":
		return 500
	}
	return 503
}

func (c *choice) one(name string) {
	c.answer.Cluster, c.answer.Clusters = name, []Share{{Name: name, Share: 1}}
}

// Weighted gives the shares of weighted clusters that are not a route's, as a
// TCP proxy has them, and the one that a random value decides for.
func Weighted(ctx context.Context, e Envoy, clusters any, random *uint64) (shares []Share, one string, err error) {
	c := newChoice(ctx, &Cache{}, e)
	c.weighted(c.message(nil), c.message(clusters), &routed{Request: Request{Random: random}})
	return c.answer.Clusters, c.answer.Cluster, c.err
}

// weighted gives the shares of weighted clusters, and the one that a random
// value decides for: the header's that the route names, else the request's.
func (c *choice) weighted(a, w message, r *routed) (host string, known bool) {
	entries := w.list("clusters")
	var sum uint64
	weights := make([]uint64, len(entries))
	for i, e := range entries {
		weights[i] = c.weightOf(w, e)
		sum += weights[i]
	}
	if sum == 0 {
		return "", true
	}
	random := c.randomFor(w, r)
	var upTo uint64
	chosen, rewrites := false, false
	for i, e := range entries {
		weight := weights[i]
		if weight == 0 {
			continue
		}
		name := e.text("name")
		if h := e.text("clusterHeader"); h != "" {
			name = r.headers.first(asciiLower(h))
		}
		upTo += weight
		rewrites = rewrites || e.has("hostRewriteLiteral")
		if !chosen && (random != nil && *random%sum < upTo || weight == sum) {
			chosen, c.answer.Cluster, host = true, name, e.text("hostRewriteLiteral")
			if name == "" {
				c.answer.DirectStatus = noCluster(a)
			}
		}
		c.answer.Clusters = append(c.answer.Clusters, Share{name, float64(weight) / float64(sum), e.fields.Get("metadataMatch")})
	}
	return host, chosen || !rewrites
}

// weightOf is the weight of an entry, or what the runtime has for it.
func (c *choice) weightOf(w, entry message) uint64 {
	if prefix := w.text("runtimeKeyPrefix"); prefix != "" {
		v, known := c.envoy.runtime(prefix + "." + entry.text("name"))
		if !known {
			c.unsupported("runtime key " + prefix)
		}
		if n, ok := numeric(v); ok && n >= 0 {
			return uint64(n)
		}
	}
	return uint64(entry.number("weight"))
}

// randomFor gives the value that decides among weighted clusters; nil where
// nothing says it.
func (c *choice) randomFor(w message, r *routed) *uint64 {
	if w.flag("useHashPolicy") {
		c.unsupported("hash policy")
		return nil
	}
	if values := r.headers[asciiLower(w.text("headerName"))]; w.has("headerName") && len(values) == 1 {
		if n, err := strconv.ParseUint(values[0], 10, 64); err == nil {
			return &n
		}
	}
	return r.Random
}

// hostTo gives the host that is sent upstream: what the route rewrites it to
// goes before what an entry of weighted clusters does. Empty: it isn't known.
func (c *choice) hostTo(a message, r *routed, host string, known bool) string {
	switch {
	case a.has("hostRewriteLiteral"):
		return a.text("hostRewriteLiteral")
	case a.has("hostRewriteHeader"):
		if v := r.headers.first(asciiLower(a.text("hostRewriteHeader"))); v != "" {
			return v
		}
	case a.has("hostRewritePathRegex"):
		re := a.sub("hostRewritePathRegex")
		return c.replace(re.sub("pattern").text("regex"), re.text("substitution"), pathOnly(r.Path))
	case a.has("hostRewrite"):
		c.unsupported("host rewrite by format")
	case a.flag("autoHostRewrite"):
		c.unsupported("host of the endpoint")
	}
	if !known {
		return ""
	}
	return host
}

// pathTo gives the path that is sent upstream.
func (c *choice) pathTo(match, a message, r *routed) string {
	only := pathOnly(r.Path)
	switch {
	case a.text("prefixRewrite") != "":
		if n, ok := matched(match, r.Path); ok {
			return a.text("prefixRewrite") + r.Path[min(n, len(r.Path)):]
		}
	case a.has("regexRewrite"):
		re := a.sub("regexRewrite")
		if p := c.replace(re.sub("pattern").text("regex"), re.text("substitution"), only); p != "" || !c.has(emptyRewrites) {
			return p + r.Path[len(only):]
		}
	case a.has("pathRewritePolicy"):
		if p, ok := c.retemplated(match, a.sub("pathRewritePolicy"), only); ok {
			return p + r.Path[len(only):]
		}
	case a.text("pathRewrite") != "":
		c.unsupported("path rewrite by format")
	}
	return r.Path
}
