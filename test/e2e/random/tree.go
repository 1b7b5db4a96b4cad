package random

// tree is a matcher in the place of routes; leaf gives an action.
func (s Source) tree(depth int, leaf func() message) message {
	m := message{}
	switch {
	case s.oneIn(3):
		m["matcher_tree"] = s.branches(depth, leaf)
	default:
		var all []any
		for range 1 + s.IntN(3) {
			all = append(all, message{"predicate": s.predicate(2), "on_match": s.ending(depth, leaf)})
		}
		m["matcher_list"] = message{"matchers": all}
	}
	if s.flip() {
		m["on_no_match"] = s.ending(depth, leaf)
	}
	return m
}

func (s Source) ending(depth int, leaf func() message) message {
	if depth > 0 && s.oneIn(4) {
		return message{"matcher": s.tree(depth-1, leaf)}
	}
	return message{"action": leaf()}
}

func (s Source) branches(depth int, leaf func() message) message {
	input := s.input()
	on := message{}
	kind := pick(s, "exact_match_map", "prefix_match_map")
	for range 1 + s.IntN(3) {
		key := pick(s, "v", "w", "vv", "1", "ab", "a", "v1", "b")
		if kind == "prefix_match_map" && s.oneIn(4) {
			key = pick(s, "a", "ab", "v", "/")
		}
		on[key] = s.ending(depth, leaf)
	}
	return message{"input": input, kind: message{"map": on}}
}

// input is a header: a route table can match on nothing else.
func (s Source) input() message {
	return message{"name": "header", "typed_config": message{
		"@type": typeURL + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": pick(s, "x-a", "x-b", "x-c", ":path", ":authority", ":method", "cookie", "accept"),
	}}
}

func (s Source) predicate(depth int) message {
	if depth > 0 && s.oneIn(4) {
		both := message{"predicate": []any{s.predicate(depth - 1), s.predicate(depth - 1)}}
		switch s.IntN(3) {
		case 0:
			return message{"or_matcher": both}
		case 1:
			return message{"and_matcher": both}
		}
		return message{"not_matcher": s.predicate(depth - 1)}
	}
	text := s.textMatcher()
	if re, ok := text["safe_regex"].(message); ok { // the xDS one names its engine
		text["safe_regex"] = message{"regex": re["regex"], "google_re2": message{}}
	}
	return message{"single_predicate": message{"input": s.input(), "value_match": text}}
}

// routeAction is what a tree ends with: a route, or a list of them.
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
