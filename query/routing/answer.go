package routing

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Answer describes what Envoy does with a request.
type Answer struct {
	Status int // the status with which Envoy responds without a route: 400, 403 or 404; 0 if a route was selected

	Route       any    // the selected route's object in the document
	VirtualHost string // the name of the selected virtual host; empty if none matches
	Domain      string // the domain of the virtual host that matches the request's host
	Host        any    // the virtual host, as in the document; nil if none matches

	Cluster  string  // the cluster to which the request is sent; empty if several are possible
	Clusters []Share // all clusters to which the request may be sent
	URL      string  // the URL that is sent upstream; empty if the request is not forwarded

	RedirectStatus int // the status of a redirect, such as 301; 0 if the route doesn't redirect
	RedirectTo     string
	DirectStatus   int // the status of a direct response; 0 if there is no direct response

	Unsupported []string // descriptions of everything that this package can't decide, without duplicates

	// Undecided is the redacted value on which the selection of a route depends.
	// If it is set, no route is selected.
	Undecided string

	choice *choice
	routes []any // the routes that precede the selected one in its virtual host
	asked  *routed
}

// A Share is one cluster of a route and the part of the requests that are sent to
// it, from 0 to 1.
type Share struct {
	Name  string
	Share float64

	Criteria any // the metadata that an endpoint must have in addition to the metadata that the route requires
}

// A Near is a near miss: a route or a filter chain that almost matched.
type Near struct {
	Object any
	Why    string // the condition that didn't match
}

// maxNear is the maximum number of near misses in the result.
const maxNear = 5

// Near returns the routes that almost matched: their path condition matches the
// request, but another condition doesn't. It considers the routes before the
// selected one, or all routes of the virtual host if none was selected. If no
// route was selected and no path condition matches, it returns the last routes
// of the virtual host.
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
			paths = append(paths, Near{route, "the path is not " + describePath(m)})
			continue
		}
		if why := c.firstMiss(m, a.asked); why.kind != fits {
			near = append(near, Near{route, why.describe(a.asked)})
		}
	}
	a.Unsupported = before
	if near == nil && a.Route == nil {
		near = paths
	}
	if n := len(near); n > maxNear { // the last routes are most likely those that the user expected
		near = near[n-maxNear:]
	}
	return near, c.Err
}

// A miss is the first condition in a route's match that a request doesn't meet.
type miss struct {
	kind missKind
	m    document.Message // the message that contains the condition
	what string           // the name of the unknown value, if kind is byDigest
}

type missKind int

// These are the kinds of conditions. The kind fits means that the request meets
// all conditions.
const (
	fits missKind = iota
	byPath
	byGRPC
	byHeader
	byParameter
	byCookie
	byFraction
	byContext
	byDigest // a redacted value decides whether the request meets the condition
)

// describe returns a text about the failed condition, for users.
func (m miss) describe(r *routed) string {
	name := m.m.Text("name")
	switch m.kind {
	case byDigest:
		return m.what
	case byPath:
		return "the path is not " + describePath(m.m)
	case byGRPC:
		return "it is not gRPC"
	case byHeader:
		values, ok := r.headers[asciiLower(name)]
		return "header " + name + describeMismatch(ok, strings.Join(values, ","), describeHeader(m.m))
	case byParameter:
		v, ok := queryOf(r.Path)[name]
		return "query parameter " + name + describeMismatch(ok, v, describeString(m.m.Sub("stringMatch")))
	case byCookie:
		v, ok := cookiesOf(r.headers)[name]
		return "cookie " + name + describeMismatch(ok, v, describeString(m.m.Sub("stringMatch")))
	case byFraction:
		return "the fraction of requests that it matches is " + strconv.FormatInt(m.m.Sub("defaultValue").Number("numerator"), 10)
	}
	return "its condition on the connection does not hold, or is not known"
}

// describeMismatch returns a text with the actual value and the required value.
func describeMismatch(ok bool, is, want string) string {
	if want == "" {
		want = "present"
	}
	if !ok {
		return " is missing; it must be " + want
	}
	return " is " + strconv.Quote(is) + "; it must be " + want
}

func describeHeader(m document.Message) string {
	not := ""
	if m.Flag("invertMatch") {
		not = "not "
	}
	switch {
	case !comparesValue(m):
		if !m.FlagOr("presentMatch", true) {
			return not + "missing"
		}
		return not + "present"
	case m.Has("stringMatch"):
		return not + describeString(m.Sub("stringMatch"))
	case m.Has("rangeMatch"):
		r := m.Sub("rangeMatch")
		return not + "a number from " + strconv.FormatInt(r.Number("start"), 10) + " to below " + strconv.FormatInt(r.Number("end"), 10)
	}
	for key, word := range map[string]string{"safeRegexMatch": "like ", "prefixMatch": "a string starting with ", "suffixMatch": "a string ending with ", "containsMatch": "a string containing ", "exactMatch": ""} {
		switch {
		case !m.Has(key):
		case key == "safeRegexMatch":
			return not + word + m.Sub(key).Text("regex")
		default:
			return not + word + strconv.Quote(m.Text(key))
		}
	}
	return not + "present"
}

func describeString(m document.Message) string {
	switch {
	case m.Has("safeRegex"):
		return "like " + m.Sub("safeRegex").Text("regex")
	case m.Has("prefix"):
		return "a string starting with " + strconv.Quote(m.Text("prefix"))
	case m.Has("suffix"):
		return "a string ending with " + strconv.Quote(m.Text("suffix"))
	case m.Has("contains"):
		return "a string containing " + strconv.Quote(m.Text("contains"))
	case m.Has("exact"):
		return strconv.Quote(m.Text("exact"))
	}
	return ""
}

// describePath returns the path condition of a match in short form: "/a*" for a
// prefix, "/a" for an exact path, "like .*" for a regular expression.
func describePath(m document.Message) string {
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

// PathOf returns the path condition of a route's match in short form, such as
// "/a*" for a prefix.
func PathOf(ctx context.Context, match any) (string, error) {
	r := document.NewReader(ctx)
	s := describePath(r.Message(match))
	return s, r.Err
}
