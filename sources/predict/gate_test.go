package predict

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/sandbox"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// TestDesired reads the configuration that the istiod of the demo snapshot
// reports.
func TestDesired(t *testing.T) {
	in, _ := demoMesh(t)
	for _, p := range in.Proxies {
		sent, err := in.desired(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []xds.Type{xds.Clusters, xds.Listeners, xds.Routes, xds.Endpoints} {
			if len(sent[of]) == 0 {
				t.Errorf("%s: no %s", p.ID, of)
			}
		}
		if sent[xds.Clusters]["outbound|9080||ratings.default.svc.cluster.local"] == nil {
			t.Errorf("%s: %v", p.ID, sortedKeys(sent[xds.Clusters]))
		}
	}
}

func TestEqualExceptDigests(t *testing.T) {
	const digest = mesh.DigestMark + "0123456789abcdef"
	m := func(v any) any { return map[string]any{"a": []any{"x", v}} }
	for _, c := range []struct {
		ours, theirs any
		want         bool
	}{
		{m("text"), m("text"), true}, {m("text"), m(digest), true}, {m(digest), m(digest), true}, {m("text"), m("other"), false},
		{m("text"), map[string]any{}, false}, {m("text"), m(nil), false}, {[]any{"a"}, []any{"a", digest}, false},
	} {
		if got := equalExceptDigests(c.ours, c.theirs); got != c.want {
			t.Errorf("%v, %v: %v", c.ours, c.theirs, got)
		}
	}
}

// TestEqualExceptRedacted checks that a text is left uncompared only if it is
// redacted in istiod's answer and not in the baseline, and that such texts are
// counted.
func TestEqualExceptRedacted(t *testing.T) {
	const digest, other = mesh.DigestMark + "0123456789abcdef", mesh.DigestMark + "fedcba9876543210"
	for _, c := range []struct {
		ours, theirs any
		want         bool
		hidden       int
	}{
		{"text", "text", true, 0}, {"text", digest, true, 1}, {"text", mesh.Redacted, true, 1}, {digest, digest, true, 0}, {other, digest, false, 0},
		{digest, "text", false, 0}, {json.Number("1"), digest, false, 0}, {[]any{"a", "b"}, []any{digest, digest}, true, 2},
		{map[string]any{"a": "x"}, map[string]any{"b": digest}, false, 0}, {map[string]any{"a": "x"}, map[string]any{"a": digest}, true, 1},
	} {
		hidden := 0
		if got := equalExceptRedacted(c.ours, c.theirs, &hidden); got != c.want || got && hidden != c.hidden {
			t.Errorf("%v, %v: %v, %d", c.ours, c.theirs, got, hidden)
		}
	}
}

// cluster returns a cluster of the type EDS with the given name, in wire
// format.
func cluster(name string) []byte {
	b := append([]byte{0x0a, byte(len(name))}, name...) // field 1 is the name
	return append(b, 0x10, 3)                           // field 2 is the type
}

// TestPredictedMesh creates a prediction by hand and reads it as a mesh. The
// configuration that istiod sends must be the predicted one. Data that istiod
// doesn't send must come from the proxy itself. Data that can't be predicted must
// be an error.
func TestPredictedMesh(t *testing.T) {
	in, base := demoMesh(t)
	decoder, err := xds.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	first := in.Proxies[0]
	p := &Prediction{
		Inputs: in, Overlay: &Overlay{Edits: []*Edit{{}}}, Gate: &Gate{Proxies: 1, Causes: []string{"a cause"}}, decoder: decoder, Verdicts: []sandbox.Verdict{{}},
		Classes: []*Class{{Members: []*Proxy{first}, Before: Config{xds.Clusters: {"old": cluster("old")}}, After: Config{xds.Clusters: {"new": cluster("new")}}}},
	}
	before, after := p.Sources(base)
	read := func(s *Source, what string) string {
		t.Helper()
		b, err := s.Fetch(t.Context(), first.ID, what, mesh.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for s, want := range map[*Source]string{before: `"name":"old"`, after: `"name":"new"`} {
		text := read(s, "config_dump?mask=x")
		for _, part := range []string{want, "BootstrapConfigDump", "static_clusters", "SecretsConfigDump"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s is not in the dump", part)
			}
		}
		if strings.Contains(text, "outbound|9080||reviews") {
			t.Error("the dump has clusters of the present mesh")
		}
		var v any
		if err := decodeJSON([]byte(text), &v); err != nil {
			t.Error(err)
		}
	}
	if text := read(after, "server_info"); !strings.Contains(text, "version") {
		t.Errorf("%s", text)
	}
	for _, f := range []func() error{
		func() error {
			_, err := after.Fetch(t.Context(), in.Proxies[1].ID, "config_dump", mesh.Hint{})
			return err
		},
		func() error {
			_, err := after.Pilot(t.Context(), "istiod-78566f45b4-v5qhf.istio-system", "push_status")
			return err
		},
		func() error {
			_, err := after.Pilot(t.Context(), "x", "config_dump?proxyID="+in.Proxies[1].ID)
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "predicted") {
			t.Errorf("%v", err)
		}
	}
	if _, err := after.Pilot(t.Context(), "istiod-78566f45b4-v5qhf.istio-system", "syncz"); err != nil {
		t.Error(err)
	}
	if f := after.Faults(); len(f) != 1 || !strings.Contains(f[0].Error(), "unverified") || !strings.Contains(f[0].Error(), "a cause") {
		t.Errorf("%v", f)
	}
	if f := before.Faults(); len(f) != 0 {
		t.Errorf("%v", f)
	}
	// what makes a prediction incomplete is a fault of the mesh with the change, even if the baseline is verified
	p.Gate = &Gate{Proxies: 1, Verified: 1}
	if f := after.Faults(); len(f) != 0 {
		t.Errorf("%v", f)
	}
	refused := &Edit{Change: apiserver.Change{Object: object(t, `{"kind":"VirtualService","metadata":{"name":"web","namespace":"default"}}`)}}
	p.Overlay = &Overlay{Edits: []*Edit{refused}, Unpredicted: []string{"Thing x: not predicted"}}
	p.Verdicts, p.Blocked = []sandbox.Verdict{{Refused: "a reason"}}, []string{"keys.example.com:443"}
	in.Unread = []*mesh.Fault{{Proxy: "lost.default", Section: "node", Err: errNotConnected}}
	var all []string
	for _, f := range after.Faults() {
		all = append(all, f.Error())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"VirtualService default/web is refused by istiod's admission and left out: a reason", "Thing x: not predicted", "could not connect to keys.example.com:443", "lost.default: node"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	p.Verdicts = nil
	if p.Overlay = (&Overlay{}); !strings.Contains(after.Faults()[1].Error(), "none of its objects") {
		t.Errorf("%v", after.Faults())
	}
	if k := after.Manifest().Kind; k != "WhatIf" {
		t.Error(k)
	}
}

// TestGate compares a baseline with istiod's report: an equal one, a different one,
// and a missing one.
func TestGate(t *testing.T) {
	in, _ := demoMesh(t)
	decoder, err := xds.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	p := &Prediction{Inputs: in, Overlay: &Overlay{}, decoder: decoder}
	body := cluster("a")
	text, err := decoder.JSON(xds.Clusters, body)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := decodeJSON(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		baseline Config
		sent     map[xds.Type]map[string]any
		differs  int
	}{
		{"equal", Config{xds.Clusters: {"a": body}}, map[xds.Type]map[string]any{xds.Clusters: {"a": v}}, 0},
		{"another value", Config{xds.Clusters: {"a": cluster("b")}}, map[xds.Type]map[string]any{xds.Clusters: {"a": v}}, 1},
		{"missing in the baseline", Config{}, map[xds.Type]map[string]any{xds.Clusters: {"a": v}}, 1},
		{"missing in istiod", Config{xds.Clusters: {"a": body}}, nil, 1},
		{"a route to which nothing refers any more", Config{}, map[xds.Type]map[string]any{xds.Routes: {"a": v}}, 0},
		{
			"endpoints that are missing in the baseline, to which its cluster refers", Config{xds.Clusters: {"a": body}},
			map[xds.Type]map[string]any{xds.Clusters: {"a": v}, xds.Endpoints: {"a": map[string]any{"clusterName": "a"}}}, 1,
		},
	} {
		g := &Gate{}
		same, err := p.compare(g, in.Proxies[0], c.baseline, c.sent)
		if err != nil || same != (c.differs == 0) || len(g.Different) != c.differs {
			t.Errorf("%s: %v, %v, %v", c.name, same, g.Different, err)
		}
	}
	p.Classes = []*Class{{Members: in.Proxies[:2]}, {Members: in.Proxies[2:3]}}
	g, err := p.verify(t.Context())
	if err != nil || g.Passed() || g.Proxies != 3 || g.Verified != 0 || g.Asked != 2 || len(g.Causes) == 0 {
		t.Errorf("%+v, %v", g, err)
	}
}
