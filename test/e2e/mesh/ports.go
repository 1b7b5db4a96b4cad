package mesh

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports allocates free TCP ports on loopback, each only once. The ports are below the kernel's range for outgoing
// connections, so that a component that is restarted finds its port still free.
type ports struct{ taken map[int]bool }

const (
	lowestPort  = 20000
	highestPort = 31999
)

func newPorts() *ports { return &ports{taken: map[int]bool{}} }

func (p *ports) next() (int, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		if p.taken[port] {
			continue
		}
		p.taken[port] = true
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		l.Close()
		return port, nil
	}
	return 0, fmt.Errorf("ports %d to %d: none is free", lowestPort, highestPort)
}

// fill sets each of the places to a new port.
func (p *ports) fill(places ...*int) error {
	for _, place := range places {
		port, err := p.next()
		if err != nil {
			return err
		}
		*place = port
	}
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
