package envoy

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestBootstrap(t *testing.T) {
	p := open(t, "testdata/gateway")
	got := whole(t, p, mesh.Bootstrap)
	want := dig(raw(t, "testdata/gateway/config_dump.json"), "configs.*.bootstrap")[0]
	for _, path := range []string{"node.id", "node.metadata", "node.locality", "static_resources.clusters.*.name", "dynamic_resources.ads_config.api_type", "node.user_agent_build_version.metadata"} {
		if g, w := fmt.Sprint(dig(got, path)), fmt.Sprint(dig(want, path)); g != w || w == "[]" {
			t.Errorf("%s: %s, not %s", path, g, w)
		}
	}
	empty := NewDump(nil, folder(t, "testdata/reviews-v2", map[string]string{configDump: "desired.json"}), when)
	if v := whole(t, empty, mesh.Bootstrap); v != nil {
		t.Errorf("of istiod: %v", v)
	}
}

func TestServer(t *testing.T) {
	got := whole(t, open(t, "testdata/reviews-v2"), mesh.Server)
	want := raw(t, "testdata/reviews-v2/server_info.json")
	for _, path := range []string{"version", "state", "hot_restart_version", "command_line_options.config_path", "command_line_options.log_level", "node.id", "uptime_current_epoch"} {
		if g, w := fmt.Sprint(dig(got, path)), fmt.Sprint(dig(want, path)); g != w || w == "[]" {
			t.Errorf("%s: %s, not %s", path, g, w)
		}
	}
	if got.(*object.Object).Len() != want.(*object.Object).Len() {
		t.Errorf("%d fields, not %d", got.(*object.Object).Len(), want.(*object.Object).Len())
	}
}

func TestLoggers(t *testing.T) {
	got, _ := whole(t, open(t, "testdata/reviews-v2"), mesh.Loggers).(*object.Object)
	b, err := os.ReadFile("testdata/reviews-v2/logging.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")[1:]
	for _, line := range lines {
		words := strings.Fields(line)
		if name := strings.TrimSuffix(words[0], ":"); got.Get(name) != words[1] {
			t.Errorf("%s: %v, not %s", name, got.Get(name), words[1])
		}
	}
	if got.Len() != len(lines) || len(lines) < 40 {
		t.Errorf("%d loggers of %d lines", got.Len(), len(lines))
	}
}

func TestStats(t *testing.T) {
	got := whole(t, open(t, "testdata/reviews-v2"), mesh.Stats)
	want := raw(t, "testdata/reviews-v2/stats.json")
	for _, path := range []string{"stats.*.name", "stats.*.value", "stats.*.histograms.supported_quantiles.*", "stats.*.histograms.computed_quantiles.*.name", "stats.*.histograms.computed_quantiles.*.values.*.cumulative"} {
		if g, w := fmt.Sprint(dig(got, path)), fmt.Sprint(dig(want, path)); g != w || w == "[]" {
			t.Errorf("%s: %s, not %s", path, g, w)
		}
	}
}

func answer(request, name, text string) Fetch {
	doc := body(name, []byte(text))
	return func(_ context.Context, r Request) (*decode.Document, error) {
		if r.What != request {
			return nil, fmt.Errorf("asked for %v", r)
		}
		return doc, nil
	}
}

func TestStatsOfText(t *testing.T) {
	text := strings.Join([]string{
		"cluster.a.version_text: \"2026-11-22T13:02:33Z/13\"", "server.live: 1", "cluster.outbound|80||a.b;.cx: 18446744073709551616",
		"cluster.a.ms: P0(nan,1) P25(nan,1.5)", "",
		"# TYPE envoy_x counter", `envoy_x{a="outbound|80||x",b="q\"uo,te="} 7`, "envoy_y 0.5", "envoy_z{} NaN", `envoy_h{le="+Inf"} 1e+06`,
	}, "\n")
	rows := dig(whole(t, NewProxy(nil, answer(statistics, "stats.txt", text), when), mesh.Stats), "stats.*")
	var got []string
	for _, r := range rows {
		m := r.(*object.Object)
		got = append(got, fmt.Sprintf("%s %T %v %v", m.Get("name"), m.Get("value"), m.Get("value"), m.Get("labels")))
	}
	equal(t, got, []string{
		`cluster.a.version_text string 2026-11-22T13:02:33Z/13 <nil>`,
		"server.live int 1 <nil>",
		"cluster.outbound|80||a.b;.cx json.Number 18446744073709551616 <nil>",
		"cluster.a.ms string P0(nan,1) P25(nan,1.5) <nil>",
		`envoy_x int 7 map[a:outbound|80||x b:q"uo,te=]`,
		"envoy_y json.Number 0.5 <nil>",
		"envoy_z string NaN map[]",
		"envoy_h json.Number 1e+06 map[le:+Inf]",
	})
	b, err := os.ReadFile("testdata/gateway/stats.prometheus.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if line[0] != '#' {
			n++
		}
	}
	rows = dig(whole(t, NewProxy(nil, answer(statistics, "prometheus.txt", string(b)), when), mesh.Stats), "stats.*")
	if len(rows) != n || n < 20 {
		t.Errorf("%d stats of %d lines", len(rows), n)
	}
	for _, r := range rows {
		if _, number := r.(*object.Object).Get("value").(int); !number || !strings.HasPrefix(one(r, "name"), "envoy_") || one(r, "labels.envoy_cluster_name") == "-" {
			t.Errorf("%v", r)
		}
	}
}
