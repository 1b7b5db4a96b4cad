package printers

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A capture makes the objects of the document out of an Envoy's answers, in
// the simplest way that gives the right shapes.
type capture struct {
	t     testing.TB
	owner *mesh.Object
	dump  []any
}

func openCapture(t testing.TB, id, file string) *capture {
	t.Helper()
	owner := mesh.NewObject("Proxy", nil, map[string]any{"id": id})
	dump, _ := load(t, file).(map[string]any)
	c := &capture{t: t, owner: owner}
	c.dump, _ = dump["configs"].([]any)
	return c
}

func load(t testing.TB, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return camel(v)
}

// camel turns message fields to lowerCamelCase, and whole numbers to int.
func camel(v any) any {
	switch v := v.(type) {
	case float64:
		if v == float64(int(v)) {
			return int(v)
		}
	case []any:
		for i := range v {
			v[i] = camel(v[i])
		}
	case map[string]any:
		out := map[string]any{}
		for key, m := range v {
			if key != "filter_metadata" {
				m = camel(m)
			}
			words := strings.Split(key, "_")
			for i := 1; i < len(words) && !strings.HasPrefix(key, "@"); i++ {
				if words[i] != "" {
					words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
				}
			}
			out[strings.Join(words, "")] = m
		}
		return out
	}
	return v
}

func dig(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func arr(v any, path ...string) []any {
	a, _ := dig(v, path...).([]any)
	return a
}

// entries gives the entries of lists of a section of the dump.
func (c *capture) entries(section string, lists ...string) (all []map[string]any) {
	for _, s := range c.dump {
		if !strings.HasSuffix(fmt.Sprint(dig(s, "@type")), "."+section) {
			continue
		}
		for _, list := range lists {
			for _, e := range arr(s, list) {
				m := e.(map[string]any)
				m["state"] = "ACTIVE"
				if strings.HasPrefix(list, "static") {
					m["state"] = "STATIC"
				}
				if strings.HasPrefix(list, "dynamicWarming") {
					m["state"] = "WARMING"
				}
				all = append(all, m)
			}
		}
	}
	return all
}

// object makes the object of a resource in an entry.
func (c *capture) object(kind string, entry, resource map[string]any, more map[string]any) *mesh.Object {
	fields := map[string]any{"state": entry["state"], "versionInfo": entry["versionInfo"], "lastUpdated": entry["lastUpdated"]}
	for k, v := range resource {
		fields[k] = v
	}
	for k, v := range more {
		fields[k] = v
	}
	return mesh.NewObject(kind, c.owner, fields)
}

func origin(v any) any {
	words := strings.Split(fmt.Sprint(dig(v, "metadata", "filterMetadata", "istio", "config")), "/")
	if len(words) == 8 && words[2] == "networking.istio.io" {
		return words[7] + "." + words[5]
	}
	return nil
}

func (c *capture) clusters() (out []any) {
	for _, e := range c.entries("ClustersConfigDump", "staticClusters", "dynamicActiveClusters") {
		resource := e["cluster"].(map[string]any)
		more := map[string]any{}
		if words := strings.SplitN(resource["name"].(string), "|", 4); len(words) == 4 {
			port, _ := strconv.Atoi(words[1])
			more = map[string]any{"direction": words[0], "port": port, "destinationRule": origin(resource)}
			if words[2] != "" {
				more["subset"] = words[2]
			}
			if words[3] != "" {
				more["fqdn"] = words[3]
			}
		}
		out = append(out, c.object("Cluster", e, resource, more))
	}
	return out
}

func (c *capture) listeners() (out []any) {
	for _, e := range c.entries("ListenersConfigDump", "staticListeners") {
		out = append(out, c.object("Listener", e, e["listener"].(map[string]any), nil))
	}
	for _, e := range c.entries("ListenersConfigDump", "dynamicListeners") {
		if active, ok := e["activeState"].(map[string]any); ok {
			active["state"] = "ACTIVE"
			out = append(out, c.object("Listener", active, active["listener"].(map[string]any), nil))
		}
		if failed, ok := e["errorState"].(map[string]any); ok {
			failed["state"] = "REJECTED"
			resource, _ := failed["failedConfiguration"].(map[string]any)
			out = append(out, c.object("Listener", failed, resource, map[string]any{"error": failed["details"]}))
		}
	}
	return out
}

func (c *capture) routes() (out []any) {
	for _, e := range c.entries("RoutesConfigDump", "staticRouteConfigs", "dynamicRouteConfigs") {
		resource := e["routeConfig"].(map[string]any)
		var hosts []any
		for _, h := range arr(resource, "virtualHosts") {
			host := h.(map[string]any)
			host["routeConfiguration"] = resource["name"]
			var routes []any
			for _, r := range arr(host, "routes") {
				route := r.(map[string]any)
				destinations := []any{}
				if cluster := dig(route, "route", "cluster"); cluster != nil {
					destinations = append(destinations, map[string]any{"cluster": cluster, "weight": 100})
				}
				for _, w := range arr(route, "route", "weightedClusters", "clusters") {
					destinations = append(destinations, map[string]any{"cluster": dig(w, "name"), "weight": dig(w, "weight")})
				}
				route["routeConfiguration"], route["virtualHost"] = resource["name"], host["name"]
				route["virtualService"], route["destinations"] = origin(route), destinations
				routes = append(routes, mesh.NewObject("Route", c.owner, route))
			}
			if routes != nil {
				host["routes"] = routes
			}
			hosts = append(hosts, mesh.NewObject("VirtualHost", c.owner, host))
		}
		out = append(out, c.object("RouteConfiguration", e, resource, map[string]any{"virtualHosts": hosts}))
	}
	return out
}

func (c *capture) secrets() (out []any) {
	for _, e := range c.entries("SecretsConfigDump", "dynamicActiveSecrets", "dynamicWarmingSecrets") {
		chain, _ := dig(e, "secret", "tlsCertificate", "certificateChain", "inlineBytes").(string)
		ca, _ := dig(e, "secret", "validationContext", "trustedCa", "inlineBytes").(string)
		text, _ := base64.StdEncoding.DecodeString(chain + ca)
		block, _ := pem.Decode(text)
		if block == nil {
			out = append(out, mesh.NewObject("Secret", c.owner, map[string]any{"name": e["name"], "type": nil, "state": e["state"], "valid": false}))
			continue
		}
		x, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			c.t.Fatal(err)
		}
		kind := "Cert Chain"
		if x.IsCA {
			kind = "CA"
		}
		row := map[string]any{
			"name": e["name"], "type": kind, "state": e["state"], "valid": now().After(x.NotBefore) && now().Before(x.NotAfter),
			"serialNumber": fmt.Sprintf("%032x", x.SerialNumber), "notBefore": x.NotBefore.Format(time.RFC3339), "notAfter": x.NotAfter.Format(time.RFC3339),
			"trustDomain": nil, "issuer": x.Issuer.String(),
		}
		out = append(out, mesh.NewObject("Secret", c.owner, row))
	}
	return out
}

// endpoints reads the answer to /clusters.
func (c *capture) endpoints(file string) (out []any) {
	for _, cluster := range arr(load(c.t, file), "clusterStatuses") {
		for _, h := range arr(cluster, "hostStatuses") {
			address := fmt.Sprintf("%v:%v", dig(h, "address", "socketAddress", "address"), dig(h, "address", "socketAddress", "portValue"))
			if internal := dig(h, "address", "envoyInternalAddress"); internal != nil {
				address = fmt.Sprintf("envoy://%v/%v", dig(internal, "serverListenerName"), dig(internal, "endpointId"))
			}
			if pipe := dig(h, "address", "pipe", "path"); pipe != nil {
				address = fmt.Sprintf("unix://%v", pipe)
			}
			outlier := "OK"
			if dig(h, "healthStatus", "failedOutlierCheck") == true {
				outlier = "FAILED"
			}
			out = append(out, mesh.NewObject("Endpoint", c.owner, map[string]any{
				"address": address, "cluster": dig(cluster, "name"), "health": dig(h, "healthStatus", "edsHealthStatus"),
				"outlier": outlier, "weight": dig(h, "weight"), "locality": dig(h, "locality"),
			}))
		}
	}
	return out
}

// ztunnel makes a proxy with the sections of a ztunnel's dump.
func ztunnel(t testing.TB, file string) *mesh.Object {
	t.Helper()
	dump := load(t, file)
	fields := map[string]any{"id": "ztunnel-x.istio-system"}
	owner := mesh.NewObject("Proxy", nil, fields)
	for section, kind := range map[string]string{"workloads": "Workload", "services": "WorkloadService", "policies": "Policy"} {
		var all []any
		members := arr(dump, section)
		byKey, _ := dig(dump, section).(map[string]any) // old dumps
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			members = append(members, byKey[key])
		}
		for _, m := range members {
			all = append(all, mesh.NewObject(kind, owner, m.(map[string]any)))
		}
		fields[section] = all
	}
	return owner
}
