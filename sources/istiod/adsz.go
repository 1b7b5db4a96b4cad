package istiod

import (
	"context"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Client is one connection as adsz reports it, with the identity that the proxy
// sent. The answer of the connections endpoint has only the first three fields.
type Client struct {
	ID          string // the proxy's id, in the form pod.namespace
	Connection  string // the connection's id: the proxy's id and a number
	ConnectedAt time.Time

	Labels   *object.Object // the proxy's labels, completed by istiod
	Locality *object.Object // the locality {region, zone, subZone}; nil if the proxy has none

	ClusterID      string
	Version        string // the Istio version of the proxy
	Workload       string
	ServiceAccount string
	Node           string
	IPs            []string
	ProxyConfig    bool // true if the proxy's metadata contains PROXY_CONFIG, as that of every Envoy in a mesh does
}

const clientTag = 1

var adszNode = &decode.Node{Walk: true, Fields: []decode.Field{{Name: "clients", Node: &decode.Node{
	Walk: true,
	Elem: &decode.Node{Visit: clientTag, Fields: []decode.Field{
		{Name: "connectionId", Node: &decode.Node{All: true}},
		{Name: "connectedAt", Node: &decode.Node{All: true}},
		{Name: "labels", Node: &decode.Node{All: true}},
		{Name: "locality", Node: &decode.Node{All: true}},
		{Name: "metadata", Node: &decode.Node{Fields: []decode.Field{
			{Name: "PROXY_CONFIG", Node: &decode.Node{Raw: true}},
			{Name: "CLUSTER_ID", Node: &decode.Node{All: true}},
			{Name: "ISTIO_VERSION", Node: &decode.Node{All: true}},
			{Name: "WORKLOAD_NAME", Node: &decode.Node{All: true}},
			{Name: "SERVICE_ACCOUNT", Node: &decode.Node{All: true}},
			{Name: "NODE_NAME", Node: &decode.Node{All: true}},
			{Name: "INSTANCE_IPS", Node: &decode.Node{All: true}},
		}}},
	}},
}}}}

// ReadClients reads the body of /debug/adsz or /debug/connections and returns the
// connections in its order. It skips the resources that each client watches. They
// make up most of adsz, and syncz contains the part of them that is needed.
func ReadClients(ctx context.Context, doc *decode.Document) ([]Client, error) {
	var all []Client
	_, err := doc.Pass(ctx, 0, -1, nil, adszNode, func(_ int, v any, _, _ int64) error {
		if m, ok := v.(*object.Object); ok {
			all = append(all, client(m))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func client(m *object.Object) Client {
	meta, _ := m.Get("metadata").(*object.Object)
	labels, _ := m.Get("labels").(*object.Object)
	_, proxy := meta.Lookup("PROXY_CONFIG")
	c := Client{
		ID: ProxyOf(m.Text("connectionId")), Connection: m.Text("connectionId"), ConnectedAt: instant(m.Get("connectedAt")), Labels: labels,
		ClusterID: meta.Text("CLUSTER_ID"), Version: meta.Text("ISTIO_VERSION"),
		Workload: meta.Text("WORKLOAD_NAME"), ServiceAccount: meta.Text("SERVICE_ACCOUNT"), Node: meta.Text("NODE_NAME"),
		ProxyConfig: proxy,
	}
	if ips := meta.Text("INSTANCE_IPS"); ips != "" {
		c.IPs = strings.Split(ips, ",")
	}
	c.Locality = locality(m.Get("locality"))
	return c
}

// ProxyOf removes the number from the id of a connection, for example
// "reviews-v1-x.default-7".
func ProxyOf(connection string) string {
	if i := strings.LastIndexByte(connection, '-'); i > 0 {
		return connection[:i]
	}
	return connection
}

func locality(v any) *object.Object {
	m, _ := v.(*object.Object)
	out := object.New(0)
	for _, f := range [][2]string{{"region", "region"}, {"zone", "zone"}, {"sub_zone", "subZone"}} {
		if s := m.Text(f[0]); s != "" {
			out.Set(f[1], s)
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return out
}

// probeVersion is the version that istioctl reports when it connects as if it were a
// proxy.
const probeVersion = "65536.65536.65536"

// IsProxy reports whether a connection belongs to a proxy of the mesh. c comes from
// adsz and s from syncz; either may be nil. Other tools that connect to the xDS
// port send no PROXY_CONFIG in their metadata. A ztunnel or agentgateway sends none
// either; if syncz wasn't read, its labels identify it.
func IsProxy(c *Client, s *Status) bool {
	switch {
	case s != nil && (s.Type == mesh.ZTunnel || s.Type == mesh.AgentGateway):
		return true
	case s != nil && s.Version == probeVersion, c != nil && c.Version == probeVersion:
		return false
	case c != nil:
		return c.ProxyConfig || c.Labels.Get("app") == mesh.ZTunnel || mesh.IsAgentGateway(c.Labels)
	}
	return s != nil
}
