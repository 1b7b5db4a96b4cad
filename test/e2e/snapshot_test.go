package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameAnswers are queries that are asked of the mesh and of its snapshot.
var sameAnswers = []string{
	".proxies[] | outline | del(.sync[].age)",
	"[.proxies[] | synced, stale]",
	".pilots[] | [.name, .namespace, .revision, .ip, .connectedProxies, (.registryServices | length), (.config | length)]",
	".proxies[].clusters[]",
	".proxies[].listeners[]",
	".proxies[].routes[]",
	".proxies[].endpoints[]",
	".proxies[].secrets[] | [.name, .type, .serialNumber, .notAfter]",
	".proxies[].bootstrap.node.id",
	".proxies[].server.version",
	".proxies[].loggers",
	`.proxy("reviews-v1").cluster("` + ratingsCluster + `")`,
	`.proxy("productpage-v1").route("9080").virtualHosts[].name`,
	`.proxy("istio-ingressgateway").route("http.8080").match("/productpage").cluster`,
	".services[], .virtualServices[], .destinationRules[], .gateways[] | del(.metadata.managedFields)",
	".faults",
}

// snapshot: a recorded mesh answers as the mesh itself, and holds no secret.
func snapshot(t *testing.T, w *world) {
	kubeconfig := w.account(t, "recorder", "kubectl-meshq", "kubectl-meshq-objects")
	file := filepath.Join(w.folder(t), "mesh.tar.zst")
	w.askAs(t, kubeconfig, "snapshot", file).exits(0)
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	same := func(words ...string) {
		t.Helper()
		live := w.askAs(t, kubeconfig, words...).exits(0).quiet()
		offline := w.askAs(t, "/dev/null", append(words, "--snapshot", file)...).exits(0).quiet()
		if live.out != offline.out || live.out == "" {
			t.Errorf("%q: (-live +snapshot)\n%s", words, clip(cmp.Diff(strings.Split(live.out, "\n"), strings.Split(offline.out, "\n"))))
		}
	}
	for _, query := range sameAnswers {
		same("-c", query)
	}
	same() // the table
	same("status", "-o", "name", "-l", "app=reviews")
	secret := w.askAs(t, "/dev/null", "--snapshot", file, "-c", ".pilots[], .proxies[], .pods[]", "--max-fetch", "0").exits(0)
	if strings.Contains(secret.out, "PRIVATE KEY") {
		t.Error("a private key is in the snapshot")
	}
	w.askAs(t, "/dev/null", "--snapshot", file, `[.pods[].spec | .containers[], .initContainers[]? | .env[]?.value] | length > 0 and (unique | length == 1)`).exits(0).is(true)
}
