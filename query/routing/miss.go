package routing

import (
	"context"
	"strconv"
	"strings"
)

// A miss is the condition of a match that a request doesn't fit.
type miss struct {
	kind missKind
	m    message // of the condition
	what string  // by digest: what is not known
}

type missKind int

// The kinds of conditions.
const (
	fits missKind = iota
	byPath
	byGRPC
	byHeader
	byParameter
	byCookie
	byFraction
	byContext
	byDigest // it may fit, or not
)

// said puts it in words.
func (m miss) said(r *routed) string {
	name := m.m.text("name")
	switch m.kind {
	case byDigest:
		return m.what
	case byPath:
		return "the path is not " + pathSaid(m.m)
	case byGRPC:
		return "it is not gRPC"
	case byHeader:
		values, ok := r.headers[asciiLower(name)]
		return "header " + name + has(ok, strings.Join(values, ","), headerSaid(m.m))
	case byParameter:
		v, ok := queryOf(r.Path)[name]
		return "query parameter " + name + has(ok, v, stringSaid(m.m.sub("stringMatch")))
	case byCookie:
		v, ok := cookiesOf(r.headers)[name]
		return "cookie " + name + has(ok, v, stringSaid(m.m.sub("stringMatch")))
	case byFraction:
		return "the fraction of requests it takes is " + strconv.FormatInt(m.m.sub("defaultValue").number("numerator"), 10)
	}
	return "what it asks of the connection is not so, or not known"
}

// has tells what something is and what it would have to be.
func has(ok bool, is, want string) string {
	if want == "" {
		want = "there"
	}
	if !ok {
		return " is missing; it has to be " + want
	}
	return " is " + strconv.Quote(is) + "; it has to be " + want
}

func headerSaid(m message) string {
	not := ""
	if m.flag("invertMatch") {
		not = "not "
	}
	switch {
	case !valued(m):
		if !m.flagOr("presentMatch", true) {
			return not + "missing"
		}
		return not + "there"
	case m.has("stringMatch"):
		return not + stringSaid(m.sub("stringMatch"))
	case m.has("rangeMatch"):
		r := m.sub("rangeMatch")
		return not + "from " + strconv.FormatInt(r.number("start"), 10) + " to below " + strconv.FormatInt(r.number("end"), 10)
	}
	for key, word := range map[string]string{"safeRegexMatch": "like ", "prefixMatch": "begun with ", "suffixMatch": "ended with ", "containsMatch": "with ", "exactMatch": ""} {
		switch {
		case !m.has(key):
		case key == "safeRegexMatch":
			return not + word + m.sub(key).text("regex")
		default:
			return not + word + strconv.Quote(m.text(key))
		}
	}
	return not + "there"
}

func stringSaid(m message) string {
	switch {
	case m.has("safeRegex"):
		return "like " + m.sub("safeRegex").text("regex")
	case m.has("prefix"):
		return "begun with " + strconv.Quote(m.text("prefix"))
	case m.has("suffix"):
		return "ended with " + strconv.Quote(m.text("suffix"))
	case m.has("contains"):
		return "with " + strconv.Quote(m.text("contains"))
	case m.has("exact"):
		return strconv.Quote(m.text("exact"))
	}
	return ""
}

// pathSaid is a path's condition in short: "/a*", "/a", "like .*".
func pathSaid(m message) string {
	switch kind := pathKind(m); kind {
	case "prefix":
		return m.text(kind) + "*"
	case "path":
		return m.text(kind)
	case "pathSeparatedPrefix":
		return m.text(kind) + "[/*]"
	case "safeRegex":
		return "like " + m.sub(kind).text("regex")
	case "connectMatcher":
		return "a CONNECT's"
	case "pathMatchPolicy":
		return "like " + m.sub(kind).sub("typedConfig").text("pathTemplate")
	}
	return "known"
}

// PathOf is the path of a route's match in short.
func PathOf(ctx context.Context, match any) (string, error) {
	r := &reader{ctx: ctx}
	s := pathSaid(r.message(match))
	return s, r.err
}
