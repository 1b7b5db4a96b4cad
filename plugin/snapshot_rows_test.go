package plugin

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

// rowsIn returns the rows of the files that match a pattern.
func rowsIn(t *testing.T, pattern string) (rows []map[string]any) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<26)
		for lines.Scan() {
			var row map[string]any
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

const demoHour = "cluster=Kubernetes/date=2026-11-22/hour=13"

// TestSnapshotRowsAreTheDocument compares the number of rows of each section with
// the document of the snapshot beside them, and the names in their order.
func TestSnapshotRowsAreTheDocument(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	out, errs, code := call(t, "snapshot", "--snapshot", "demo", "--to", dir)
	if code != process.ExitOK || out != "" || !strings.Contains(errs, filepath.Join(dir, demoHour)+": ") {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	place := filepath.Join(dir, demoHour)
	total := 0
	for _, section := range []string{"clusters", "listeners", "routes", "endpoints", "secrets", "extensions"} {
		rows := rowsIn(t, filepath.Join(place, section+".ndjson.gz"))
		var got strings.Builder
		for _, row := range rows {
			b, _ := json.Marshal([]any{row["kind"], row["proxy"], row["name"]})
			got.Write(append(b, '\n'))
		}
		want, _, _ := call(t, "--snapshot", filepath.Join(place, "mesh.tar.zst"), "-c", ".proxies[] | .id as $p | ."+section+"[] | [.kind, $p, .name]")
		if got.String() != want {
			t.Errorf("%s:\n%s\nwant\n%s", section, got.String(), want)
		}
		total += len(rows)
	}
	if total < 400 || len(rowsIn(t, filepath.Join(place, "proxies.ndjson.gz"))) != 7 {
		t.Errorf("%d rows", total)
	}
	for _, row := range rowsIn(t, filepath.Join(place, "reads.ndjson.gz")) {
		if row["read"] != true || row["fault"] != nil || row["elements"] == nil {
			t.Errorf("%v: want a section that was read", row)
		}
	}
	if rest := names(t, dir); len(rest) != 1 {
		t.Errorf("the folder holds %v", rest)
	}

	_, errs, code = call(t, "snapshot", "--snapshot", "demo", "--to", dir)
	if code != process.ExitUsage || !strings.Contains(errs, "hour=13: there is one; --force replaces it") || len(names(t, dir)) != 1 {
		t.Errorf("a second recording: exit code %d: %s, %v", code, errs, names(t, dir))
	}
	_, errs, code = call(t, "snapshot", "--snapshot", "demo", "--to", dir, "--force", "--sections", "clusters")
	if code != process.ExitOK || len(names(t, dir)) != 1 || strings.Contains(strings.Join(names(t, place), " "), "listeners") {
		t.Errorf("--force: exit code %d: %s, %v", code, errs, names(t, place))
	}
	if _, _, code := call(t, "snapshot", "--snapshot", "demo", "--to", dir, "--shard", "1/2"); code != process.ExitUsage {
		t.Errorf("--shard: exit code %d", code)
	}
}

// TestSnapshotRowsNameWhatWasNotRead removes the config dump of one proxy: the rows
// of the others are complete, and reads.ndjson.gz has a fault for each section of
// the proxy.
func TestSnapshotRowsNameWhatWasNotRead(t *testing.T) {
	const victim = "reviews-v1-7f99cc4496-gdxfn.default"
	mesh, dir := t.TempDir(), t.TempDir()
	if err := unpack.Demo(mesh, func(name string) bool { return !strings.HasSuffix(name, victim+"/config_dump.json") }); err != nil {
		t.Fatal(err)
	}
	_, errs, code := call(t, "snapshot", "--snapshot", mesh, "--to", dir)
	if code != process.ExitPartial {
		t.Errorf("exit code %d: %s", code, errs)
	}
	place := filepath.Join(dir, demoHour)
	faults := 0
	for _, row := range rowsIn(t, filepath.Join(place, "reads.ndjson.gz")) {
		unread := row["proxy"] == victim && row["section"] == "clusters"
		if unread && (row["read"] != false || row["elements"] != nil || row["fault"] == nil) {
			t.Errorf("%v: want a fault", row)
		}
		if unread {
			faults++
		}
		if row["proxy"] != victim && row["read"] != true {
			t.Errorf("%v: want a section that was read", row)
		}
	}
	if faults != 1 {
		t.Errorf("%d rows for the clusters of %s", faults, victim)
	}
	others := map[any]bool{}
	for _, row := range rowsIn(t, filepath.Join(place, "clusters.ndjson.gz")) {
		others[row["proxy"]] = true
	}
	if len(others) != 6 || others[victim] {
		t.Errorf("clusters of %v", others)
	}
}
