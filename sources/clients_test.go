package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A telling source is a recorded source that answers like a live istiod: it can
// restrict syncz to a namespace, and its endpoint "connections" lists the
// connected proxies without their metadata. If the field knows is false, the
// source answers like an older istiod, which doesn't have that endpoint.
type telling struct {
	*counted
	knows bool
	mute  bool // true to make requests for adsz fail
}

func (*telling) Manifest() transport.Manifest {
	return transport.Manifest{Kind: transport.KindLive, IstioNamespace: "s"}
}

func (s *telling) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	name, query, _ := strings.Cut(endpoint, "?")
	if name == "connections" {
		if !s.knows {
			return nil, &statusError{404, "404 page not found"}
		}
		defer s.count("pilot connections")()
		body, err := s.Source.Pilot(ctx, pilot, "adsz")
		return restated(body, err, func(adsz *object.Object) any {
			for _, c := range list(adsz.Get("clients")) {
				for key := range c.(*object.Object).All() {
					if key != "connectionId" && key != "connectedAt" {
						c.(*object.Object).Delete(key)
					}
				}
			}
			return adsz
		})
	}
	if name == "adsz" && s.mute {
		return nil, &statusError{503, "starting up"}
	}
	if name != "syncz" || query == "" {
		return s.counted.Pilot(ctx, pilot, endpoint)
	}
	defer s.count("pilot " + endpoint)()
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	body, err := s.Source.Pilot(ctx, pilot, name)
	return restated(body, err, func(all []any) any {
		return slices.DeleteFunc(all, func(e any) bool {
			return !strings.HasSuffix(e.(*object.Object).Get("proxy").(string), "."+values.Get("namespace"))
		})
	})
}

// restated decodes the content of a response body, passes it to the function with,
// and returns that function's result as a new body.
func restated[T any](body *transport.Body, err error, with func(T) any) (*transport.Body, error) {
	if err != nil {
		return nil, err
	}
	b := make([]byte, body.Size())
	var v T
	if _, err = body.ReadAt(b, 0); err == nil {
		err = object.Unmarshal(b, &v)
	}
	if err == nil {
		b, err = json.Marshal(with(v))
	}
	return &transport.Body{Bytes: bytes.NewReader(b), Name: body.Name}, err
}

// owned returns a pod that belongs to a Deployment and has a sidecar.
func owned(id string) string {
	return strings.Replace(podItem(id), `"labels":{`, `"ownerReferences":[{"kind":"ReplicaSet","name":"vm-77","controller":true}],"labels":{"pod-template-hash":"77",`, 1)
}

// TestConnectionsTellTheSame checks that the inventory of a live mesh is the same
// whether it is built from istiod's adsz or from its list of connections. adsz
// may be read only if no other endpoint has the needed values.
func TestConnectionsTellTheSame(t *testing.T) {
	helper := `{"connectionId":"helper.x-5","connectedAt":"2026-11-22T12:00:00Z","metadata":{"ISTIO_VERSION":"1.31.0"}}`
	old := func(e string) string { return strings.Replace(e, `"cluster_id":"c",`, "", 1) }
	unversioned := func(e string) string { return strings.Replace(e, `"istio_version":"1.31.0",`, "", 1) }
	pods := func(items ...string) string { return `{"kind":"List","items":[` + strings.Join(items, ",") + `]}` }
	mine := pods(owned("p.x"), owned("q.x"), owned("r.y"), owned("alone.x"), owned("alone.z"))
	for name, c := range map[string]struct {
		syncz, adsz, syncz2, adsz2, pods string
		namespace                        string
		reads                            bool // the test expects that the inventory reads adsz
	}{
		"pods of deployments": {syncz(synced("c", "p.x", 1), synced("c", "r.y", 2)), adsz(connected("c", "p.x", 1), connected("c", "r.y", 2)),
			syncz(synced("c", "q.x", 4)), adsz(connected("c", "q.x", 3)), mine, "", false},
		"one that came anew": {syncz(synced("c", "p.x", 9), synced("c", "q.x", 2)), adsz(connected("c", "p.x", 1), connected("c", "q.x", 30)),
			syncz(synced("c", "q.x", 4), synced("c", "p.x", 3)), adsz(connected("c", "q.x", 3), connected("c", "p.x", 8)), mine, "", false},
		"twice at one":  {syncz(synced("c", "p.x", 9), synced("c", "p.x", 2)), adsz(connected("c", "p.x", 1), connected("c", "p.x", 30)), syncz(), adsz(), mine, "", false},
		"nobody":        {syncz(), adsz(), syncz(), adsz(), mine, "", false},
		"not in syncz":  {syncz(), adsz(connected("c", "p.x", 1)), syncz(), adsz(), mine, "", true},
		"not connected": {syncz(synced("c", "p.x", 1)), adsz(), syncz(), adsz(), mine, "", false},
		"without a pod": {syncz(synced("c", "vm.x", 1)), adsz(connected("c", "vm.x", 1)), syncz(), adsz(), mine, "", true},
		"no proxy":      {syncz(`{"proxy":"helper.x","cluster_id":"c","istio_version":"1.31.0"}`, synced("c", "p.x", 1)), adsz(helper, connected("c", "p.x", 1)), syncz(), adsz(), mine, "", true},
		"no proxy, twice": {syncz(`{"proxy":"helper.x","cluster_id":"c","istio_version":"1.31.0"}`), adsz(helper),
			syncz(`{"proxy":"helper.x","cluster_id":"c","istio_version":"1.31.0"}`), adsz(helper), mine, "", true},
		"a bare pod":     {syncz(synced("c", "p.x", 1)), adsz(connected("c", "p.x", 1)), syncz(), adsz(), podItems("p.x"), "", true},
		"an old Pilot":   {syncz(old(synced("c", "p.x", 1))), adsz(connected("c", "p.x", 1)), syncz(), adsz(), mine, "", true},
		"no version":     {syncz(unversioned(synced("c", "p.x", 1))), adsz(connected("c", "p.x", 1)), syncz(), adsz(), mine, "", true},
		"no pods":        {syncz(synced("c", "p.x", 1)), adsz(connected("c", "p.x", 1)), syncz(), adsz(), "", "", true},
		"a namespace":    {syncz(synced("c", "p.x", 1), synced("c", "vm.y", 1)), adsz(connected("c", "p.x", 1), connected("c", "vm.y", 2)), syncz(), adsz(), mine, "x", false},
		"an idle one":    {syncz(synced("c", "p.x", 1)), adsz(connected("c", "p.x", 1)), syncz(), adsz(), mine, "z", true},
		"another's pods": {syncz(synced("d", "p.x", 1), synced("c", "q.x", 1), synced("c", "r.y", 1)), adsz(connected("d", "p.x", 1), connected("c", "q.x", 1), connected("c", "r.y", 1)), syncz(), adsz(), mine, "", true},
	} {
		all := map[string]string{
			"pilots/i.s/syncz.json": c.syncz, "pilots/i.s/adsz.json": c.adsz, "pilots/j.s/syncz.json": c.syncz2, "pilots/j.s/adsz.json": c.adsz2,
		}
		if c.pods != "" {
			all["kubernetes/pods.json"] = c.pods
		}
		var told [2]string
		for i, knows := range []bool{false, true} {
			s := &telling{counted: source(t, files(t, all)), knows: knows}
			m := open(t, Options{Namespace: c.namespace}, s)
			told[i] = said(t, m, func() {
				if reads := slices.ContainsFunc(s.log(), func(what string) bool { return strings.HasPrefix(what, "pilot adsz") }); knows && reads != c.reads {
					t.Errorf("%s: asked %v", name, s.log())
				}
			})
		}
		if d := cmp.Diff(told[0], told[1]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// said returns, as text, the fields of all proxies that the outline contains, the names
// and connections of the istiods, and the faults. It calls the function read after it
// has read the list of proxies and before it reads their fields.
func said(t *testing.T, m *Mesh, read func()) string {
	t.Helper()
	by, order := proxies(t, m)
	read()
	var out []string
	for _, id := range order {
		var all []string
		for _, f := range FieldsOf("Proxy") {
			if f.Cost == mesh.InOutline {
				all = append(all, fmt.Sprint(f.Name, ":", plain(t, at(t, by[id], f.Name))))
			}
		}
		out = append(out, id+" "+strings.Join(all, " "))
	}
	for _, p := range at(t, m.Document(), "pilots").([]any) {
		out = append(out, fmt.Sprint(at(t, p, "name"), " of ", at(t, p, "clusterID"), ": ", at(t, p, "connectedProxies")))
	}
	return strings.Join(append(out, faults(m)...), "\n")
}

// TestConnectionsWithoutAdsz checks that everything else is still available if adsz
// fails. A field that only adsz contains causes a fault when it is read. If the list
// of proxies itself needs adsz, the document's list of faults contains the fault.
func TestConnectionsWithoutAdsz(t *testing.T) {
	for id, c := range map[string]struct{ pods, outline string }{
		"p.x":  {`{"kind":"List","items":[` + owned("p.x") + `]}`, ""},
		"vm.x": {podItems(), "i.s: adsz: 503"},
	} {
		s := &telling{counted: source(t, files(t, map[string]string{
			"pilots/i.s/syncz.json": syncz(synced("c", id, 1)), "pilots/i.s/adsz.json": adsz(connected("c", id, 2)), "kubernetes/pods.json": c.pods,
		})), knows: true, mute: true}
		m := open(t, Options{}, s)
		by, order := proxies(t, m)
		same(t, "proxies", order, []string{id})
		if at(t, by[id], "connectedAt") != "2026-11-22T12:00:02Z" || at(t, by[id], "cds") != "SYNCED" {
			t.Errorf("%s: connected %v, CDS %v", id, at(t, by[id], "connectedAt"), at(t, by[id], "cds"))
		}
		if got := strings.Join(faults(m), ", "); got != c.outline {
			t.Errorf("%s: faults %q before a look", id, got)
		}
		_, err := look(t, by[id], "locality")
		if err == nil || err.Error() != "i.s: adsz: 503" {
			t.Errorf("%s: locality: %v", id, err)
		}
		same(t, "faults after a look", faults(m), []string{"i.s: adsz: 503"})
	}
}
