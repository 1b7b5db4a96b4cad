package mesh

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports hands out free TCP ports of loopback, each once. They lie below the
// range that the kernel takes outgoing ports from, so that a part that is
// stopped finds its port free when it is started again.
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

// fill gives each of the places a port.
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
