package plugin

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func seconds(all ...float64) (out []time.Duration) {
	for _, s := range all {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

// TestWatch checks that a watch prints everything once, and then only what changed.
// While nothing changes, it sends requests at growing intervals. If requests fail,
// it reports the error once.
func TestWatch(t *testing.T) {
	p := startPilot(t)
	p.ack(t, theReviews, true)
	var s session
	first := 0
	s.run(t, func(n int) bool {
		switch n {
		case 1:
			first = s.out.Len()
		case 3:
			p.ack(t, theReviews, false)
		case 4:
			p.change(func() { p.broken = true })
		case 6:
			p.change(func() { p.broken = false })
		case 7:
			p.ack(t, theReviews, true)
		case 8:
			p.change(func() { p.syncz = p.syncz[1:] }) // a proxy that disappeared is not printed
		}
		return n < 10
	}, "--pilot", p.URL, "-w", ".proxies[]")
	header, _, _ := strings.Cut(s.out.String(), "\n")
	rows := strings.Split(strings.TrimSuffix(s.out.String()[first:], "\n"), "\n")
	if !strings.HasPrefix(header, "NAME ") || strings.Count(s.out.String(), "NAME ") != 1 || first == 0 {
		t.Errorf("not one header:\n%s", s.out.String())
	}
	if len(rows) != 2 || !strings.HasPrefix(rows[0], theReviews) || !strings.Contains(rows[0], "STALE") || !strings.HasPrefix(rows[1], theReviews) || strings.Contains(rows[1], "STALE") {
		t.Errorf("changed rows:\n%s", s.out.String()[first:])
	}
	if strings.Index(rows[0], "STALE") != strings.Index(header, "RDS") {
		t.Errorf("out of line:\n%s\n%s", header, rows[0])
	}
	if want := fmt.Sprint(seconds(1, 1.5, 2.25, 1, 1.5, 2.25, 3.375, 1, 1, 1.5)); fmt.Sprint(s.pauses) != want {
		t.Errorf("paused %v, want %s", s.pauses, want)
	}
	if lines := strings.Count(s.err.String(), "\n"); lines != 1 || !strings.Contains(s.err.String(), "503") || !strings.HasSuffix(s.err.String(), "; trying again\n") {
		t.Errorf("told:\n%s", s.err.String())
	}
	if s.code != process.ExitInterrupted {
		t.Errorf("exit code %d", s.code)
	}
	if p.Request["/debug/adsz"] != 4 { // adsz is requested only if syncz shows a change
		t.Errorf("asked %v", p.Request)
	}
}

// TestWatchFormats checks that output formats other than a table print each changed
// value as a separate document.
func TestWatchFormats(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{".proxies[] | {id, rds}", "-c"}, `{"id":"` + theReviews + `","rds":"STALE"}` + "\n"},
		{[]string{".proxies[] | {id, rds}", "-o", "json", "-c"}, `{"id":"` + theReviews + `","rds":"STALE"}` + "\n"},
		{[]string{".proxies[] | {id, rds}", "-o", "yaml"}, "---\nid: " + theReviews + "\nrds: STALE\n"},
		{[]string{".proxies[] | .rds", "-r"}, "STALE\n"},
		{[]string{".proxies | map(select(.rds==\"STALE\")) | length"}, "3\n"},
		{[]string{".proxies[]", "-o", "name"}, ""},
		{[]string{".proxies[]", "-o", "custom-columns=X:.rds", "--no-headers"}, "STALE\n"},
		{[]string{".proxies[]", "-o", "jsonpath={.id} {.rds}!"}, theReviews + " STALE!"},
		{[]string{".proxies[] | select(.rds!=\"SYNCED\") | .id", "-r", "--sort-by", ".id"}, theReviews + "\n"},
		{[]string{".proxies[] | select(.rds!=\"SYNCED\").rds", "-q", "--null-input"}, ""},
	} {
		p := startPilot(t)
		p.ack(t, theReviews, true)
		p.ack(t, theRatings, false)
		var s session
		first := 0
		s.run(t, func(n int) bool {
			if n == 1 {
				first = s.out.Len()
				p.ack(t, theReviews, false)
			}
			return n < 2
		}, append([]string{"--pilot", p.URL, "--watch"}, c.args...)...)
		if got := s.out.String()[first:]; got != c.want {
			t.Errorf("%q: %q, want %q\n%s", c.args, got, c.want, s.err.String())
		}
	}
}

func TestWatchRefused(t *testing.T) {
	broken := startPilot(t)
	broken.broken = true
	never := func(int) bool { t.Error("it waits"); return false }
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-w", "--snapshot", "demo"}, process.ExitUsage, "a snapshot doesn't change"},
		{[]string{"-w", "--snapshot", "none such"}, process.ExitUsage, "a snapshot doesn't change"},
		{[]string{"-w", "-q", "--pilot", broken.URL, "."}, process.ExitUsage, "nothing would be seen"},
		{[]string{"-w", "--null-input", "1"}, process.ExitUsage, "plain JSON doesn't change"},
		{[]string{"-w", "--pilot", broken.URL}, process.ExitUsage, "nothing could be read: "},
		{[]string{"-w", "--pilot", startPilot(t).URL, ".proxies[] | .name + 1"}, process.ExitRun, "cannot be added"},
		{[]string{"-w", "--pilot", startPilot(t).URL, ".proxies[0].name | halt_error(9)"}, 9, ""},
		{[]string{"-w", "--pilot", startPilot(t).URL, ".proxies[] |"}, process.ExitCompile, "unexpected"},
	} {
		var s session
		s.run(t, never, c.args...)
		if s.code != c.code || !strings.Contains(s.err.String(), c.says) {
			t.Errorf("%q: exit code %d, %s", c.args, s.code, s.err.String())
		}
	}
}

// TestWatchOfANamedProxy checks that a watch goes on if its proxy disappears. It
// reports that once, and prints the proxy when it is back.
func TestWatchOfANamedProxy(t *testing.T) {
	p := startPilot(t)
	p.ack(t, theReviews, true)
	all := p.syncz
	var s session
	s.run(t, func(n int) bool {
		switch n {
		case 1:
			p.change(func() { p.broken = true })
		case 2:
			p.change(func() {
				p.broken, p.syncz = false, slices.DeleteFunc(slices.Clone(all), func(s *object.Object) bool { return s.Get("proxy") == theReviews })
			})
		case 3:
			p.change(func() { p.syncz = all })
			p.ack(t, theReviews, false)
		}
		return n < 4
	}, "--pilot", p.URL, "-w", ".proxies[].rds", "reviews-v1", "-r")
	if s.out.String() != "SYNCED\nSTALE\n" || strings.Count(s.err.String(), "; trying again\n") != 1 {
		t.Errorf("%q %q", s.out.String(), s.err.String())
	}
}

// TestWatchUntil checks that a watch that has printed something succeeds when
// --timeout is over.
func TestWatchUntil(t *testing.T) {
	p, lost := startPilot(t), startPilot(t)
	lost.broken = true
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, process.ExitOK},
		{[]string{"--fail-on-match"}, process.ExitFound},
		{[]string{"--pilot", lost.URL}, process.ExitPartial},
		{[]string{"--pilot", lost.URL, "--allow-partial"}, process.ExitOK},
	} {
		var s session
		s.run(t, nil, append([]string{"-w", "--timeout", "1m", "--pilot", p.URL, ".proxies | length"}, c.args...)...)
		if s.code != c.code || s.out.Len() == 0 || (s.err.Len() > 0) != (len(c.args) > 1) {
			t.Errorf("%q: exit code %d, %s%s", c.args, s.code, s.out.String(), s.err.String())
		}
	}
}

// TestWatchForLong checks that the number of goroutines doesn't grow during a long
// watch.
func TestWatchForLong(t *testing.T) {
	p := startPilot(t)
	heal(t, p)
	var s session
	early, late := 0, 0
	s.run(t, func(n int) bool {
		p.ack(t, theReviews, n%2 == 0)
		switch n {
		case 20:
			early = runtime.NumGoroutine()
		case 200:
			late = runtime.NumGoroutine()
		}
		return n < 200
	}, "--pilot", p.URL, "-w", ".proxies[].rds", "-r")
	if late > early+5 {
		t.Errorf("%d goroutines after 20 rounds, %d after 200", early, late)
	}
	if lines := strings.Count(s.out.String(), "\n"); lines != len(p.syncz)+199 {
		t.Errorf("%d lines of %d proxies", lines, len(p.syncz))
	}
}
