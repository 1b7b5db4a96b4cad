package routing

import "strings"

// redirectStatus are the codes of RedirectAction; none is 301.
var redirectStatus = map[string]int{
	"": 301, "MOVED_PERMANENTLY": 301, "FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308,
}

// redirect gives where a RedirectAction sends the client.
func (c *choice) redirect(m message, r *routed) {
	d := m.sub("redirect")
	scheme := r.headers.first(":scheme")
	switch {
	case d.text("schemeRedirect") != "":
		scheme = d.text("schemeRedirect")
	case d.flag("httpsRedirect"):
		scheme = "https"
	}
	c.answer.RedirectStatus = redirectStatus[d.text("responseCode")]
	path := c.redirectPath(m.sub("match"), d, r)
	if path == "" || r.Method == "CONNECT" && d.text("pathRedirect") != "" { // which has no path: it is told nowhere to go
		return
	}
	if path[0] != '/' {
		path = "/" + path
	}
	c.answer.RedirectTo = scheme + "://" + redirectHost(d, r, scheme) + path
}

// redirectHost keeps the request's host, but for a port that is the default of
// the scheme that is left.
func redirectHost(d message, r *routed, scheme string) string {
	port := ""
	if p := d.number("portRedirect"); p != 0 {
		port = ":" + itoa(int(p))
	}
	if h := d.text("hostRedirect"); h != "" {
		return h + port
	}
	host := r.Host
	at := portAt(host)
	if strings.HasPrefix(host, "[") { // an IPv6 literal's port follows its bracket
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

func (c *choice) redirectPath(match, d message, r *routed) string {
	only := pathOnly(r.Path)
	query, strip := r.Path[len(only):], d.flag("stripQuery")
	path := r.Path
	switch {
	case d.text("pathRedirect") != "":
		p := d.text("pathRedirect")
		if strip || strings.Contains(p, "?") {
			return p
		}
		return p + query
	case d.text("prefixRewrite") != "":
		if n, ok := matched(match, path); ok {
			path = d.text("prefixRewrite") + path[min(n, len(path)):]
		}
	case d.has("regexRewrite"):
		re := d.sub("regexRewrite")
		if p := c.replace(re.sub("pattern").text("regex"), re.text("substitution"), only); p != "" { // nothing is no path
			path = p + query
		}
	case d.text("pathRewrite") != "":
		c.unsupported("path rewrite by format")
	}
	if strip {
		return pathOnly(path)
	}
	return path
}
