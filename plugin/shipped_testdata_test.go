package plugin

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// part returns the table with a given header from a text that contains several
// tables, separated by empty lines.
func part(t *testing.T, text, header string) string {
	t.Helper()
	for table := range strings.SplitSeq(text, "\n\n") {
		table = strings.TrimLeft(table, "\n")
		first, _, _ := strings.Cut(table, "\n")
		if strings.HasPrefix(strings.Join(strings.Fields(first), " "), header) {
			return table
		}
	}
	t.Fatalf("no table %s", header)
	return ""
}

// TestIstioctlWaypoint checks that our tables of a waypoint have the same rows as
// the tables in Istio's own test data.
func TestIstioctlWaypoint(t *testing.T) {
	data := filepath.Join(captures, "istio-testdata")
	dump := filepath.Join(data, "1.21-waypoint.config_dump.json")
	if _, err := os.Stat(dump); err != nil {
		t.Skip("no data of a waypoint here")
	}
	text := file(t, data, "1.21-waypoint.pc-all.txt")
	prefix := func(row []string) { // removes the prefixes that istioctl proxy-config all adds to names
		for i := range row {
			for _, kind := range []string{"cluster/", "route/", "secret/", "endpoint/"} {
				row[i] = strings.TrimPrefix(row[i], kind)
			}
		}
	}
	for _, l := range []struct {
		counterpart
		header string
	}{
		{header: "NAME SERVICE FQDN", counterpart: counterpart{
			query: []string{"pc", "c"}, ours: []string{"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"}, change: prefix,
		}},
		{header: "NAME ADDRESSES", counterpart: counterpart{
			query: []string{"pc", "l"}, ours: []string{"ADDRESSES", "PORT", "MATCH", "DESTINATION"},
			but: "a listener without an address is named, with the chains that a matcher chooses from: istioctl has neither but under --waypoint, which is hidden; it says port 0 of it",
			change: func(row []string) {
				if strings.HasPrefix(row[0], "envoy://") && strings.HasPrefix(row[2], "Chain: ") && row[1] == "" {
					row[0], row[1], row[2] = "", "0", "ALL"
				}
			},
		}},
		{header: "NAME VHOST", counterpart: counterpart{
			query: []string{"pc", "r"}, ours: []string{"NAME", "VHOST", "DOMAINS", "MATCH", "VIRTUAL SERVICE"}, like: []string{"NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"},
			change: prefix,
		}},
		{header: "RESOURCE NAME", counterpart: counterpart{
			query: []string{"pc", "s"}, ours: []string{"NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
			like: []string{"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
			but:  "every certificate of a chain is a row: istioctl shows the first",
			leave: func(row []string) bool {
				return row[0] == "default" && row[1] == "CA"
			},
			change: prefix,
		}},
		{header: "NAME STATUS", counterpart: counterpart{
			query: []string{"pc", "eds"}, ours: []string{"ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"}, like: []string{"NAME", "STATUS", "LOCALITY", "CLUSTER"},
			change: prefix,
		}},
	} {
		theirs := l.like
		if theirs == nil {
			theirs = l.ours
		}
		want := l.compared(t, part(t, text, l.header), theirs)
		got := l.compared(t, said(t, append(l.query, "-f", dump)...), l.ours)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s\nbut for %s", l.query, strings.Join(got, "\n"), strings.Join(want, "\n"), l.but)
		}
	}
}

// TestIstioctlZtunnelAll checks that all our tables of a ztunnel are the same as
// istioctl's.
func TestIstioctlZtunnelAll(t *testing.T) {
	data := filepath.Join(captures, "istio-testdata")
	dump := filepath.Join(data, "ztunnel.config_dump.json")
	if _, err := os.Stat(dump); err != nil {
		t.Skip("no data of a ztunnel here")
	}
	theirs, ours := file(t, data, "ztunnel.allsummary.txt"), said(t, "zc", "all", "-f", dump)
	for _, headers := range [][]string{
		{"NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"},
		{"NAMESPACE", "SERVICE NAME", "SERVICE VIP", "WAYPOINT", "ENDPOINTS"},
		{"NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"},
		{"WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", "PROTOCOL"},
	} {
		l := counterpart{}
		want, got := l.compared(t, part(t, theirs, strings.Join(headers, " ")), headers), l.compared(t, part(t, ours, strings.Join(headers, " ")), headers)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%q:\n%s\nwant\n%s", headers, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
