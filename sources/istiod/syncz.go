package istiod

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Status is the state of one connection in syncz.
type Status struct {
	ID        string // the proxy's id, in the form pod.namespace
	ClusterID string
	Type      string // "sidecar", "router", "waypoint", "ztunnel" or "agentgateway"; empty in a syncz before Istio 1.18
	Version   string // the Istio version of the proxy

	// Types contains the types to which the proxy subscribes, and the types
	// that an old istiod always reports. They are in the order of
	// mesh.SyncTypes, then by URL.
	Types []TypeStatus
}

// A TypeStatus is the state of one type of configuration in syncz.
type TypeStatus struct {
	Key    string // the name of the field for the type, for example "cds"; the type URL if there is no such field
	Sent   string // the nonce of the last push; empty if there was none
	Acked  string // the nonce of the last push that the proxy accepted
	SentAt time.Time
	Error  string // the reason why the proxy refused a push

	// Percent is the percentage of the EDS clusters that the proxy had requested
	// when it acknowledged the last push. Only istiods up to 1.5 report it, and only
	// for EDS; otherwise it is nil.
	Percent *int
}

// statusTag is the tag with which the decoder visits the elements of syncz, each of
// which is one connection.
const statusTag = 1

var synczNode = &decode.Node{Walk: true, Elem: &decode.Node{All: true, Visit: statusTag}}

// ReadSyncz reads the body of /debug/syncz. It returns the connections in the
// order of the body.
//
// An istiod before 1.23 reports only five types, each as a pair: the nonces of
// the last push and of the last acknowledgement. The proxy counts as not
// subscribed to a type without a pair.
func ReadSyncz(ctx context.Context, doc *decode.Document) ([]Status, error) {
	var all []Status
	var old []*object.Object
	tells := false // true if the answer has the member "resources", as istiod 1.23 and later write it
	types := mesh.SyncTypes()
	_, err := doc.Pass(ctx, 0, -1, nil, synczNode, func(_ int, v any, _, _ int64) error {
		m, ok := v.(*object.Object)
		if !ok {
			return nil
		}
		s := Status{ID: m.Text("proxy"), ClusterID: m.Text("cluster_id"), Type: m.Text("proxy_type"), Version: m.Text("istio_version")}
		resources, ok := m.Get("resources").(*object.Object)
		tells = tells || ok
		s.Types = byResource(resources, types)
		all, old = append(all, s), append(old, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !tells {
		for i, m := range old {
			all[i].Types = byPair(m, all[i].Type, types)
		}
	}
	return all, nil
}

// byResource reads the map from type URL to {sent, acked, sentTime, lastError}.
func byResource(resources *object.Object, types []mesh.SyncType) []TypeStatus {
	var out []TypeStatus
	taken := 0
	for _, t := range types {
		var of []TypeStatus
		for _, url := range t.URLs {
			if m, ok := resources.Get(url).(*object.Object); ok {
				of = append(of, resource(t.Key, m))
			}
		}
		if taken += len(of); len(of) > 0 {
			out = append(out, slices.MaxFunc(of, func(a, b TypeStatus) int { return a.severity() - b.severity() }))
		}
	}
	if taken == resources.Len() {
		return out
	}
	known := len(out)
	for url, v := range resources.All() {
		if m, ok := v.(*object.Object); ok && !fielded(url, types) {
			out = append(out, resource(url, m))
		}
	}
	slices.SortFunc(out[known:], func(a, b TypeStatus) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func fielded(url string, types []mesh.SyncType) bool {
	return slices.ContainsFunc(types, func(t mesh.SyncType) bool { return slices.Contains(t.URLs, url) })
}

func resource(key string, m *object.Object) TypeStatus {
	return TypeStatus{Key: key, Sent: m.Text("sent"), Acked: m.Text("acked"), SentAt: instant(m.Get("sentTime")), Error: m.Text("lastError")}
}

// byPair reads the pairs of nonces, cluster_sent and cluster_acked and so on. Old
// istiods don't distinguish "not subscribed" from "nothing sent"; for a ztunnel, a
// missing pair means that it isn't subscribed.
func byPair(m *object.Object, proxyType string, types []mesh.SyncType) []TypeStatus {
	var out []TypeStatus
	for _, t := range types {
		if t.Pair == "" {
			continue
		}
		s := TypeStatus{Key: t.Key, Sent: m.Text(t.Pair + "_sent"), Acked: m.Text(t.Pair + "_acked")}
		if n, ok := m.Get(t.Pair + "_percent").(int); ok {
			s.Percent = &n
		}
		if s.Sent == "" && proxyType == mesh.ZTunnel {
			continue
		}
		out = append(out, s)
	}
	return out
}

// text returns v if it is a string, and "" otherwise.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// instant parses a time. It returns the zero time if v isn't a time or is Go's
// zero time.
func instant(v any) time.Time {
	t, err := time.Parse(time.RFC3339, text(v))
	if err != nil {
		return time.Time{}
	}
	return t
}
