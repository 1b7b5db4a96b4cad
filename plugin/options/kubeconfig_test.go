package options

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestConnectionFlagsAreKubectls checks that the connection flags have the same
// names, help texts and defaults as those of genericclioptions.ConfigFlags, and
// that both result in the same connection settings.
func TestConnectionFlagsAreKubectls(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	config := `{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: c, cluster: {server: "https://c.example"}}, {name: d, cluster: {server: "https://d.example", insecure-skip-tls-verify: true}}],
users: [{name: u, user: {token: t}}, {name: v, user: {username: n, password: p}}],
contexts: [{name: a, context: {cluster: c, user: u, namespace: x}}, {name: b, context: {cluster: d, user: v}}]}`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{}, {"--context=b"}, {"--cluster=d", "--user=v"}, {"--user=none"}, {"--context=none"}, {"--kubeconfig=/nonexistent"},
		{"--server=https://e.example", "--insecure-skip-tls-verify", "--tls-server-name=f"}, {"--token=w", "-n", "y"},
		{"--as=g", "--as-uid=1", "--as-group=h", "--as-group=i", "--as-user-extra=k=1", "--as-user-extra=k=2", "--as-user-extra=none"},
		{"--certificate-authority=ca.pem", "--client-certificate=crt.pem", "--client-key=key.pem"},
		{"--request-timeout=3s", "--disable-compression", "--proxy-url=http://proxy.example", "--cache-dir=x"}, {"--request-timeout=soon"},
	} {
		ours, theirs := newKubeFlags(), genericclioptions.NewConfigFlags(true)
		a, b := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
		ours.AddFlags(a)
		theirs.AddFlags(b)
		if a.FlagUsages() != b.FlagUsages() {
			t.Fatalf("other flags:\n%s\nkubectl's:\n%s", a.FlagUsages(), b.FlagUsages())
		}
		args = append([]string{"--kubeconfig=" + file}, args...)
		if a.Parse(args) != nil || b.Parse(args) != nil {
			t.Fatalf("%v were not taken", args)
		}
		got, err := ours.ToRESTConfig()
		want, e := theirs.ToRESTConfig()
		if (err == nil) != (e == nil) || !object.Equal(got, want) {
			t.Errorf("%v: %v (%v), kubectl's %v (%v)", args, got, err, want, e)
		}
		n, over, _ := ours.ToRawKubeConfigLoader().Namespace()
		if m, too, _ := theirs.ToRawKubeConfigLoader().Namespace(); n != m || over != too {
			t.Errorf("%v: namespace %q, kubectl's %q", args, n, m)
		}
	}
}

func TestFlagsInAnotherContext(t *testing.T) {
	f := newKubeFlags()
	*f.Context, *f.ProxyURL = "a", "http://proxy.example"
	if g := f.In("b"); *g.Context != "b" || *f.Context != "a" || *g.ProxyURL != *f.ProxyURL {
		t.Errorf("%q %q %q", *g.Context, *f.Context, *g.ProxyURL)
	}
}
