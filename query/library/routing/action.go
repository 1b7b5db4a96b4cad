package routing

import (
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
	c.clusters(a, r)
	c.answer.URL = r.headers.first(":scheme") + "://" + c.hostTo(a, r) + c.pathTo(m.sub("match"), a, r)
}

func (c *choice) clusters(a message, r *routed) {
	switch {
	case a.has("cluster"):
		c.one(a.text("cluster"))
	case a.has("clusterHeader"):
		name := r.headers.first(asciiLower(a.text("clusterHeader")))
		if name == "" {
			c.answer.DirectStatus = 503 // no cluster: Envoy 1.40, where the API's comment says 404
			return
		}
		c.one(name)
	case a.has("weightedClusters"):
		c.weighted(a.sub("weightedClusters"), r)
	default:
		c.unsupported("cluster specifier")
	}
}

func (c *choice) one(name string) {
	c.answer.Cluster, c.answer.Clusters = name, []Share{{name, 1}}
}

// weighted gives the shares of weighted clusters, and the one that a random
// value decides for: the header's that the route names, else the request's.
func (c *choice) weighted(w message, r *routed) {
	entries := w.list("clusters")
	var sum uint64
	for _, e := range entries {
		sum += uint64(e.number("weight"))
	}
	if sum == 0 {
		return
	}
	random := r.Random
	if values := r.headers[asciiLower(w.text("headerName"))]; w.has("headerName") && len(values) == 1 {
		if n, err := strconv.ParseUint(values[0], 10, 64); err == nil {
			random = &n
		}
	}
	if w.has("runtimeKeyPrefix") {
		c.unsupported("runtime key " + w.text("runtimeKeyPrefix"))
	}
	var upTo uint64
	for _, e := range entries {
		name, weight := e.text("name"), uint64(e.number("weight"))
		if h := e.text("clusterHeader"); h != "" {
			name = r.headers.first(asciiLower(h))
		}
		if weight == 0 {
			continue
		}
		upTo += weight
		if random != nil && c.answer.Cluster == "" && *random%sum < upTo {
			c.answer.Cluster = name
		}
		c.answer.Clusters = append(c.answer.Clusters, Share{name, float64(weight) / float64(sum)})
	}
	if len(c.answer.Clusters) == 1 {
		c.answer.Cluster = c.answer.Clusters[0].Name
	}
}

// hostTo gives the host that is sent upstream.
func (c *choice) hostTo(a message, r *routed) string {
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
	return r.Host
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
		return c.replace(re.sub("pattern").text("regex"), re.text("substitution"), only) + r.Path[len(only):]
	case a.has("pathRewritePolicy"), a.text("pathRewrite") != "":
		c.unsupported("path rewrite by format")
	}
	return r.Path
}
