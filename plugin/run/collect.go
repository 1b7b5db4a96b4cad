package run

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Collect runs a query over the mesh of the sources. It returns the results as JSON
// values, and the faults that occurred. It prints nothing.
func Collect(ctx context.Context, r *Run, a *Request, answers []transport.Source) (all []any, met []*mesh.Fault, err error) {
	f := *r.Flags
	f.WhatIf, f.Explain = nil, false
	q := &Run{
		World: r.World, Flags: &f, Argv: &options.CommandLine{}, Request: a, Changed: r.Changed, Labels: r.Labels, Stdout: r.Stdout,
		notes: r.notes, Progress: r.Progress, spooled: r.Quota(),
	}
	if err := q.Variables(ctx); err != nil {
		return nil, nil, err
	}
	if err := q.Compile(nil); err != nil {
		return nil, nil, err
	}
	err = q.Within(ctx, answers, func(ctx context.Context) error {
		o := q.options()
		o.Finish = func(ctx context.Context, v any) (any, error) { return toJSON(ctx, v) }
		err := q.Program.Run(ctx, q.Mesh.Document(), q.Values, o, func(v any) error {
			all = append(all, v)
			return nil
		})
		met = q.metFaults()
		return err
	})
	return all, met, err
}

// toJSON returns a result as a plain JSON value.
func toJSON(ctx context.Context, v any) (out any, err error) {
	var text bytes.Buffer
	p, err := printers.New(printers.Options{Out: &text, Compact: true, Join: true})
	if err != nil {
		return nil, err
	}
	if v, err = p.Render(ctx, v); err != nil {
		return nil, err
	}
	if err := p.Print(v); err != nil {
		return nil, err
	}
	d := json.NewDecoder(&text)
	d.UseNumber()
	err = d.Decode(&out)
	return out, err
}

// present are the checks that judge the current state of the running mesh: the
// configuration that proxies have acknowledged, and the expiry of certificates. A
// prediction has no such state.
var present = []any{"behind", "disconnected", "expiring", "rejected", "skew", "stale"}

// Findings runs the checks of configuration over the mesh of the sources. It checks
// only the proxies with the given ids.
func Findings(ctx context.Context, r *Run, answers []transport.Source, proxies []string) ([]any, []*mesh.Fault, error) {
	q, _ := shipped.Find("check", shipped.All())
	a := RequestFor(q, options.Arguments{"skip": present}, nil)
	a.Proxies = proxies
	return Collect(ctx, r, a, answers)
}
