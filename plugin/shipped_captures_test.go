package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// captures is the folder that contains recordings of a real mesh and the output
// that istioctl printed for it at the same time.
const captures = "../../shared"

// said runs a command line that must succeed, and returns what it prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	w := &process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now}
	if code := Main(w); code != process.ExitOK {
		t.Fatalf("%q: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// cellsOf parses a table. For each line, it returns the cells of the given columns.
// The cells of a column begin at the same position as its header.
func cellsOf(t *testing.T, text string, headers []string) (rows [][]string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	header := []rune(lines[0])
	var from, to []int
	at := 0
	for _, h := range headers {
		i := strings.Index(string(header[at:])+" ", h+" ")
		if i < 0 {
			t.Fatalf("no column %s in %s", h, lines[0])
		}
		at += len([]rune(string(header[at:])[:i]))
		from = append(from, at)
		end := at + len([]rune(h))
		for end < len(header) && !(header[end] != ' ' && header[end-1] == ' ' && header[end-2] == ' ') {
			end++
		}
		if padded := end < len(header); !padded {
			end = 1 << 20
		}
		to = append(to, end)
		at++
	}
	for i := range to[:len(to)-1] {
		to[i] = min(to[i], from[i+1]) // columns may be separated by only one space
	}
	for _, line := range lines[1:] {
		runes := []rune(line)
		var cells []string
		for i := range headers {
			cells = append(cells, strings.TrimSpace(string(runes[min(from[i], len(runes)):min(to[i], len(runes))])))
		}
		rows = append(rows, cells)
	}
	return rows
}

// A counterpart is a query whose table contains the same cells as a table of
// istioctl.
type counterpart struct {
	query  []string
	theirs string   // the file name of istioctl's output, without the name of the proxy
	ours   []string // the headers of our columns to compare
	like   []string // istioctl's headers of the same columns; empty if they are the same
	but    string   // the differences that are intended, and the reasons
	once   bool     // whether equal rows are compared only once
	leave  func(row []string) bool
	change func(row []string)
}

// counterparts are the tables to compare. Each entry describes the differences that
// are intended.
var counterparts = []counterpart{
	{
		query: []string{"clusters"}, theirs: "cluster",
		ours: []string{"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"},
		but:  "an empty cell says -, as the others of a row do",
	},
	{
		query: []string{"listeners"}, theirs: "listener",
		ours:   []string{"ADDRESSES", "PORT", "MATCH", "DESTINATION"},
		but:    "a chain that ends in the cluster BlackHoleCluster says so; weighted clusters of TCP are named, where istioctl knows none",
		change: func(row []string) { row[3] = destination(row[3]) },
	},
	{
		query: []string{"routes"}, theirs: "route",
		ours: []string{"NAME", "VHOST", "DOMAINS", "MATCH", "VIRTUAL SERVICE"}, like: []string{"NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"},
		but:   "routes to PassthroughCluster, and configurations without a virtual host, are shown: they are what Envoy would do; what Envoy lists twice, alike, is there once",
		once:  true,
		leave: func(row []string) bool { return row[1] == "" || row[1] == "allow_any" },
	},
	{
		query: []string{"endpoints"}, theirs: "endpoint",
		ours: []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"},
		but:  "nothing",
	},
	{
		query: []string{"secrets"}, theirs: "secret",
		ours: []string{"NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"}, like: []string{"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
		but: "nothing",
	},
}

func destination(text string) string {
	if text == "BlackHoleCluster" {
		return "Non-HTTP/Non-TCP"
	}
	if strings.HasPrefix(text, "Clusters: ") {
		return "Cluster:"
	}
	return text
}

// compared returns the rows of a table in a form that can be compared. It sorts
// them, because istioctl's order differs from ours.
func (l counterpart) compared(t *testing.T, text string, headers []string) (out []string) {
	for _, row := range cellsOf(t, text, headers) {
		for i := range row {
			if row[i] == "-" || row[i] == "<none>" {
				row[i] = ""
			}
		}
		if l.leave != nil && l.leave(row) {
			continue
		}
		if l.change != nil {
			l.change(row)
		}
		out = append(out, strings.Join(row, " | "))
	}
	slices.Sort(out)
	if l.once {
		out = slices.Compact(out)
	}
	return out
}

func eachCapture(t *testing.T, f func(t *testing.T, snapshot, istioctl string, proxies []string)) {
	for _, mesh := range []string{"bookinfo", "stale"} {
		dirs, err := filepath.Glob(filepath.Join(captures, "captures", mesh, "proxies", "*"))
		if err != nil || len(dirs) == 0 {
			t.Skip("no recordings here")
		}
		var proxies []string
		for _, dir := range dirs {
			proxies = append(proxies, filepath.Base(dir))
		}
		t.Run(mesh, func(t *testing.T) {
			f(t, filepath.Join(captures, "captures", mesh), filepath.Join(captures, "istioctl", mesh), proxies)
		})
	}
}

func file(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIstioctlTables checks that our tables have the same rows as those that
// istioctl printed for each proxy.
func TestIstioctlTables(t *testing.T) {
	eachCapture(t, func(t *testing.T, snapshot, istioctl string, proxies []string) {
		for _, proxy := range proxies {
			for _, l := range counterparts {
				theirs := l.like
				if theirs == nil {
					theirs = l.ours
				}
				want := l.compared(t, file(t, istioctl, "pc-"+l.theirs+"."+proxy+".txt"), theirs)
				got := l.compared(t, said(t, append(l.query, proxy, "--snapshot", snapshot)...), l.ours)
				if len(want) == 0 || !slices.Equal(got, want) {
					t.Errorf("%s %s:\n%s\nwant\n%s\nbut for %s", proxy, l.query, strings.Join(got, "\n"), strings.Join(want, "\n"), l.but)
				}
			}
		}
	})
}

// TestIstioctlBootstrap checks that the bootstrap configuration of each proxy is
// the same as in istioctl's output. istioctl wraps it in an object that also
// contains the time.
func TestIstioctlBootstrap(t *testing.T) {
	eachCapture(t, func(t *testing.T, snapshot, istioctl string, proxies []string) {
		for _, proxy := range proxies {
			var want struct{ Bootstrap *object.Object }
			var got *object.Object
			if err := object.Unmarshal([]byte(file(t, istioctl, "pc-bootstrap."+proxy+".txt")), &want); err != nil {
				t.Fatal(err)
			}
			if err := object.Unmarshal([]byte(said(t, "bootstrap", proxy, "--snapshot", snapshot, "-o", "json")), &got); err != nil {
				t.Fatal(err)
			}
			// The list of extensions may be missing in one of the two outputs, so only keys that
			// both have are compared.
			for key := range want.Bootstrap.All() {
				if key != "node" && !object.Equal(want.Bootstrap.Get(key), got.Get(key)) {
					t.Errorf("%s: %s: %v, want %v", proxy, key, got.Get(key), want.Bootstrap.Get(key))
				}
			}
			short := strings.Fields(said(t, "pc", "b", proxy, "--snapshot", snapshot, "-o", "short", "--no-headers"))
			for _, line := range strings.Split(file(t, istioctl, "pc-all."+proxy+".txt"), "\n")[:2] {
				if fields := strings.Fields(line); len(fields) == 0 || !slices.Contains(short, fields[len(fields)-1]) {
					t.Errorf("%s: %q is not in %q", proxy, line, short)
				}
			}
		}
	})
}

// TestIstioctlStatus checks that the sync states are the same as in the output of
// istioctl proxy-status -v 1. The ages may differ by ten seconds, because istioctl
// ran a little later.
func TestIstioctlStatus(t *testing.T) {
	eachCapture(t, func(t *testing.T, snapshot, istioctl string, _ []string) {
		text, mine := file(t, istioctl, "ps-v1.txt"), said(t, "ps", "--snapshot", snapshot)
		for _, header := range []string{"CDS", "LDS", "EDS", "RDS", "SDS", "VERSION"} {
			if header == "SDS" && !strings.Contains(text, header) {
				continue
			}
			theirs, ours := cellsOf(t, text, []string{"NAME", header}), cellsOf(t, mine, []string{"NAME", header})
			if len(theirs) == 0 || len(theirs) != len(ours) {
				t.Fatalf("%d rows, want %d", len(ours), len(theirs))
			}
			for i, want := range theirs {
				got := ours[i]
				word, age, _ := strings.Cut(want[1], " (")
				ourWord, ourAge, _ := strings.Cut(got[1], " (")
				if got[0] != want[0] || word != ourWord || !near(t, age, ourAge) {
					t.Errorf("%s: %s is %s, want %s", want[0], header, got, want)
				}
			}
		}
	})
}

// near reports whether two ages differ by at most ten seconds.
func near(t *testing.T, a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	x, err := time.ParseDuration(strings.TrimSuffix(a, ")"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := time.ParseDuration(strings.TrimSuffix(b, ")"))
	return err == nil && (x-y).Abs() <= 10*time.Second
}

// TestIstioctlZtunnel checks that our tables of a ztunnel are the same as
// istioctl's.
func TestIstioctlZtunnel(t *testing.T) {
	dump := filepath.Join(captures, "istio-testdata", "ztunnel.config_dump.json")
	if _, err := os.Stat(dump); err != nil {
		t.Skip("no data of a ztunnel here")
	}
	for _, l := range []counterpart{
		{query: []string{"zc", "workloads"}, theirs: "workloadsummary", ours: []string{"NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"}},
		{query: []string{"zc", "connections"}, theirs: "connectionsummary", ours: []string{"WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", "PROTOCOL"}},
		{query: []string{"zc", "policies"}, theirs: "policies", ours: []string{"NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"}},
		{
			query: []string{"zc", "certificates"}, theirs: "secretsummary",
			ours: []string{"NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER"},
			like: []string{"CERTIFICATE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER"},
			but:  "what is not known says -, not NA",
			change: func(row []string) {
				row[1], row[4] = strings.TrimSuffix(row[1], "NA"), strings.TrimSuffix(row[4], "NA")
			},
		},
	} {
		theirs := l.like
		if theirs == nil {
			theirs = l.ours
		}
		want := l.compared(t, file(t, captures, "istio-testdata", "ztunnel."+l.theirs+".txt"), theirs)
		got := l.compared(t, said(t, append(l.query, "-f", dump)...), l.ours)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", l.query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
