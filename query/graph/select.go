package graph

import (
	"slices"
	"strings"
)

// A Selection says which part of a graph is meant.
type Selection struct {
	From  []string // only what these nodes can send to; empty: all
	To    []string // only what can send to these nodes; empty: all
	Depth int      // with From or To: how many workloads away at most; 0: any number
}

// Select returns the part of a graph that a selection means. unknown are the
// words in the selection that no node has as its name.
func (g *Graph) Select(s Selection) (part *Graph, unknown []string) {
	from, notFrom := g.named(s.From)
	to, notTo := g.named(s.To)
	unknown = append(notFrom, notTo...)
	keep := map[int]bool{}
	for i := range g.Edges {
		keep[i] = true
	}
	if len(s.From) > 0 {
		keep = g.walk(from, s.Depth, func(e Edge) (string, string) { return e.From, e.To }, keep)
	}
	if len(s.To) > 0 {
		keep = g.walk(to, s.Depth, func(e Edge) (string, string) { return e.To, e.From }, keep)
	}
	for i, e := range g.Edges { // what is behind the services themselves
		if e.Route == nil && slices.Contains(to, e.From) {
			keep[i] = true
		}
	}
	out := &Graph{Kind: g.Kind, Nodes: []Node{}, Edges: []Edge{}, Unknowns: g.Unknowns}
	used := map[string]bool{}
	for _, id := range append(from, to...) {
		used[id] = true
	}
	for i, e := range g.Edges {
		if keep[i] {
			out.Edges = append(out.Edges, e)
			used[e.From], used[e.To] = true, true
		}
	}
	for _, n := range g.Nodes {
		if used[n.ID] || len(s.From)+len(s.To) == 0 {
			out.Nodes = append(out.Nodes, n)
		}
	}
	return out, unknown
}

// walk returns the edges among keep that can be reached from some nodes, going
// in the direction of ends. depth limits how many workloads
// away from them.
func (g *Graph) walk(begin []string, depth int, ends func(Edge) (from, to string), keep map[int]bool) map[int]bool {
	next := map[string][]int{}
	for i, e := range g.Edges {
		if keep[i] {
			from, _ := ends(e)
			next[from] = append(next[from], i)
		}
	}
	reached, passed := map[int]bool{}, map[string]int{}
	for _, id := range begin {
		passed[id] = 0
	}
	for queue := begin; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		if depth > 0 && passed[id] >= depth && !strings.HasPrefix(id, "service/") {
			continue
		}
		for _, i := range next[id] {
			reached[i] = true
			_, to := ends(g.Edges[i])
			if _, ok := passed[to]; ok {
				continue
			}
			passed[to] = passed[id]
			if !strings.HasPrefix(to, "service/") {
				passed[to]++
			}
			queue = append(queue, to)
		}
	}
	return reached
}

// named returns the ids of the nodes that words mean: an id of a node, a name,
// name.namespace, a service's DNS name, or the id of a proxy. A word may begin
// with a kind: svc/reviews.
func (g *Graph) named(words []string) (ids, unknown []string) {
	for _, word := range words {
		kind, name, prefixed := strings.Cut(word, "/")
		if !prefixed {
			kind, name = "", word
		}
		before := len(ids)
		for _, n := range g.Nodes {
			if n.ID == word || n.isKind(kind) && n.isNamed(name) {
				ids = append(ids, n.ID)
			}
		}
		if len(ids) == before {
			unknown = append(unknown, word)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), unknown
}

func (n Node) isKind(kind string) bool {
	switch strings.ToLower(kind) {
	case "":
		return true
	case "svc", "service", "services":
		return n.Kind == "Service"
	case "gw", "gateway":
		return n.Kind == "Gateway"
	}
	return n.Kind != "Service" // pod/, deploy/, …
}

func (n Node) isNamed(name string) bool {
	if name == n.Name || name == n.Label() || n.Kind == "Service" && strings.HasPrefix(name, n.Label()+".svc") {
		return true
	}
	return slices.ContainsFunc(n.Proxies, func(id string) bool { return id == name || strings.TrimSuffix(id, "."+n.Namespace) == name })
}

// Broken returns the part of a graph that is broken: the edges that lead to
// nothing that answers, and the nodes that are not in sync.
func (g *Graph) Broken() *Graph {
	out := &Graph{Kind: g.Kind, Nodes: []Node{}, Edges: []Edge{}, Unknowns: g.Unknowns}
	used := map[string]bool{}
	for _, e := range g.Edges {
		if len(e.Broken) > 0 {
			out.Edges = append(out.Edges, e)
			used[e.From], used[e.To] = true, true
		}
	}
	for _, n := range g.Nodes {
		if used[n.ID] || len(n.Broken) > 0 {
			out.Nodes = append(out.Nodes, n)
		}
	}
	return out
}
