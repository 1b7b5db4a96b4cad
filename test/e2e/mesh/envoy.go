package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// A Proxy is one Envoy and its pod.
type Proxy struct {
	Pod, Namespace string
	Workload       string // the workload's name, "reviews-v1"
	IP             string
	AdminPort      int // according to the pod: 15000, or the port in its annotation proxy.istio.io/config
	Admin          int // the local port that AdminPort is forwarded to
	Istiod         *Istiod

	kind           string // the proxy's type: "sidecar", "router"
	app, version   string
	serviceAccount string
	node           *node
	native         bool // whether istio-proxy is an init container that keeps running
	xds            int
	relay          *relay
	process        *process
	bootstrap, log string
}

// ID returns the proxy's ID, "pod.namespace".
func (p *Proxy) ID() string { return p.Pod + "." + p.Namespace }

// URL returns the URL of the admin port for direct access, without the API server.
func (p *Proxy) URL() string { return "http://" + loopback(p.Admin) }

// Running reports whether the Envoy's process exists. It may be hung.
func (p *Proxy) Running() bool { return p.process != nil && p.process.running() }

// connect makes the proxy connect to an istiod. A connection to another istiod is closed.
func (p *Proxy) connect(i *Istiod) {
	p.Istiod = i
	p.relay.setTarget(loopback(i.xds))
}

func (p *Proxy) nodeID() string {
	return fmt.Sprintf("%s~%s~%s~%s.svc.cluster.local", p.kind, p.IP, p.ID(), p.Namespace)
}

// startEnvoy starts or restarts the proxy's Envoy and waits until its admin port answers.
func (m *Mesh) startEnvoy(ctx context.Context, p *Proxy) error {
	p.bootstrap, p.log = filepath.Join(m.Dir, p.Workload+".json"), filepath.Join(m.logs, "admin-"+p.Workload+".log")
	b, err := json.Marshal(p.config(m.port.sds))
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.bootstrap, b, 0o600); err != nil {
		return err
	}
	p.process, err = m.start(command{
		name: "envoy-" + p.Workload, path: m.programs.Envoy,
		args: []string{
			"--config-path", p.bootstrap, "--concurrency", "1", "--disable-hot-restart",
			"--drain-time-s", "1", "--log-level", "warning", "--file-flush-interval-msec", "10",
		},
	})
	if err != nil {
		return err
	}
	return p.process.await(ctx, func(ctx context.Context) error { return answers(ctx, p.URL()+"/server_info") })
}

type object = map[string]any

// config returns the bootstrap configuration. It is the one that Istio's agent writes, as far as a plain Envoy accepts
// it.
func (p *Proxy) config(sds int) object {
	return object{
		"node": p.identity(),
		"admin": object{
			"address":    socket(p.Admin),
			"access_log": accessLog(p.log),
		},
		"dynamic_resources": object{
			"lds_config": object{"ads": object{}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
			"cds_config": object{"ads": object{}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
			"ads_config": object{
				"api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
				"grpc_services": []object{{"envoy_grpc": object{"cluster_name": "xds-grpc"}}},
			},
		},
		"static_resources": object{"clusters": []object{
			static("prometheus_stats", p.Admin, false),
			static("xds-grpc", p.xds, true),
			static("sds-grpc", sds, true),
		}},
	}
}

// identity returns the node of the bootstrap configuration.
func (p *Proxy) identity() object {
	return object{
		"id": p.nodeID(), "cluster": p.app + "." + p.Namespace,
		"locality": object{"region": region, "zone": zone},
		"metadata": object{
			"NAME": p.Pod, "NAMESPACE": p.Namespace, "INSTANCE_IPS": p.IP,
			"ISTIO_VERSION": Version, "CLUSTER_ID": "Kubernetes", "MESH_ID": "cluster.local",
			"SERVICE_ACCOUNT": p.serviceAccount, "WORKLOAD_NAME": p.Workload, "APP_CONTAINERS": p.app,
			"INTERCEPTION_MODE": "REDIRECT", "LABELS": p.labels(),
			"PROXY_CONFIG": object{"proxyAdminPort": p.AdminPort},
		},
	}
}

func socket(port int) object {
	return object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
}

func static(name string, port int, http2 bool) object {
	c := object{
		"name": name, "type": "STATIC", "connect_timeout": "1s",
		"load_assignment": object{"cluster_name": name, "endpoints": []object{
			{"lb_endpoints": []object{{"endpoint": object{"address": socket(port)}}}},
		}},
	}
	if http2 {
		c["typed_extension_protocol_options"] = object{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": object{
			"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
			"explicit_http_config": object{"http2_protocol_options": object{}},
		}}
	}
	return c
}
