package ambient

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/program"
)

// table splits a table into cells, by the places at which its headers begin. Both
// programs align columns, and separate them by at least one space.
func table(text string) (headers []string, rows [][]string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var starts []int
	first := []rune(lines[0])
	for i := range first {
		isStart := first[i] != ' ' && (i == 0 || first[i-1] == ' ')
		// a header may have several words, separated by one space: a column begins where every row has a space before it
		for _, line := range lines {
			if r := []rune(line); isStart && i > 0 && i-1 < len(r) && r[i-1] != ' ' {
				isStart = false
			}
		}
		if isStart {
			starts = append(starts, i)
		}
	}
	for n, line := range lines {
		r := []rune(line)
		var cells []string
		for c, at := range starts {
			end := len(r)
			if c+1 < len(starts) {
				end = min(end, starts[c+1])
			}
			cell := ""
			if at < end {
				cell = strings.TrimSpace(string(r[at:end]))
			}
			if cell == "-" || cell == "None" {
				cell = ""
			}
			cells = append(cells, cell)
		}
		if n == 0 {
			headers = cells
		} else {
			rows = append(rows, cells)
		}
	}
	return headers, rows
}

// joined returns the sorted rows of a table, with the cells of some columns. Headers of
// several words may have been split where every row has a space; each table is then split
// alike, so the cells are joined again.
func joined(text string, columns []string) []string {
	headers, rows := table(text)
	var out []string
	for _, row := range rows {
		var cells []string
		for _, c := range columns {
			words := strings.Fields(c)
			at := slices.Index(headers, c)
			if at < 0 {
				at = slices.Index(headers, words[0])
			}
			if at < 0 {
				cells = append(cells, "no column "+c)
				continue
			}
			cells = append(cells, row[at])
		}
		out = append(out, strings.Join(cells, " | "))
	}
	slices.Sort(out)
	return out
}

// TestTablesAsIstioctl compares the cells of the tables that istioctl printed for the
// recorded mesh. The column VIRTUAL SERVICE is left out: istioctl has istiod's inner
// names of HTTPRoutes in it.
func TestTablesAsIstioctl(t *testing.T) {
	const printed = "../shared/istioctl/ambient"
	if _, err := os.Stat(printed); err != nil {
		t.Skip(err)
	}
	cells := 0
	for _, c := range []struct{ file, command, columns, rename string }{
		{"ztunnel-4vx8q.workloads.txt", "zc workloads ztunnel-4vx8q", "NAMESPACE,POD NAME,ADDRESS,NODE,WAYPOINT,PROTOCOL", ""},
		{"ztunnel-m9c2h.workloads.txt", "zc workloads ztunnel-m9c2h", "NAMESPACE,POD NAME,ADDRESS,NODE,WAYPOINT,PROTOCOL", ""},
		{"ztunnel-4vx8q.services.txt", "zc services ztunnel-4vx8q", "NAMESPACE,SERVICE NAME,SERVICE VIP,WAYPOINT,ENDPOINTS", ""},
		{"ztunnel-m9c2h.services.txt", "zc services ztunnel-m9c2h", "NAMESPACE,SERVICE NAME,SERVICE VIP,WAYPOINT,ENDPOINTS", ""},
		{"ztunnel-4vx8q.policies.txt", "zc policies ztunnel-4vx8q", "NAMESPACE,POLICY NAME,ACTION,SCOPE", ""},
		{"ztunnel-m9c2h.policies.txt", "zc policies ztunnel-m9c2h", "NAMESPACE,POLICY NAME,ACTION,SCOPE", ""},
		{"ztunnel-4vx8q.certificates.txt", "zc certificates ztunnel-4vx8q", "NAME,TYPE,STATUS,VALID CERT,SERIAL NUMBER,NOT AFTER,NOT BEFORE", "CERTIFICATE NAME"},
		{"ztunnel-m9c2h.certificates.txt", "zc certificates ztunnel-m9c2h", "NAME,TYPE,STATUS,VALID CERT,SERIAL NUMBER,NOT AFTER,NOT BEFORE", "CERTIFICATE NAME"},
		{"ztunnel-4vx8q.connections.txt", "zc connections ztunnel-4vx8q", "WORKLOAD,DIRECTION,LOCAL,REMOTE,REMOTE TARGET,PROTOCOL", ""},
		{"ztunnel-m9c2h.connections-raw.txt", "zc connections ztunnel-m9c2h --raw", "WORKLOAD,DIRECTION,LOCAL,REMOTE,REMOTE TARGET,PROTOCOL", ""},
		{"waypoint.clusters.txt", "pc clusters waypoint", "SERVICE FQDN,PORT,SUBSET,DIRECTION,TYPE,DESTINATION RULE", ""},
		{"productpage.clusters.txt", "pc clusters productpage-v1", "SERVICE FQDN,PORT,SUBSET,DIRECTION,TYPE,DESTINATION RULE", ""},
		{"waypoint.endpoints.txt", "pc endpoints waypoint", "ENDPOINT,STATUS,OUTLIER CHECK,CLUSTER", ""},
		{"productpage.endpoints.txt", "pc endpoints productpage-v1", "ENDPOINT,STATUS,OUTLIER CHECK,CLUSTER", ""},
		{"waypoint.secret.txt", "pc secret waypoint", "NAME,TYPE,STATUS,VALID CERT,SERIAL NUMBER,NOT AFTER,NOT BEFORE", "RESOURCE NAME"},
		{"productpage.secret.txt", "pc secret productpage-v1", "NAME,TYPE,STATUS,VALID CERT,SERIAL NUMBER,NOT AFTER,NOT BEFORE", "RESOURCE NAME"},
	} {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(printed, c.file))
			if err != nil {
				t.Fatal(err)
			}
			out, errs, code := program.Run(t, append([]string{"--snapshot", recording}, strings.Fields(c.command)...)...)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			theirs := strings.Split(c.columns, ",")
			if c.rename != "" {
				theirs = append([]string{c.rename}, theirs[1:]...)
			}
			want, got := joined(string(text), theirs), joined(out, strings.Split(c.columns, ","))
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-istioctl +meshq):\n%s", d)
			}
			cells += len(want) * len(theirs)
		})
	}
	t.Logf("%d cells", cells)
	if cells < 1000 {
		t.Errorf("only %d cells were compared", cells)
	}
}
