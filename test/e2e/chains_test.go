package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// A chainCase is a listener to test, with the listeners that it can hand connections over to, and the connections to
// try.
type chainCase struct {
	random.Listeners
	name        string
	port        int
	refused     string
	connections []random.Connection
	chains      []string // the filter chains that Envoy chose; empty where it closed the connection
	choices     []string // the filter chains that the plugin chose
}

const (
	connectionsPerCase   = 40
	chainCasesAtOnce     = 200
	firstDestinationPort = 40000 // the first of the original destination ports of connections
)

// TestFilterChainsAsEnvoy compares the filter chains that trace chooses with those of a real Envoy. The listeners are
// random and use every criterion.
func TestFilterChainsAsEnvoy(t *testing.T) {
	j := newComparer(t)
	j.eachEnvoy(t, j.chainsAsEnvoy)
}

func (j *comparer) chainsAsEnvoy(t *testing.T) {
	for _, seed := range seeds(t) {
		began := time.Now()
		refused, asked, found := 0, 0, 0
		for from := 0; from < *listeners; from += chainCasesAtOnce {
			all := randomChainCases(seed, from, min(from+chainCasesAtOnce, *listeners))
			lines := j.tryChains(t, all, *recording != "")
			if *recording != "" && !t.Failed() {
				record(t, lines)
			}
			for _, d := range all {
				if d.refused != "" {
					refused++
					continue
				}
				asked += len(d.connections)
				if at := d.differs(); at >= 0 {
					if found++; found <= reported {
						j.reportChain(t, d, at)
					}
				}
			}
		}
		t.Logf("seed %d: %d listeners (and %d that Envoy refuses), %d connections: %d listeners with a mismatch, %s",
			seed, *listeners-refused, refused, asked, found, time.Since(began).Round(time.Millisecond))
		if found > 0 || refused*4 > *listeners {
			t.Errorf("seed %d: %d listeners with a mismatch, %d refused", seed, found, refused)
		}
	}
}

func randomChainCases(seed uint64, from, to int) (all []*chainCase) {
	for i := from; i < to; i++ {
		s := random.New(seed + uint64(i))
		d := &chainCase{Listeners: s.Listeners(firstDestinationPort + i%chainCasesAtOnce*10), name: fmt.Sprintf("l%d", i)}
		for range connectionsPerCase {
			d.connections = append(d.connections, s.Connection(d.Listeners))
		}
		all = append(all, d)
	}
	return all
}

// tryChains makes the connections of all listeners to Envoy and then asks the plugin about them. If recording is true,
// it returns the cases in the form in which they are recorded.
func (j *comparer) tryChains(t *testing.T, all []*chainCase, recording bool) []recorded {
	t.Helper()
	host := oracle.Host(rand.Uint64())
	c := oracle.Config{Lenient: !j.isNewest(), NodeID: "sidecar~10.0.0.1~web.default~default.svc.cluster.local"}
	for i, d := range all {
		d.port = firstPort + i
		for k, l := range d.All {
			if l["name"] = istioName(l); k == 0 {
				l["name"], l["address"] = d.name, oracle.Address(host, d.port)
			}
			c.Listeners = append(c.Listeners, l)
		}
	}
	e, err := oracle.Start(t.Context(), j.envoy, c)
	must(t, err)
	defer e.Stop()
	refused, err := e.Refused(t.Context())
	if errors.Is(err, oracle.ErrUnread) { // Envoy rejects the whole configuration if one listener is invalid, so try each half alone
		if len(all) == 1 {
			all[0].refused = err.Error()
			return nil
		}
		return append(j.tryChains(t, all[:len(all)/2], recording), j.tryChains(t, all[len(all)/2:], recording)...)
	}
	must(t, err)
	var open []*chainCase
	for _, d := range all {
		for _, l := range d.All {
			if why := refused[l["name"].(string)]; why != "" {
				d.refused = why
			}
		}
		if d.refused == "" {
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return nil
	}
	connectAll(t, host, open)
	dump, err := e.Dump(t.Context())
	if err != nil {
		t.Fatal(err, e.Ended())
	}
	var parts []part
	for _, d := range open {
		p := part{name: d.name}
		for _, l := range d.All {
			p.listeners = append(p.listeners, l["name"].(string))
		}
		parts = append(parts, p)
	}
	snapshot := separate(t, dump, parts)
	j.askChains(t, snapshot, open)
	if !recording {
		return nil
	}
	return j.recordChains(t, snapshot, open)
}

// istioName returns the name that Istio gives a listener. It consists of the address and the port.
func istioName(l oracle.Message) string {
	address, _ := l["address"].(oracle.Message)
	at, _ := address["socket_address"].(oracle.Message)
	return fmt.Sprintf("%v_%v", at["address"], at["port_value"])
}

// connectAll makes the connections to Envoy.
func connectAll(t *testing.T, host string, all []*chainCase) {
	t.Helper()
	atOnce(8, all, func(d *chainCase) {
		d.chains = make([]string, len(d.connections))
		for i, k := range d.connections {
			b, err := firstBytes(k)
			if err == nil {
				d.chains[i], err = oracle.SendRaw(t.Context(), fmt.Sprintf("%s:%d", host, d.port), b)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
}

// firstBytes returns the first bytes of a connection. They start with a PROXY protocol header that carries the original
// addresses.
func firstBytes(k random.Connection) ([]byte, error) {
	b := oracle.ProxyHeader(k.Source, k.Destination, k.SourcePort, k.Port)
	switch k.Speaks {
	case random.TLS:
		hello, err := oracle.ClientHello(k.SNI, k.ALPN)
		return append(b, hello...), err
	case random.HTTP10:
		return append(b, "GET / HTTP/1.0\r\n\r\n"...), nil
	case random.HTTP11:
		return append(b, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"...), nil
	case random.H2C:
		return append(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"...), nil
	}
	return append(b, "\x01\x02\x03 of no protocol that is looked for\r\n\r\n"...), nil
}
