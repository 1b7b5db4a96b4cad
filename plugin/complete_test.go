package plugin

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/spf13/cobra"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: "http://127.0.0.1:1"}}, {name: two, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: admin, user: {}}]
contexts: [{name: blue, context: {cluster: one, user: admin}}, {name: green, context: {cluster: two, user: admin}}, {name: grey, context: {cluster: two, user: admin}}]
`

func TestComplete(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		nothing, files, folders = cobra.ShellCompDirectiveNoFileComp, cobra.ShellCompDirectiveDefault, cobra.ShellCompDirectiveFilterDirs
		noSpace                 = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	)
	p, broken := startPilot(t), startPilot(t)
	broken.broken = true
	for _, c := range []struct {
		words     string // the command line; the last word is the one to complete
		want      string
		directive cobra.ShellCompDirective
	}{
		{"statu", "status", nothing},
		{"wai", "wait", nothing},
		{"--snapshot demo statu", "status", nothing},
		{"workloads --snapshot demo-ambient --node |", "node-30 node-31", nothing},
		{"zc w --snapshot demo-ambient --workload-namespace b", "bank", nothing},
		{"--snapshot demo wai", "wait", nothing},
		{"--snapshot demo clusters --dir", "--direction", nothing},
		{"--snapshot demo clusters --direction in", "inbound inbound-vip", nothing},
		{"--snapshot demo clusters --port 9080 rat", theRatings, nothing},
		{"show cluste", "clusters", nothing},
		{"x", "", nothing},
		{"--snapshot demo status rev", "reviews-v1-7f99cc4496-gdxfn.default reviews-v2-7d79d5bd5d-8zzqd.default reviews-v3-7dbcdcbc56-m8dph.default", nothing},
		{"--snapshot demo .x " + theReviews + " rev", "reviews-v2-7d79d5bd5d-8zzqd.default reviews-v3-7dbcdcbc56-m8dph.default", nothing},
		{"--snapshot demo -l version=v1 .x re", theReviews, nothing},
		{"--snapshot demo -n istio-system .x |", "istio-ingressgateway-674cc989b8-76lqn.istio-system", nothing},
		{"--snapshot demo -f q.jq rat", theRatings, nothing},
		{"--snapshot demo -Q .x rat", theRatings, nothing},
		{"wait --snapshot demo .x rat", theRatings, nothing},
		{"snapshot |", "", files},
		{"snapshot --snapshot demo a.tar.zst rat", theRatings, nothing},
		{"snapshot a.tar.zst --sections clusters,lis", "clusters,listeners", nothing},
		{"--arg a b --snapshot demo .x rat", theRatings, nothing},
		{"--pilot " + p.URL + " .x rat", theRatings, nothing},
		{"--pilot " + p.URL + " --pilot " + broken.URL + " .x rat", theRatings, nothing},
		{"--pilot " + broken.URL + " .x rat", "", nothing},
		{"--snapshot none .x rat", "", nothing},
		{"--snapshot - .x rat", "", nothing}, // standard input belongs to the shell, so completion must not read it
		{"--input x.json .x rat", "", nothing},
		{"--snapshot demo -n is", "istio-system", nothing},
		{"--snapshot demo -n default -n is", "istio-system", nothing},
		{"--kubeconfig " + config + " --context g", "green grey", nothing},
		{"--kubeconfig " + config + " --contexts blue,gree", "blue,green", nothing},
		{"--kubeconfig " + config + " --cluster |", "one two", nothing},
		{"--kubeconfig " + config + " status --cluster |", "one two", nothing},
		{"--kubeconfig " + config + " --user |", "admin", nothing},
		{"-o y", "yaml", nothing},
		{"-o go-template=", "go-template=", noSpace},
		{"--color a", "always auto", nothing},
		{"-l a", "", nothing},
		{"--snapshot |", "", files},
		{"--library-path |", "", folders},
		{"--arg a b", "", files},
		{"--arg |", "", files},
		{"--args .x a", "", files},
		{"--quie", "--quiet", nothing},
		{"wait --all-n", "--all-namespaces", nothing},
		{"wait --compact", "", nothing},
	} {
		words := strings.Fields(c.words)
		if n := len(words) - 1; n < 0 {
			words = []string{""}
		} else if words[n] == "|" {
			words[n] = ""
		}
		for _, args := range [][]string{
			append([]string{"/usr/bin/kubectl_complete-meshq"}, words...),
			append([]string{"kubectl-meshq", "__complete"}, words...),
		} {
			var out, errs bytes.Buffer
			w := &process.World{Args: args, In: broken, Out: &out, Err: &errs, ErrTerminal: true, Now: time.Now}
			code := Main(w)
			var got []string
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			for _, line := range lines[:len(lines)-1] {
				value, _, _ := strings.Cut(line, "\t")
				got = append(got, value)
			}
			want := fmt.Sprintf(":%d", c.directive)
			if code != process.ExitOK || !slices.Equal(got, strings.Fields(c.want)) || lines[len(lines)-1] != want || errs.Len() > 0 {
				t.Errorf("%q: exit code %d:\n%swant %s %s\n%s", args, code, out.String(), c.want, want, errs.String())
			}
		}
	}
	if p.Request["/debug/adsz"] > 0 {
		t.Errorf("asked for more than names need: %v", p.Request)
	}
}

// Read makes the test fail if completion reads the shell's standard input.
func (p *pilot) Read([]byte) (int, error) { panic("the shell's standard input is read") }

// TestCompleteInTime checks that completion ends in time if the mesh doesn't
// respond.
func TestCompleteInTime(t *testing.T) {
	p := startPilot(t)
	p.mu.Lock()
	defer p.mu.Unlock() // unlock first, because closing the server waits for its responses
	var out bytes.Buffer
	began := time.Now()
	code := Main(&process.World{Args: []string{"kubectl_complete-meshq.exe", "--pilot", p.URL, ".x", ""}, Out: &out, Err: &out, Now: time.Now})
	if took := time.Since(began); code != process.ExitOK || out.String() != ":4\n" || took > 5*time.Second {
		t.Errorf("exit code %d after %s: %s", code, took, out.String())
	}
}
