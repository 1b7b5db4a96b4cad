package routing

import "strings"

// virtualHost chooses the virtual host of a route configuration for a request:
// an exact domain, then the longest suffix wildcard, then the longest prefix
// wildcard, then "*". The choice is final: no route in it means 404.
func (c *choice) virtualHost(rc message, h headers) (message, bool) {
	host := h.first(":authority")
	if name := rc.text("vhostHeader"); name != "" {
		v := h[asciiLower(name)]
		if len(v) == 0 {
			return message{}, false
		}
		host = v[0]
	}
	if rc.flag("ignorePortInHostMatching") {
		host = host[:portAt(host)]
	}
	host = asciiLower(host)
	var best message
	rank := hostRank{}
	for _, vh := range rc.list("virtualHosts") {
		for _, d := range vh.texts("domains") {
			if r := rankOf(asciiLower(d), host); r.better(rank) {
				best, rank = vh, r
			}
		}
	}
	return best, rank.class > 0
}

// hostRank says how well a domain fits: its class (exact 4, suffix 3, prefix
// 2, "*" 1, none 0), then how much of it is not the wildcard.
type hostRank struct{ class, length int }

func (r hostRank) better(than hostRank) bool {
	return r.class > than.class || r.class == than.class && r.length > than.length
}

func rankOf(domain, host string) hostRank {
	n := len(domain) - 1
	switch {
	case domain == "*":
		return hostRank{1, 0}
	case domain == host:
		return hostRank{4, 0}
	case n < 0:
		return hostRank{}
	case domain[0] == '*' && len(host) > n && strings.HasSuffix(host, domain[1:]): // * is one character or more
		return hostRank{3, n}
	case domain[n] == '*' && len(host) > n && strings.HasPrefix(host, domain[:n]):
		return hostRank{2, n}
	}
	return hostRank{}
}
