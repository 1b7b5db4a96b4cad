package library

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// sockets gives the listeners in use that have one of the names, or a port.
// Istio writes the port at the end of a listener's name, so that a live Envoy
// is asked for these only; where nothing is called as Istio calls it, for all.
func (w *walk) sockets(names []string, port int) ([]socket, error) {
	section, err := mesh.Get(w.ctx, w.proxy, "listeners")
	if err != nil {
		return nil, err
	}
	hint := mesh.Hint{By: "name", Names: names, Patterns: []string{"(?s).*" + regexp.QuoteMeta("_"+strconv.Itoa(port))}}
	some, err := narrowed(w.ctx, section, hint)
	if err != nil {
		return nil, err
	}
	out, fit, err := w.read(some, names, port)
	if err != nil || fit {
		return out, err
	}
	all, err := mesh.Force(w.ctx, section)
	if err != nil {
		return nil, err
	}
	some, _ = all.([]any)
	out, _, err = w.read(some, nil, 0)
	return out, err
}

// listed gives all listeners in use, where they are at hand: a live Envoy is not
// asked for them, for they may be megabytes. None where they are not.
func (w *walk) listed() ([]socket, error) {
	section, err := mesh.Get(w.ctx, w.proxy, "listeners")
	if err != nil {
		return nil, err
	}
	if n, ok := section.(eval.Narrower); ok {
		if _, here := n.Forced(); !here {
			return nil, nil
		}
	}
	all, err := forced(w.ctx, section)
	if err != nil {
		return nil, err
	}
	out, _, err := w.read(all, nil, 0)
	return out, err
}

// read reads where listeners listen. fit tells whether those that were looked
// for are among them.
func (w *walk) read(some []any, names []string, port int) (out []socket, fit bool, err error) {
	w.idle = nil
	wanted, end := len(names), "_"+strconv.Itoa(port)
	for _, l := range some {
		name, err := get[string](w.ctx, l, "name")
		if err != nil {
			return nil, false, err
		}
		if port != 0 && !strings.HasSuffix(name, end) && !slices.Contains(names, name) {
			continue
		}
		s, err := w.socket(l)
		if err != nil {
			return nil, false, err
		}
		used, err := inUse(w.ctx, l)
		if err != nil {
			return nil, false, err
		}
		if !used {
			w.idle = append(w.idle, s)
			continue
		}
		if slices.Contains(names, name) {
			wanted--
		}
		fit = fit || names == nil && s.bound && s.has(port)
		out = append(out, s)
	}
	return out, fit || names != nil && wanted <= 0, nil
}

func (w *walk) socket(l any) (s socket, err error) {
	s.listener = l
	if s.name, err = get[string](w.ctx, l, "name"); err != nil {
		return s, err
	}
	on, err := get[bool](w.ctx, l, "useOriginalDst")
	if err != nil {
		return s, err
	}
	s.catches = on
	bind, err := mesh.Get(w.ctx, l, "bindToPort")
	if err != nil {
		return s, err
	}
	v1, err := mesh.Get(w.ctx, l, "deprecatedV1") // where Envoy up to 1.16 has it
	if err != nil {
		return s, err
	}
	old, err := mesh.Get(w.ctx, v1, "bindToPort")
	if err != nil {
		return s, err
	}
	s.bound = bind != false && old != false
	first, err := mesh.Get(w.ctx, l, "address")
	if err != nil {
		return s, err
	}
	addresses := []any{first}
	more, err := get[[]any](w.ctx, l, "additionalAddresses")
	if err != nil {
		return s, err
	}
	for _, m := range more {
		a, err := mesh.Get(w.ctx, m, "address")
		if err != nil {
			return s, err
		}
		addresses = append(addresses, a)
	}
	for _, a := range addresses {
		if err := w.place(&s, a); err != nil {
			return s, err
		}
	}
	return s, nil
}

// place adds an address of a listener, but for one of another transport, as
// that of HTTP/3.
func (w *walk) place(s *socket, address any) error {
	sa, err := get[*object.Object](w.ctx, address, "socketAddress")
	if err != nil || sa == nil {
		return err
	}
	host, err := get[string](w.ctx, sa, "address")
	if err != nil {
		return err
	}
	port, err := get[int](w.ctx, sa, "portValue")
	if err != nil {
		return err
	}
	both, err := get[bool](w.ctx, sa, "ipv4Compat")
	if err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(host); err == nil && sa.Get("protocol") != "UDP" {
		s.at = append(s.at, place{netip.AddrPortFrom(addr, uint16(port)), both})
	}
	return nil
}
