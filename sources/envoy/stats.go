package envoy

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// statsTree wants the stats whole, but not the histograms, which are large.
var statsTree = &decode.Node{Shallow: true, Fields: []decode.Field{
	{Name: "stats", Node: &decode.Node{Elem: &decode.Node{Shallow: true}}},
}}

// stats is the answer to /stats in the form it has as JSON, whatever form it
// came in: {"stats": [{"name", "value"}, …, {"histograms": …}]}. Prometheus'
// names can't be told back into Envoy's: they stay, and their labels beside
// them.
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

// statLine reads "name: value", or Prometheus' `name{label="value"} value`;
// anything else is nil.
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

// labelPairs reads `a="x",b="y"}`.
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

// statValue is a number where it is written as JSON would, else the text: of a
// histogram, of a text readout (which the text form puts in quotes), "NaN".
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
