package library

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseAddress reads an address, alone or with a port: "10.0.0.1",
// "10.0.0.1:80", "fd00::1", "[fd00::1]" or "[fd00::1]:80". It gives the
// address as Envoy writes it, without a zone; an IPv4 one that is written as
// IPv6 is an IPv4 one. The port is 0 where there is none.
func parseAddress(s string) (address string, port int, err error) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return canonical(at.Addr()), int(at.Port()), nil
	}
	inner, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		inner, bracketed = strings.CutSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	if err != nil || bracketed && addr.Is4() || strings.HasPrefix(s, "[") != bracketed {
		return "", 0, fmt.Errorf("%q is no address like 10.0.0.1, 10.0.0.1:80, fd00::1 or [fd00::1]:80", s)
	}
	return canonical(addr), 0, nil
}

func canonical(addr netip.Addr) string { return addr.Unmap().WithZone("").String() }

// CheckAddress tells whether a text is an address that a request may be from
// or to.
func CheckAddress(s string) error {
	_, _, err := parseAddress(s)
	return err
}

// intoAddress reads an address into a request; a port of its own goes into
// port. No address is fine too.
func intoAddress(s *string, port *int, v any) bool {
	text := ""
	if !into(&text, v) {
		return false
	}
	if text == "" {
		*s = ""
		return true
	}
	address, n, err := parseAddress(text)
	if err != nil {
		return false
	}
	if *s = address; n != 0 {
		*port = n
	}
	return true
}
