package predict

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// Inputs are the data from which the predicting istiods start: the objects, the
// environment and the proxies of a mesh.
type Inputs struct {
	Objects   *apiserver.Objects
	Proxies   []*Proxy
	Namespace string // the namespace in which istiod runs
	Revision  string
	ClusterID string
	Version   string   // the version of the mesh's istiod; empty if unknown
	Env       []string // the environment variables of the mesh's istiod, as far as they are known

	// Unread are the faults of the parts that could not be read, including the proxies
	// that can't be predicted because istiod's view of them isn't known. What the change
	// does to these parts is unknown, even if the baseline is verified. If it differs,
	// they are likely causes.
	Unread []*mesh.Fault

	cluster *requests.Cluster
}

// A Proxy is a proxy of the mesh whose configuration is predicted.
type Proxy struct {
	ID   string // the proxy's id, in the form pod.namespace
	Node *xds.Node
	link *inventory.Link
}

// Read reads the inputs. inv is the inventory of the cluster; its proxies are those
// whose configuration is predicted. An error means that nothing can be predicted.
// Parts that are missing are listed in Unread.
func Read(ctx context.Context, clusters []*requests.Cluster, inv *inventory.Inventory) (*Inputs, error) {
	if len(clusters) != 1 || clusters[0].IsDump() {
		return nil, errors.New("a change is predicted for one cluster, read from its API server or from a snapshot")
	}
	if len(inv.Pilots) == 0 {
		return nil, errors.New("the mesh has no istiod whose configuration could be predicted")
	}
	pilot := inv.Pilots[0]
	in := &Inputs{Objects: &apiserver.Objects{}, cluster: clusters[0], ClusterID: pilot.ClusterID(), Unread: slices.Clone(inv.Faults)}
	_, in.Namespace = inventory.SplitID(pilot.ID)
	in.Namespace = cmp.Or(in.cluster.Sources[0].Manifest().IstioNamespace, in.Namespace, "istio-system")
	if err := in.readObjects(ctx); err != nil {
		return nil, err
	}
	in.readIstiod(pilot)
	if err := in.readMeshConfig(ctx, pilot); err != nil {
		return nil, err
	}
	if body, err := in.ask(ctx, requests.Pilot, pilot.ID, "version"); err == nil {
		in.Version = istiod.Version(string(body))
	}
	if err := in.readProxies(ctx, inv); err != nil {
		return nil, err
	}
	standIns(in.Objects)
	return in, nil
}

func (in *Inputs) unread(f *mesh.Fault) { in.Unread = append(in.Unread, f) }

// longestBody is the largest body in bytes that is read into memory. The objects
// of a large cluster have some hundred megabytes.
const longestBody = 1 << 30

// ask returns the complete answer to a request. It converts YAML and Protobuf
// to JSON.
func (in *Inputs) ask(ctx context.Context, to requests.Target, name, what string) ([]byte, error) {
	body, err := requests.Request{Cluster: in.cluster, To: to, Name: name, What: what}.Send(ctx)
	if err != nil {
		return nil, err
	}
	if body.Form == transport.Text {
		return io.ReadAll(io.NewSectionReader(body, 0, min(body.Size(), longestBody)))
	}
	doc, err := requests.ToJSON(ctx, body)
	if err != nil {
		return nil, err
	}
	if doc.Bytes.Size() > longestBody {
		return nil, fmt.Errorf("%d bytes are too many", doc.Bytes.Size())
	}
	return io.ReadAll(io.NewSectionReader(doc.Bytes, 0, doc.Bytes.Size()))
}

// decodeJSON decodes JSON without losing digits of numbers.
func decodeJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// essential lists the resources without which no proxy's configuration can be computed
// as the mesh's own istiod computes it.
var essential = []string{"services", "endpointslices.discovery.k8s.io", "pods", "namespaces"}

// readObjects reads the objects of all resources in the document. If a snapshot
// doesn't contain a custom resource, either its cluster didn't serve the resource,
// or the snapshot was taken by an older version of the plugin. In both cases,
// there are no objects.
func (in *Inputs) readObjects(ctx context.Context) error {
	for _, l := range kube.Lists() {
		text, err := in.ask(ctx, requests.Kubernetes, "", l.Resource)
		if l.Also != "" && errors.Is(err, fs.ErrNotExist) {
			text, err = in.ask(ctx, requests.Kubernetes, "", l.Also)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist) && !slices.Contains(essential, l.Resource):
			continue
		case err != nil:
			in.unread(&mesh.Fault{Subject: "kubernetes", Section: l.Field, Err: err})
			continue
		}
		objects, err := items(text)
		if err != nil {
			in.unread(&mesh.Fault{Subject: "kubernetes", Section: l.Field, Err: err})
			continue
		}
		for _, o := range objects {
			o["kind"] = l.Kind
			in.Objects.Add(l.Resource, o)
		}
		if in.cluster.IsLive() { // a live cluster returns this error for resources that it doesn't serve
			in.Objects.Serve(l.Resource)
		}
	}
	return nil
}

// items returns the objects of a list. The text may be several lists, one after
// another.
func items(text []byte) (all []apiserver.Object, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		var list struct{ Items []apiserver.Object }
		switch err := d.Decode(&list); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		for _, o := range list.Items {
			if apiserver.Metadata(o) == nil {
				return nil, errors.New("an object without metadata")
			}
			all = append(all, o)
		}
	}
}

// Decisive reports whether an environment variable of istiod may influence what
// it sends. All of Istio's own variables begin with one of two prefixes.
func Decisive(name string) bool {
	return strings.HasPrefix(name, "PILOT_") || strings.HasPrefix(name, "ISTIO_")
}

// readIstiod reads the revision and the environment variables of an istiod from
// its pod. The value of a variable that isn't in the pod's specification is
// unknown.
func (in *Inputs) readIstiod(pilot *inventory.Pilot) {
	name, namespace := inventory.SplitID(pilot.ID)
	pod := in.Objects.Get("pods", namespace+"/"+name)
	in.Revision = apiserver.Text(apiserver.At(pod, "metadata", "labels", "istio.io/rev"))
	for _, c := range apiserver.List(pod, "spec", "containers") {
		if apiserver.Text(apiserver.At(c, "name")) != "discovery" {
			continue
		}
		for _, v := range apiserver.List(c, "env") {
			variable, text := apiserver.Text(apiserver.At(v, "name")), apiserver.At(v, "value")
			if value, ok := text.(string); ok && Decisive(variable) && !isRedacted(value) {
				in.Env = append(in.Env, variable+"="+value)
			}
		}
	}
}

// isRedacted reports whether a text in a snapshot replaces a redacted one.
func isRedacted(s string) bool { return s == mesh.Redacted || strings.Contains(s, mesh.DigestMark) }

// readMeshConfig adds the ConfigMap from which istiod reads its mesh configuration
// to the objects. Its content comes from istiod's debug endpoint, which returns the
// active configuration, including defaults.
func (in *Inputs) readMeshConfig(ctx context.Context, pilot *inventory.Pilot) error {
	text, err := in.ask(ctx, requests.Pilot, pilot.ID, "mesh")
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		in.unread(&mesh.Fault{Subject: pilot.ID, Section: "mesh", Err: err})
		return nil
	}
	in.Objects.Add("configmaps", apiserver.Object{
		"apiVersion": "v1", "kind": "ConfigMap", "data": apiserver.Object{"mesh": string(text)},
		"metadata": apiserver.Object{"name": MeshConfigName(in.Revision), "namespace": in.Namespace, "uid": "whatif-mesh", "resourceVersion": "1"},
	})
	return nil
}

// MeshConfigName returns the name of the ConfigMap that contains the mesh
// configuration of a revision.
func MeshConfigName(revision string) string {
	if revision == "" || revision == "default" {
		return "istio"
	}
	return "istio-" + revision
}

// readProxies determines the xDS node of each connected proxy. It reads the nodes
// from adsz, which has those of all proxies, or else from the bootstrap of each
// Envoy. A proxy without a node is unread, and so is one that isn't connected to an
// istiod, because the mesh's istiod can't report what it would send to that proxy.
func (in *Inputs) readProxies(ctx context.Context, inv *inventory.Inventory) error {
	known := map[string]*adszClient{}
	var adszFaults []*mesh.Fault // why the node of a proxy may be missing
	for _, p := range inv.Pilots {
		text, err := in.ask(ctx, requests.Pilot, p.ID, "adsz")
		var adsz struct{ Clients []*adszClient }
		if err == nil {
			err = decodeJSON(text, &adsz)
		}
		if err != nil {
			adszFaults = append(adszFaults, &mesh.Fault{Subject: p.ID, Section: "adsz", Err: err})
			continue
		}
		for _, c := range adsz.Clients {
			if id := istiod.ProxyOf(c.ConnectionID); known[id] == nil || c.ConnectedAt > known[id].ConnectedAt {
				known[id] = c
			}
		}
	}
	for _, p := range inv.Proxies {
		if p.Type() == mesh.ZTunnel {
			continue
		}
		if p.Link == nil {
			in.unread(&mesh.Fault{Proxy: p.ID, Section: "node", Err: errNotConnected})
			continue
		}
		node, err := known[p.ID].node(p)
		if err != nil {
			node, err = in.bootstrap(ctx, p)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			in.Unread = append(in.Unread, adszFaults...)
			adszFaults = nil
			in.unread(&mesh.Fault{Proxy: p.ID, Section: "node", Err: err})
			continue
		}
		in.Proxies = append(in.Proxies, &Proxy{ID: p.ID, Node: node, link: p.Link})
	}
	return nil
}

// An adszClient is a connection in the answer of istiod's debug endpoint adsz.
type adszClient struct {
	ConnectionID string         `json:"connectionId"`
	ConnectedAt  string         `json:"connectedAt"` // RFC 3339, so the order of the texts is that of the times
	Metadata     map[string]any `json:"metadata"`
	Locality     struct {
		Region   string `json:"region"`
		Zone     string `json:"zone"`
		SubZone  string `json:"sub_zone"`
		SubZone3 string `json:"subZone"` // the name of subZone in protobuf's JSON
	} `json:"locality"`
}

var (
	errNoNode       = errors.New("istiod doesn't report the node of the proxy")
	errNotConnected = errors.New("no istiod lists the proxy as connected")
)

// node returns the xDS node with which the proxy connects. c is the proxy's
// connection and may be nil.
func (c *adszClient) node(p *inventory.Proxy) (*xds.Node, error) {
	if c == nil || len(c.Metadata) == 0 || p.Type() == "" {
		return nil, errNoNode
	}
	ips := strings.Split(apiserver.Text(c.Metadata["INSTANCE_IPS"]), ",")
	if ips[0] == "" {
		ips = p.IPs()
	}
	if len(ips) == 0 {
		return nil, errNoNode
	}
	_, namespace := inventory.SplitID(p.ID)
	return &xds.Node{
		ID:      fmt.Sprintf("%s~%s~%s~%s.svc.cluster.local", p.Type(), ips[0], p.ID, namespace),
		Cluster: p.Workload() + "." + namespace, Metadata: c.Metadata,
		Region: c.Locality.Region, Zone: c.Locality.Zone, SubZone: cmp.Or(c.Locality.SubZone, c.Locality.SubZone3),
	}, nil
}

// bootstrap reads the xDS node from the bootstrap of the proxy's Envoy.
func (in *Inputs) bootstrap(ctx context.Context, p *inventory.Proxy) (*xds.Node, error) {
	what := "config_dump"
	if p.IsLive() {
		what += "?resource=bootstrap"
	}
	text, err := in.ask(ctx, requests.Proxy, p.ID, what)
	if err != nil {
		return nil, err
	}
	var dump struct {
		Configs []struct {
			Bootstrap struct {
				Node *struct {
					ID, Cluster string
					Metadata    map[string]any
					Locality    struct {
						Region, Zone string
						SubZone      string `json:"sub_zone"`
					}
				}
			}
		}
	}
	if err := decodeJSON(text, &dump); err != nil {
		return nil, err
	}
	for _, c := range dump.Configs {
		if n := c.Bootstrap.Node; n != nil {
			return &xds.Node{ID: n.ID, Cluster: n.Cluster, Metadata: n.Metadata, Region: n.Locality.Region, Zone: n.Locality.Zone, SubZone: n.Locality.SubZone}, nil
		}
	}
	return nil, errors.New("its dump has no bootstrap")
}
