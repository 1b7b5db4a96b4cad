package envoy

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// bootstrap is what Envoy was started with, null in a dump that holds none:
// istiod's part about it is empty.
func (p *Proxy) bootstrap(ctx context.Context) (any, error) {
	d, err := p.current(ctx, mesh.Bootstrap)
	if err != nil {
		return nil, err
	}
	var found, last any
	err = d.must(ctx, reading{
		kind:   "BootstrapConfigDump",
		fields: []decode.Field{{Name: "bootstrap", Node: &decode.Node{Shallow: true, Visit: tagOwn}}},
		take:   func(_ int, v any) { last = v },
		ended: func(mine bool) {
			if mine {
				found = last
			}
			last = nil
		},
	})
	return found, err
}

// server is the answer to /server_info.
func (p *Proxy) server(ctx context.Context) (v any, err error) {
	err = p.ask(ctx, Request{What: serverInfo}, func(doc *decode.Document) error {
		v, err = doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ServerInfo"), &decode.Node{Shallow: true}, nil)
		return err
	})
	return v, err
}

// loggers are the levels by the loggers' names, from lines of "  name: level".
func (p *Proxy) loggers(ctx context.Context) (any, error) {
	m := object.New(0)
	err := p.ask(ctx, Request{What: logging}, func(doc *decode.Document) error {
		return lines(ctx, doc, func(line string) {
			name, level, ok := cutLast(strings.TrimSpace(line), ": ")
			if ok {
				m.Set(name, level)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}
