package traces

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

var ipv4 = regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:([:_/])([0-9]+))?\b`)

// toIPv6 returns an IPv6 address in place of an IPv4 address. A wildcard
// becomes a wildcard and a loopback address a loopback address.
func toIPv6(address string) string {
	addr, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return address
	case address == "0.0.0.0":
		return "::"
	case address == "127.0.0.1":
		return "::1"
	}
	b := addr.As4()
	return netip.AddrFrom16([16]byte{0: 0xfd, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}).String()
}

// textToIPv6 rewrites the addresses in a text to IPv6 as Istio writes them: in
// brackets if a port follows.
func textToIPv6(s string, bracketed bool) string {
	return ipv4.ReplaceAllStringFunc(s, func(found string) string {
		m := ipv4.FindStringSubmatch(found)
		address := strings.TrimSuffix(found, m[1]+m[2])
		six := toIPv6(address)
		switch {
		case six == address:
			return found
		case m[1] == "/":
			n, _ := strconv.Atoi(m[2])
			if n > 0 {
				n += 96
			}
			return six + "/" + strconv.Itoa(n)
		case m[1] != "":
			return "[" + six + "]" + m[1] + m[2]
		case bracketed:
			return "[" + six + "]"
		}
		return six
	})
}

// valueToIPv6 rewrites the addresses in a JSON value to IPv6. Key is the key of
// the value: the domains of a virtual host have addresses in brackets, and
// ranges have their length beside the address.
func valueToIPv6(key string, v any) any {
	switch x := v.(type) {
	case string:
		return textToIPv6(x, key == "domains")
	case []any:
		for i := range x {
			x[i] = valueToIPv6(key, x[i])
		}
	case map[string]any:
		for k, e := range x {
			if n, ok := e.(json.Number); ok && k == "prefix_len" {
				if bits, _ := n.Int64(); bits > 0 {
					x[k] = bits + 96
				}
				continue
			}
			x[k] = valueToIPv6(k, e)
		}
	}
	return v
}

// demoOfIPv6 writes the demo with each IPv4 address rewritten to IPv6. It
// returns the directory.
func demoOfIPv6(t *testing.T) string {
	t.Helper()
	return program.RewrittenDemo(t, []string{"stats.json", "server_info.json"}, func(_ string, v any) any { return valueToIPv6("", v) })
}

// TestTracesOfIPv6AreThoseOfIPv4 traces each request of testdata/traces.json on
// the demo rewritten to IPv6. The result must be the same as on the demo
// itself.
func TestTracesOfIPv6AreThoseOfIPv4(t *testing.T) {
	cases := tracedCases[any](t)
	six := filepath.Join(t.TempDir(), "six.json")
	rewritten, err := json.Marshal(valueToIPv6("", cases))
	if err == nil {
		err = os.WriteFile(six, rewritten, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	trace := func(snapshot, cases string) []string {
		t.Helper()
		out, errs, code := program.Run(t, "--snapshot", snapshot, "-c", "--slurpfile", "cases="+cases,
			`. as $mesh | $cases[0][] | . as $c | $mesh | .proxy($c.proxy).trace($c.request)
			| [.cluster, .clusters, .reason, .status, .redirectTo, .outcomes, .unknowns, .url, [.endpoints[] | [.address, .share]], [.steps[] | [.step, .name, .reason]]]`)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		return lines
	}
	four, got := trace("demo", "testdata/traces.json"), trace(demoOfIPv6(t), six)
	if len(four) != len(cases) || len(got) != len(cases) {
		t.Fatalf("%d and %d traces of %d requests", len(four), len(got), len(cases))
	}
	if all := strings.Join(got, "\n"); strings.Count(all, "[::]_9080") < 20 || strings.Contains(all, "10.") {
		t.Fatalf("the addresses are not those of IPv6: %.2000s", all)
	}
	wrong := 0
	for i := range four {
		var want any
		if err := json.Unmarshal([]byte(four[i]), &want); err != nil {
			t.Fatal(err)
		}
		if withoutBrackets(fmt.Sprint(valueToIPv6("", want))) != withoutBrackets(fmt.Sprint(decodedJSON(t, got[i]))) {
			if wrong++; wrong < 5 {
				t.Errorf("%v\nIPv4 %s\nIPv6 %s", cases[i], four[i], got[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d traces differ", wrong, len(four))
	}
}

// withoutBrackets removes the brackets around addresses, because whether there
// are any depends on the surrounding text.
func withoutBrackets(s string) string { return strings.NewReplacer("[", "", "]", "").Replace(s) }

func decodedJSON(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
