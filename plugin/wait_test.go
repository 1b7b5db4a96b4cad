package plugin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const allSynced = `all(.proxies[]; .rds=="SYNCED" or .rds=="IGNORED")`

// heal makes every proxy accept its routes.
func heal(t *testing.T, p *pilot) {
	t.Helper()
	for _, s := range p.syncz {
		if _, subscribed := s.Get("resources").(*object.Object).Lookup(rdsURL); subscribed {
			p.ack(t, s.Get("proxy").(string), true)
		}
	}
}

func TestWait(t *testing.T) {
	p := startPilot(t)
	heal(t, p)
	p.ack(t, theReviews, false)
	var s session
	s.run(t, func(n int) bool {
		switch n {
		case 3:
			p.change(func() { p.broken = true })
		case 4:
			p.change(func() { p.broken = false })
			p.ack(t, theReviews, true)
		}
		return true
	}, "wait", allSynced, "--pilot", p.URL)
	if s.code != process.ExitOK || s.out.Len()+s.err.Len() > 0 {
		t.Errorf("exit code %d: %s%s", s.code, s.out.String(), s.err.String())
	}
	if want := fmt.Sprint(seconds(1, 1.5, 2.25, 1)); fmt.Sprint(s.pauses) != want {
		t.Errorf("paused %v, want %s", s.pauses, want)
	}
}

// TestWaitInVain checks the error message and the exit code if the value doesn't
// become true before the timeout, and other ways in which wait can end.
func TestWaitInVain(t *testing.T) {
	p := startPilot(t)
	heal(t, p)
	p.ack(t, theReviews, false)
	broken := startPilot(t)
	broken.broken = true
	late := []string{"--pilot", p.URL, "--timeout", "1m"}
	once := []string{"--pilot", p.URL, "--timeout", "0"}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{append(late, allSynced), process.ExitFound, "error: timed out after 60s: the last value was false\n"},
		{append(late, "null"), process.ExitUsage, "error: no query named null; for jq write '.|null'\n"},
		{append(late, ".nothing"), process.ExitFound, "error: timed out after 60s: the last value was null\n"},
		{append(late, ".|empty"), process.ExitFound, "error: timed out after 60s: there was no result\n"},
		{append(late, "true, false", "reviews-v1"), process.ExitFound, "error: timed out after 60s: the last value was false\n"},
		{append(late, ".proxies", "none"), process.ExitFound, "error: timed out after 60s: no proxy named none\n"},
		{append(late, `.proxy("none")`), process.ExitFound, "error: timed out after 60s: query:1:2: no proxy named none\n    .proxy(\"none\")\n     ^^^^^\n"},
		{append(late, `"a" | halt_error(9)`), 9, "a"},
		{append(late, `.proxies |`), process.ExitCompile, "error: "},
		{append(late, "--input", "x.json", "."), process.ExitUsage, "plain JSON doesn't change"},
		{append(late, "-w", "."), process.ExitUsage, "unknown shorthand flag"},
		{append(once, allSynced), process.ExitFound, "error: the last value was false\n"},
		{append(once, "true, 0"), process.ExitOK, ""},
		{append(once, "-Q", "true"), process.ExitOK, ""},
		{append(once, "--args", `$ARGS.positional == ["a"]`, "a"), process.ExitOK, ""},
		{[]string{"--snapshot", "demo", "false, .proxies"}, process.ExitOK, ""},
		{[]string{"--snapshot", "demo", "true, false"}, process.ExitFound, "error: the last value was false\n"},
		{[]string{"--snapshot", "demo", ".wasmPlugins | true"}, process.ExitOK, ""},
		{[]string{"--pilot", broken.URL, allSynced}, process.ExitUsage, "error: nothing could be read: "},
		{[]string{"--pilot", p.URL}, process.ExitUsage, "error: wait: no query to wait for\n"},
	} {
		var s session
		s.run(t, nil, append([]string{"wait"}, c.args...)...)
		if s.code != c.code || !strings.HasPrefix(s.err.String(), c.says) && !strings.Contains(s.err.String(), c.says) || c.says == "" && s.err.Len() > 0 || s.out.Len() > 0 {
			t.Errorf("%q: exit code %d: %s%s", c.args, s.code, s.out.String(), s.err.String())
		}
	}
}

// TestWaitForAPart checks that wait doesn't end while a part of the mesh can't be
// read, even if the value is true for the rest.
func TestWaitForAPart(t *testing.T) {
	p, lost := startPilot(t), startPilot(t)
	lost.broken = true
	args := []string{"wait", `.proxies | length > 0`, "--pilot", p.URL, "--pilot", lost.URL}
	var s session
	s.run(t, func(n int) bool {
		if n == 2 {
			lost.change(func() { lost.broken = false })
		}
		return true
	}, args...)
	if s.code != process.ExitOK || len(s.pauses) != 2 {
		t.Errorf("exit code %d after %v: %s", s.code, s.pauses, s.err.String())
	}
	lost.change(func() { lost.broken = true })
	for _, c := range []struct {
		arg  string
		code int
		says string
	}{
		{"--timeout=0", process.ExitPartial, "error: the last value was true, but not all of the mesh could be read\n"},
		{"--allow-partial", process.ExitOK, "503 Service Unavailable"},
	} {
		var s session
		s.run(t, func(int) bool { t.Error("it waits"); return false }, append(args, c.arg)...)
		if s.code != c.code || !strings.Contains(s.err.String(), c.says) || !strings.Contains(s.err.String(), "syncz") {
			t.Errorf("%s: exit code %d: %s", c.arg, s.code, s.err.String())
		}
	}
}

func TestWaitInterrupted(t *testing.T) {
	p := startPilot(t)
	var s session
	s.run(t, func(int) bool { return false }, "wait", ".takenAt", "--pilot", p.URL)
	if s.code != process.ExitInterrupted || s.err.String() != "error: interrupted\n" {
		t.Errorf("exit code %d: %s", s.code, s.err.String())
	}
}
