package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A report is the content of BENCHMARKS.md: the goals for performance, with what was
// measured, and tables of measurements.
type report struct {
	goals  []goal
	tables []table
}

// A goal is a requirement on performance, and the measurement that was compared with it.
type goal struct {
	work, must, measured string
	met                  bool
}

type table struct {
	title, note string
	head        []string
	rows        [][]string
}

func (r *report) addGoal(work, must string, met bool, measured string, args ...any) {
	r.goals = append(r.goals, goal{work, must, fmt.Sprintf(measured, args...), met})
}

func (r *report) add(t table) { r.tables = append(r.tables, t) }

func (r *report) write(w io.Writer, o *options) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# Benchmarks\n\nWritten by `make bench` on %s. Every figure is the median of fresh processes that took turns on one machine;\n"+
		"a ratio compares programs of the same run. The fleets are simulated (`test/fleet`), in a process whose own CPU time is told\nbut not counted; on a machine with few cores it still takes its share of the time that passes.\n\n", o.date)
	fmt.Fprintf(out, "%s\n", machine(o))
	for _, f := range r.goals {
		if f.met {
			continue
		}
		fmt.Fprintf(out, "- **Not met:** %s: must be %s; measured %s.\n", f.work, f.must, f.measured)
	}
	fmt.Fprint(out, "\n## What must be so\n\n")
	summary := table{head: []string{"work", "must be", "measured", "met"}}
	for _, f := range r.goals {
		met := "yes"
		if !f.met {
			met = "**no**"
		}
		summary.rows = append(summary.rows, []string{f.work, f.must, f.measured, met})
	}
	summary.write(out)
	for _, t := range r.tables {
		fmt.Fprintf(out, "\n## %s\n\n", t.title)
		if t.note != "" {
			fmt.Fprintf(out, "%s\n\n", t.note)
		}
		if t.head != nil {
			t.write(out)
		}
	}
	return out.Flush()
}

func (t table) write(w io.Writer) {
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	line(t.head)
	fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(t.head)))
	for _, r := range t.rows {
		line(r)
	}
}

// machine returns a description of the machine: what the program can detect, and what the user added with a flag.
func machine(o *options) string {
	s := fmt.Sprintf("Machine: %d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if m := cpuModel(); m != "" {
		s += ", " + m
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		s += ", load " + strings.Join(strings.Fields(string(load))[:2], " and ") + " (of the last minute, of five) at the end"
	}
	if o.machine != "" {
		s += ". " + strings.TrimSuffix(o.machine, ".")
	}
	s += ".\n\nPeers:"
	for i, p := range []struct{ name, path, version string }{{"jq", o.jq, "--version"}, {"gojq", o.gojq, "--version"}, {"jaq", o.jaq, "--version"}, {"istioctl", o.istioctl, "version"}} {
		if i > 0 {
			s += ";"
		}
		s += " " + p.name
		switch path := installed(p.path); {
		case path == "":
			s += " is not installed"
		case p.name == "istioctl": // an istioctl that was built locally doesn't know its version
			s += " is there"
		default:
			if v, err := exec.Command(path, p.version).Output(); err == nil {
				s += " (" + strings.TrimSpace(string(v)) + ")"
			}
		}
	}
	return s + ".\n"
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func millis(d time.Duration) string {
	if d >= 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

func seconds(s float64) string { return millis(time.Duration(s * float64(time.Second))) }

func megabytes(n int64) string {
	switch {
	case n < 1e5:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e7:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d MB", n/1e6)
}

func times(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}
