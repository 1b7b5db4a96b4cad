package routing

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// virtualHost selects the virtual host of a route configuration for a request: the
// one with the exact domain, or else the one with the longest suffix wildcard,
// then with the longest prefix wildcard, then with "*". The selection is final: if
// no route of that virtual host matches, the answer is a 404.
func (c *choice) virtualHost(rc document.Message, h headers) (any, bool) {
	host := h.first(":authority")
	if name := rc.Text("vhostHeader"); name != "" {
		v := h[asciiLower(name)]
		if len(v) == 0 {
			return nil, false
		}
		host = v[0]
	}
	if rc.Flag("ignorePortInHostMatching") {
		host = host[:portAt(host)]
	}
	hosts, _ := rc.Value("virtualHosts").([]any)
	table := c.domainsOf(c.Reader, c.configuration, hosts)
	at, domain := table.find(asciiLower(host))
	if at < 0 || at >= len(hosts) {
		return nil, false
	}
	c.answer.Domain = domain
	return hosts[at], true
}

// A domains is an index of the virtual hosts of a route configuration by their
// domains, in the same structure as in Envoy. The values of its maps are indexes
// of virtual hosts.
type domains struct {
	exact map[string]int
	// the virtual hosts with a wildcard at the start or the end of the domain;
	// the keys are the domains without the *
	suffix, prefix     map[string]int
	suffixes, prefixes []int // the lengths of the keys of suffix and prefix, in descending order
	any                int   // the index of the virtual host with the domain "*"; -1 if there is none
}

func newDomains(r *document.Reader, hosts []any) *domains {
	d := &domains{exact: map[string]int{}, suffix: map[string]int{}, prefix: map[string]int{}, any: -1}
	put := func(m map[string]int, domain string, at int) {
		if _, again := m[domain]; !again {
			m[domain] = at
		}
	}
	for i, host := range hosts {
		for _, domain := range r.Message(host).Texts("domains") {
			domain = asciiLower(domain)
			switch {
			case domain == "*":
				if d.any < 0 {
					d.any = i
				}
			case strings.HasPrefix(domain, "*"):
				put(d.suffix, domain[1:], i)
			case strings.HasSuffix(domain, "*"):
				put(d.prefix, domain[:len(domain)-1], i)
			default:
				put(d.exact, domain, i)
			}
		}
	}
	d.suffixes, d.prefixes = lengths(d.suffix), lengths(d.prefix)
	return d
}

func lengths(m map[string]int) (all []int) {
	seen := map[int]bool{}
	for domain := range m {
		if !seen[len(domain)] {
			seen[len(domain)] = true
			all = append(all, len(domain))
		}
	}
	slices.SortFunc(all, func(a, b int) int { return b - a })
	return all
}

// find returns the index of the virtual host for a host name in lower case, and
// the domain that matches. The index is -1 if no domain matches.
func (d *domains) find(host string) (at int, domain string) {
	if at, ok := d.exact[host]; ok {
		return at, host
	}
	for _, n := range d.suffixes {
		if len(host) > n { // the wildcard * matches one character or more
			if at, ok := d.suffix[host[len(host)-n:]]; ok {
				return at, "*" + host[len(host)-n:]
			}
		}
	}
	for _, n := range d.prefixes {
		if len(host) > n {
			if at, ok := d.prefix[host[:n]]; ok {
				return at, host[:n] + "*"
			}
		}
	}
	return d.any, "*"
}
