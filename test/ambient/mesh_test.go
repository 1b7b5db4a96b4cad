package ambient

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

// recording is the recorded mesh from which the demo was made.
const recording = "../shared/captures/ambient"

// meshes returns the snapshots of the recorded ambient mesh that are at hand.
func meshes() []string {
	all := []string{"demo-ambient"}
	if _, err := os.Stat(recording); err == nil {
		all = append(all, recording)
	}
	return all
}

const (
	zTunnel30 = "proxies/ztunnel-4vx8q.istio-system/config_dump.json"
	zTunnel31 = "proxies/ztunnel-m9c2h.istio-system/config_dump.json"
)

// changed writes the demo into a directory, with the given files changed by a
// function, and returns the directory. A file is left out if its function is nil.
func changed(t *testing.T, files map[string]func(v map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	if err := unpack.Ambient(dir, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	for name, change := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if change == nil {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var v map[string]any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(name, err)
		}
		change(v)
		if text, err = json.Marshal(v); err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// each returns the objects of a list.
func each(v any) (all []map[string]any) {
	list, _ := v.([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// named returns the object of a list whose member name is name, or else one whose name
// begins with it, as a pod's does.
func named(t *testing.T, v any, name string) map[string]any {
	t.Helper()
	for _, fits := range []func(string) bool{func(s string) bool { return s == name }, func(s string) bool { return strings.HasPrefix(s, name+"-") }} {
		for _, m := range each(v) {
			if fits(text(m["name"])) {
				return m
			}
		}
	}
	t.Fatal("nothing is named", name)
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// addPolicy returns a function that adds a policy to a ztunnel's dump, and a reference
// to it from a workload.
func addPolicy(t *testing.T, workload, policy string) func(map[string]any) {
	return func(dump map[string]any) {
		t.Helper()
		var p map[string]any
		if err := json.Unmarshal([]byte(policy), &p); err != nil {
			t.Fatal(err)
		}
		dump["policies"] = append(dump["policies"].([]any), p)
		if workload == "" {
			return
		}
		w := named(t, dump["workloads"], workload)
		refs, _ := w["authorizationPolicies"].([]any)
		w["authorizationPolicies"] = append(refs, text(p["namespace"])+"/"+text(p["name"]))
	}
}

// traced is the last Trace in the output of trace, and those of the proxies before it.
type traced struct {
	Proxy, Workload, Reason *string
	Status                  int
	Reached                 bool
	Endpoints               []struct {
		Share            float64
		Workload, Tunnel string
	}
	Outcomes []struct {
		Share  float64
		Reason *string
	}
	Steps    []struct{ Step, Name, Reason, Istio string }
	Policies []struct{ Istio, Policy, Verdict, Action string }
	Unknowns []struct{ What, Why string }
	Through  []*traced
}

// trace runs the command trace.
func trace(t *testing.T, mesh string, args ...string) (result *traced, code int) {
	t.Helper()
	out, errs, code := program.Run(t, append([]string{"trace", "--snapshot", mesh, "-o", "json"}, args...)...)
	result = &traced{}
	if err := json.Unmarshal([]byte(out), result); err != nil {
		t.Fatalf("%q: %v: exit code %d: %s%s", args, err, code, out, errs)
	}
	return result, code
}

// why returns the reasons of the steps of a kind, over all proxies of a trace.
func (r *traced) why(step string) string {
	var all []string
	for _, s := range r.Steps {
		if s.Step == step {
			all = append(all, s.Reason)
		}
	}
	for _, next := range r.Through {
		if s := next.why(step); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, "; ")
}

// arrived returns the share of the traffic that arrives at the workload of each name
// without its pod hash, by the last proxies of the trace.
func (r *traced) arrived() map[string]float64 {
	out := map[string]float64{}
	r.addArrived(1, out)
	return out
}

func (r *traced) addArrived(share float64, out map[string]float64) {
	if len(r.Through) == 0 {
		for _, e := range r.Endpoints {
			words := strings.Split(e.Workload, "-")
			out[strings.Join(words[:min(2, len(words))], "-")] += share * e.Share
		}
		return
	}
	reached := 0
	for _, e := range r.Endpoints {
		if e.Share == 0 || reached >= len(r.Through) {
			continue
		}
		r.Through[reached].addArrived(share*e.Share, out)
		reached++
	}
}

// removeClusterID removes the cluster of ztunnels and waypoints from what istiod says
// about their state.
func removeClusterID(t *testing.T, dir string) {
	t.Helper()
	editList(t, dir, "pilots/istiod-78566f45b4-v5qhf.istio-system/syncz.json", func(one map[string]any) {
		if one["proxy_type"] == "ztunnel" || one["proxy_type"] == "waypoint" {
			delete(one, "cluster_id")
		}
	})
}

// editList changes the elements of a file that holds a list.
func editList(t *testing.T, dir, name string, change func(map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	raw, err := os.ReadFile(path)
	var all []map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	for _, one := range all {
		change(one)
	}
	if err == nil {
		raw, err = json.Marshal(all)
	}
	if err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
