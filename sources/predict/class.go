package predict

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// A Class is a set of proxies that are the same to istiod in every respect that
// matters, so that it sends the same configuration to all of them.
type Class struct {
	Members []*Proxy // the proxies, sorted by id; configuration is requested for the first one

	Before, After Config
	Pushed        []xds.Type // the types of configuration that istiod pushes when the change is applied
}

// A Config is the configuration that istiod sends to a proxy: resources in wire
// format, by type and name.
type Config map[xds.Type]map[string][]byte

// Delta returns a text that identifies what the change does to a class: the
// resources that it adds, changes or removes, each before and after. Classes
// with equal deltas have the same differences.
func (c *Class) Delta() string {
	h := sha256.New()
	put := func(parts ...[]byte) {
		for _, p := range parts {
			fmt.Fprintf(h, "%d ", len(p))
			h.Write(p)
		}
	}
	for _, t := range xds.Types() {
		names := map[string]bool{}
		for name := range c.Before[t] {
			names[name] = true
		}
		for name := range c.After[t] {
			names[name] = true
		}
		for _, name := range sortedKeys(names) {
			b, inBefore := c.Before[t][name]
			a, inAfter := c.After[t][name]
			if inBefore != inAfter || !bytes.Equal(b, a) {
				put([]byte(t), []byte(name), b, a, fmt.Append(nil, inBefore, inAfter))
			}
		}
	}
	return string(h.Sum(nil))
}

// own are the fields of a proxy's metadata that differ between the pods of one
// workload and that don't influence what istiod sends.
var own = []string{"NAME", "INSTANCE_IPS", "LABELS", "ANNOTATIONS", "NODE_NAME", "POD_NAME", "POD_UID"}

// templateHash is the label with which a Deployment distinguishes its
// ReplicaSets.
const templateHash = "pod-template-hash"

// classes groups proxies into classes. Two proxies are in one class if they have
// the same type, namespace, labels, service account, locality and metadata, and are
// endpoints of the same Services. Their names, addresses and template hashes may
// differ. There are two exceptions. The addresses must be equal if a proxy belongs
// to a headless Service, because istiod sends such a proxy no listener for its own
// address. The nodes must be equal if a Service keeps its traffic on the node. If
// all is set, each proxy is a class.
func classes(proxies []*Proxy, sides []*apiserver.Objects, all bool) (out []*Class) {
	s := newSurroundings(sides)
	at := map[string]int{}
	for _, p := range proxies {
		key := p.ID
		if !all {
			key = s.key(p)
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, &Class{})
		}
		out[i].Members = append(out[i].Members, p)
	}
	return out
}

// surroundings are the facts about addresses and nodes on which the classes of
// proxies depend.
type surroundings struct {
	services map[string][]string // the Services in which an address is an endpoint, with its readiness
	headless map[string]bool     // the addresses that are endpoints of a headless Service
	byNode   bool                // true if any Service keeps its traffic on the node
}

func newSurroundings(sides []*apiserver.Objects) *surroundings {
	s := &surroundings{services: map[string][]string{}, headless: map[string]bool{}}
	for _, objects := range sides {
		headless := map[string]bool{}
		for _, o := range objects.All("services") {
			headless[apiserver.Key(o)] = apiserver.At(o, "spec", "clusterIP") == "None"
			s.byNode = s.byNode || apiserver.At(o, "spec", "internalTrafficPolicy") == "Local"
		}
		for _, slice := range objects.All(slicesResource) {
			service := sliceOf(slice)
			for _, e := range apiserver.List(slice, "endpoints") {
				ready, _ := json.Marshal(apiserver.At(e, "conditions")) // can't fail, because conditions are bools
				for _, ip := range apiserver.List(e, "addresses") {
					address := apiserver.Text(ip)
					s.services[address] = append(s.services[address], service+string(ready))
					s.headless[address] = s.headless[address] || headless[service]
				}
			}
		}
	}
	for _, all := range s.services {
		slices.Sort(all)
	}
	return s
}

func (s *surroundings) key(p *Proxy) string {
	n := p.Node
	words := strings.Split(n.ID, "~")
	ips := strings.Split(apiserver.Text(n.Metadata["INSTANCE_IPS"]), ",")
	meta := map[string]any{}
	for k, v := range n.Metadata {
		if !slices.Contains(own, k) {
			meta[k] = v
		}
	}
	labels, _ := n.Metadata["LABELS"].(map[string]any)
	annotations, _ := n.Metadata["ANNOTATIONS"].(map[string]any)
	parts := []any{
		words[0], words[len(words)-1], n.Region, n.Zone, n.SubZone, meta,
		without(labels, func(k string) bool { return k == templateHash }),
		// network plugins write the pod's address into other annotations
		without(annotations, func(k string) bool { return !strings.Contains(k, "istio.io/") }),
	}
	for _, ip := range ips {
		parts = append(parts, strings.Contains(ip, ":"), s.services[ip])
		if s.headless[ip] {
			parts = append(parts, ip)
		}
	}
	if s.byNode {
		parts = append(parts, n.Metadata["NODE_NAME"])
	}
	text, _ := json.Marshal(parts) // can't fail, because the parts come from JSON
	return string(text)
}

func without(m map[string]any, drop func(string) bool) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if !drop(k) {
			out[k] = v
		}
	}
	return out
}
