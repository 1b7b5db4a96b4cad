package envoy

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	for file, want := range map[string]string{
		"testdata/gateway/config_dump.json": "istio-ingressgateway-674cc989b8-76lqn.istio-system istio-ingressgateway-674cc989b8-76lqn istio-system router 10.244.0.16 [10.244.0.16] 1.31.0 Kubernetes" +
			"  istio-ingressgateway istio-ingressgateway map[app:istio-ingressgateway istio:ingressgateway version:v1] map[] map[region:eu-west1 zone:eu-west1-b]",
		shared + "istio-testdata/1.21-waypoint.config_dump.json": "httpbin-istio-waypoint-58f646c5ff-dbfkz.default httpbin-istio-waypoint-58f646c5ff-dbfkz default waypoint 192.168.252.229 [] 1.21.0-1226    " +
			"  map[] map[] map[]",
		shared + "istio-testdata/1.6-sidecar-productpage.config_dump.json": "productpage-v1-7bbd79f8fd-k6j79.default productpage-v1-7bbd79f8fd-k6j79 default sidecar 172.30.150.216 [172.30.150.216 fe80::863:a7ff:fe55:26a9] 1.3.0-rc.2 Kubernetes" +
			"  productpage-v1 bookinfo-productpage map[app:productpage pod-template-hash:7bbd79f8fd version:v1] map[] map[]",
		shared + "istio-testdata/eds.config_dump.json": "    [] v    map[] map[] map[]",
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // this capture doesn't contain the file
		}
		id, err := Identify(t.Context(), body(file, b))
		if err != nil {
			t.Error(err)
		}
		got := strings.Join(strings.Fields(fmt.Sprint(id.ID, " ", id.Name, " ", id.Namespace, " ", id.Type, " ", id.IP, " ", id.IPs, " ", id.Version, " ", id.ClusterID, " ", id.Node, " ",
			id.Workload, " ", id.ServiceAccount, " ", id.Labels, " ", id.Annotations, " ", id.Locality)), " ")
		if want = strings.Join(strings.Fields(strings.Replace(want, "] v ", "] ", 1)), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

// TestIdentifyForms reads the identity from dumps in the spelling of `istioctl
// -o json` and of istiod, of version 2, and of an Envoy without Istio.
func TestIdentifyForms(t *testing.T) {
	dump := func(kind, node string) string {
		return `{"configs":[{"@type":"type.googleapis.com/envoy.admin.` + kind + `.ClustersConfigDump"},{"@type":"type.googleapis.com/envoy.admin.` + kind + `.BootstrapConfigDump","bootstrap":{"node":` + node + `}}]}`
	}
	for text, want := range map[string]string{
		dump("v3", `{"id":"sidecar~1.2.3.4~a.b.c~x","metadata":{"NODE_NAME":"n1","NAMESPACE":"other"}}`):     "a.b.c a.b c sidecar 1.2.3.4 n1 map[]",
		dump("v2alpha", `{"id":"router~1.2.3.4~a.b~x","locality":{"sub_zone":"z"},"build_version":"1"}`):     "a.b a b router 1.2.3.4  map[subZone:z]",
		dump("v3", `{"locality":{"subZone":"z"},"id":"some envoy","metadata":{"NAME":"a","NAMESPACE":"b"}}`): "some envoy a b    map[subZone:z]",
		`{"configs":[]}`: "      map[]",
	} {
		id, err := Identify(t.Context(), body("x", []byte(text)))
		if err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(id.ID, " ", id.Name, " ", id.Namespace, " ", id.Type, " ", id.IP, " ", id.Node, " ", id.Locality); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`{}`:                     "x.json: not an Envoy config dump",
		`{"workloads":[]}`:       "x.json: not an Envoy config dump",
		`[1]`:                    "x.json: not an Envoy config dump",
		`{"configs":[`:           "x.json: unexpected end of JSON at byte 12",
		"apiVersion: v1\nkind: ": "x.json: ",
	} {
		if _, err := Identify(t.Context(), body("x.json", []byte(text))); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
