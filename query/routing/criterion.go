package routing

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

type candidate struct {
	chain any
	at    int
	match document.Message
}

// A criterion is one of the criteria of a filter chain match, such as the
// destination port.
type criterion struct {
	name   string
	fields []string // the fields of a filter chain match that configure the criterion
	keep   func([]candidate, *Request) []candidate
	has    func(*Request) string // returns the connection's value as text, for messages
}

// criteria lists the criteria in the order in which Envoy applies them.
var criteria = []criterion{
	{"port", []string{"destinationPort"}, byPort, func(r *Request) string { return itoa(r.DestinationPort) }},
	{"destination", []string{"prefixRanges"}, byDestination, func(r *Request) string { return orNone(r.Destination) }},
	{"SNI", []string{"serverNames"}, bySNI, func(r *Request) string { return orNone(r.SNI) }},
	{"transport", []string{"transportProtocol"}, byTransport, (*Request).transport},
	{"ALPN", []string{"applicationProtocols"}, byALPN, func(r *Request) string { return orNone(strings.Join(r.ALPN, ",")) }},
	{"direct source", []string{"directSourcePrefixRanges"}, byDirectSource, func(r *Request) string { return orNone(cmp.Or(r.DirectSource, r.Source)) }},
	{"source type", []string{"sourceType"}, bySourceType, func(r *Request) string {
		if r.local() {
			return "local"
		}
		return "external"
	}},
	{"source", []string{"sourcePrefixRanges"}, bySource, func(r *Request) string { return orNone(r.Source) }},
	{"source port", []string{"sourcePorts"}, bySourcePort, func(r *Request) string { return itoa(r.SourcePort) }},
}

func orNone(s string) string { return cmp.Or(s, "none") }

func (is criterion) asks(m document.Message) bool { return m.Has(is.fields[0]) }

// wants returns a text with the values that a chain's match accepts.
func (is criterion) wants(m document.Message) string {
	v := m.Value(is.fields[0])
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for i, w := range list {
		if i == 3 {
			out = append(out, "…")
			break
		}
		if fields, ok := m.Force(w).(*object.Object); ok {
			g := m.Message(fields)
			out = append(out, g.Text("addressPrefix")+"/"+itoa(int(g.Number("prefixLen"))))
			continue
		}
		if w = m.Force(w); w != nil {
			out = append(out, fmt.Sprint(w))
		}
	}
	return orNone(strings.Join(out, ","))
}

// keepBest returns the candidates with the highest rank. A candidate with a
// negative rank doesn't match.
func keepBest(all []candidate, rank func(document.Message) int) []candidate {
	best, left := -1, []candidate(nil)
	for _, c := range all {
		n := rank(c.match)
		if n < 0 || n < best {
			continue
		}
		if n > best {
			best, left = n, nil
		}
		left = append(left, c)
	}
	return left
}

func byPort(all []candidate, r *Request) []candidate {
	return keepBest(all, func(m document.Message) int {
		if !m.Has("destinationPort") {
			return 0
		}
		if int(m.Number("destinationPort")) == r.DestinationPort {
			return 1
		}
		return -1
	})
}

func byDestination(all []candidate, r *Request) []candidate {
	return byRange(all, "prefixRanges", r.Destination)
}
func byDirectSource(all []candidate, r *Request) []candidate {
	return byRange(all, "directSourcePrefixRanges", cmp.Or(r.DirectSource, r.Source))
}

func bySource(all []candidate, r *Request) []candidate {
	return byRange(all, "sourcePrefixRanges", r.Source)
}

// byRange keeps the chains with the longest prefix that contains the address. A
// chain without a range counts as if it had a prefix of length 0.
func byRange(all []candidate, field, address string) []candidate {
	addr, err := netip.ParseAddr(address)
	return keepBest(all, func(m document.Message) int {
		ranges := m.List(field)
		if len(ranges) == 0 {
			return 0
		}
		best := -1
		for _, g := range ranges {
			if p, ok := PrefixOf(g); ok && err == nil && p.Contains(addr) {
				best = max(best, p.Bits())
			}
		}
		return best
	})
}

// bySNI keeps the chains with the exact server name. If there are none, it keeps
// those with the longest matching wildcard, or else those without server names.
func bySNI(all []candidate, r *Request) []candidate {
	sni := asciiLower(r.SNI)
	return keepBest(all, func(m document.Message) int {
		names := m.Texts("serverNames")
		if len(names) == 0 {
			return 0
		}
		best := -1
		for _, n := range names {
			n = asciiLower(n)
			switch suffix, wild := strings.CutPrefix(n, "*"); {
			case sni == "":
			case n == sni:
				return 1 << 20
			case wild && len(sni) > len(suffix) && strings.HasSuffix(sni, suffix):
				best = max(best, len(n))
			}
		}
		return best
	})
}

func byTransport(all []candidate, r *Request) []candidate {
	transport := r.transport()
	return keepBest(all, func(m document.Message) int {
		switch m.Text("transportProtocol") {
		case "":
			return 0
		case transport:
			return 1
		}
		return -1
	})
}

// byALPN keeps the chains that support the client's most preferred protocol, among
// the protocols that at least one chain supports.
func byALPN(all []candidate, r *Request) []candidate {
	return keepBest(all, func(m document.Message) int {
		offered := m.Texts("applicationProtocols")
		if len(offered) == 0 {
			return 0
		}
		for i, p := range r.ALPN {
			if slices.Contains(offered, p) {
				return len(r.ALPN) - i
			}
		}
		return -1
	})
}

func bySourceType(all []candidate, r *Request) []candidate {
	local := r.local()
	return keepBest(all, func(m document.Message) int {
		switch m.Text("sourceType") {
		case "SAME_IP_OR_LOOPBACK":
			if local {
				return 1
			}
			return -1
		case "EXTERNAL":
			if !local {
				return 1
			}
			return -1
		}
		return 0
	})
}

func bySourcePort(all []candidate, r *Request) []candidate {
	return keepBest(all, func(m document.Message) int {
		a, _ := m.Value("sourcePorts").([]any)
		if len(a) == 0 {
			return 0
		}
		for _, p := range a {
			if n, ok := m.Force(p).(int); ok && n == r.SourcePort {
				return 1
			}
		}
		return -1
	})
}
