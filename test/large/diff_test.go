package large

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

// countDiffLines counts the removed and added lines of a diff, by their text.
func countDiffLines(text string) map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n,")
		if (line[:min(1, len(line))] == "-" || line[:min(1, len(line))] == "+") && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "+++") {
			all[line[:1]+strings.TrimSpace(line[1:])]++
		}
	}
	return all
}

// TestDiffFindsWhatIstioctlFinds checks on the captures that diff finds exactly
// the differences that istioctl finds.
func TestDiffFindsWhatIstioctlFinds(t *testing.T) {
	const shared = "../shared"
	if _, err := os.Stat(shared + "/captures"); err != nil {
		t.Skip("no captures here")
	}
	var out bytes.Buffer
	if code, stderr := program.RunTo(&out, "--snapshot", shared+"/captures/bookinfo", "diff"); code != 0 || stderr != "" || strings.Count(out.String(), " Match\n") != 7*5 {
		t.Errorf("bookinfo: exit code %d\n%s%s", code, out.String(), stderr)
	}
	theirs, _ := filepath.Glob(shared + "/istioctl/stale/ps-diff.*.txt")
	for _, path := range theirs {
		proxy := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "ps-diff."), ".txt")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out.Reset()
		code, stderr := program.RunTo(&out, "--snapshot", shared+"/captures/stale", "diff", proxy)
		found := countDiffLines(string(text))
		switch {
		case (code == 1) != (len(found) > 0) || stderr != "":
			t.Errorf("%s: exit code %d, and istioctl found %d: %s", proxy, code, len(found), stderr)
		case strings.HasPrefix(proxy, "ratings-v1"): // istioctl shows a rejected resource as entirely new
			if !regexp.MustCompile(`(?m)^-.*"bogus.filter"`).Match(out.Bytes()) || !strings.Contains(out.String(), "Envoy rejected virtualInbound: Didn't find") {
				t.Error(out.String())
			}
		case !maps.Equal(countDiffLines(out.String()), found):
			t.Errorf("%s: %v, and istioctl %v", proxy, countDiffLines(out.String()), found)
		}
	}
}

// writeLargeSnapshot writes a snapshot of one proxy and of its configuration in
// istiod, each of the given size in bytes. It multiplies the resources of the
// demo under other names. In istiod's configuration, every thousandth cluster
// has another policy.
func writeLargeSnapshot(tb testing.TB, bytes int) (dir string, different int) {
	const proxy, pilot = "reviews-v1-7f99cc4496-gdxfn.default", "istiod-78566f45b4-v5qhf.istio-system"
	dir = tb.TempDir()
	sent, held := filepath.Join("pilots", pilot, "config_dump."+proxy+".json"), filepath.Join("proxies", proxy, "config_dump.json")
	wanted := []string{"manifest.json", filepath.Join("pilots", pilot, "syncz.json"), filepath.Join("pilots", pilot, "adsz.json"), sent, held, filepath.Join("pilots", pilot, "edsz."+proxy+".json")}
	if err := unpack.Demo(dir, func(name string) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return strings.HasSuffix(name, w) })
	}); err != nil {
		tb.Fatal(err)
	}
	size := 0
	for _, path := range []string{held, sent} {
		path = filepath.Join(dir, path)
		dump := readJSON(tb, path)
		if size == 0 {
			info, err := os.Stat(path)
			if err != nil {
				tb.Fatal(err)
			}
			size = int(info.Size())
		}
		changed := repeatResources(dump, bytes/size, path == filepath.Join(dir, sent))
		different = max(different, changed)
		text, err := json.MarshalIndent(dump, "", " ")
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return dir, different
}

func readJSON(tb testing.TB, path string) map[string]any {
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

// repeatResources repeats the named resources of a dump. It returns how many it
// changed.
func repeatResources(dump map[string]any, times int, change bool) (changed int) {
	lists := map[string]string{
		"dynamic_active_clusters": "cluster", "dynamicActiveClusters": "cluster", "dynamic_route_configs": "route_config", "dynamicRouteConfigs": "routeConfig",
	}
	n := 0
	for _, part := range dump["configs"].([]any) {
		part := part.(map[string]any)
		for list, field := range lists {
			all, _ := part[list].([]any)
			for i := range times {
				for _, e := range all {
					text, _ := json.Marshal(e)
					var again map[string]any
					_ = json.Unmarshal(text, &again) // this can't fail: Marshal wrote it
					thing := again[field].(map[string]any)
					thing["name"] = fmt.Sprintf("%s-%d", thing["name"], i)
					if n++; change && field == "cluster" && n%1000 == 0 {
						thing["connectTimeout"] = "77s"
						changed++
					}
					part[list] = append(part[list].([]any), again)
				}
			}
		}
	}
	return changed
}

// TestDiffOfLargeDumpsFindsAll checks that diff finds all differences between
// two dumps of 13.5 MB each.
func TestDiffOfLargeDumpsFindsAll(t *testing.T) {
	dir, different := writeLargeSnapshot(t, 13_500_000)
	var out bytes.Buffer
	began := time.Now()
	code, stderr := program.RunTo(&out, "--snapshot", dir, "diff")
	t.Logf("%s", time.Since(began))
	if got := strings.Count(out.String(), `-    "connectTimeout": "77s"`); code != 1 || got != different || got == 0 || strings.Count(out.String(), " Match\n") != 4 {
		t.Errorf("exit code %d, %d of %d: %.2000s%s", code, got, different, out.String(), stderr)
	}
}

func BenchmarkDiff(b *testing.B) {
	dir, _ := writeLargeSnapshot(b, 13_500_000)
	for b.Loop() {
		if code, stderr := program.RunTo(io.Discard, "--snapshot", dir, "diff"); code != 1 {
			b.Fatal(code, stderr)
		}
	}
}
