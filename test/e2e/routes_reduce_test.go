package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

// reported is how many mismatches of a kind are reduced and reported. The others are only counted.
const reported = 5

// smallest removes parts of the configuration and of the request as long as the mismatch remains.
func (j *comparer) smallest(t *testing.T, r *routeCase, at int) *routeCase {
	t.Helper()
	best := &routeCase{name: r.name, Routes: r.Routes, requests: r.requests[at : at+1], answers: r.answers[at : at+1], choices: r.choices[at : at+1]}
	for {
		next := j.smaller(t, best)
		if next == nil {
			return best
		}
		best = next
	}
}

// smaller removes one part at a time, tries the variants in one Envoy, and returns the smallest one that still has the
// mismatch. It returns nil if none has it.
func (j *comparer) smaller(t *testing.T, r *routeCase) (best *routeCase) {
	t.Helper()
	var all []*routeCase
	add := func(config, manager oracle.Message, q oracle.Request) {
		n := &routeCase{Routes: r.Routes, name: fmt.Sprintf("l%d", len(all)), requests: []oracle.Request{q}}
		n.Config, n.Manager = config, manager
		all = append(all, n)
	}
	q := r.requests[0]
	for _, c := range oracle.Smaller(asRead(t, r.Config), "name", "domains", "@type") {
		add(c.(oracle.Message), r.Manager, q)
	}
	for _, m := range oracle.Smaller(asRead(t, r.Manager)) {
		add(r.Config, m.(oracle.Message), q)
	}
	for _, s := range q.Smaller() {
		add(r.Config, r.Manager, s)
	}
	for best == nil && len(all) > 0 {
		some := all[:min(len(all), routeCasesAtOnce)]
		all = all[len(some):]
		j.tryRoutes(t, some, false)
		for _, n := range some {
			if n.refused == "" && n.differs() == 0 && (best == nil || n.size() < best.size()) {
				best = n
			}
		}
	}
	if best != nil {
		best.name = r.name
	}
	return best
}

func (r *routeCase) size() int {
	return len(text(r.Manager)) + len(text(r.Config)) + len(text(r.requests))
}

// asRead encodes a message as JSON and decodes it again.
func asRead(t *testing.T, m oracle.Message) oracle.Message {
	t.Helper()
	var out oracle.Message
	must(t, json.Unmarshal([]byte(text(m)), &out))
	return out
}

// report reduces a mismatch and reports it, also in the form in which cases are recorded.
func (j *comparer) report(t *testing.T, r *routeCase, at int) {
	t.Helper()
	r = j.smallest(t, r, at)
	plugin, envoy := r.said(0)
	r.name = "l0"
	t.Errorf("Envoy: %s; the plugin: %s; %s; %s\nfor query/trace/testdata/found.jsonl: %s", envoy, plugin, text(r.Manager), text(r.Config), text(j.tryRoutes(t, []*routeCase{r}, true)))
}
