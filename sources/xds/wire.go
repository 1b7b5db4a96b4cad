package xds

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// eachValue calls do for each field of a message.
func eachValue(b []byte, do func(protowire.Number, protowire.Type, value) error) error {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v value
		switch kind {
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var u uint32
			u, n = protowire.ConsumeFixed32(b)
			v.number = uint64(u)
		case protowire.Fixed64Type:
			v.number, n = protowire.ConsumeFixed64(b)
		default: // groups, which proto3 doesn't have
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := do(field, kind, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// eachField calls do for each field of a message that has a length: texts, bytes
// and messages. It skips all others.
func eachField(b []byte, do func(protowire.Number, []byte) error) error {
	return eachValue(b, func(n protowire.Number, kind protowire.Type, v value) error {
		if kind != protowire.BytesType {
			return nil
		}
		return do(n, v.bytes)
	})
}

// references are the names by which clusters and listeners refer to other
// resources.
type references struct {
	endpoints, routes, extensions []string
}

// References returns the names of the endpoints, routes and extensions to which the
// clusters and listeners among the resources refer, by type. The names are sorted and
// occur once. Resources are in wire format, by type and name.
func References(resources map[Type]map[string][]byte) (map[Type][]string, error) {
	var r references
	for _, t := range []Type{Clusters, Listeners} {
		for _, name := range slices.Sorted(maps.Keys(resources[t])) {
			if err := r.read(t, resources[t][name]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	all := map[Type][]string{Endpoints: r.endpoints, Routes: r.routes, Extensions: r.extensions}
	for t, names := range all {
		slices.Sort(names)
		all[t] = slices.Compact(names)
	}
	return all, nil
}

// read adds the references of a cluster or a listener.
func (r *references) read(t Type, body []byte) error {
	if t == Clusters {
		return r.cluster(body)
	}
	return r.listener(body)
}

// cluster adds the name of the endpoints of a cluster, if it gets them by EDS: its
// service name or, without one, its own.
func (r *references) cluster(b []byte) error {
	const name, kind, eds, service, discovered = 1, 2, 3, 2, 3 // the numbers of the fields, and that of the type EDS
	own, named, isEDS := "", "", false
	err := eachValue(b, func(field protowire.Number, _ protowire.Type, v value) error {
		switch field {
		case name:
			own = string(v.bytes)
		case kind:
			isEDS = v.number == discovered
		case eds:
			return eachField(v.bytes, func(field protowire.Number, v []byte) error {
				if field == service {
					named = string(v)
				}
				return nil
			})
		}
		return nil
	})
	if isEDS {
		r.endpoints = append(r.endpoints, cmp.Or(named, own))
	}
	return err
}

// connectionManager is the type of the network filter that has routes and HTTP
// filters.
var connectionManager = []byte(typePrefix + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager")

// listener adds the routes and the extensions of a listener.
func (r *references) listener(b []byte) error {
	const chains, defaultChain, listenerFilters, filters = 3, 25, 9, 3 // the numbers of the fields in Listener and FilterChain
	return eachField(b, func(field protowire.Number, v []byte) error {
		switch field {
		case chains, defaultChain:
			return eachField(v, func(field protowire.Number, v []byte) error {
				if field != filters {
					return nil
				}
				return r.filter(v)
			})
		case listenerFilters:
			const discovery = 5
			return r.discovered(v, discovery)
		}
		return nil
	})
}

// filter adds the references of a network filter.
func (r *references) filter(b []byte) error {
	const config, discovery, typeURL, value = 4, 5, 1, 2 // the numbers of the fields in Filter and Any
	if err := r.discovered(b, discovery); err != nil {
		return err
	}
	return eachField(b, func(field protowire.Number, v []byte) error {
		if field != config {
			return nil
		}
		var kind, body []byte
		err := eachField(v, func(field protowire.Number, v []byte) error {
			switch field {
			case typeURL:
				kind = v
			case value:
				body = v
			}
			return nil
		})
		if err != nil || !bytes.Equal(kind, connectionManager) {
			return err
		}
		return r.manager(body)
	})
}

// manager adds the references of an HTTP connection manager.
func (r *references) manager(b []byte) error {
	const rds, routeName, httpFilters, discovery = 3, 2, 5, 5 // the numbers of the fields in HttpConnectionManager, Rds and HttpFilter
	return eachField(b, func(field protowire.Number, v []byte) error {
		switch field {
		case rds:
			return eachField(v, func(field protowire.Number, v []byte) error {
				if field == routeName {
					r.routes = append(r.routes, string(v))
				}
				return nil
			})
		case httpFilters:
			return r.discovered(v, discovery)
		}
		return nil
	})
}

// discovered adds the name of a filter whose configuration Envoy gets by ECDS: it has
// a field with that number.
func (r *references) discovered(b []byte, discovery protowire.Number) error {
	const named = 1
	name, is := "", false
	err := eachField(b, func(field protowire.Number, v []byte) error {
		switch field {
		case named:
			name = string(v)
		case discovery:
			is = true
		}
		return nil
	})
	if is {
		r.extensions = append(r.extensions, name)
	}
	return err
}
