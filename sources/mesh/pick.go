package mesh

import "strings"

// A Name has the names by which a user can select a proxy.
type Name struct {
	ID        string // the proxy's id, in the form pod.namespace
	Pod       string
	Namespace string
	Workload  string
	ClusterID string
	Context   string // the kubeconfig context of the proxy's cluster
}

// workloadKinds are the resource types that a user may write before the name
// of a workload, as in kubectl: "deploy/x".
var workloadKinds = []string{"deploy", "deployment", "deployments", "sts", "statefulset", "ds", "daemonset", "rs", "replicaset", "job", "cronjob", "workload"}

// Pick returns the indices of the proxies that a word selects. These rules are
// tried in order, and the first one that matches any proxy applies: exact id,
// exact pod name, workload name, "workload.namespace", prefix of an id.
// "cluster/id" selects the id in that cluster or kubeconfig context, "deploy/x"
// selects the workload x. "pod/x" selects the pod x; if there is no such pod,
// it selects the same proxies as "x". If no rule matches, Pick returns nil.
func Pick(word string, all []Name) []int {
	kind, rest, slash := strings.Cut(word, "/")
	if at := pick(all, byID(word)); at != nil { // an id may contain slashes, so the whole word is tried first
		return at
	}
	if !slash {
		name, namespace := cutNamespace(word)
		return pick(all, byPod(word), byWorkload(word), in(namespace, byWorkload(name)), byPrefix(word), in(namespace, byPrefix(name)))
	}
	for _, k := range workloadKinds {
		if kind == k {
			name, namespace := cutNamespace(rest)
			return pick(all, byWorkload(rest), in(namespace, byWorkload(name)))
		}
	}
	if kind == "pod" || kind == "pods" || kind == "po" || kind == "proxy" { // the output of -o name contains "proxy/…"
		name, namespace := cutNamespace(rest)
		return pick(all, byID(rest), byPod(rest), byWorkload(rest), in(namespace, byWorkload(name)), byPrefix(rest))
	}
	there := func(r rule) rule {
		return func(n *Name) bool { return (n.ClusterID == kind || n.Context == kind) && r(n) }
	}
	return pick(all, there(byID(rest)), there(byPod(rest)), there(byWorkload(rest)), there(byPrefix(rest)), byPrefix(word))
}

// Near returns the indices of the proxies that the user may have meant by a
// word that selects no proxy. These are the proxies whose id contains the word.
// If the word is "namespace/name" or "name.namespace", they are also the
// proxies in that namespace whose id contains the name. If there are none, they
// are the proxies whose workload or pod differs from the word by at most one edit
// for every four letters.
func Near(word string, all []Name) []int {
	within := func(w string) rule {
		return func(n *Name) bool { return w != "" && strings.Contains(n.ID, w) }
	}
	name, namespace := cutNamespace(word)
	before, after, _ := strings.Cut(word, "/")
	like := func(w string) rule {
		near := func(s string) bool { return w != "" && s != "" && Distance(w, s) <= len(w)/4 }
		return func(n *Name) bool { return near(n.Workload) || near(n.Pod) }
	}
	return pick(all, within(word), in(namespace, within(name)), in(before, within(after)), like(word), in(namespace, like(name)))
}

// cutNamespace splits "name.namespace" into the name and the namespace.
func cutNamespace(word string) (name, namespace string) {
	i := strings.LastIndexByte(word, '.')
	if i < 0 {
		return word, ""
	}
	return word[:i], word[i+1:]
}

// in returns a rule that applies r only to proxies of one namespace.
func in(namespace string, r rule) rule {
	return func(n *Name) bool {
		return namespace != "" && n.Namespace == namespace && r(n)
	}
}

type rule func(*Name) bool

func byID(w string) rule       { return func(n *Name) bool { return n.ID == w } }
func byPod(w string) rule      { return func(n *Name) bool { return w != "" && n.Pod == w } }
func byWorkload(w string) rule { return func(n *Name) bool { return w != "" && n.Workload == w } }

func byPrefix(w string) rule {
	return func(n *Name) bool { return w != "" && strings.HasPrefix(n.ID, w) }
}

func pick(all []Name, rules ...rule) []int {
	for _, r := range rules {
		var at []int
		for i := range all {
			if r(&all[i]) {
				at = append(at, i)
			}
		}
		if at != nil {
			return at
		}
	}
	return nil
}
