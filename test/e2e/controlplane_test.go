package e2e_test

import (
	"testing"
	"time"
)

// istiodDown checks that everything that Kubernetes and Envoy know is still printed when istiod is down.
func istiodDown(t *testing.T, w *world) {
	i := w.Istiods[0]
	w.StopIstiod(i)
	unknown := []any{}
	for _, p := range w.byID() {
		unknown = append(unknown, []any{p.ID(), "UNKNOWN", nil})
	}
	w.ask(t, `.proxies[] | [.id, .rds, .connected]`).exits(6).within(4*time.Second).
		says(i.Pod, "syncz", "port 15014 refused").is(unknown...)
	w.ask(t, `.faults[] | [.subject, .message]`).exits(6).is(
		[]any{i.Pod + "." + i.Namespace, "port 15014 refused"}, []any{i.Pod + "." + i.Namespace, "port 15014 refused"})
	w.ask(t, `.proxy("reviews-v1").cluster("`+ratingsCluster+`").name`).exits(6).is(ratingsCluster)
	w.ask(t, `.proxy("reviews-v1").cluster("`+ratingsCluster+`").name`, "--allow-partial").exits(0).is(ratingsCluster)
}

// twoIstiods checks that each proxy is printed once, with the istiod that it is connected to, when two istiods share
// the proxies.
func twoIstiods(t *testing.T, w *world) {
	must(t, w.Split(t.Context(), "default"))
	w.agrees(t)
	w.ask(t, `[.proxies[].pilot] | group_by(.)[] | [.[0], length]`).exits(0).quiet().
		is([]any{w.Istiods[0].Pod, 4}, []any{w.Istiods[1].Pod, 3})
	w.ask(t, `.pilots[] | [.name, .connectedProxies]`).exits(0).quiet().
		is([]any{w.Istiods[0].Pod, 4}, []any{w.Istiods[1].Pod, 3})
	w.ask(t, `[.proxies[] | desired.clusters | length > 10]`).exits(0).quiet().
		is([]any{true, true, true, true, true, true, true})
	w.StopIstiod(w.Istiods[1])
	w.ask(t, `[.proxies[] | select(.connected)] | length`).exits(6).says(w.Istiods[1].Pod, "port 15014 refused").is(4)
}

// twoRevisions checks that istiods of other revisions are found.
func twoRevisions(t *testing.T, w *world) {
	must(t, w.Split(t.Context(), "canary"))
	w.agrees(t)
	pilots := `.pilots[] | [.name, .revision]`
	w.ask(t, pilots).exits(0).quiet().is([]any{w.Istiods[0].Pod, "default"}, []any{w.Istiods[1].Pod, "canary"})
	w.ask(t, "--revision", "canary", pilots).exits(0).quiet().is([]any{w.Istiods[1].Pod, "canary"})
}

func apiServerDown(t *testing.T, w *world) {
	w.StopAPIServer()
	w.ask(t).exits(2).within(5*time.Second).says("nothing could be read", "connection refused").lines(1).is()
}
