package plugin

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// TestServersFaultIsOneShortLine checks the error message if a server refuses the
// request, closes the connection early, or sends very long text. In each case, the
// program prints one line to standard error. The line has at most 300 characters
// and no control characters, because a terminal would interpret those.
func TestServersFaultIsOneShortLine(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
	for _, c := range []struct{ name, answer, says string }{
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/evil\r\nContent-Length: 0\r\n\r\n", "302 Found"},
		{"refusal", "HTTP/1.1 503 Service \x1b[31mUnavailable\r\nContent-Length: 30\r\n\r\n\x1b]0;pwn\x07<html>\nsecond line....", "503 Service Unavailable: "},
		{"reset", header + `{"configs":[`, "connection reset by peer"},
		{"nothing", "HTTP/1.1 204 No Content\r\n\r\n", "204 No Content"},
		{"no HTTP", "SSH-2.0-OpenSSH_9\r\n", `malformed HTTP response "SSH-2.0-OpenSSH_9"`},
		{"no text", "SSH-2.0-OpenSSH_9\x1b[31m\r\n", "the answer is no HTTP"},
		{"a long line", "HTTP/1.1 " + strings.Repeat("\x1b", 900_000) + "\r\n\r\n", "the answer is no HTTP"},
		{"a long text", "HTTP/1.1 500 Oh\r\nContent-Length: 3000\r\n\r\n" + strings.Repeat("é", 1500), "500 Internal Server Error: éé"},
		{"no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + strings.Repeat("\x9b", 3000), "config_dump"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := answering(t, c.answer, c.name == "reset")
			_, errs, code := inFolder(t, t.TempDir(), "--envoy", at, "clusters")
			line, rest, _ := strings.Cut(errs, "\n")
			if code != process.ExitPartial || rest != "" || !strings.HasPrefix(line, at+": ") || !strings.Contains(line, c.says) {
				t.Errorf("exit code %d: %.500q", code, errs)
			}
			if n := utf8.RuneCountInString(line); n > 300 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
				t.Errorf("%d characters: %.500q", n, line)
			}
			out, _, _ := inFolder(t, t.TempDir(), "--envoy", at, "-r", ".proxies[].clusters | length, (try error catch .), .faults[].message")
			for _, line := range strings.Split(out, "\n") {
				if utf8.RuneCountInString(line) > 300 {
					t.Errorf("a message of %d characters: %.500q", len(line), line)
				}
			}
		})
	}
}

// answering starts a server that sends the same bytes in response to every
// request, and returns its address. If reset is set, the server then resets the
// connection.
func answering(t *testing.T, answer string, reset bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if line == "\r\n" {
						break
					}
				}
				fmt.Fprint(c, answer)
				if reset {
					time.Sleep(100 * time.Millisecond)
					_ = c.(*net.TCPConn).SetLinger(0)
				}
			}()
		}
	}()
	return l.Addr().String()
}
