package envoy

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// bootstrap returns the bootstrap configuration, with which Envoy was started. It
// returns null for a config dump of istiod, in which the bootstrap part is empty.
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

// server returns Envoy's answer to /server_info.
func (p *Proxy) server(ctx context.Context) (v any, err error) {
	err = p.ask(ctx, Request{What: serverInfo}, func(doc *decode.Document) error {
		v, err = doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ServerInfo"), &decode.Node{Shallow: true}, nil)
		return err
	})
	return v, err
}

// loggers returns the levels of the loggers by name. Envoy's answer has one line
// " name: level" for each logger.
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

// statsTree is the decoder's node for stats. It decodes everything except the
// histograms, which stay lazy because they are large.
var statsTree = &decode.Node{Shallow: true, Fields: []decode.Field{
	{Name: "stats", Node: &decode.Node{Elem: &decode.Node{Shallow: true}}},
}}

// stats returns the answer to /stats. It converts the text forms to the JSON form:
// {"stats": [{"name", "value"}, …, {"histograms": …}]}. Prometheus' names can't be
// converted back to Envoy's. Such a stat keeps its name and has a member "labels".
func (p *Proxy) stats(ctx context.Context) (any, error) {
	return p.statistics(ctx, Request{What: statistics})
}

func (p *Proxy) statistics(ctx context.Context, r Request) (v any, err error) {
	err = p.ask(ctx, r, func(doc *decode.Document) error {
		if isJSON(doc) {
			v, err = doc.Pass(ctx, 0, -1, openShape{}, statsTree, nil)
			return err
		}
		all := []any{}
		err = lines(ctx, doc, func(line string) {
			if stat := statLine(line); stat != nil {
				all = append(all, stat)
			}
		})
		v = object.Of("stats", all)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// statLine parses a line "name: value", or Prometheus' `name{label="value"} value`.
// It returns nil for any other line.
func statLine(line string) any {
	if line == "" || line[0] == '#' {
		return nil
	}
	if name, value, ok := strings.Cut(line, ": "); ok && !strings.ContainsAny(name, `{"`) {
		return object.Of("name", name, "value", statValue(value))
	}
	series, value, ok := cutLast(line, " ")
	if !ok {
		return nil
	}
	name, labels, _ := strings.Cut(series, "{")
	stat := object.Of("name", name, "value", statValue(value))
	if labels != "" {
		stat.Set("labels", labelPairs(labels))
	}
	return stat
}

// labelPairs parses Prometheus' labels of the form `a="x",b="y"}`.
func labelPairs(s string) *object.Object {
	m := object.New(0)
	for {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return m
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return m
		}
		value, _ := strconv.Unquote(quoted)
		m.Set(strings.TrimLeft(name, ", "), value)
		s = rest[len(quoted):]
	}
}

// statValue returns a number if the text is a number in JSON's syntax, and a string
// otherwise. Strings are the values of histograms and text readouts, and "NaN". It
// removes the quotes that the text form adds to a text readout.
func statValue(s string) any {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "0123456789.eE+-") == "" && s[0] != '+' && s[0] != '.' {
		return json.Number(s)
	}
	return s
}
