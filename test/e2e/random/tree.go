package random

// A treeGenerator generates trees of xDS matchers. Its fields generate the parts of a tree.
type treeGenerator struct {
	Source
	input  func() message
	values func() string // values that an input may have
	leaf   func() message
	custom func(g treeGenerator, depth int) message // generates a custom matcher; nil if there is none
}

// tree returns a random xDS matcher.
func (g treeGenerator) tree(depth int) message {
	m := message{}
	switch {
	case g.custom != nil && g.oneIn(3):
		m["matcher_tree"] = g.custom(g, depth)
	case g.oneIn(3):
		m["matcher_tree"] = g.branches(depth)
	default:
		var all []any
		for range 1 + g.IntN(3) {
			all = append(all, message{"predicate": g.predicate(2), "on_match": g.ending(depth)})
		}
		m["matcher_list"] = message{"matchers": all}
	}
	if g.flip() {
		m["on_no_match"] = g.ending(depth)
	}
	return m
}

func (g treeGenerator) ending(depth int) message {
	if depth > 0 && g.oneIn(4) {
		return message{"matcher": g.tree(depth - 1)}
	}
	return message{"action": g.leaf()}
}

func (g treeGenerator) branches(depth int) message {
	on := message{}
	kind := pick(g.Source, "exact_match_map", "prefix_match_map")
	for range 1 + g.IntN(3) {
		key := g.values()
		if kind == "prefix_match_map" && len(key) > 1 && g.flip() {
			key = key[:1+g.IntN(len(key)-1)]
		}
		if key != "" {
			on[key] = g.ending(depth)
		}
	}
	if len(on) == 0 {
		on["v"] = g.ending(depth)
	}
	return message{"input": g.input(), kind: message{"map": on}}
}

func (g treeGenerator) predicate(depth int) message {
	if depth > 0 && g.oneIn(4) {
		both := message{"predicate": []any{g.predicate(depth - 1), g.predicate(depth - 1)}}
		switch g.IntN(3) {
		case 0:
			return message{"or_matcher": both}
		case 1:
			return message{"and_matcher": both}
		}
		return message{"not_matcher": g.predicate(depth - 1)}
	}
	text := g.textMatcher(g.values(), g.values())
	if re, ok := text["safe_regex"].(message); ok { // an xDS matcher must name the regex engine
		text["safe_regex"] = message{"regex": re["regex"], "google_re2": message{}}
	}
	return message{"single_predicate": message{"input": g.input(), "value_match": text}}
}

// routeTree returns a random matcher that a virtual host uses instead of a list of routes.
func (s Source) routeTree(route func() message) message {
	return treeGenerator{
		Source: s,
		// A matcher for routes supports no input other than headers.
		input: func() message {
			return message{"name": "header", "typed_config": message{
				"@type": typeURL + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": pick(s, "x-a", "x-b", "x-c", ":path", ":authority", ":method", "cookie", "accept"),
			}}
		},
		values: func() string { return pick(s, "v", "w", "vv", "1", "ab", "a", "v1", "b", "/a", "GET") },
		leaf:   func() message { return s.routeAction(route) },
	}.tree(2)
}

// routeAction returns a leaf of a route matcher: a route or a list of routes.
func (s Source) routeAction(route func() message) message {
	if s.oneIn(3) {
		var all []any
		for range 1 + s.IntN(3) {
			all = append(all, route())
		}
		return message{"name": "routes", "typed_config": message{"@type": typeURL + "envoy.config.route.v3.RouteList", "routes": all}}
	}
	r := route()
	r["@type"] = typeURL + "envoy.config.route.v3.Route"
	return message{"name": "route", "typed_config": r}
}
