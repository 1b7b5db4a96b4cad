package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// WriteRecorded writes a snapshot of a synthetic mesh to a folder: Deployments in ten namespaces, each with a Service,
// a DestinationRule with a subset, and some replicas with sidecars that are connected to one istiod. It contains what a
// prediction of istiod's answers needs, and no dumps of Envoys.
func WriteRecorded(dir string, deployments, replicas int) error {
	type object = map[string]any
	var pods, services, slices, rules, namespaces, status, clients []any
	for n := range 10 {
		namespaces = append(namespaces, object{"metadata": object{"name": fmt.Sprintf("team-%d", n), "resourceVersion": "1", "uid": fmt.Sprintf("ns-%d", n)}})
	}
	for d := range deployments {
		ns, app := fmt.Sprintf("team-%d", d%10), fmt.Sprintf("app-%03d", d)
		meta := func(name string) object {
			return object{"name": name, "namespace": ns, "uid": ns + name, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
		}
		services = append(services, object{"metadata": meta(app), "spec": object{
			"clusterIP": fmt.Sprintf("10.96.%d.%d", d/250, d%250+1), "clusterIPs": []any{fmt.Sprintf("10.96.%d.%d", d/250, d%250+1)}, "type": "ClusterIP",
			"selector": object{"app": app}, "ports": []any{object{"name": "http", "port": 8080, "targetPort": 8080, "protocol": "TCP"}},
		}})
		rules = append(rules, object{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": meta(app), "spec": object{
			"host": app, "subsets": []any{object{"name": "v1", "labels": object{"version": "v1"}}},
		}})
		slice := object{"metadata": meta(app + "-x"), "addressType": "IPv4", "ports": []any{object{"name": "http", "port": 8080, "protocol": "TCP"}}}
		slice["metadata"].(object)["labels"] = object{"kubernetes.io/service-name": app}
		var endpoints []any
		for r := range replicas {
			n := d*replicas + r
			pod, ip := fmt.Sprintf("%s-5d9b7c6f4-%05d", app, r), fmt.Sprintf("10.%d.%d.%d", 100+n/62500, n/250%250, n%250+1)
			labels := object{"app": app, "version": "v1", "pod-template-hash": "5d9b7c6f4"}
			m := meta(pod)
			m["labels"] = labels
			pods = append(pods, object{"metadata": m, "spec": object{
				"serviceAccountName": app, "nodeName": fmt.Sprintf("node-%d", n%20), "containers": []any{object{"name": "app"}, object{"name": "istio-proxy", "args": []any{"proxy", "sidecar"}}},
			}, "status": object{"phase": "Running", "podIP": ip, "podIPs": []any{object{"ip": ip}}, "conditions": []any{object{"type": "Ready", "status": "True"}}}})
			endpoints = append(endpoints, object{"addresses": []any{ip}, "conditions": object{"ready": true}, "nodeName": fmt.Sprintf("node-%d", n%20), "targetRef": object{"kind": "Pod", "name": pod, "namespace": ns}})
			id := pod + "." + ns
			status = append(status, object{"proxy": id, "proxy_type": "sidecar", "cluster_id": "Kubernetes", "istio_version": "1.31.0"})
			clients = append(clients, object{"connectionId": id + "-1", "connectedAt": "2026-01-01T00:00:00Z", "labels": labels, "locality": object{"region": "eu", "zone": "a"}, "metadata": object{
				"PROXY_CONFIG": object{}, "ISTIO_VERSION": "1.31.0", "LABELS": labels, "INSTANCE_IPS": ip, "NAMESPACE": ns, "NAME": pod, "WORKLOAD_NAME": app,
				"INTERCEPTION_MODE": "REDIRECT", "SERVICE_ACCOUNT": app, "MESH_ID": "cluster.local", "CLUSTER_ID": "Kubernetes", "NODE_NAME": fmt.Sprintf("node-%d", n%20),
			}})
		}
		slice["endpoints"] = endpoints
		slices = append(slices, slice)
	}
	const pilot = "pilots/istiod-1.istio-system/"
	for name, v := range map[string]any{
		"manifest.json":        object{"kind": "Snapshot", "version": 1, "takenAt": "2026-01-02T00:00:00Z", "context": "fleet", "istioNamespace": "istio-system"},
		"kubernetes/pods.json": object{"items": pods}, "kubernetes/services.json": object{"items": services}, "kubernetes/namespaces.json": object{"items": namespaces},
		"kubernetes/endpointslices.discovery.k8s.io.json":      object{"items": slices},
		"kubernetes/destinationrules.networking.istio.io.json": object{"items": rules},
		pilot + "syncz.json": status, pilot + "adsz.json": object{"clients": clients}, pilot + "mesh.json": object{"trustDomain": "cluster.local", "rootNamespace": "istio-system", "defaultProviders": object{}},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
