package random

import "strconv"

const (
	networkInputs = typeURL + "envoy.extensions.matching.common_inputs.network.v3."
	xdsMatcher    = typeURL + "xds.type.matcher.v3."
)

func (s Source) networkInput(kinds ...string) message {
	return message{"name": "input", "typed_config": message{"@type": networkInputs + pick(s, kinds...)}}
}

// chainTree returns a random filter_chain_matcher. Its leaves are names of chains; a few chains don't exist.
func (s Source) chainTree(names []string, family int, ports []int) message {
	return treeGenerator{
		Source: s,
		input: func() message {
			return s.networkInput("DestinationIPInput", "DestinationPortInput", "SourceIPInput", "SourcePortInput", "DirectSourceIPInput",
				"SourceTypeInput", "ServerNameInput", "TransportProtocolInput", "ApplicationProtocolInput")
		},
		values: func() string {
			return pick(s, pick(s, addresses(family)...), strconv.Itoa(pick(s, ports...)), "1000", "127.0.0.1", "local", "a.ex.com", "tls", "raw_buffer", "'h2'", "'http/1.1'", "'h2','http/1.1'")
		},
		leaf: func() message {
			name := pick(s, names...)
			if s.oneIn(12) {
				name = "missing"
			}
			return message{"name": "chain", "typed_config": message{"@type": typeURL + "google.protobuf.StringValue", "value": name}}
		},
		custom: func(g treeGenerator, depth int) message { return g.customTree(depth, family) },
	}.tree(2)
}

// customTree returns a tree that matches ranges of addresses or server names.
func (g treeGenerator) customTree(depth, family int) message {
	if g.flip() {
		var all []any
		for range 1 + g.IntN(3) {
			m := message{"ranges": g.ranges(family), "on_match": g.ending(depth)}
			if g.oneIn(3) {
				m["exclusive"] = true
			}
			all = append(all, m)
		}
		return message{
			"input":        g.networkInput("DestinationIPInput", "SourceIPInput"),
			"custom_match": message{"name": "ranges", "typed_config": message{"@type": xdsMatcher + "IPMatcher", "range_matchers": all}},
		}
	}
	var all []any
	for _, domains := range [][]any{{"a.ex.com"}, {"*.ex.com", "*"}, {"*.com"}}[:1+g.IntN(3)] {
		all = append(all, message{"domains": domains, "on_match": g.ending(depth)})
	}
	return message{
		"input":        g.networkInput("ServerNameInput"),
		"custom_match": message{"name": "names", "typed_config": message{"@type": xdsMatcher + "ServerNameMatcher", "domain_matchers": all}},
	}
}
