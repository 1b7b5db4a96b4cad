package plugin

import (
	"fmt"
	"io"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// mostLines is how many faults that are not alike are told one by one.
const mostLines = 20

// tellFaults says what could not be had, a line each on stderr; what differs
// only in the proxy is one line. It gives how many there are.
func (r *run) tellFaults() int {
	if r.mesh == nil {
		return 0
	}
	all := r.mesh.Faults()
	r.message(func(w io.Writer) {
		groups := fold(all)
		for i, g := range groups {
			if i == mostLines {
				fmt.Fprintf(w, "and %d more\n", len(groups)-mostLines)
				return
			}
			fmt.Fprintln(w, g)
		}
	})
	return len(all)
}

// fold joins the faults of several proxies that say the same, in the order of
// the first of each.
func fold(all []*mesh.Fault) []string {
	type alike struct{ section, fact string }
	order := []alike{}
	by := map[alike][]*mesh.Fault{}
	for _, f := range all {
		k := alike{f.Section, f.Err.Error()}
		if f.Proxy == "" {
			k.section = f.Error() // not of a proxy: on its own
		}
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], f)
	}
	var lines []string
	for _, k := range order {
		fs := by[k]
		if len(fs) <= 3 {
			for _, f := range fs {
				lines = append(lines, oneLine(f.Error()))
			}
			continue
		}
		lines = append(lines, oneLine(fmt.Sprintf("%d proxies: %s: %s (%s, %s, …)", len(fs), k.section, k.fact, fs[0].Proxy, fs[1].Proxy)))
	}
	return lines
}
