package printers

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A capture builds the objects of the document from an Envoy's responses. It is
// a simple version of what sources does.
type capture struct {
	t     testing.TB
	owner *mesh.Object
	dump  []any
}

func openCapture(t testing.TB, id, file string) *capture {
	t.Helper()
	owner := mesh.NewObject("Proxy", nil, object.Of("id", id))
	dump, _ := load(t, file).(*object.Object)
	c := &capture{t: t, owner: owner}
	c.dump, _ = dump.Get("configs").([]any)
	return c
}

func load(t testing.TB, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := object.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return camel(v)
}

// camel converts the names of message fields to lowerCamelCase, and whole
// numbers to int.
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
	case *object.Object:
		out := object.New(0)
		for key, m := range v.All() {
			if key != "filter_metadata" {
				m = camel(m)
			}
			words := strings.Split(key, "_")
			for i := 1; i < len(words) && !strings.HasPrefix(key, "@"); i++ {
				if words[i] != "" {
					words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
				}
			}
			out.Set(strings.Join(words, ""), m)
		}
		return out
	}
	return v
}

func memberAt(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(*object.Object)
		v = m.Get(key)
	}
	return v
}

func arrayAt(v any, path ...string) []any {
	a, _ := memberAt(v, path...).([]any)
	return a
}

// entries returns the entries of some lists in a section of the dump.
func (c *capture) entries(section string, lists ...string) (all []*object.Object) {
	for _, s := range c.dump {
		if !strings.HasSuffix(fmt.Sprint(memberAt(s, "@type")), "."+section) {
			continue
		}
		for _, list := range lists {
			for _, e := range arrayAt(s, list) {
				m := e.(*object.Object)
				m.Set("state", "ACTIVE")
				if strings.HasPrefix(list, "static") {
					m.Set("state", "STATIC")
				}
				if strings.HasPrefix(list, "dynamicWarming") {
					m.Set("state", "WARMING")
				}
				all = append(all, m)
			}
		}
	}
	return all
}

// object builds the object for a resource in an entry.
func (c *capture) object(kind string, entry, resource *object.Object, more *object.Object) *mesh.Object {
	fields := object.Of("state", entry.Get("state"), "versionInfo", entry.Get("versionInfo"), "lastUpdated", entry.Get("lastUpdated"))
	for k, v := range resource.All() {
		fields.Set(k, v)
	}
	for k, v := range more.All() {
		fields.Set(k, v)
	}
	return mesh.NewObject(kind, c.owner, fields)
}

func origin(v any) any {
	words := strings.Split(fmt.Sprint(memberAt(v, "metadata", "filterMetadata", "istio", "config")), "/")
	if len(words) == 8 && words[2] == "networking.istio.io" {
		return words[7] + "." + words[5]
	}
	return nil
}

func (c *capture) clusters() (out []any) {
	for _, e := range c.entries("ClustersConfigDump", "staticClusters", "dynamicActiveClusters") {
		resource := e.Get("cluster").(*object.Object)
		more := object.New(0)
		if words := strings.SplitN(resource.Get("name").(string), "|", 4); len(words) == 4 {
			port, _ := strconv.Atoi(words[1])
			more = object.Of("direction", words[0], "port", port, "destinationRule", origin(resource))
			if words[2] != "" {
				more.Set("subset", words[2])
			}
			if words[3] != "" {
				more.Set("fqdn", words[3])
			}
		}
		out = append(out, c.object("Cluster", e, resource, more))
	}
	return out
}

func (c *capture) listeners() (out []any) {
	for _, e := range c.entries("ListenersConfigDump", "staticListeners") {
		out = append(out, c.object("Listener", e, e.Get("listener").(*object.Object), nil))
	}
	for _, e := range c.entries("ListenersConfigDump", "dynamicListeners") {
		if active, ok := e.Get("activeState").(*object.Object); ok {
			active.Set("state", "ACTIVE")
			out = append(out, c.object("Listener", active, active.Get("listener").(*object.Object), nil))
		}
		if failed, ok := e.Get("errorState").(*object.Object); ok {
			failed.Set("state", "REJECTED")
			resource, _ := failed.Get("failedConfiguration").(*object.Object)
			out = append(out, c.object("Listener", failed, resource, object.Of("error", failed.Get("details"))))
		}
	}
	return out
}

func (c *capture) routes() (out []any) {
	for _, e := range c.entries("RoutesConfigDump", "staticRouteConfigs", "dynamicRouteConfigs") {
		resource := e.Get("routeConfig").(*object.Object)
		var hosts []any
		for _, h := range arrayAt(resource, "virtualHosts") {
			host := h.(*object.Object)
			host.Set("routeConfiguration", resource.Get("name"))
			var routes []any
			for _, r := range arrayAt(host, "routes") {
				route := r.(*object.Object)
				destinations := []any{}
				if cluster := memberAt(route, "route", "cluster"); cluster != nil {
					destinations = append(destinations, object.Of("cluster", cluster, "weight", 100))
				}
				for _, w := range arrayAt(route, "route", "weightedClusters", "clusters") {
					destinations = append(destinations, object.Of("cluster", memberAt(w, "name"), "weight", memberAt(w, "weight")))
				}
				route.Set("routeConfiguration", resource.Get("name"))
				route.Set("virtualHost", host.Get("name"))
				route.Set("virtualService", origin(route))
				route.Set("destinations", destinations)
				routes = append(routes, mesh.NewObject("Route", c.owner, route))
			}
			if routes != nil {
				host.Set("routes", routes)
			}
			hosts = append(hosts, mesh.NewObject("VirtualHost", c.owner, host))
		}
		out = append(out, c.object("RouteConfiguration", e, resource, object.Of("virtualHosts", hosts)))
	}
	return out
}

func (c *capture) secrets() (out []any) {
	for _, e := range c.entries("SecretsConfigDump", "dynamicActiveSecrets", "dynamicWarmingSecrets") {
		chain, _ := memberAt(e, "secret", "tlsCertificate", "certificateChain", "inlineBytes").(string)
		ca, _ := memberAt(e, "secret", "validationContext", "trustedCa", "inlineBytes").(string)
		text, _ := base64.StdEncoding.DecodeString(chain + ca)
		block, _ := pem.Decode(text)
		if block == nil {
			out = append(out, mesh.NewObject("Secret", c.owner, object.Of("name", e.Get("name"), "type", nil, "state", e.Get("state"), "valid", false)))
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
		row := object.Of(
			"name", e.Get("name"), "type", kind, "state", e.Get("state"), "valid", now().After(x.NotBefore) && now().Before(x.NotAfter),
			"serialNumber", fmt.Sprintf("%032x", x.SerialNumber), "notBefore", x.NotBefore.Format(time.RFC3339), "notAfter", x.NotAfter.Format(time.RFC3339),
			"trustDomain", nil, "issuer", x.Issuer.String(),
		)
		out = append(out, mesh.NewObject("Secret", c.owner, row))
	}
	return out
}

// endpoints builds the objects for the endpoints in a response to /clusters.
func (c *capture) endpoints(file string) (out []any) {
	for _, cluster := range arrayAt(load(c.t, file), "clusterStatuses") {
		for _, h := range arrayAt(cluster, "hostStatuses") {
			address := fmt.Sprintf("%v:%v", memberAt(h, "address", "socketAddress", "address"), memberAt(h, "address", "socketAddress", "portValue"))
			if internal := memberAt(h, "address", "envoyInternalAddress"); internal != nil {
				address = fmt.Sprintf("envoy://%v/%v", memberAt(internal, "serverListenerName"), memberAt(internal, "endpointId"))
			}
			if pipe := memberAt(h, "address", "pipe", "path"); pipe != nil {
				address = fmt.Sprintf("unix://%v", pipe)
			}
			outlier := "OK"
			if memberAt(h, "healthStatus", "failedOutlierCheck") == true {
				outlier = "FAILED"
			}
			out = append(out, mesh.NewObject("Endpoint", c.owner, object.Of(
				"address", address, "cluster", memberAt(cluster, "name"), "health", memberAt(h, "healthStatus", "edsHealthStatus"),
				"outlier", outlier, "weight", memberAt(h, "weight"), "locality", memberAt(h, "locality"),
			)))
		}
	}
	return out
}

// ztunnel returns a proxy with the sections of a ztunnel's dump.
func ztunnel(t testing.TB, file string) *mesh.Object {
	t.Helper()
	dump := load(t, file)
	fields := object.Of("id", "ztunnel-x.istio-system")
	owner := mesh.NewObject("Proxy", nil, fields)
	for section, kind := range map[string]string{"workloads": "Workload", "services": "WorkloadService", "policies": "Policy"} {
		var all []any
		members := arrayAt(dump, section)
		byKey, _ := memberAt(dump, section).(*object.Object) // in older dumps a section is an object
		for _, key := range byKey.Sorted() {
			members = append(members, byKey.Get(key))
		}
		for _, m := range members {
			all = append(all, mesh.NewObject(kind, owner, m.(*object.Object)))
		}
		fields.Set(section, all)
	}
	return owner
}
