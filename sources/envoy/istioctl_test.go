package envoy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const shared = "../../../shared/"

// printed parses a table that istioctl printed, and returns the given columns of its
// rows. A cell begins at the offset at which the header of its column begins.
func printed(t *testing.T, text string, columns ...string) (rows [][]string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var at []int
	for _, c := range columns {
		i := strings.Index(lines[0], c)
		if i < 0 {
			t.Fatalf("no column %s in %q", c, lines[0])
		}
		at = append(at, i)
	}
	for _, line := range lines[1:] {
		row := make([]string, len(at))
		for i, from := range at {
			to := len(line)
			if i+1 < len(at) {
				to = min(at[i+1], len(line))
			}
			if from < to {
				row[i] = strings.TrimSpace(line[from:to])
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// current returns those resources of a section that istioctl prints too.
func current(rows []any) []any {
	return slices.DeleteFunc(slices.Clone(rows), func(r any) bool {
		s := one(r, "state")
		return s != "ACTIVE" && s != "STATIC"
	})
}

// sameRows checks that two sets of rows are equal.
func sameRows(t *testing.T, got []string, want [][]string) {
	t.Helper()
	var lines []string
	for _, w := range want {
		line := strings.Join(w, " | ")
		lines = append(lines, line)
	}
	slices.Sort(lines)
	slices.Sort(got)
	equal(t, got, lines)
	if len(want) == 0 {
		t.Error("nothing printed")
	}
}

// cells returns one line for each row, with the given fields as istioctl prints them.
// In place of a missing field, a line contains the text instead.
func cells(rows []any, instead string, fields ...string) (out []string) {
	for _, r := range rows {
		var words []string
		for _, f := range fields {
			w := one(r, f)
			if w == "-" {
				w = instead
			}
			words = append(words, w)
		}
		out = append(out, strings.Join(words, " | "))
	}
	return out
}

// TestIstioctl compares the sections of captured proxies with the tables that istioctl
// printed for the same proxies at the same time.
func TestIstioctl(t *testing.T) {
	dirs, _ := filepath.Glob(shared + "captures/*/proxies/*")
	if dirs == nil {
		t.Skip("no captures here")
	}
	for _, dir := range dirs {
		proxy, capture := filepath.Base(dir), filepath.Base(filepath.Dir(filepath.Dir(dir)))
		if capture == "ambient" {
			continue // the files with istioctl's tables have other names in this capture
		}
		said := func(what string) string {
			b, err := os.ReadFile(shared + "istioctl/" + capture + "/pc-" + what + "." + proxy + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		t.Run(capture+"/"+proxy, func(t *testing.T) {
			p := open(t, dir)
			clustersAsPrinted(t, section(t, p, mesh.Clusters), said("cluster"))
			listenersAsPrinted(t, section(t, p, mesh.Listeners), printed(t, said("listener"), "ADDRESSES", "PORT", "MATCH", "DESTINATION"))
			routesAsPrinted(t, section(t, p, mesh.Routes), printed(t, said("route"), "NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"))
			sameRows(t, cells(section(t, p, mesh.Endpoints), "", "address", "health", "outlier", "cluster"),
				printed(t, said("endpoint"), "ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"))
			sameRows(t, cells(section(t, p, mesh.Secrets), "", "name", "type", "state", "valid", "serialNumber", "notAfter", "notBefore"),
				printed(t, said("secret"), "RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"))
			var want any
			if err := object.Unmarshal([]byte(said("bootstrap")), &want); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, whole(t, p, mesh.Bootstrap), want.(*object.Object).Get("bootstrap"))
		})
	}
}

func clustersAsPrinted(t *testing.T, rows []any, text string) {
	t.Helper()
	var got []string
	for _, c := range current(rows) {
		fqdn := one(c, "name")
		if one(c, "direction") != "-" {
			fqdn = strings.TrimPrefix(one(c, "fqdn"), "-")
		}
		words := []string{fqdn}
		for _, f := range []string{"port", "subset", "direction", "type", "destinationRule"} {
			words = append(words, one(c, f))
		}
		words[5] = strings.TrimPrefix(words[5], "-")
		got = append(got, strings.Join(words, " | "))
	}
	sameRows(t, got, printed(t, text, "SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"))
}

// listenersAsPrinted compares listeners with istioctl's table, which has one row for
// each filter chain.
func listenersAsPrinted(t *testing.T, rows []any, want [][]string) {
	t.Helper()
	var got []string
	for _, l := range current(rows) {
		for range append(dig(l, "filterChains.*"), dig(l, "defaultFilterChain")...) {
			got = append(got, one(l, "host")+" | "+one(l, "port"))
		}
	}
	for i := range want {
		want[i] = want[i][:2]
	}
	sameRows(t, got, want)
}

// routesAsPrinted compares routes with istioctl's table. The table has one row for each
// route except those to PassthroughCluster, and a row with "404" for a virtual host
// without routes. If a dump contains a static route configuration twice, the table
// also has its routes twice.
func routesAsPrinted(t *testing.T, rows []any, want [][]string) {
	t.Helper()
	var got []string
	for _, c := range current(rows) {
		for _, h := range dig(c, "virtualHosts.*") {
			place := one(c, "name") + " | " + one(h, "name") + " | "
			routes := dig(h, "routes.*")
			if len(routes) == 0 {
				got = append(got, place+"404")
			}
			for _, r := range routes {
				if one(r, "route.cluster") != "PassthroughCluster" {
					got = append(got, place+strings.TrimPrefix(one(r, "virtualService"), "-"))
				}
			}
		}
	}
	twins := map[string]int{}
	for _, w := range want {
		twins[strings.Join([]string{w[0], w[1], w[4]}, " | ")]++
	}
	seen := map[string]int{}
	for _, g := range got {
		seen[g]++
		if twins[g] == 0 {
			t.Errorf("not printed: %s", g)
		}
	}
	for w, n := range twins {
		if seen[w] != n && !(seen[w] == 1 && strings.HasPrefix(strings.ToLower(w), "inbound")) {
			t.Errorf("%s: %d times, printed %d times", w, seen[w], n)
		}
	}
}

// sameJSON compares two values as JSON, so that the Go types of numbers don't matter.
func sameJSON(t *testing.T, got, want any) {
	t.Helper()
	a, err := json.Marshal(object.ToPlain(got))
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := object.Unmarshal(a, &plain); err != nil {
		t.Fatal(err)
	}
	a, _ = json.Marshal(object.ToPlain(plain))
	b, err := json.Marshal(object.ToPlain(want))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		t.Errorf("from byte %d on\n got …%.200s\nwant …%.200s", i, a[max(0, i-40):], b[max(0, i-40):])
	}
}

// TestWaypoint compares the sections of a waypoint with the tables of `istioctl pc all`.
func TestWaypoint(t *testing.T) {
	file := shared + "istio-testdata/1.21-waypoint."
	b, err := os.ReadFile(file + "pc-all.txt")
	if err != nil {
		t.Skip("no test data here")
	}
	tables := strings.Split(strings.TrimSpace(string(b)), "\n\n")
	p := NewProxy(nil, folder(t, shared+"istio-testdata", map[string]string{configDump: "1.21-waypoint.config_dump.json"}), when)

	// For a cluster that doesn't belong to a Service, istioctl prints the name twice, the first time after "cluster/".
	clustersAsPrinted(t, section(t, p, mesh.Clusters), strings.ReplaceAll(tables[1], "cluster/", "        "))
	rows := printed(t, tables[2], "NAME", "ADDRESSES", "PORT", "MATCH")
	for i, r := range rows {
		rows[i] = []string{strings.TrimPrefix(r[0], "listener/"), r[1], r[2]}
	}
	var got []string
	for _, l := range section(t, p, mesh.Listeners) {
		if _, ok := l.(*object.Object).Lookup("port"); ok != (one(l, "host") != "-") {
			t.Errorf("%s: host without port", one(l, "name"))
		}
		for range dig(l, "filterChains.*") {
			got = append(got, strings.TrimPrefix(one(l, "name"), "-")+" | "+strings.TrimPrefix(one(l, "host"), "-")+" | "+strings.Replace(one(l, "port"), "-", "0", 1))
		}
	}
	sameRows(t, got, rows)
	rows = printed(t, tables[4], "RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE")
	for i := range rows {
		rows[i][0] = strings.TrimPrefix(rows[i][0], "secret/")
	}
	// istioctl prints only the first certificate of each chain.
	first := slices.CompactFunc(section(t, p, mesh.Secrets), func(a, b any) bool { return one(a, "name") == one(b, "name") })
	sameRows(t, cells(first, "", "name", "type", "state", "valid", "serialNumber", "notAfter", "notBefore"), rows)
	rows = printed(t, tables[5], "NAME", "STATUS", "LOCALITY", "CLUSTER")
	for i := range rows {
		rows[i][0] = strings.TrimPrefix(rows[i][0], "endpoint/")
	}
	sameRows(t, cells(section(t, NewDump(nil, p.fetch, when), mesh.Endpoints), "", "address", "health", "locality", "cluster"), rows)
}
