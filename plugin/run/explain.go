package run

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/section"
)

// explainPlan prints which sections of the proxies the query will read, before the
// first request is sent. It derives them from the text of the query alone.
func (r *Run) explainPlan() {
	if !r.Explain {
		return
	}
	r.Message(func(io.Writer) {
		r.Say("query    %s", query.OneLine(r.Request.Query))
		r.Say("sources  %s", from(r))
		r.Say("sections %s", lookedAt(r))
		held := r.Sections()
		r.Say("limits   %s, %s of sections in memory", Plural(r.Concurrency, "load at once", "loads at once"), held.String())
	})
}

// from describes where the mesh is read from: the snapshots, addresses or
// kubeconfig contexts.
func from(r *Run) string {
	all := slices.Concat(r.Snapshots, r.Pilots, r.Envoys)
	switch {
	case len(all) > 0:
		return strings.Join(all, ", ")
	case len(r.Contexts) > 0:
		return "contexts " + strings.Join(r.Contexts, ", ")
	case *r.Kube.Context != "":
		return "context " + *r.Kube.Context
	}
	return "the current context"
}

// ExplainAsked prints all requests of the run, with their sizes and durations.
func (r *Run) ExplainAsked() {
	if !r.Explain {
		return
	}
	r.Message(func(io.Writer) {
		var bytes int64
		var took time.Duration
		ledger := r.Mesh.Ledger()
		for _, alike := range foldAlike(ledger) {
			if len(alike) > mostNamed {
				servers := Plural(len(alike), "proxy", "proxies")
				if alike[0].To == requests.Pilot {
					servers = Plural(len(alike), "istiod", "istiods")
				}
				r.Say("asked    %s: %s", servers, sum(alike))
				continue
			}
			for i := range alike {
				r.Say("asked    %s: %s", alike[i].Whom, sum(alike[i:i+1]))
			}
		}
		for _, a := range ledger {
			bytes += a.Bytes
			took += a.Took
		}
		r.Say("in all   %s, %s, %s", Plural(len(ledger), "request", "requests"), byteCount(bytes), round(took))
		r.Say("loaded   %s", loaded(r.Mesh.Sections()))
		r.Say("printed  %s", Plural(r.Results, "result", "results"))
	})
}

// mostNamed is the maximum number of requests that are printed on separate lines
// although they differ only in the proxy. If there are more, they share one
// line.
const mostNamed = 10

// foldAlike groups requests of one context that have the same text and the same
// failure. The groups are in the order of their first requests.
func foldAlike(ledger []requests.Asked) (groups [][]requests.Asked) {
	type key struct {
		context, what, failure string
		to                     requests.Target
	}
	at := map[key]int{}
	for _, a := range ledger {
		k := key{a.Context, a.What, failure(a), a.To}
		i, known := at[k]
		if !known {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], a)
	}
	return groups
}

// sum describes the requests of one group: their text, their total size and
// duration and, if they failed, the reason.
func sum(alike []requests.Asked) string {
	var bytes int64
	var took time.Duration
	again := 0
	for _, a := range alike {
		bytes += a.Bytes
		took += a.Took
		again += a.Again
	}
	text := fmt.Sprintf("%s: %s, %s", legible(alike[0].What), byteCount(bytes), round(took))
	if again > 0 {
		text += fmt.Sprintf(", %s from memory", Plural(again, "time", "times"))
	}
	if f := failure(alike[0]); f != "" {
		text += ": " + f
	}
	return text
}

// failure returns the reason why a request failed. It returns "" if the request
// succeeded, or if the source doesn't contain this response at all.
func failure(a requests.Asked) string {
	if a.Err == nil || a.Missing {
		return ""
	}
	return mesh.Brief(a.Err.Error())
}

// legible returns a request with its percent-escapes decoded.
func legible(request string) string {
	if s, err := url.PathUnescape(request); err == nil {
		return process.OneLine(s)
	}
	return request
}

// loaded describes the loaded sections, with the number of proxies for which
// each section was loaded.
func loaded(all []section.Loaded) string {
	if len(all) == 0 {
		return "no proxy section"
	}
	count := map[mesh.Section]int{}
	for _, l := range all {
		count[l.Section]++
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%s of %s", s, Plural(count[s], "proxy", "proxies")))
	}
	return strings.Join(parts, ", ")
}

func round(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

func byteCount(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// lookedAt describes the sections that the query will read, and which parts of
// each section.
func lookedAt(r *Run) string {
	uses := r.uses()
	words := make([]string, len(uses))
	whole := 0
	for i, u := range uses {
		words[i] = u.String()
		if strings.HasSuffix(words[i], ": all") {
			whole++
		}
	}
	switch {
	case len(uses) == 0:
		return "none"
	case whole == len(mesh.Sections()):
		return "all"
	}
	return strings.Join(words, "; ")
}

// SectionNames returns the names of the sections of a proxy.
func SectionNames() []string {
	var names []string
	for _, s := range mesh.Sections() {
		names = append(names, string(s.Name))
	}
	return names
}
