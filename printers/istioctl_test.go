package printers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// sharedDir is the directory with captures of real meshes and istioctl's output
// for them.
const sharedDir = "../../shared"

// cells parses a table into a map from header to cell for each row. A column
// begins where its header does.
func cells(text string, headers ...string) (rows []map[string]string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var at []int
	from := 0
	for _, h := range headers {
		i := strings.Index(lines[0][from:], h)
		if i < 0 {
			return nil
		}
		at = append(at, from+i)
		from += i + len(h)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, h := range headers {
			end := len(line)
			if i+1 < len(at) {
				end = at[i+1]
			}
			row[h] = strings.TrimSpace(cutRunes(line, at[i], end))
		}
		rows = append(rows, row)
	}
	return rows
}

// cutRunes returns a part of a line; from and to count runes, like the table's
// layout.
func cutRunes(s string, from, to int) string {
	if utf8.RuneCountInString(s) == len(s) {
		return s[min(from, len(s)):min(max(from, to), len(s))]
	}
	r := []rune(s)
	return string(r[min(from, len(r)):min(max(from, to), len(r))])
}

// sortedLines converts rows to sorted lines of text. It replaces a cell that is
// a key of same by its value, so that different texts for the same fact are
// equal.
func sortedLines(rows []map[string]string, headers []string, same map[string]string) (out []string) {
	for _, row := range rows {
		var line []string
		for _, h := range headers {
			text := row[h]
			if s, ok := same[text]; ok {
				text = s
			}
			if strings.HasPrefix(text, "Clusters: ") {
				text = "Cluster:" // istioctl doesn't print weighted clusters of TCP
			}
			line = append(line, text)
		}
		out = append(out, strings.Join(line, " | "))
	}
	slices.Sort(out)
	return out
}

func TestTablesAreIstioctls(t *testing.T) {
	for _, mesh := range []string{"stale", "bookinfo"} {
		proxies, err := filepath.Glob(filepath.Join(sharedDir, "captures", mesh, "proxies", "*"))
		if err != nil || len(proxies) == 0 {
			t.Skip("no captures here")
		}
		for _, dir := range proxies {
			id := filepath.Base(dir)
			c := openCapture(t, id, filepath.Join(dir, "config_dump.json"))
			theirs := func(table string) string {
				text, err := os.ReadFile(filepath.Join(sharedDir, "istioctl", mesh, "pc-"+table+"."+id+".txt"))
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			// istioctl's cells are empty where these tables print -
			same := map[string]string{"-": "", "BlackHoleCluster": "Non-HTTP/Non-TCP"}
			compare := func(table string, values []any, o Options, headers []string, ours map[string]string, next ...string) {
				t.Helper()
				want := sortedLines(cells(theirs(table), headers...), headers, same)
				var mine []string
				for _, h := range headers {
					if o, ok := ours[h]; ok {
						h = o
					}
					mine = append(mine, h)
				}
				rows := cells(render(t, o, values...), append(slices.Clone(mine), next...)...)
				rows = slices.DeleteFunc(rows, func(r map[string]string) bool {
					// istioctl omits these rows
					return table == "route" && (r["DESTINATION"] == "PassthroughCluster" || r["VHOST"] == "-")
				})
				got := sortedLines(rows, mine, same)
				if len(want) == 0 || !slices.Equal(got, want) {
					t.Errorf("%s %s %s:\n%s\nwant\n%s", mesh, id, table, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			compare("cluster", c.clusters(), Options{}, []string{"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"}, nil)
			accepted := slices.DeleteFunc(c.listeners(), func(v any) bool { return render(t, Options{Format: "jsonpath={.state}"}, v) == "REJECTED" })
			compare("listener", accepted, Options{Format: "wide"}, []string{"ADDRESSES", "PORT", "MATCH", "DESTINATION"}, nil, "STATE")
			compare("route", c.routes(), Options{Format: "wide"}, []string{"NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"}, map[string]string{"VHOST NAME": "VHOST"}, "STATE", "DESTINATION")
			compare("secret", c.secrets(), Options{}, []string{"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"}, map[string]string{"RESOURCE NAME": "NAME"})
			compare("endpoint", c.endpoints(filepath.Join(dir, "clusters.json")), Options{Format: "wide"}, []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"}, nil, "WEIGHT")
		}
	}
}

func TestZTunnelTablesAreIstioctls(t *testing.T) {
	file := filepath.Join(sharedDir, "istio-testdata", "ztunnel.config_dump.json")
	if _, err := os.Stat(file); err != nil {
		t.Skip("no data of a ztunnel here")
	}
	owner := ztunnel(t, file)
	section := func(name string) []any {
		v, err := owner.Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v.Get(name).([]any)
	}
	summary := func(name string) string {
		text, err := os.ReadFile(filepath.Join(sharedDir, "istio-testdata", "ztunnel."+name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, services, _ := strings.Cut(summary("allsummary"), "NAMESPACE      SERVICE NAME")
	services, _, _ = strings.Cut("NAMESPACE      SERVICE NAME"+services, "\n\n")
	same := map[string]string{"-": ""}
	for _, c := range []struct {
		table   string
		values  []any
		headers []string
	}{
		{summary("workloadsummary"), section("workloads"), []string{"NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"}},
		{services, section("services"), []string{"NAMESPACE", "SERVICE NAME", "SERVICE VIP", "WAYPOINT", "ENDPOINTS"}},
		{summary("policies"), section("policies"), []string{"NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"}},
	} {
		want := sortedLines(cells(c.table, c.headers...), c.headers, same)
		got := sortedLines(cells(render(t, Options{}, c.values...), c.headers...), c.headers, same)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
