//go:build unix

package screens

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShellOnATerminal uses the interactive shell in a real terminal: completion,
// hints, history, several lines, Ctrl-C and the variables of results.
func TestShellOnATerminal(t *testing.T) {
	s := openTerminal(t, 100, 40)
	s.write("kubectl-meshq shell --snapshot demo")
	s.press("Enter")
	s.waitFor("meshq 1>")

	// A query, and its result in the next ones.
	s.write(".proxies | length")
	s.press("Enter")
	s.waitFor("meshq 2>")
	s.waitFor("\n7\n")
	s.write("$_1 + 35")
	s.press("Enter")
	s.waitFor("\n42\n")

	// Hints while typing, from the engine of TAB; TAB completes.
	s.write(".proxies[].vers")
	s.waitFor("version")
	s.press("Tab")
	s.waitFor("meshq 3> .proxies[].version")
	s.write(" | length")
	s.press("Enter")
	s.waitFor("meshq 4>")
	s.write(`.proxies[] | select(.rds == "STA`)
	s.press("Tab")
	s.waitFor(`select(.rds == "STALE"`)

	// Ctrl-C clears the line and not the shell.
	s.press("C-c")
	s.waitFor("meshq 4> \n")
	s.write("12 * 12")
	s.press("Enter")
	s.waitFor("\n144\n")

	// A query of several lines.
	s.write("[.proxies[]")
	s.press("Enter")
	s.write("| .name] | length + 1000")
	s.press("Enter")
	s.waitFor("\n1007\n")

	// A command, with a table that fits the terminal; its completion.
	s.write("clusters reviews-v1 --fqd")
	s.press("Tab")
	s.waitFor("clusters reviews-v1 --fqdn")
	s.write(" ratings --subset v1")
	s.press("Enter")
	s.waitFor("SERVICE FQDN")

	// A query that runs for ever: Ctrl-C ends it.
	s.write(`("it " + "runs" | debug), last(range(1e15))`)
	s.press("Enter")
	s.waitFor(`["DEBUG:","it runs"]`)
	s.press("C-c")
	s.waitFor("error: interrupted")
	s.write("2 + 2000")
	s.press("Enter")
	s.waitFor("\n2002\n")

	// The history, also of the next shell.
	s.press("Up")
	s.waitFor("meshq 9> 2 + 2000")
	s.press("Enter")
	s.waitFor("meshq 10> \n")
	s.press("C-d")
	s.waitFor("\nready> \n")
	history, err := os.ReadFile(filepath.Join(s.home, ".local/state/meshq/history"))
	if err != nil || !strings.Contains(string(history), "$_1 + 35") {
		t.Errorf("%v: %s", err, history)
	}
	s.run("true", false)
	s.write("kubectl-meshq shell --snapshot demo")
	s.press("Enter")
	s.waitFor("meshq 1>")
	s.press("Up")
	s.waitFor("meshq 1> 2 + 2000")
	s.press("Enter")
	s.waitFor("meshq 2> \n")
	s.write(":quit")
	s.press("Enter")
	s.waitFor("\nready> \n")
}
