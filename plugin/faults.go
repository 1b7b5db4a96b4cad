package plugin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// mostLines is how many faults that are not alike are told one by one.
const mostLines = 20

// faults are those that the run met, each once, in the order met.
type faults struct {
	all  []*mesh.Fault
	seen map[string]bool
}

// fault keeps a fault to be told at the end.
func (r *run) fault(f *mesh.Fault) {
	if r.faults.seen == nil {
		r.faults.seen = map[string]bool{}
	}
	if key := f.Error(); !r.faults.seen[key] {
		r.faults.seen[key] = true
		r.faults.all = append(r.faults.all, f)
	}
}

// tellFaults says what could not be had, a line each on stderr; what differs
// only in the proxy is one line. What was only tried ahead of the need is not
// among it. It gives how many there are.
func (r *run) tellFaults() int {
	all := r.metFaults()
	r.printFaults(all)
	return len(all)
}

// metFaults gives the faults met so far, those too that nobody met as an error.
func (r *run) metFaults() []*mesh.Fault {
	if r.mesh != nil {
		for _, f := range r.mesh.LeftOut() {
			r.fault(f)
		}
	}
	return r.faults.all
}

func (r *run) printFaults(all []*mesh.Fault) {
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
}

// fold joins the faults that say the same of several proxies, and the parts
// that one subject lacks, in the order of the first of each.
func fold(all []*mesh.Fault) []string {
	order := []alike{}
	by := map[alike][]*mesh.Fault{}
	for _, f := range all {
		k := likeness(f)
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], f)
	}
	var lines []string
	for _, k := range order {
		fs := by[k]
		if len(fs) > 3 {
			lines = append(lines, k.line(fs))
			continue
		}
		for _, f := range fs {
			lines = append(lines, oneLine(f.Error()))
		}
	}
	return lines
}

// alike is what faults have that are told in one line.
type alike struct{ subject, section, fact string }

func likeness(f *mesh.Fault) alike {
	switch {
	case f.Proxy != "":
		return alike{section: f.Section, fact: f.Err.Error()}
	case errors.Is(f.Err, fs.ErrNotExist):
		return alike{subject: f.Subject, fact: "not in the snapshot"}
	}
	return alike{subject: f.Subject, section: f.Section, fact: f.Err.Error()}
}

func (k alike) line(fs []*mesh.Fault) string {
	if k.subject == "" {
		return oneLine(fmt.Sprintf("%d proxies: %s: %s (%s, %s, …)", len(fs), k.section, k.fact, fs[0].Proxy, fs[1].Proxy))
	}
	return oneLine(fmt.Sprintf("%s: %d parts: %s (%s, %s, …)", k.subject, len(fs), k.fact, fs[0].Section, fs[1].Section))
}
