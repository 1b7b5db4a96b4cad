package ztunnel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var owner = mesh.NewObject("Proxy", nil, object.New(0))

func section(t *testing.T, s mesh.Section, body string) []any {
	t.Helper()
	p := Proxy{Owner: owner, Now: time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)}
	v, err := p.Section(t.Context(), s, &decode.Document{Bytes: strings.NewReader(body), Name: "config_dump.json"})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range v.([]any) {
		if o.(*mesh.Object).Owner != owner {
			t.Errorf("%s: an object of nobody", s)
		}
	}
	return v.([]any)
}

func get(t *testing.T, o any, key string) any {
	t.Helper()
	v, err := mesh.Get(t.Context(), o, key)
	if err == nil {
		v, err = mesh.Deep(t.Context(), v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// cells prints the given fields of all objects, one line per object.
func cells(t *testing.T, all []any, keys ...string) []string {
	var out []string
	for _, o := range all {
		var line []string
		for _, k := range keys {
			line = append(line, fmt.Sprint(get(t, o, k)))
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// Resources are lists in current dumps and maps by address in old ones. Both give
// the same objects in the same order.
func TestResources(t *testing.T) {
	const a, b, c = `{"uid":"1","name":"b","namespace":"x","workloadIps":["10.0.0.1"]}`, `{"uid":"2","name":"a","namespace":"y"}`, `{"uid":"3","name":"a","namespace":"x"}`
	for _, body := range []string{
		`{"workloads":[` + a + `,` + b + `,` + c + `]}`,
		`{"version":{},"workloads":{"/10.0.0.1":` + a + `,"/10.0.0.0":` + b + `,"z":` + c + `},"services":{}}`,
	} {
		all := section(t, mesh.Workloads, body)
		same(t, body, cells(t, all, "kind", "namespace", "name", "uid"), []string{"Workload x a 3", "Workload x b 1", "Workload y a 2"})
		if d := cmp.Diff([]any{"10.0.0.1"}, get(t, all[1], "workloadIps")); d != "" {
			t.Error(d)
		}
	}
	for _, s := range mesh.RecordedSectionsOf(mesh.ZTunnel) { // a missing section is an error, not an empty section
		if v, err := (&Proxy{Owner: owner}).Section(t.Context(), s.Name, &decode.Document{Bytes: strings.NewReader(`{"version":{}}`)}); err == nil {
			t.Errorf("%s: %v of a dump without", s.Name, v)
		}
	}
	same(t, "services", cells(t, section(t, mesh.Services, `{"services":[{"name":"s","namespace":"x","hostname":"b"},{"name":"s","namespace":"x","hostname":"a"}]}`), "kind", "hostname"),
		[]string{"WorkloadService a", "WorkloadService b"})
	same(t, "policies", cells(t, section(t, mesh.Policies, `{"policies":[{"name":"p","namespace":"x","scope":"Global"}]}`), "kind", "name", "scope"), []string{"Policy p Global"})
}

func TestConnections(t *testing.T) {
	all := section(t, mesh.Connections, `{"workloadState":{
		"u2":{"state":"Up","info":{"name":"a","namespace":"y"},"connections":{"inbound":[],"outbound":[{"src":"1:1","originalDst":"2:2","actualDst":"3:3","protocol":"HBONE"}]}},
		"u1":{"state":"Up","info":{"name":"b","namespace":"x"},"connections":{"outbound":[{"src":"4:4"}],"inbound":[{"src":"5:5"},{"src":"6:6","originalDst":null}]}},
		"u0":{"state":"Pending"}}}`)
	same(t, "connections", cells(t, all, "kind", "workload", "direction", "src", "originalDst", "actualDst", "protocol"), []string{
		"Connection b.x inbound 5:5 <nil> <nil> <nil>", "Connection b.x inbound 6:6 <nil> <nil> <nil>", "Connection b.x outbound 4:4 <nil> <nil> <nil>",
		"Connection a.y outbound 1:1 2:2 3:3 HBONE",
	})
}

// The test reads certificates of a captured mesh, in PEM and in base64 of PEM.
func TestCertificates(t *testing.T) {
	pem := certificatePEM(t)
	for _, text := range []string{pem, base64.StdEncoding.EncodeToString([]byte(pem))} {
		cert, _ := json.Marshal(object.Of("pem", text, "serialNumber", "255", "validFrom", "2026-11-21T13:00:00.5Z", "expirationTime", "2026-11-23T13:00:00Z"))
		old, _ := json.Marshal(object.Of("pem", "x", "serialNumber", "y", "validFrom", "2020-01-01T00:00:00Z", "expirationTime", "2021-01-01T00:00:00Z"))
		all := section(t, mesh.Secrets, fmt.Sprintf(`{"certificates":[
			{"identity":"spiffe://td/ns/x/sa/a","state":"Available","certChain":[%s,%s,%s],"rootCerts":[%s]},
			{"identity":"spiffe://td/ns/x/sa/b","state":"Available","certChain":[%s,%s]},
			{"identity":"spiffe://td/ns/x/sa/c","state":"Unavailable: no such: thing","certChain":[]},
			{"identity":"other","state":"Initializing"}]}`, cert, old, old, old, cert, old))
		same(t, "certificates", cells(t, all, "kind", "name", "type", "state", "valid", "serialNumber", "notBefore", "notAfter", "trustDomain", "error"), []string{
			"Secret other <nil> Initializing false <nil> <nil> <nil> <nil> <nil>",
			"Secret spiffe://td/ns/x/sa/a Leaf Available true ff 2026-11-21T13:00:00Z 2026-11-23T13:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/a Intermediate Available false <nil> 2020-01-01T00:00:00Z 2021-01-01T00:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/a Intermediate Available false <nil> 2020-01-01T00:00:00Z 2021-01-01T00:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/a Root Available false <nil> 2020-01-01T00:00:00Z 2021-01-01T00:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/b Leaf Available true ff 2026-11-21T13:00:00Z 2026-11-23T13:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/b Root Available false <nil> 2020-01-01T00:00:00Z 2021-01-01T00:00:00Z td <nil>",
			"Secret spiffe://td/ns/x/sa/c <nil> Unavailable false <nil> <nil> <nil> td no such: thing",
		})
		if got := fmt.Sprint(get(t, all[0], "subjectAltNames"), get(t, all[0], "issuer")); got == "[] <nil>" {
			t.Errorf("the certificate was not read: %s", got)
		}
		for _, o := range all {
			f, err := o.(*mesh.Object).Fields(t.Context())
			if err != nil || f.Len() < 11 || f.Get("pem") != nil {
				t.Errorf("%v %v", f, err)
			}
		}
	}
}

// certificatePEM returns a certificate from an Envoy's dump in the capture.
func certificatePEM(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/stale/proxies/reviews-v2-7d79d5bd5d-8zzqd.default/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`"certificate_chain":\{"inline_bytes":"([^"]+)"`).FindSubmatch(b)
	if m == nil {
		t.Fatal("no certificate in the capture")
	}
	pem, err := base64.StdEncoding.DecodeString(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem)
}

func TestRecognize(t *testing.T) {
	for body, want := range map[string]bool{
		`{"workloads":[],"services":[],"policies":[],"certificates":[]}`: true,
		`{"certificates":[],"workloads":{}}`:                             true,
		`{"certificates":[]}`:                                            false, // this is Envoy's answer to /certs, not a ztunnel's dump
		`{"configs":[]}`:                                                 false,
		`[{"workloads":[],"services":[]}]`:                               false,
	} {
		if got, err := Recognize(t.Context(), &decode.Document{Bytes: strings.NewReader(body)}); got != want || err != nil {
			t.Errorf("%s: %v %v", body, got, err)
		}
	}
}

func TestBrokenDump(t *testing.T) {
	p := Proxy{Owner: owner}
	for _, s := range mesh.RecordedSectionsOf(mesh.ZTunnel) {
		if _, err := p.Section(t.Context(), s.Name, &decode.Document{Bytes: strings.NewReader(`{"workloads":[`)}); err == nil || err.Error() != "unexpected end of JSON at byte 14" {
			t.Errorf("%s: %v", s.Name, err)
		}
		for _, odd := range []string{`{"workloads":1,"services":[1,null],"policies":"x","certificates":{"a":1},"workloadState":[[]]}`} {
			if v, err := p.Section(t.Context(), s.Name, &decode.Document{Bytes: strings.NewReader(odd)}); err != nil || len(v.([]any)) != 0 {
				t.Errorf("%s of %s: %v %v", s.Name, odd, v, err)
			}
		}
	}
}

// TestFormsOf2023 reads dumps with the names that ztunnels used in their first year,
// and with resources that are indexed in several ways. Each resource must appear
// once.
func TestFormsOf2023(t *testing.T) {
	const w, v, svc = `{"workloadIp":"10.0.0.1","name":"a","namespace":"x","uid":"1"}`, `{"name":"b","namespace":"x","uid":"2"}`, `{"name":"s","namespace":"x","hostname":"s.x","addresses":["/10.1.0.1"]}`
	for _, body := range []string{
		`{"workloads":{"/10.0.0.1":` + w + `,"b":` + v + `},"services_by_ip":{"/10.1.0.1":` + svc + `}}`,
		`{"workloads":{"by_addr":{"/10.0.0.1":` + w + `},"by_uid":{"1":` + w + `,"2":` + v + `}},"services":{"by_vip":{"/10.1.0.1":` + svc + `},"by_host":{"s.x":[` + svc + `]}}}`,
		`{"workloads":{"byAddr":{"/10.0.0.1":` + w + `},"byUid":{"1":` + w + `,"2":` + v + `}},"servicesByVip":{"/10.1.0.1":` + svc + `}}`,
	} {
		all := section(t, mesh.Workloads, body)
		same(t, body, cells(t, all, "namespace", "name", "uid"), []string{"x a 1", "x b 2"})
		if d := cmp.Diff([]any{"10.0.0.1"}, get(t, all[0], "workloadIps")); d != "" {
			t.Error(d)
		}
		services := section(t, mesh.Services, body)
		same(t, body, cells(t, services, "namespace", "name"), []string{"x s"})
		if d := cmp.Diff([]any{"/10.1.0.1"}, get(t, services[0], "vips")); d != "" {
			t.Error(d)
		}
	}
	all := section(t, mesh.Secrets, `{"certificates":[{"identity":"spiffe://c/ns/x/sa/a","state":"Available",
		"ca_cert":[{"serial_number":"255","valid_from":"2023-03-21T13:02:57Z","expiration_time":"2033-03-22T13:04:57Z"}],
		"cert_chain":[{"serial_number":"16","valid_from":"2022-03-21T13:04:49Z","expiration_time":"2032-03-18T13:04:49Z"}]}]}`)
	same(t, "secrets", cells(t, all, "type", "serialNumber", "notAfter"), []string{"Leaf ff 2033-03-22T13:04:57Z", "Root 10 2032-03-18T13:04:49Z"})
}

// The content of Istio's own test dump is the same as istioctl prints.
func TestAsIstioctlPrints(t *testing.T) {
	const dir = "../../../shared/istio-testdata/ztunnel."
	body, err := os.ReadFile(dir + "config_dump.json")
	if err != nil {
		t.Skip("istio's test data is not here")
	}
	printed := func(name string, heads ...string) [][]string {
		b, err := os.ReadFile(dir + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n"))
		head := string(lines[0])
		var starts []int // columns are cut where their headings begin, because cells may be empty
		for from, i := 0, 0; i < len(heads); i++ {
			from += strings.Index(head[from:], heads[i])
			starts = append(starts, from)
			from += len(heads[i])
		}
		var rows [][]string
		for _, line := range lines[1:] {
			var row []string
			for i, s := range starts {
				end := len(line)
				if i+1 < len(starts) {
					end = min(end, starts[i+1])
				}
				row = append(row, strings.TrimSpace(string(line[min(s, len(line)):end])))
			}
			rows = append(rows, row)
		}
		return rows
	}
	dump := string(body)

	var want []string
	for _, r := range printed("workloadsummary", "NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL") {
		want = append(want, strings.Join([]string{r[0], r[1], "[" + r[2] + "]", r[3], r[5]}, " "))
	}
	same(t, "workloads", cells(t, section(t, mesh.Workloads, dump), "namespace", "name", "workloadIps", "node", "protocol"), want)

	want = nil
	for _, r := range printed("policies", "NAMESPACE", "POLICY NAME", "ACTION", "SCOPE") {
		want = append(want, strings.Join(r, " "))
	}
	same(t, "policies", cells(t, section(t, mesh.Policies, dump), "namespace", "name", "action", "scope"), want)

	want = nil
	for _, r := range printed("secretsummary", "CERTIFICATE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE") {
		want = append(want, strings.ReplaceAll(strings.Join(r, " "), "NA", "<nil>"))
	}
	slices.SortStableFunc(want, func(a, b string) int { // istioctl keeps the dump's order; ours is sorted by name, then by state
		return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0])
	})
	same(t, "secrets", cells(t, section(t, mesh.Secrets, dump), "name", "type", "state", "valid", "serialNumber", "notAfter", "notBefore"), want)

	want = nil
	for _, r := range printed("connectionsummary", "WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", "PROTOCOL") {
		local, remote := "actualDst", "src"
		if r[1] == "Outbound" {
			local, remote = remote, local
		}
		target := r[4]
		if target == "" {
			target = "<nil>"
		}
		by := map[string]string{local: r[2], remote: r[3], "originalDst": target}
		want = append(want, strings.Join([]string{r[0], strings.ToLower(r[1]), by["src"], by["originalDst"], by["actualDst"], r[5]}, " "))
	}
	same(t, "connections", cells(t, section(t, mesh.Connections, dump), "workload", "direction", "src", "originalDst", "actualDst", "protocol"), want)
}
