package diffcmd

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// useWith decides whether --with names a snapshot or a proxy. A snapshot is the
// same as with --against.
func (d *Options) useWith(r *run.Run) error {
	switch {
	case d.with == "":
		if d.all {
			return process.Usagef("--all: it goes with --with PROXY")
		}
		return nil
	case d.against != "":
		return process.Usagef("--with and --against: one of them")
	case isSnapshot(d.with):
		d.against, d.with = d.with, ""
		return nil
	case d.DumpFile != "":
		return process.Usagef("--with PROXY and --file: one of them")
	}
	if len(r.Request.Proxies) > 0 {
		r.Request.Proxies = append(slices.Clone(r.Request.Proxies), d.with)
	}
	return nil
}

// isSnapshot reports whether an argument of --with is a snapshot: a file or folder
// that exists, the demo, or standard input.
func isSnapshot(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || path == "demo" || path == "-"
}

// chooseWith sets the proxy of --with, and returns the other proxies.
func (c *comparison) chooseWith(ctx context.Context, all []*mesh.Object) ([]*mesh.Object, error) {
	names := make([]mesh.Name, len(all))
	for i, p := range all {
		var err error
		if names[i], err = proxyName(ctx, p); err != nil {
			return nil, err
		}
		if names[i].Namespace, err = run.TextOf(ctx, p, "namespace"); err != nil {
			return nil, err
		}
	}
	at := mesh.Pick(c.with, names)
	if len(at) == 0 {
		return nil, process.Exit(process.ExitRun, fmt.Errorf("no proxy named %s", c.with))
	}
	if len(at) > 1 {
		c.Note(fmt.Sprintf("%s is %d proxies; this is the first, %s", c.with, len(at), names[at[0]].ID))
	}
	c.withProxy = all[at[0]]
	rest := slices.DeleteFunc(slices.Clone(all), func(p *mesh.Object) bool { return p == c.withProxy })
	if len(rest) == 0 {
		return nil, process.Usagef("--with %s: it is the same proxy", c.with)
	}
	return rest, nil
}

// compareWith compares a section of a proxy with that of the proxy of --with. Unless
// --all is set, the names and addresses of the two pods are replaced by fixed words
// first, because they always differ.
func (c *comparison) compareWith(ctx context.Context, p *mesh.Object, section mesh.Section, out func(diff.Section) error) error {
	a, b := c.withProxy, p
	if !c.all && section != mesh.Endpoints { // an endpoint of the pod itself is the same fact on both sides
		var err error
		if a, err = c.withoutIdentity(ctx, a, section); err != nil {
			return err
		}
		if b, err = c.withoutIdentity(ctx, b, section); err != nil {
			return err
		}
	}
	return diff.Proxies(ctx, a, b, []mesh.Section{section}, out)
}

// withoutIdentity returns a proxy that has only one section, in which the proxy's
// own id, the name of its pod and its addresses are replaced.
func (c *comparison) withoutIdentity(ctx context.Context, p *mesh.Object, section mesh.Section) (*mesh.Object, error) {
	own, err := identity(ctx, p)
	if err != nil {
		return nil, err
	}
	v, err := mesh.Get(ctx, p, string(section))
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok { // a type of proxy that doesn't have the section
		return p, nil
	}
	id, err := run.TextOf(ctx, p, "id")
	if err != nil {
		return nil, err
	}
	fieldsOf := object.Of("id", id)
	twin := mesh.NewObject(p.Kind, nil, fieldsOf)
	elements := make([]any, len(list))
	for i, e := range list {
		whole, err := mesh.Deep(ctx, e)
		if err != nil {
			return nil, err
		}
		replaced := own.replace(whole)
		o, isObject := e.(*mesh.Object)
		fields, hasFields := replaced.(*object.Object)
		if isObject && hasFields {
			replaced = mesh.NewObject(o.Kind, twin, fields)
		}
		elements[i] = replaced
	}
	fieldsOf.Set(string(section), elements)
	return twin, nil
}

// An ownTexts replaces the texts by which a pod differs from every other one.
type ownTexts struct{ *strings.Replacer }

// identity returns the texts of a proxy's own pod: its id, name and addresses.
func identity(ctx context.Context, p *mesh.Object) (ownTexts, error) {
	var pairs []string
	for _, field := range []string{"id", "name", "ip"} {
		text, err := run.TextOf(ctx, p, field)
		if err != nil {
			return ownTexts{}, err
		}
		if text != "" {
			pairs = append(pairs, text, "<"+field+" of the proxy>")
		}
	}
	v, err := mesh.Get(ctx, p, "ips")
	if err == nil {
		v, err = mesh.Deep(ctx, v)
	}
	all, _ := v.([]any)
	for _, ip := range all {
		if text, ok := ip.(string); ok && text != "" {
			pairs = append(pairs, text, "<ip of the proxy>")
		}
	}
	return ownTexts{strings.NewReplacer(pairs...)}, err
}

// replace returns a value with the texts replaced, also in the names of fields.
func (o ownTexts) replace(v any) any {
	switch v := v.(type) {
	case string:
		return o.Replace(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = o.replace(v[i])
		}
		return out
	case *object.Object:
		out := object.New(v.Len())
		for key, w := range v.All() {
			out.Set(o.Replace(key), o.replace(w))
		}
		return out
	}
	return v
}
