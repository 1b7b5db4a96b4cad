package routing

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// applyAction sets in the answer what the selected route does with the request.
func (c *choice) applyAction(m document.Message, r *routed) {
	switch {
	case m.Has("redirect"):
		c.redirect(m, r)
	case m.Has("directResponse"):
		c.answer.DirectStatus = int(m.Sub("directResponse").Number("status"))
	case m.Has("route"):
		c.forward(m, r)
	case m.Has("nonForwardingAction"):
		c.answer.DirectStatus = 503
	default:
		c.unsupported("filter action")
	}
}

// forward evaluates the action of a route that forwards requests to clusters.
func (c *choice) forward(m document.Message, r *routed) {
	a := m.Sub("route")
	literal, known := c.clusters(a, r)
	if c.answer.DirectStatus != 0 {
		return
	}
	path := c.pathTo(m.Sub("match"), a, r)
	host := c.hostTo(a, r, cmp.Or(literal, r.Host)+r.connectPort, known)
	if c.answer.URL = path; host != "" { // if the host is unknown, the URL consists of the path only
		c.answer.URL = r.headers.first(":scheme") + "://" + host + path
	}
}

// clusters selects the cluster of a route. host is the new host if the selected
// entry of weighted clusters replaces it. known is false if the host depends on
// the entry, and the selected entry isn't known.
func (c *choice) clusters(a document.Message, r *routed) (host string, known bool) {
	switch {
	case a.Has("cluster"):
		c.setCluster(a.Text("cluster"))
	case a.Has("clusterHeader"):
		name := r.headers.first(asciiLower(a.Text("clusterHeader")))
		if name == "" {
			c.answer.DirectStatus = noCluster(a)
			return "", true
		}
		c.setCluster(name)
	case a.Has("weightedClusters"):
		return c.weighted(a, a.Sub("weightedClusters"), r)
	default:
		c.bySpecifier(a, r)
	}
	return "", true
}

// noCluster returns the status with which Envoy responds if the route takes the
// cluster from a request header and the header is missing. The default was
// measured on Envoy 1.40; the comment in Envoy's API says 404.
func noCluster(a document.Message) int {
	switch a.Text("clusterNotFoundResponseCode") {
	case "NOT_FOUND":
		return 404
	case "INTERNAL_SERVER_ERROR":
		return 500
	}
	return 503
}

func (c *choice) setCluster(name string) {
	c.answer.Cluster, c.answer.Clusters = name, []Share{{Name: name, Share: 1}}
}

// Weighted returns the shares of weighted clusters outside of a route, such as
// those of a TCP proxy, and the cluster that the random value selects.
func Weighted(ctx context.Context, e Envoy, clusters any, random *uint64) (shares []Share, one string, err error) {
	c := newChoice(ctx, &Cache{}, e)
	c.weighted(c.Message(nil), c.Message(clusters), &routed{Request: Request{Random: random}})
	return c.answer.Clusters, c.answer.Cluster, c.Err
}

// weighted returns the shares of a route's weighted clusters. It selects one of
// them by a random value: the value in the header that the route names, or else
// the request's value.
func (c *choice) weighted(a, w document.Message, r *routed) (host string, known bool) {
	entries := w.List("clusters")
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
		name := e.Text("name")
		if h := e.Text("clusterHeader"); h != "" {
			name = r.headers.first(asciiLower(h))
		}
		upTo += weight
		rewrites = rewrites || e.Has("hostRewriteLiteral")
		if !chosen && (random != nil && *random%sum < upTo || weight == sum) {
			chosen, c.answer.Cluster, host = true, name, e.Text("hostRewriteLiteral")
			if name == "" {
				c.answer.DirectStatus = noCluster(a)
			}
		}
		c.answer.Clusters = append(c.answer.Clusters, Share{name, float64(weight) / float64(sum), e.Fields.Get("metadataMatch")})
	}
	return host, chosen || !rewrites
}

// weightOf returns the weight of an entry. A value in Envoy's runtime has
// precedence over the configured weight.
func (c *choice) weightOf(w, entry document.Message) uint64 {
	if prefix := w.Text("runtimeKeyPrefix"); prefix != "" {
		v, known := c.envoy.runtime(prefix + "." + entry.Text("name"))
		if !known {
			c.unsupported("runtime key " + prefix)
		}
		if n, ok := numeric(v); ok && n >= 0 {
			return uint64(n)
		}
	}
	return uint64(entry.Number("weight"))
}

// randomFor returns the random value that selects one of the weighted clusters. It
// returns nil if the value isn't known.
func (c *choice) randomFor(w document.Message, r *routed) *uint64 {
	if w.Flag("useHashPolicy") {
		c.unsupported("hash policy")
		return nil
	}
	if values := r.headers[asciiLower(w.Text("headerName"))]; w.Has("headerName") && len(values) == 1 {
		if n, err := strconv.ParseUint(values[0], 10, 64); err == nil {
			return &n
		}
	}
	return r.Random
}

// hostTo returns the host of the forwarded request, or "" if it isn't known. The
// route's host rewrite takes precedence over the host of an entry of weighted
// clusters.
func (c *choice) hostTo(a document.Message, r *routed, host string, known bool) string {
	switch {
	case a.Has("hostRewriteLiteral"):
		return a.Text("hostRewriteLiteral")
	case a.Has("hostRewriteHeader"):
		if v := r.headers.first(asciiLower(a.Text("hostRewriteHeader"))); v != "" {
			return v
		}
	case a.Has("hostRewritePathRegex"):
		re := a.Sub("hostRewritePathRegex")
		return c.replace(re.Sub("pattern").Text("regex"), re.Text("substitution"), pathOnly(r.Path))
	case a.Has("hostRewrite"):
		c.unsupported("host rewrite by format")
	case a.Flag("autoHostRewrite"):
		c.unsupported("host of the endpoint")
	}
	if !known {
		return ""
	}
	return host
}

// pathTo returns the path of the forwarded request.
func (c *choice) pathTo(match, a document.Message, r *routed) string {
	only := pathOnly(r.Path)
	switch {
	case a.Text("prefixRewrite") != "":
		if n, ok := matchedLength(match, r.Path); ok {
			return a.Text("prefixRewrite") + r.Path[min(n, len(r.Path)):]
		}
	case a.Has("regexRewrite"):
		re := a.Sub("regexRewrite")
		if p := c.replace(re.Sub("pattern").Text("regex"), re.Text("substitution"), only); p != "" || !c.has(emptyRewrites) {
			return p + r.Path[len(only):]
		}
	case a.Has("pathRewritePolicy"):
		if p, ok := c.rewriteByTemplate(match, a.Sub("pathRewritePolicy"), only); ok {
			return p + r.Path[len(only):]
		}
	case a.Text("pathRewrite") != "":
		c.unsupported("path rewrite by format")
	}
	return r.Path
}

// redirectStatus maps the response codes of a RedirectAction to HTTP statuses. A
// response code that isn't in the map means 301.
var redirectStatus = map[string]int{
	"": 301, "MOVED_PERMANENTLY": 301, "FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308,
}

// redirect sets the status and the location of a RedirectAction in the answer.
func (c *choice) redirect(m document.Message, r *routed) {
	d := m.Sub("redirect")
	scheme := r.headers.first(":scheme")
	switch {
	case d.Text("schemeRedirect") != "":
		scheme = d.Text("schemeRedirect")
	case d.Flag("httpsRedirect"):
		scheme = "https"
	}
	c.answer.RedirectStatus = redirectStatus[d.Text("responseCode")]
	path := c.redirectPath(m.Sub("match"), d, r)
	// a CONNECT request has no path, so Envoy responds without a location
	if path == "" || r.Method == "CONNECT" && d.Text("pathRedirect") != "" {
		return
	}
	if path[0] != '/' {
		path = "/" + path
	}
	c.answer.RedirectTo = scheme + "://" + redirectHost(d, r, scheme) + path
}

// redirectHost returns the host of a redirect's location: the host that the
// redirect names, or else the host of the request. If the redirect changes the
// scheme, the default port of the old scheme is removed.
func redirectHost(d document.Message, r *routed, scheme string) string {
	port := ""
	if p := d.Number("portRedirect"); p != 0 {
		port = ":" + itoa(int(p))
	}
	if h := d.Text("hostRedirect"); h != "" {
		return h + port
	}
	host := r.Host
	at := portAt(host)
	if strings.HasPrefix(host, "[") { // in a host with an IPv6 address, the port comes after the bracket
		if at = strings.LastIndex(host, "]:") + 1; at == 0 {
			at = len(host)
		}
	}
	was := r.headers.first("x-forwarded-proto")
	if scheme != was {
		was = asciiLower(was)
	} else {
		was = ""
	}
	if port != "" || was == "http" && host[at:] == ":80" || was == "https" && host[at:] == ":443" {
		host = host[:at]
	}
	return host + port
}

func (c *choice) redirectPath(match, d document.Message, r *routed) string {
	only := pathOnly(r.Path)
	query, strip := r.Path[len(only):], d.Flag("stripQuery")
	path := r.Path
	switch {
	case d.Text("pathRedirect") != "":
		p := d.Text("pathRedirect")
		if strip || strings.Contains(p, "?") {
			return p
		}
		return p + query
	case d.Text("prefixRewrite") != "":
		if n, ok := matchedLength(match, path); ok {
			path = d.Text("prefixRewrite") + path[min(n, len(path)):]
		}
	case d.Has("regexRewrite"):
		re := d.Sub("regexRewrite")
		// an empty result leaves the path unchanged
		if p := c.replace(re.Sub("pattern").Text("regex"), re.Text("substitution"), only); p != "" {
			path = p + query
		}
	case d.Text("pathRewrite") != "":
		c.unsupported("path rewrite by format")
	}
	if strip {
		return pathOnly(path)
	}
	return path
}

// bySpecifier selects the cluster if a cluster specifier plugin of the route
// chooses it. The only plugin that it can evaluate is a matcher tree.
func (c *choice) bySpecifier(action document.Message, r *routed) {
	extension := action.Sub("inlineClusterSpecifierPlugin").Sub("extension")
	if name := action.Text("clusterSpecifierPlugin"); name != "" {
		for _, p := range c.Message(c.configuration).List("clusterSpecifierPlugins") {
			if e := p.Sub("extension"); e.Text("name") == name {
				extension = e
			}
		}
	}
	config := extension.Sub("typedConfig")
	if !strings.HasSuffix(config.Text("@type"), ".MatcherClusterSpecifier") {
		what := "cluster specifier"
		if name := extension.Text("name"); name != "" {
			what += " " + name
		}
		c.unsupported(what)
		return
	}
	name := c.evaluateTree(config.Sub("clusterMatcher"), r).Sub("typedConfig").Text("cluster")
	if name == "" {
		c.answer.DirectStatus = noCluster(action)
		return
	}
	c.setCluster(name)
}
