package plugin

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// anEnvoy starts a server that answers like the admin port of an Envoy with this node
// id, and returns its address.
func anEnvoy(t *testing.T, nodeID string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/config_dump":
			fmt.Fprint(w, dumpOf(nodeID))
		case "/server_info":
			fmt.Fprint(w, `{"version":"x/1.40.0/Clean/RELEASE/BoringSSL"}`)
		default:
			fmt.Fprint(w, "{}")
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func dumpOf(nodeID string) string {
	return fmt.Sprintf(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump","bootstrap":{"node":{"id":%q}}},
{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","static_clusters":[{"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"x"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump"},{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump"}]}`, nodeID)
}

// line runs a command line and returns its standard output. If the command fails, it
// returns the exit code and standard error instead.
func line(args ...string) string {
	var out, errs bytes.Buffer
	w := &process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now}
	code := Main(w)
	if code != process.ExitOK && code != process.ExitPartial {
		return fmt.Sprint("exit code ", code, ": ", errs.String())
	}
	return strings.TrimSpace(out.String())
}

// identities is a query for the fields of each proxy that identify it.
const identities = `[.proxies[] | "\(.id) \(.name) \(.namespace) \(.type) \(.nodeID)"] | sort | join("; ")`

// TestEnvoysOfOneNodeID checks that two Envoys with the same node id are two proxies.
func TestEnvoysOfOneNodeID(t *testing.T) {
	a, b, c := anEnvoy(t, "same"), anEnvoy(t, "same"), anEnvoy(t, "other")
	asked := []string{"--envoy", a, "--envoy", b, "--envoy", c, "-r"}
	want := []string{"other null null null other", "same@" + a + " null null null same", "same@" + b + " null null null same"}
	if b < a {
		want[1], want[2] = want[2], want[1]
	}
	if got := line(append(asked, identities)...); got != strings.Join(want, "; ") {
		t.Errorf("%s", got)
	}
	if got := line(append(asked, `proxy("same@`+b+`").clusters[].name`)...); got != "x" {
		t.Errorf("by its id: %s", got)
	}
	file := filepath.Join(t.TempDir(), "mesh.tar.zst")
	if got := line(append(asked[:6:6], "snapshot", file)...); strings.HasPrefix(got, "exit") {
		t.Fatal(got)
	}
	if got := line("--snapshot", file, "-r", identities); got != strings.Join(want, "; ") {
		t.Errorf("recorded: %s", got)
	}
}

// TestNodeIDsOfOthers checks the node ids of Envoys that Istio didn't start. They
// are not parsed as the name of a pod, whether the mesh is live, a dump or a
// snapshot. Each node id selects its proxy, whatever characters it contains.
func TestNodeIDsOfOthers(t *testing.T) {
	for _, id := range []string{
		"default.backend-1", "projects/1/networks/n/nodes/x", "host~127.0.0.1~no-id~localdomain", "a~b~c.d~e", "sidecar~not-an-ip~a.b~c", "/", "a b", "..", "web:80", "deploy/web",
	} {
		dir := t.TempDir()
		dump, file := filepath.Join(dir, "dump.json"), filepath.Join(dir, "mesh.tar.zst")
		if err := os.WriteFile(dump, []byte(dumpOf(id)), 0o600); err != nil {
			t.Fatal(err)
		}
		envoy := anEnvoy(t, id)
		want := id + " null null null " + id
		if got := line("--envoy", envoy, "snapshot", file); strings.HasPrefix(got, "exit") {
			t.Errorf("%s: %s", id, got)
		}
		for _, of := range [][]string{{"--snapshot", dump}, {"--envoy", envoy}, {"--snapshot", file}} {
			if got := line(append(of, "-r", identities)...); got != want {
				t.Errorf("%s: %q: %s", id, of[0], got)
			}
			if got := line(append(of, "-r", fmt.Sprintf("proxy(%q).clusters[].name", id))...); got != "x" {
				t.Errorf("%s: %q: proxy(…): %s", id, of[0], got)
			}
			if got := line(append(of, "-r", ".proxies[].id", id)...); got != id {
				t.Errorf("%s: %q: as a word: %s", id, of[0], got)
			}
		}
	}
}

// TestNodeIDOfIstio checks that the id of a proxy is the pod's name in Istio's node id.
func TestNodeIDOfIstio(t *testing.T) {
	for _, kind := range []string{"sidecar", "router", "waypoint", "agentgateway"} {
		id := kind + "~10.0.0.1~web.1.shop~shop.svc.cluster.local"
		if got := line("--envoy", anEnvoy(t, id), "-r", identities); got != "web.1.shop web.1 shop "+kind+" "+id {
			t.Errorf("%s", got)
		}
	}
}

// TestFolderOfPod checks a snapshot with a folder for a pod whose Envoy isn't a proxy
// of Istio. The proxy has the id and the fields of that pod, and its own node id.
func TestFolderOfPod(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"proxies/eg-1.gateways/config_dump.json":   dumpOf("eg-1"),
		"proxies/eg-2.gateways/config_dump.json":   dumpOf("eg-1"),
		"proxies/nobody.gateways/config_dump.json": dumpOf("eg-1"),
		"kubernetes/pods.json": `{"kind":"List","apiVersion":"v1","items":[
{"metadata":{"name":"eg-1","namespace":"gateways","labels":{"a":"b"}},"spec":{"nodeName":"n1","containers":[{"name":"envoy"}]},"status":{"phase":"Running","podIP":"10.0.0.1"}},
{"metadata":{"name":"eg-2","namespace":"gateways"},"spec":{"nodeName":"n2","containers":[{"name":"envoy"}]},"status":{"phase":"Running","podIP":"10.0.0.2"}}]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := line("--snapshot", dir, "-r", identities)
	if want := "eg-1 null null null eg-1; eg-1.gateways eg-1 gateways null eg-1; eg-2.gateways eg-2 gateways null eg-1"; got != want {
		t.Errorf("%s", got)
	}
	got = line("--snapshot", dir, "-c", `proxy("eg-1.gateways") | .ip, .node, .labels, .clusters[].name`)
	if want := "\"10.0.0.1\"\n\"n1\"\n{\"a\":\"b\"}\n\"x\""; got != want {
		t.Errorf("%s", got)
	}
}

// TestDumpsOfOneNodeID checks that dumps with the same node id are separate
// proxies, even if they are opened together with a snapshot.
func TestDumpsOfOneNodeID(t *testing.T) {
	dir := t.TempDir()
	var snapshots []string
	for i := range 3 {
		dump := filepath.Join(dir, fmt.Sprint(i, ".json"))
		if err := os.WriteFile(dump, []byte(dumpOf("same")), 0o600); err != nil {
			t.Fatal(err)
		}
		snapshots = append(snapshots, "--snapshot", dump)
	}
	if got := line(append(snapshots, "-c", "[.proxies[].id]")...); got != `["same","same-2","same-3"]` {
		t.Errorf("%s", got)
	}
	if got := line(append(snapshots, "--snapshot", "demo", "-c", ".proxies | length, (map(.id) | unique | length)")...); got != "10\n10" {
		t.Errorf("%s", got)
	}
}
