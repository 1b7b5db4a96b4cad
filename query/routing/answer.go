package routing

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Answer is what Envoy would do with a request.
type Answer struct {
	Status int // 0 where a route was found; else what Envoy answers itself: 400, 403, 404

	Route       any    // the route entry, as it is in the document
	VirtualHost string // the name of the virtual host that was chosen; empty for none
	Domain      string // the domain of it that the request's host fits
	Host        any    // the virtual host, as it is in the document; nil for none

	Cluster  string  // the one that is asked; empty where only shares are known
	Clusters []Share // all that may be asked
	URL      string  // the request's URL as it is forwarded; empty where it is not

	RedirectStatus int // 301 and the like; 0 when it is none
	RedirectTo     string
	DirectStatus   int // of a direct response; 0 when it is none

	Unsupported []string // what was met and can't be decided here, each once

	// Undecided is what the choice of a route hangs on and a snapshot doesn't
	// say; then no route is chosen.
	Undecided string

	choice *choice
	routes []any // those of the virtual host, up to the one that was chosen
	asked  *routed
}

// Share is one cluster of a route and how much of the requests it takes, 0 to 1.
type Share struct {
	Name  string
	Share float64

	Criteria any // the metadata that its endpoints have to have, beside the route's
}

// Near is something that a request almost took.
type Near struct {
	Object any
	Why    string // what kept it from being taken
}

// mostNear is how many of them are told.
const mostNear = 5

// Near gives the routes ahead of the chosen one, or all of its virtual host
// where none was, that the request came near to: their path fits, and
// something else doesn't. Where no path fits it gives those with their paths.
func (a *Answer) Near() (near []Near, err error) {
	c := a.choice
	if c == nil {
		return nil, nil
	}
	before := slices.Clone(a.Unsupported)
	var paths []Near
	for _, route := range a.routes {
		m := c.Message(route).Sub("match")
		if !c.path(m, a.asked) {
			paths = append(paths, Near{route, "the path is not " + pathSaid(m)})
			continue
		}
		if why := c.misses(m, a.asked); why.kind != fits {
			near = append(near, Near{route, why.said(a.asked)})
		}
	}
	a.Unsupported = before
	if near == nil && a.Route == nil {
		near = paths
	}
	if n := len(near); n > mostNear { // the last are the most likely to have been meant
		near = near[n-mostNear:]
	}
	return near, c.Err
}

// A miss is the condition of a match that a request doesn't fit.
type miss struct {
	kind missKind
	m    document.Message // of the condition
	what string           // by digest: what is not known
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
	name := m.m.Text("name")
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
		return "query parameter " + name + has(ok, v, stringSaid(m.m.Sub("stringMatch")))
	case byCookie:
		v, ok := cookiesOf(r.headers)[name]
		return "cookie " + name + has(ok, v, stringSaid(m.m.Sub("stringMatch")))
	case byFraction:
		return "the fraction of requests it takes is " + strconv.FormatInt(m.m.Sub("defaultValue").Number("numerator"), 10)
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

func headerSaid(m document.Message) string {
	not := ""
	if m.Flag("invertMatch") {
		not = "not "
	}
	switch {
	case !valued(m):
		if !m.FlagOr("presentMatch", true) {
			return not + "missing"
		}
		return not + "there"
	case m.Has("stringMatch"):
		return not + stringSaid(m.Sub("stringMatch"))
	case m.Has("rangeMatch"):
		r := m.Sub("rangeMatch")
		return not + "from " + strconv.FormatInt(r.Number("start"), 10) + " to below " + strconv.FormatInt(r.Number("end"), 10)
	}
	for key, word := range map[string]string{"safeRegexMatch": "like ", "prefixMatch": "begun with ", "suffixMatch": "ended with ", "containsMatch": "with ", "exactMatch": ""} {
		switch {
		case !m.Has(key):
		case key == "safeRegexMatch":
			return not + word + m.Sub(key).Text("regex")
		default:
			return not + word + strconv.Quote(m.Text(key))
		}
	}
	return not + "there"
}

func stringSaid(m document.Message) string {
	switch {
	case m.Has("safeRegex"):
		return "like " + m.Sub("safeRegex").Text("regex")
	case m.Has("prefix"):
		return "begun with " + strconv.Quote(m.Text("prefix"))
	case m.Has("suffix"):
		return "ended with " + strconv.Quote(m.Text("suffix"))
	case m.Has("contains"):
		return "with " + strconv.Quote(m.Text("contains"))
	case m.Has("exact"):
		return strconv.Quote(m.Text("exact"))
	}
	return ""
}

// pathSaid is a path's condition in short: "/a*", "/a", "like .*".
func pathSaid(m document.Message) string {
	switch kind := pathKind(m); kind {
	case "prefix":
		return m.Text(kind) + "*"
	case "path":
		return m.Text(kind)
	case "pathSeparatedPrefix":
		return m.Text(kind) + "[/*]"
	case "safeRegex":
		return "like " + m.Sub(kind).Text("regex")
	case "connectMatcher":
		return "a CONNECT's"
	case "pathMatchPolicy":
		return "like " + m.Sub(kind).Sub("typedConfig").Text("pathTemplate")
	}
	return "known"
}

// PathOf is the path of a route's match in short.
func PathOf(ctx context.Context, match any) (string, error) {
	r := document.NewReader(ctx)
	s := pathSaid(r.Message(match))
	return s, r.Err
}
