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

// proxies returns the ids of the proxies that the flags select.
func (c completion) proxies(cmd *cobra.Command) []string {
	return c.known(cmd, "proxies", func(ctx context.Context, m *sources.Mesh) []string { return m.Names(ctx) })
}

// namespaces returns the namespaces of the Kubernetes cluster. If the user may not
// list namespaces, it returns those of the proxies.
func (c completion) namespaces(cmd *cobra.Command, _ string) []string {
	*c.Kube.Namespace = "" // the namespace is the value that the user is typing, so it can't select anything yet
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

// services returns "name.namespace:port" for every port of the Kubernetes Services.
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

func nodeNames(ctx context.Context, m *sources.Mesh) (out []string) {
	for _, v := range listed(ctx, m, "nodes") {
		name, _ := field[string](v, "metadata", "name")
		out = append(out, name)
	}
	return out
}

// objects returns "name.namespace" for every Kubernetes object of a list.
func (c completion) objects(cmd *cobra.Command, list string) []string {
	return c.known(cmd, list+" by name", func(ctx context.Context, m *sources.Mesh) (out []string) {
		for _, v := range listed(ctx, m, list) {
			name, _ := field[string](v, "metadata", "name")
			namespace, _ := field[string](v, "metadata", "namespace")
			out = append(out, name+"."+namespace)
		}
		return out
	})
}

// listed returns the Kubernetes objects of a list, or nil if the list is
// unavailable.
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

// field returns the value that the names lead to inside v. ok is false if there is
// none, or if it has another type than T.
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

// known returns names of the mesh. Those of a live mesh come from the cache, if it
// has them.
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

// ask opens the mesh that the flags select, and returns the names that the function
// of reads from it. It stops at the time limit for a completion; whole reports
// whether it had enough time. It ignores errors and then returns no names.
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
			_ = run.CloseAll(ctx, answers)
		}
		answer <- nil
	}()
	select {
	case out := <-answer:
		return out, ctx.Err() == nil
	case <-time.After(c.patience() + liveTime/10): // some calls don't stop when ctx ends
		return nil, false
	}
}

// run returns a run without a query over the mesh that the flags select.
func (c completion) run(cmd *cobra.Command) *run.Run {
	c.once()
	r := &run.Run{World: c.World, Flags: c.Flags, Argv: c.command(), Request: &run.Request{}, Changed: cmd.Flags().Changed}
	var err error
	if r.Labels, err = labels.Parse(r.Selector); err != nil {
		r.Labels = labels.Everything()
	}
	return r
}

// once removes duplicate values of flags that may be repeated. They occur because
// cobra parses the flags twice during completion.
func (c completion) once() {
	for _, list := range []*[]string{&c.Snapshots, &c.Contexts, &c.Pilots, &c.Envoys, &c.LibraryPath, &c.Files, c.Kube.ImpersonateGroup, c.Kube.ImpersonateUserExtra} {
		*list = unique(*list)
	}
}

// unique removes duplicates from a list and keeps the order.
func unique(all []string) (out []string) {
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
