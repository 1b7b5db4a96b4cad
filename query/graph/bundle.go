package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A bundle is all edges from one node to another, as one arrow of a picture.
type bundle struct {
	from, to string
	lines    []line
	broken   []string
}

// A line of a bundle is one route: its match, and the shares that go to each
// subset.
type line struct {
	port   string
	match  string // "" for an edge to a workload
	of     string // the Istio object that the route is from
	shares []share
}

type share struct {
	subset string
	text   string // "95%", "mirror", "2 endpoints"
	broken []string
}

// bundles returns the arrows of a picture, in the order of the edges.
func (g *Graph) bundles() []*bundle {
	var out []*bundle
	at := map[string]*bundle{}
	for _, e := range g.Edges {
		key := e.From + "\x00" + e.To
		b := at[key]
		if b == nil {
			b = &bundle{from: e.From, to: e.To}
			at[key] = b
			out = append(out, b)
		}
		b.add(e)
	}
	for _, b := range out {
		b.broken = sorted(b.broken)
		slices.SortStableFunc(b.lines, func(x, y line) int {
			return cmp.Or(cmp.Compare(x.port, y.port), cmp.Compare(x.of, y.of), cmp.Compare(x.match, y.match))
		})
	}
	return out
}

func (b *bundle) add(e Edge) {
	b.broken = append(b.broken, e.Broken...)
	l := line{port: e.Port}
	s := share{subset: e.Subset, broken: e.Broken}
	switch {
	case e.Route == nil:
		s.text = fmt.Sprintf("%d of %d healthy", e.Healthy, e.Endpoints)
		if e.Healthy == e.Endpoints {
			s.text = plural(e.Endpoints, "endpoint")
		}
	case e.Mirror:
		s.text = "mirror"
	case e.Share != nil:
		s.text = percent(*e.Share)
	default:
		s.text = "tcp"
	}
	if e.Route != nil {
		l.match, l.of = cmp.Or(e.Route.Match, "any"), e.Route.VirtualService
	}
	for i := range b.lines { // the same route of several virtual hosts or proxies is one line
		if k := &b.lines[i]; k.port == l.port && k.match == l.match && k.of == l.of {
			if !slices.ContainsFunc(k.shares, func(other share) bool {
				return other.subset == s.subset && other.text == s.text && slices.Equal(other.broken, s.broken)
			}) {
				k.shares = append(k.shares, s)
			}
			return
		}
	}
	l.shares = []share{s}
	b.lines = append(b.lines, l)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// percent returns a share as people write it. A share that is not zero is never
// 0%.
func percent(share float64) string {
	p := share * 100
	if p > 0 && p < 0.1 {
		return "<0.1%"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Round(p*10)/10), ".0") + "%"
}

// text returns a line as it is written beside an arrow: "/api/* 100% v3".
func (l line) text() string {
	var parts []string
	for _, s := range l.shares {
		part := s.text
		if s.subset != "" {
			part += " " + s.subset
		}
		if len(s.broken) > 0 {
			part += " " + strings.Join(s.broken, " ")
		}
		parts = append(parts, part)
	}
	text := strings.Join(parts, ", ")
	if l.match != "" {
		text = l.match + " " + text
	}
	if l.of != "" {
		text += " (" + l.of + ")"
	}
	return text
}

// Text returns what an edge says in one line: the port, the match, the share and
// the subset.
func (e Edge) Text() string {
	b := &bundle{}
	b.add(e)
	text := b.lines[0].text()
	if e.Port != "" {
		text = ":" + e.Port + " " + text
	}
	return text
}
