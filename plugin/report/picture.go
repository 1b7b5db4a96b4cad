package report

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/graph"
)

// mostArrows is how many arrows the picture may have. A larger graph shows what
// is broken and what gateways send to.
const mostArrows = 250

// The sizes of the picture, in pixels.
const (
	boxWidth  = 250
	boxHeight = 30
	rowHeight = 42
	columnGap = 170
	margin    = 12
)

// A picture is the graph as SVG: senders on the left, services in the middle,
// and the workloads behind them on the right.
type picture struct {
	arrows  []arrow
	columns [3][]graph.Node
	at      map[string]int // the index of "column/id" in its column
	left    int            // how many arrows are left out
}

type arrow struct {
	column   int // 0: from a sender to a service, 1: from a service to a workload
	from, to string
	broken   []string
	title    []string
}

// newPicture chooses the arrows and the nodes of the picture.
func newPicture(g *graph.Graph) *picture {
	p := &picture{at: map[string]int{}}
	nodes := map[string]graph.Node{}
	for _, n := range g.Nodes {
		nodes[n.ID] = n
	}
	all := arrowsOf(g)
	if len(all) > mostArrows {
		kept := slices.DeleteFunc(slices.Clone(all), func(a arrow) bool {
			return len(a.broken) == 0 && nodes[a.from].Kind != "Gateway" && len(nodes[a.to].Broken) == 0
		})
		kept = kept[:min(len(kept), mostArrows)]
		p.left = len(all) - len(kept)
		all = kept
	}
	p.arrows = all
	for _, a := range all {
		p.place(a.column, nodes[a.from])
		p.place(a.column+1, nodes[a.to])
	}
	p.order()
	return p
}

// arrowsOf returns one arrow per pair of nodes.
func arrowsOf(g *graph.Graph) []arrow {
	var out []arrow
	index := map[string]int{}
	for _, e := range g.Edges {
		a := arrow{from: e.From, to: e.To}
		if e.Route == nil {
			a.column = 1
		}
		key := e.From + "\x00" + e.To
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, a)
		}
		for _, b := range e.Broken {
			if !slices.Contains(out[i].broken, b) {
				out[i].broken = append(out[i].broken, b)
			}
		}
		if text := e.Text(); len(out[i].title) < 8 && !slices.Contains(out[i].title, text) {
			out[i].title = append(out[i].title, text)
		}
	}
	return out
}

func (p *picture) place(column int, n graph.Node) {
	key := fmt.Sprintf("%d/%s", column, n.ID)
	if _, ok := p.at[key]; !ok {
		p.at[key] = len(p.columns[column])
		p.columns[column] = append(p.columns[column], n)
	}
}

// order sorts each column by the mean position of its neighbours on the left, so
// that fewer arrows cross.
func (p *picture) order() {
	for column := 1; column < 3; column++ {
		sum, n := map[string]float64{}, map[string]float64{}
		for _, a := range p.arrows {
			if a.column == column-1 {
				sum[a.to] += float64(p.at[fmt.Sprintf("%d/%s", column-1, a.from)])
				n[a.to]++
			}
		}
		mean := func(id string) float64 {
			if n[id] == 0 {
				return 0
			}
			return sum[id] / n[id]
		}
		slices.SortStableFunc(p.columns[column], func(a, b graph.Node) int { return cmp.Compare(mean(a.ID), mean(b.ID)) })
		for i, node := range p.columns[column] {
			p.at[fmt.Sprintf("%d/%s", column, node.ID)] = i
		}
	}
}

// svg returns the picture. It is decorative: the page has the same facts as text.
func (p *picture) svg() string {
	rows := max(len(p.columns[0]), len(p.columns[1]), len(p.columns[2]), 1)
	width, height := 3*boxWidth+2*columnGap+2*margin, rows*rowHeight+2*margin+20
	var b strings.Builder
	fmt.Fprintf(&b, `<svg role="img" aria-label="Who can send requests to whom. The tree below says the same as text." viewBox="0 0 %d %d" width="%d" height="%d">`, width, height, width, height)
	b.WriteString(`<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>`)
	for column, title := range []string{"workloads and gateways", "services", "behind them"} {
		fmt.Fprintf(&b, `<text class="h" x="%d" y="%d">%s</text>`, x(column), margin+4, title)
	}
	for _, a := range p.arrows {
		x1, y1 := x(a.column)+boxWidth, p.y(a.column, a.from)
		x2, y2 := x(a.column+1), p.y(a.column+1, a.to)
		class := ""
		if len(a.broken) > 0 {
			class = ` class="bad"`
		}
		fmt.Fprintf(&b, `<path%s d="M%d %dC%d %d %d %d %d %d" marker-end="url(#tip)"><title>%s</title></path>`, class, x1, y1, x1+columnGap/2, y1, x2-columnGap/2, y2, x2, y2, html.EscapeString(strings.Join(a.title, "\n")))
	}
	for column, nodes := range p.columns {
		for _, n := range nodes {
			y := p.y(column, n.ID)
			class, radius := strings.ToLower(n.Kind), 3
			if n.Kind == "Service" {
				radius = boxHeight / 2
			}
			if len(n.Broken) > 0 {
				class += " bad"
			}
			label := n.Label()
			if len(n.Broken) > 0 {
				label = strings.Join(n.Broken, " ") + " " + label
			}
			fmt.Fprintf(&b, `<g class="%s"><rect x="%d" y="%d" width="%d" height="%d" rx="%d"/><text x="%d" y="%d">%s</text><title>%s</title></g>`,
				class, x(column), y-boxHeight/2, boxWidth, boxHeight, radius, x(column)+boxWidth/2, y+4, html.EscapeString(short(label, 36)), html.EscapeString(label))
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

func x(column int) int { return margin + column*(boxWidth+columnGap) }

func (p *picture) y(column int, id string) int {
	return margin + 20 + rowHeight/2 + p.at[fmt.Sprintf("%d/%s", column, id)]*rowHeight
}

// short cuts a text in its middle, so that it has at most n characters.
func short(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	r := []rune(text)
	return string(r[:n/2]) + "…" + string(r[len(r)-(n-n/2-1):])
}
