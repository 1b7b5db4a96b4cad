package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// mostLines is the maximum number of lines of faults that are printed.
const mostLines = 20

// faults collects the faults of the run without duplicates, in the order in which
// they occurred.
type faults struct {
	all  []*mesh.Fault
	seen map[string]bool
}

// Fault records a fault. All faults are printed at the end of the run.
func (r *Run) Fault(f *mesh.Fault) {
	if r.faults.seen == nil {
		r.faults.seen = map[string]bool{}
	}
	if key := f.Error(); !r.faults.seen[key] {
		r.faults.seen[key] = true
		r.faults.all = append(r.faults.all, f)
	}
}

// TellFaults prints all faults on standard error, one line each. Faults that differ
// only in the proxy share a line. It returns the number of faults.
func (r *Run) TellFaults() int {
	all := r.metFaults()
	r.printFaults(all)
	return len(all)
}

// metFaults returns the faults so far, including those that the query never received
// as errors.
func (r *Run) metFaults() []*mesh.Fault {
	if r.Mesh != nil {
		for _, f := range r.Mesh.LeftOut() {
			r.Fault(f)
		}
	}
	return r.faults.all
}

func (r *Run) printFaults(all []*mesh.Fault) {
	r.Message(func(w io.Writer) {
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

// fold formats faults as lines. Faults with the same text share a line, whether they
// concern several sections of one proxy or several proxies. The lines are in the
// order of their first faults.
func fold(all []*mesh.Fault) []string {
	order := []alike{}
	by := map[alike][]string{} // the proxies that share each line
	for _, l := range lacks(all) {
		if l.fact == forbidden && len(l.all) <= 3 { // if at most three lists of objects are forbidden, each gets its own line, which names the missing permission
			for _, f := range l.all {
				k := alike{f.Subject, f.Section + ": " + f.Err.Error()}
				order = append(order, k)
				by[k] = append(by[k], "")
			}
			continue
		}
		k := l.alike()
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], l.of.Proxy)
	}
	var lines []string
	for _, k := range order {
		lines = append(lines, k.lines(by[k])...)
	}
	return lines
}

// A lack joins the faults of one proxy, or of another subject, that have the same
// reason.
type lack struct {
	of    *mesh.Fault // the first of the faults that are joined
	all   []*mesh.Fault
	parts []string // the sections that are missing
	fact  string
}

// lacks joins the faults of one subject that have the same reason.
func lacks(all []*mesh.Fault) []*lack {
	var out []*lack
	type key struct{ proxy, subject, fact string }
	by := map[key]*lack{}
	// the failed requests that make several sections unavailable, for example
	// "config_dump: 503"
	answers := map[key]bool{}
	for _, f := range all {
		answers[key{f.Proxy, f.Subject, f.Section + ": " + factOf(f)}] = true
	}
	for _, f := range all {
		fact := factOf(f)
		if request, rest, ok := strings.Cut(fact, ": "); ok && answers[key{f.Proxy, f.Subject, request + ": " + bare(rest, f)}] {
			fact = bare(rest, f)
		}
		k := key{f.Proxy, f.Subject, fact}
		l := by[k]
		if l == nil {
			l = &lack{of: f, fact: fact}
			by[k] = l
			out = append(out, l)
		}
		l.all = append(l.all, f)
		if f.Section != "" && !slices.Contains(l.parts, f.Section) {
			l.parts = append(l.parts, f.Section)
		}
	}
	return out
}

// forbidden is the reason of a fault if the user has no permission to read a
// Kubernetes list.
const forbidden = "forbidden"

// factOf returns the reason of a fault without the name of the file or resource, so
// that the reasons of faults of several subjects can be equal.
func factOf(f *mesh.Fault) string {
	switch {
	case errors.Is(f.Err, fs.ErrNotExist):
		err := f.Err
		for inner := errors.Unwrap(err); inner != nil && inner != fs.ErrNotExist; inner = errors.Unwrap(err) {
			err = inner
		}
		return err.Error()
	case strings.HasPrefix(f.Subject, "kubernetes") && apierrors.IsForbidden(f.Err):
		return forbidden
	}
	return bare(f.Err.Error(), f)
}

// bare removes the name of the subject from the beginning of a fault's reason.
func bare(fact string, f *mesh.Fault) string {
	return strings.TrimPrefix(fact, cmp.Or(f.Proxy, f.Subject)+": ")
}

// alike is the key by which faults are put on one line: those with the same
// subject and the same text.
type alike struct{ subject, words string }

func (l *lack) alike() alike {
	words := l.fact
	switch n := len(l.parts); {
	case n == 1 && l.fact != l.of.Err.Error(): // the full text contains more details than the shortened reason
		words = l.parts[0] + ": " + bare(l.of.Err.Error(), l.of)
	case n > 3:
		words = fmt.Sprintf("%d parts: %s (%s, %s, …)", n, l.fact, l.parts[0], l.parts[1])
	case n > 0:
		words = strings.Join(l.parts, ", ") + ": " + l.fact
	}
	return alike{l.of.Subject, words}
}

func (k alike) lines(proxies []string) []string {
	n := len(proxies)
	if n > 3 && proxies[0] != "" {
		return []string{mesh.Brief(process.OneLine(fmt.Sprintf("%d proxies: %s (%s, %s, …)", n, k.words, proxies[0], proxies[1])))}
	}
	var lines []string
	for _, p := range proxies {
		line := k.words
		for _, who := range []string{p, k.subject} {
			if who != "" {
				line = who + ": " + line
			}
		}
		lines = append(lines, mesh.Brief(process.OneLine(line)))
	}
	return lines
}

// Unread returns the faults so far as lines, formatted in the same way as
// [Run.TellFaults] prints them at the end of the run.
func Unread(r *Run) []string { return fold(r.metFaults()) }
