package routing

import (
	"cmp"
	"strconv"
	"strings"
)

// An Envoy describes the Envoy that routes the request. The zero value has the
// newest rules and an unknown runtime.
type Envoy struct {
	// Version returns Envoy's version, such as "1.37.0", or "" if it isn't
	// known. It is called only when the answer depends on the version. If
	// Version is nil, the newest version is assumed.
	Version func() string

	// Runtime returns the value of a key of Envoy's runtime, or nil if the key
	// isn't set. known is false if the runtime can't be read. It is called only
	// when the answer depends on the key. A nil Runtime means that the runtime
	// can't be read.
	Runtime func(key string) (v any, known bool)
}

// A rule is a behavior of Envoy that some versions don't have.
type rule struct {
	what  string    // a description of the rule for users, added to an answer that depends on the rule
	flag  string    // the reloadable feature that turns the rule off; empty if there is none
	since []release // the first release with the rule on each branch that has the rule
	fixed int       // the first minor version that ignores the flag; 0 if no version does
}

// A release is a release of Envoy: {38, 4} is 1.38.4.
type release struct{ minor, patch int }

// These are the rules, with their source in Envoy's changelog. test/e2e checks
// each rule of 1.36.5 and later on two real Envoys: one from before the change and
// one from after it. Older rules are taken from the changelog alone, since no
// older Envoy is available here.
//
// Some of the rules came with the releases of August 2026, which were made for all
// branches that were supported at the time.
var (
	// 1.39.0, "matching": each value of a repeated header is matched separately.
	// Earlier versions join the values with commas.
	headersAlone = rule{"repeated headers are matched one by one since 1.39", "match_headers_individually", []release{{39, 0}}, 0}

	// 1.38.0, 1.37.1, 1.36.5, 1.35.9, "rbac": RBAC filters also match each value
	// of a repeated header separately.
	rbacHeadersAlone = rule{"RBAC matches repeated headers one by one since 1.35.9, 1.36.5, 1.37.1 and 1.38", "rbac_match_headers_individually", []release{{38, 0}, {37, 1}, {36, 5}, {35, 9}}, 0}

	// CVE-2026-73552: a regular expression reads bytes as Latin-1 characters,
	// not as UTF-8.
	latin1Regexes = rule{"expressions read bytes as Latin-1 since August 2026", "re2_use_latin1_mode", august2026, 0}

	// CVE-2026-73511: path parameters are removed from each segment. Earlier
	// versions remove everything after the first ";".
	parametersPerSegment = rule{"path parameters are cut per segment since August 2026", "strip_path_parameters_per_segment", august2026, 0}

	// CVE-2026-73551: normalize_path reads "..;x" as "..".
	dotsWithParameters = rule{"/..;x is read as /.. since August 2026", "strip_dotdot_segments_with_parameters", august2026, 0}

	// CVE-2026-73553: RBAC removes path parameters from the path if the route
	// configuration ignores them.
	rbacParameters = rule{"RBAC cuts path parameters where the routes do since August 2026", "rbac_respect_ignore_path_parameters", august2026, 0}

	// 1.37.0, introduced together with path_rewrite and not in the changelog: a
	// regex_rewrite whose result is empty leaves the path unchanged.
	emptyRewrites = rule{"a rewrite to an empty path is left out since 1.37", "", []release{{37, 0}}, 37}

	// 1.35.0, "uri_template": the wildcards * and ** also match an asterisk.
	asterisks = rule{"URI templates match an asterisk since 1.35", "uri_template_match_on_asterisk", []release{{35, 0}}, 40}

	// 1.35.0, "matching": if the action for a longer prefix selects nothing, the
	// next shorter prefix is tried.
	shorterPrefixes = rule{"prefix maps fall back to shorter prefixes since 1.35", "prefix_map_matcher_resume_after_subtree_miss", []release{{35, 0}}, 40}

	// 1.34.0, "http": a match on a query parameter may have present_match false,
	// which requires that the parameter is absent.
	absentParameters = rule{"query parameters can be matched as absent since 1.34", "enable_new_query_param_present_match_behavior", []release{{34, 0}}, 0}

	// 1.33.0, "http": no address is internal unless internal_address_config is
	// set.
	explicitInternal = rule{"private addresses are not internal by default since 1.33", "explicit_internal_address_config", []release{{33, 0}}, 36}

	// 1.24.0, "http": a path with a fragment is rejected.
	fragmentsRefused = rule{"paths with # are refused since 1.24", "http_reject_path_with_fragment", []release{{24, 0}}, 0}

	august2026 = []release{{40, 0}, {39, 1}, {38, 4}, {37, 6}, {36, 10}}
)

// newest is a version above the first release of every rule.
const newest = "1.1000000.0"

// has reports whether this Envoy follows a rule. The result is maybe if the
// version isn't known, or if it is a build between two releases.
func (e Envoy) has(is rule) truth {
	version := newest
	if e.Version != nil {
		version = e.Version()
	}
	has, fixed := in(version, is.since), no
	if is.fixed != 0 {
		fixed = in(version, []release{{is.fixed, 0}})
	}
	if has == no || fixed == yes { // before the rule existed, and since its flag was removed, Envoy ignores the flag
		return has
	}
	if on, _ := e.runtime("envoy.reloadable_features." + is.flag); on == false || on == "false" {
		return fixed
	}
	return has
}

// in reports whether a version is one of these releases or a later one of the same
// branch. It returns yes for a branch that is newer than all of them, and no for
// an older branch. A build "1.39.1-dev" was made after 1.39.0 and may not have the
// changes of 1.39.1 yet, so for {39, 1} the result is maybe.
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

// PrivateIsInternal reports whether Envoy treats private addresses as internal
// if its connection manager doesn't configure internal addresses.
func (e Envoy) PrivateIsInternal() bool { return e.has(explicitInternal) == no }

// has reports whether Envoy follows a rule that affects the request. If Envoy's
// version isn't known, has adds a note to the answer that the result depends on
// the version.
func (c *matcher) has(is rule) bool {
	t := c.envoy.has(is)
	if t == maybe {
		c.unsupported(is.unknown())
	}
	return t != no
}

func (is rule) unknown() string { return "Envoy's version, which isn't known: " + is.what }

// byRule returns the result of the newer or the older function, depending on
// Envoy's version. If the version isn't known and the two results differ, it adds
// a note to the answer that the result depends on the version.
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
