package envoy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestListenersBefore113 reads the lists that old Envoys wrote for each state
// of listeners.
func TestListenersBefore113(t *testing.T) {
	dump := `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v2alpha.ListenersConfigDump","version_info":"1",
"dynamic_active_listeners":[{"version_info":"1","listener":{"name":"a","address":{"socket_address":{"address":"0.0.0.0","port_value":80}}},"last_updated":"2019-05-02T00:00:00.000Z"}],
"dynamic_warming_listeners":[{"listener":{"name":"w"}}],"dynamic_draining_listeners":[{"listener":{"name":"d"}}]}]}`
	fetch, _ := answers(t, map[string]string{"config_dump": dump})
	rows := section(t, NewDump(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when), mesh.Listeners)
	got := strings.Join(table(rows, "name", "state", "host", "port", "versionInfo"), "; ")
	if want := "a ACTIVE 0.0.0.0 80 1; d DRAINING - - 1; w WARMING - - 1"; got != want {
		t.Errorf("%s", got)
	}
}

const unnamed = `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump","dynamic_endpoint_configs":[
{"endpoint_config":{"@type":"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.%d","port_value":80}}}}]}]}},
{"endpoint_config":{"@type":"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment","cluster_name":"named","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}}]}]}}]}]}`

// TestEndpointsWithoutCluster checks that an endpoint without a cluster gets
// the cluster that has its address in /clusters. If there is no such cluster,
// or more than one, the field is null, never an empty name.
func TestEndpointsWithoutCluster(t *testing.T) {
	const hosts = `{"cluster_statuses":[
{"name":"named","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}]},
{"name":"reviews","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}]},
{"name":"one","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.2","port_value":80}}}]},
{"name":"two","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.2","port_value":80}}}]}]}`
	for _, c := range []struct {
		address int
		hosts   string
		want    string
	}{
		{1, hosts, "reviews 10.0.0.1:80"}, {2, hosts, "- 10.0.0.2:80"}, {3, hosts, "- 10.0.0.3:80"},
	} {
		fetch, _ := answers(t, map[string]string{"config_dump": fmt.Sprintf(unnamed, c.address), "clusters": c.hosts})
		rows := table(section(t, NewProxy(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when), mesh.Endpoints), "cluster", "address")
		if got := strings.Join(rows, "; "); !strings.Contains(got, c.want) || !strings.Contains(got, "named 10.0.0.1:80") {
			t.Errorf("10.0.0.%d: %s", c.address, got)
		}
	}
	fetch, _ := answers(t, map[string]string{"config_dump": fmt.Sprintf(unnamed, 1)})
	for _, row := range section(t, NewDump(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when), mesh.Endpoints) {
		if row.(*object.Object).Get("cluster") == "" {
			t.Error("an empty name")
		}
	}
}
