package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

// proxies are the ids of the proxies that the flags leave.
func (c completion) proxies(cmd *cobra.Command) []string {
	return c.known(cmd, "proxies", func(ctx context.Context, m *sources.Mesh) []string { return m.Names(ctx) })
}

// namespaces are the API server's; where it may not be asked for them, the
// proxies'.
func (c completion) namespaces(cmd *cobra.Command, _ string) []string {
	*c.Kube.Namespace = "" // the one that is being written
	return c.known(cmd, "namespaces", func(ctx context.Context, m *sources.Mesh) (out []string) {
		for _, v := range listed(ctx, m, "namespaces") {
			name, _ := field[string](v, "metadata", "name")
			out = append(out, name)
		}
		if len(out) > 0 {
			return out
		}
		for _, id := range m.Names(ctx) {
			out = append(out, id[strings.LastIndexByte(id, '.')+1:])
		}
		slices.Sort(out)
		return slices.Compact(out)
	})
}

// services are name.namespace:port of the services that Kubernetes has.
func (c completion) services(cmd *cobra.Command) []string {
	return c.known(cmd, "services", func(ctx context.Context, m *sources.Mesh) (out []string) {
		for _, v := range listed(ctx, m, "services") {
			name, _ := field[string](v, "metadata", "name")
			namespace, _ := field[string](v, "metadata", "namespace")
			ports, _ := field[[]any](v, "spec", "ports")
			for _, p := range ports {
				if port, ok := field[any](p, "port"); ok && field1(p, "protocol") != "UDP" {
					out = append(out, fmt.Sprintf("%s.%s:%v", name, namespace, port))
				}
			}
		}
		return out
	})
}

// listed gives a list of Kubernetes' objects; none where it can't be had.
func listed(ctx context.Context, m *sources.Mesh, name string) []any {
	list, err := mesh.Get(ctx, m.Document(), name)
	if err == nil {
		list, err = mesh.Deep(ctx, list)
	}
	all, _ := list.([]any)
	if err != nil {
		return nil
	}
	return all
}

// field gives what stands in a plain value, by the names of fields.
func field[T any](v any, names ...string) (T, bool) {
	for _, name := range names {
		m, _ := v.(*object.Object)
		v = m.Get(name)
	}
	t, ok := v.(T)
	return t, ok
}

func field1(v any, name string) string {
	s, _ := field[string](v, name)
	return s
}

// known gives names that a mesh tells: of a live one as they were a moment
// ago, if they were asked for then.
func (c completion) known(cmd *cobra.Command, what string, of func(context.Context, *sources.Mesh) []string) []string {
	store := c.remembered(cmd.Context(), what)
	if names, ok := store.read(); ok {
		return names
	}
	names, whole := c.ask(cmd, of)
	if whole && len(names) > 0 {
		store.write(names)
	}
	return names
}

// ask opens the mesh that the words mean and asks it, for as long as a TAB may
// take; whole tells that this was enough. Whatever is wrong with it, nothing is
// known.
func (c completion) ask(cmd *cobra.Command, of func(context.Context, *sources.Mesh) []string) (out []string, whole bool) {
	ctx, cancel := context.WithTimeout(cmd.Context(), c.patience())
	defer cancel()
	r := c.run(cmd)
	answer := make(chan []string, 2)
	go func() {
		if answers, err := r.OpenSources(ctx); err == nil {
			_ = r.Within(ctx, answers, func(ctx context.Context) error {
				answer <- of(ctx, r.Mesh)
				return nil
			})
			_ = run.CloseAll(answers)
		}
		answer <- nil
	}()
	select {
	case out := <-answer:
		return out, ctx.Err() == nil
	case <-time.After(c.patience() + liveTime/10): // something doesn't heed ctx
		return nil, false
	}
}

// run is a run of no query yet, over what the flags mean.
func (c completion) run(cmd *cobra.Command) *run.Run {
	c.once()
	r := &run.Run{World: c.World, Flags: c.Flags, Argv: c.command(), Request: &run.Request{}, Changed: cmd.Flags().Changed}
	var err error
	if r.Labels, err = labels.Parse(r.Selector); err != nil {
		r.Labels = labels.Everything()
	}
	return r
}

// once has each value of a flag there once: cobra reads flags twice.
func (c completion) once() {
	for _, list := range []*[]string{&c.Snapshots, &c.Contexts, &c.Pilots, &c.Envoys, &c.LibraryPath, &c.Files, c.Kube.ImpersonateGroup, c.Kube.ImpersonateUserExtra} {
		*list = unique(*list)
	}
}

// unique leaves out what is there again.
func unique(all []string) (out []string) {
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
