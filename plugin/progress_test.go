package plugin

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/requests"
)

// A screen simulates a terminal with one line, and records the lines that scrolled
// out of it.
type screen struct {
	mu    sync.Mutex
	above string
	line  string
	drawn bool // whether anything was ever drawn
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(b)
	for text != "" {
		switch {
		case text[0] == '\r':
			rest := text[1:]
			end := strings.Index(rest, "\x1b[K")
			if end < 0 {
				panic("a return without clearing the line")
			}
			s.line, text, s.drawn = rest[:end], rest[end+len("\x1b[K"):], true
		case text[0] == '\n':
			s.above += s.line + "\n"
			s.line, text = "", text[1:]
		default:
			s.line += text[:1]
			text = text[1:]
		}
	}
	return len(b), nil
}

func (s *screen) is(t *testing.T, when, above, line string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.above != above || s.line != line {
		t.Errorf("%s: %q above %q, want %q above %q", when, s.above, s.line, above, line)
	}
}

func TestProgressLine(t *testing.T) {
	s, now := &screen{}, time.Unix(1e9, 0)
	is, width := requests.Progress{}, 80
	p := &run.Progress{Out: s, Width: func() int { return width }, Now: func() time.Time { return now }, Began: now}
	after := func(d time.Duration) { now = now.Add(d); p.Draw() }

	after(900 * time.Millisecond)
	s.is(t, "a short run", "", "")
	after(100 * time.Millisecond)
	s.is(t, "nothing to follow", "", "opening the mesh")
	p.Follow(func() requests.Progress { return is })
	is = requests.Progress{Phase: "asking proxies", Done: 1, Total: 16}
	after(time.Second)
	s.is(t, "no bytes yet", "", "asking proxies  1/16")
	is = requests.Progress{Phase: "asking proxies", Done: 312, Total: 2000, Bytes: 148_400_000}
	after(time.Second)
	s.is(t, "bytes", "", "asking proxies  312/2000  148 MB  148 MB/s")
	is.Bytes += 1_000_000
	after(time.Second)
	after(2 * time.Second)
	s.is(t, "only what came lately counts", "", "asking proxies  312/2000  149 MB")
	if _, err := io.WriteString(p, "note: something\n"); err != nil {
		t.Fatal(err)
	}
	s.is(t, "a note", "note: something\n", "")
	width = 20
	after(0)
	s.is(t, "a narrow terminal", "note: something\n", "asking proxies  312")
	p.Wait("wäiting for whatever comes")
	after(0)
	s.is(t, "waiting", "note: something\n", "wäiting for whateve")
	p.End()
	after(time.Second)
	s.is(t, "the end", "note: something\n", "")
}

func TestInBrief(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 999.5: "1.0 kB", 9_940: "9.9 kB", 9_960: "10 kB", 148_400_000: "148 MB", 999_600: "1.0 MB", 3e12: "3000 GB"} {
		if got := run.InBrief(n); got != want {
			t.Errorf("%g is %s, want %s", n, got, want)
		}
	}
}

// TestProgressOfARun checks whether a run prints a progress line while the mesh is
// slow to respond, on a terminal and without one.
func TestProgressOfARun(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		args     []string
		environ  []string
		want     string
	}{
		{"a terminal", true, nil, nil, "opening the mesh"},
		{"no terminal", false, nil, nil, ""},
		{"quiet", true, []string{"-q"}, nil, ""},
		{"a dumb terminal", true, nil, []string{"TERM=dumb"}, ""},
		{"without colours", true, nil, []string{"NO_COLOR=1", "TERM=xterm"}, "opening the mesh"},
	} {
		in, feed := io.Pipe()
		var printed bytes.Buffer
		told := &screen{}
		ticks := make(chan time.Time, 1)
		var now atomic.Int64
		w := &process.World{
			Args: append([]string{"kubectl-meshq", "--snapshot", "-", "-Mr", ".proxies[0].type"}, c.args...),
			In:   in, Out: &printed, Err: told, ErrTerminal: c.terminal, Environ: c.environ,
			Now:   func() time.Time { return time.Unix(now.Add(1), 0) },
			Every: func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} },
		}
		code := make(chan int)
		go func() { code <- Main(w) }()
		ticks <- time.Time{}
		for range 2 {
			if c.want != "" {
				ticks <- time.Time{} // when the program receives the second tick, it has drawn the line for the first
			}
		}
		told.is(t, c.name, "", c.want)
		if _, err := feed.Write(demo.Archive); err != nil {
			t.Fatal(err)
		}
		feed.Close()
		if got := <-code; got != process.ExitOK {
			t.Errorf("%s: exit code %d", c.name, got)
		}
		told.is(t, c.name+", ended", "", "")
		if told.drawn != (c.want != "") {
			t.Errorf("%s: drawn: %t", c.name, told.drawn)
		}
		if printed.Len() == 0 && c.args == nil {
			t.Errorf("%s: nothing was printed", c.name)
		}
	}
}
