package routing

import (
	"cmp"
	"strconv"
	"strings"
)

// Envoy is what is known of the Envoy that decides. The zero Envoy decides by
// the newest rules, and its runtime isn't known.
type Envoy struct {
	// Version gives its version, "1.37.0"; empty where it isn't known. It is
	// called when the answer depends on it. Nil: the newest.
	Version func() string

	// Runtime gives the value of a key of Envoy's runtime, nil for one that isn't
	// set. It is called when the answer depends on it; known is false where it
	// can't be read. Nil: it can't.
	Runtime func(key string) (v any, known bool)
}

// A rule is one that not every version of Envoy has.
type rule struct {
	what  string    // the rule in words, for an answer that depends on it
	flag  string    // the reloadable feature that turns it off; empty for none
	since []release // the first release of each branch that has it
	fixed int       // the first minor version that has it whatever the flag says; 0: none yet
}

// release is the first one of a branch: {38, 4} is 1.38.4.
type release struct{ minor, patch int }

// The rules, with their source in Envoy's changelog. Those of 1.36.5 and later
// are held against real Envoys on both sides of the change by test/e2e; older
// ones rest on the changelog alone, since no older Envoy can be had here.
//
// Releases of August 2026 brought some of them to all branches that were
// supported then.
var (
	// 1.39.0, "matching": each value of a repeated header is matched alone; they
	// were joined by commas before.
	headersAlone = rule{"repeated headers are matched one by one since 1.39", "match_headers_individually", []release{{39, 0}}, 0}

	// 1.38.0, 1.37.1, 1.36.5, 1.35.9, "rbac": the same, in RBAC filters.
	rbacHeadersAlone = rule{"RBAC matches repeated headers one by one since 1.35.9, 1.36.5, 1.37.1 and 1.38", "rbac_match_headers_individually", []release{{38, 0}, {37, 1}, {36, 5}, {35, 9}}, 0}

	// CVE-2026-73552: an expression reads bytes as Latin-1 characters, not UTF-8.
	latin1Regexes = rule{"expressions read bytes as Latin-1 since August 2026", "re2_use_latin1_mode", august2026, 0}

	// CVE-2026-73511: path parameters are cut from each segment; all from the
	// first ";" on was cut before.
	parametersPerSegment = rule{"path parameters are cut per segment since August 2026", "strip_path_parameters_per_segment", august2026, 0}

	// CVE-2026-73551: normalize_path reads "..;x" as "..".
	dotsWithParameters = rule{"/..;x is read as /.. since August 2026", "strip_dotdot_segments_with_parameters", august2026, 0}

	// CVE-2026-73553: RBAC cuts path parameters where the routes do.
	rbacParameters = rule{"RBAC cuts path parameters where the routes do since August 2026", "rbac_respect_ignore_path_parameters", august2026, 0}

	// 1.37.0, with path_rewrite, and in no changelog: a regex_rewrite that leaves
	// nothing of the path leaves the path as it is.
	emptyRewrites = rule{"a rewrite to an empty path is left out since 1.37", "", []release{{37, 0}}, 37}

	// 1.35.0, "uri_template": * and ** stand for an asterisk too.
	asterisks = rule{"URI templates match an asterisk since 1.35", "uri_template_match_on_asterisk", []release{{35, 0}}, 40}

	// 1.35.0, "matching": a longer prefix that leads nowhere is left for a shorter
	// one.
	shorterPrefixes = rule{"prefix maps fall back to shorter prefixes since 1.35", "prefix_map_matcher_resume_after_subtree_miss", []release{{35, 0}}, 40}

	// 1.34.0, "http": present_match of a query parameter may be false.
	absentParameters = rule{"query parameters can be matched as absent since 1.34", "enable_new_query_param_present_match_behavior", []release{{34, 0}}, 0}

	// 1.33.0, "http": no address is internal where nothing says so.
	explicitInternal = rule{"private addresses are not internal by default since 1.33", "explicit_internal_address_config", []release{{33, 0}}, 36}

	// 1.24.0, "http": a path with a fragment is refused.
	fragmentsRefused = rule{"paths with # are refused since 1.24", "http_reject_path_with_fragment", []release{{24, 0}}, 0}

	august2026 = []release{{40, 0}, {39, 1}, {38, 4}, {37, 6}, {36, 10}}
)

// newest is a version above all that a rule asks for.
const newest = "1.1000000.0"

// has tells whether Envoy has a rule: maybe where its version isn't known, or
// is a build between two releases.
func (e Envoy) has(is rule) truth {
	version := newest
	if e.Version != nil {
		version = e.Version()
	}
	has, fixed := in(version, is.since), no
	if is.fixed != 0 {
		fixed = in(version, []release{{is.fixed, 0}})
	}
	if has == no || fixed == yes { // then the flag is ignored
		return has
	}
	if on, _ := e.runtime("envoy.reloadable_features." + is.flag); on == false || on == "false" {
		return fixed
	}
	return has
}

// in tells whether a version is, of its branch, one of these releases or a
// later one; branches after the newest of them count, older ones don't.
// "1.39.1-dev" is built after 1.39.0, maybe without what 1.39.1 brought.
func in(version string, since []release) truth {
	number, build, _ := strings.Cut(version, "-")
	words := strings.Split(number, ".")
	if len(words) != 3 || words[0] != "1" {
		return maybe
	}
	minor, err := strconv.Atoi(words[1])
	patch, err2 := strconv.Atoi(words[2])
	if err := cmp.Or(err, err2); err != nil {
		return maybe
	}
	last := 0
	for _, first := range since {
		last = max(last, first.minor)
		switch {
		case first.minor != minor:
		case patch == first.patch && build == "dev":
			return maybe
		default:
			return sure(patch >= first.patch)
		}
	}
	return sure(minor > last)
}

func (e Envoy) runtime(key string) (v any, known bool) {
	if e.Runtime == nil {
		return nil, false
	}
	return e.Runtime(key)
}

// PrivateIsInternal tells whether Envoy counts private addresses as internal
// where its connection manager says nothing of it.
func (e Envoy) PrivateIsInternal() bool { return e.has(explicitInternal) == no }

// has tells whether Envoy has a rule that decides what becomes of the request.
// Where its version isn't known, the answer says that it depends on it.
func (c *matcher) has(is rule) bool {
	t := c.envoy.has(is)
	if t == maybe {
		c.unsupported(is.unknown())
	}
	return t != no
}

func (is rule) unknown() string { return "Envoy's version, which isn't known: " + is.what }

// byRule decides by the newer rule or by the older one. Where Envoy's version
// isn't known and the two differ, the answer says that it depends on it.
func byRule[T comparable](c *matcher, is rule, newer, older func() T) T {
	switch c.envoy.has(is) {
	case yes:
		return newer()
	case no:
		return older()
	}
	v, before := newer(), older()
	if v != before {
		c.unsupported(is.unknown())
	}
	return v
}
