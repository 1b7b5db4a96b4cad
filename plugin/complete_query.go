package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/spf13/cobra"
)

// queries returns completions for a query. fish passes the opening quote as a part of
// the word.
func (c completion) queries(cmd *cobra.Command, begun string) ([]string, cobra.ShellCompDirective) {
	src := strings.TrimPrefix(begun, "'")
	result := complete.Query(src, c.queryOptions(cmd))
	if c.root != nil {
		c.root.offered = &result
	}
	var out []string
	for _, k := range result.Candidates {
		text := src[:result.From] + k.Text
		if k.Doc != "" {
			text += "\t" + process.OneLine(k.Doc)
		}
		out = append(out, text)
	}
	directive := noFiles | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	if src != begun { // with NoSpace, cobra's script for fish would drop all candidates, because they don't begin with the quote
		directive = noFiles
	}
	return out, directive
}

// queryOptions returns the fields, functions and variables that a query can use with
// these flags.
func (c completion) queryOptions(cmd *cobra.Command) complete.Options {
	o := complete.Options{Schema: sources.NewSchema(), Variables: []string{"$ARGS"}}
	for _, b := range c.command().Bindings {
		o.Variables = append(o.Variables, "$"+b.Name)
	}
	o.Look = func(text string, each func(any) bool) { c.look(cmd, text, each) }
	if c.Plain() {
		return o
	}
	o.Root = "Mesh"
	for _, f := range library.Functions() {
		summary, _, _ := strings.Cut(f.Doc, ". ")
		o.Functions = append(o.Functions, complete.Function{Name: f.Name, Params: f.Params, Doc: strings.TrimSuffix(summary, ".")})
	}
	return o
}

// errSeen cancels a query that has returned enough values for completion.
var errSeen = errors.New("seen enough")

// look runs a query for completion, and calls each with every value that the query
// passes to debug, until each returns false. The query runs over a snapshot, over
// the JSON in a regular file, or, for a live mesh, over a document that contains
// only names.
func (c completion) look(cmd *cobra.Command, text string, each func(any) bool) {
	r := c.run(cmd)
	r.Request.Query = text
	timed, stop := context.WithTimeout(cmd.Context(), c.patience())
	defer stop()
	if r.Variables(timed) != nil {
		return
	}
	modules, closeModules, err := r.Modules()
	if err != nil {
		return
	}
	defer closeModules()
	if r.Compile(modules) != nil {
		return
	}
	values := make(chan any)
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(errSeen)
	go func() {
		defer close(values)
		c.lookOver(ctx, cmd, r, func(v any) {
			select {
			case values <- v:
			case <-ctx.Done():
			}
		})
	}()
	end := time.After(c.patience())
	for {
		select {
		case v, ok := <-values:
			if !ok || !each(v) {
				return
			}
		case <-end:
			return
		}
	}
}

func (c completion) lookOver(ctx context.Context, cmd *cobra.Command, r *run.Run, give func(any)) {
	o := eval.RunOptions{Workers: r.Concurrency, Memory: int64(r.Memory), Now: r.Seconds, Debug: give}
	none := func(any) error { return nil }
	switch {
	case r.Plain():
		if v, ok := r.FirstInput(ctx); ok {
			_ = r.Program.Run(ctx, v, r.Values, o, none)
		}
	case len(r.Snapshots) > 0:
		answers, err := r.OpenSources(ctx)
		if err != nil {
			return
		}
		_ = r.Within(ctx, answers, func(ctx context.Context) error {
			return r.Program.Run(ctx, r.Mesh.Document(), r.Values, o, none)
		})
		_ = run.CloseAll(ctx, answers)
	default:
		if r.OpenMesh(ctx, nil) != nil { // a mesh without proxies, for functions that read the document
			return
		}
		defer r.Mesh.Close()
		_ = r.Program.Run(ctx, c.sketch(cmd, r.Request.Query), r.Values, o, none)
	}
}

// sketch returns a document of a live mesh that is built from names alone. It
// contains the proxies. If the query reads clusters or routes, it also contains
// those that istiod generates for the Services.
func (c completion) sketch(cmd *cobra.Command, query string) any {
	var clusters, routes, proxies []any
	if strings.Contains(query, ".clusters") || strings.Contains(query, ".routes") {
		clusters, routes = ofServices(c.services(cmd))
	}
	for _, id := range c.proxies(cmd) {
		name, namespace := id, ""
		if i := strings.LastIndexByte(id, '.'); i >= 0 {
			name, namespace = id[:i], id[i+1:]
		}
		proxies = append(proxies, object.Of("kind", "Proxy", "id", id, "name", name, "namespace", namespace, "clusters", clusters, "routes", routes))
	}
	return object.Of("kind", "Mesh", "proxies", proxies)
}

// ofServices returns the clusters and routes that istiod generates for Services.
// They contain only their names.
func ofServices(services []string) (clusters, routes []any) {
	seen := map[string]bool{}
	for _, s := range services {
		host, port, _ := strings.Cut(s, ":")
		fqdn := host + ".svc.cluster.local"
		clusters = append(clusters, object.Of(
			"kind", "Cluster", "name", "outbound|"+port+"||"+fqdn, "direction", "outbound", "fqdn", fqdn, "port", port,
		))
		if !seen[port] {
			seen[port] = true
			routes = append(routes, object.Of("kind", "RouteConfiguration", "name", port))
		}
	}
	return clusters, routes
}
