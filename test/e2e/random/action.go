package random

import (
	"strconv"
	"strings"
)

// Clusters is the number of clusters that exist, named "c0" and so on.
const Clusters = 6

func (s Source) cluster() string {
	if s.oneIn(25) {
		return "missing"
	}
	return "c" + strconv.Itoa(s.IntN(Clusters))
}

// WeightHeader is the header whose value selects among weighted clusters.
const WeightHeader = "x-weight"

// addAction adds a random action to a route.
func (s Source) addAction(r message) {
	switch s.IntN(10) {
	case 0, 1:
		r["redirect"] = s.redirect(templateOf(r["match"].(message)) != "")
	case 2:
		r["direct_response"] = message{"status": pick(s, 200, 204, 404, 418, 503)}
	case 3:
		if s.oneIn(3) {
			r["non_forwarding_action"] = message{}
			break
		}
		fallthrough
	default:
		r["route"] = s.forward(r["match"].(message))
	}
}

func (s Source) forward(match message) message {
	a := message{}
	switch s.IntN(8) {
	case 0, 1:
		a["weighted_clusters"] = s.weighted()
	case 2:
		a["cluster_header"] = pick(s, "x-cluster", "X-A")
	default:
		a["cluster"] = s.cluster()
	}
	if s.oneIn(10) {
		a["cluster_not_found_response_code"] = pick(s, "NOT_FOUND", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR")
	}
	s.rewritePath(a, match)
	switch s.IntN(10) {
	case 0:
		a["host_rewrite_literal"] = pick(s, "rw.com", "rw.com:81")
	case 1:
		a["host_rewrite_header"] = pick(s, "x-a", "x-host", "X-B")
	case 2:
		a["host_rewrite_path_regex"] = s.substitution()
	}
	if s.oneIn(15) {
		a["upgrade_configs"] = []any{message{"upgrade_type": pick(s, "websocket", "CONNECT", "Other"), "enabled": s.flip()}}
	}
	return a
}

// rewritePath adds at most one rewrite of the path to an action.
func (s Source) rewritePath(a, match message) {
	template := templateOf(match)
	switch s.IntN(6) {
	case 0:
		if template == "" {
			a["prefix_rewrite"] = pick(s, "/", "/new", "/n/", "n")
		}
	case 1:
		a["regex_rewrite"] = s.substitution()
	case 2, 3:
		if template != "" {
			a["path_rewrite_policy"] = message{"name": "rewrite", "typed_config": message{
				"@type":                 typeURL + "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
				"path_template_rewrite": s.rewriteOf(template),
			}}
		}
	}
}

// templateOf returns the URI template of a match, or "" if it has none.
func templateOf(match message) string {
	policy, _ := match["path_match_policy"].(message)
	if policy == nil {
		return ""
	}
	return policy["typed_config"].(message)["path_template"].(string)
}

// rewriteOf returns a path to rewrite to, built from the named parts of a URI template.
func (s Source) rewriteOf(template string) string {
	var names []string
	for _, part := range strings.Split(template, "{")[1:] {
		names = append(names, "{"+part[:1]+"}")
	}
	to := "/fixed"
	for _, n := range names {
		if s.flip() {
			to = pick(s, to+"/"+n, "/"+n+to, to+n+".x")
		}
	}
	return to
}

func (s Source) substitution() message {
	if s.oneIn(3) {
		return message{"pattern": message{"regex": "/([a-z]+)"}, "substitution": pick(s, `/\1x`, `\1`, `/\0\1`)}
	}
	return message{"pattern": message{"regex": pick(s, "a", "b+", "[0-9]", "^/", "/", ".*", "x*")}, "substitution": pick(s, "z", `\0\0`, `\\`, "", "/new")}
}

func (s Source) weighted() message {
	w := message{}
	if !s.oneIn(4) {
		w["header_name"] = WeightHeader
	}
	var all []any
	for i := range 1 + s.IntN(3) {
		c := message{"weight": s.IntN(5)}
		if i == 0 {
			c["weight"] = 1 + s.IntN(5)
		}
		if s.oneIn(8) {
			c["cluster_header"] = "x-cluster"
		} else {
			c["name"] = s.cluster()
		}
		if s.oneIn(6) {
			c["host_rewrite_literal"] = pick(s, "w.com", "w.org")
		}
		all = append(all, c)
	}
	w["clusters"] = all
	return w
}

func (s Source) redirect(template bool) message {
	d := message{}
	if s.flip() {
		d["host_redirect"] = pick(s, "new.com", "n:99")
	}
	switch s.IntN(3) {
	case 0:
		d["https_redirect"] = true
	case 1:
		d["scheme_redirect"] = pick(s, "http", "https", "ftp", "HTTPS")
	}
	if s.oneIn(4) {
		d["port_redirect"] = pick(s, 80, 443, 8443)
	}
	switch s.IntN(5) {
	case 0:
		d["path_redirect"] = pick(s, "/np", "/np?a=b", "np")
	case 1:
		if !template {
			d["prefix_rewrite"] = pick(s, "/", "/zz")
		}
	case 2:
		d["regex_rewrite"] = s.substitution()
	}
	if s.oneIn(3) {
		d["strip_query"] = true
	}
	if !s.oneIn(3) {
		d["response_code"] = pick(s, "FOUND", "SEE_OTHER", "PERMANENT_REDIRECT", "TEMPORARY_REDIRECT")
	}
	return d
}
