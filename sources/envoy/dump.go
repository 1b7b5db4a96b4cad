package envoy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A dump is a config dump and the positions of its parts, which the first pass
// finds. Later passes read only the parts they need.
type dump struct {
	doc *decode.Document
	cut bool // only a part was requested: what it lacks doesn't exist

	mu      sync.Mutex // held during the first pass
	indexed bool
	parts   []part
}

// A part is one of the dump's configs: an Any of envoy.admin.v3.
type part struct {
	kind     string // its message, "ClustersConfigDump"
	off, end int64
}

// A reading says what a pass reads in the parts of one kind.
type reading struct {
	kind   string
	fields []decode.Field       // the part's; the tags of their visits start at tagOwn
	take   func(tag int, v any) // called for each visit
	ended  func(mine bool)      // called at the end of a part; if not mine, what was taken from it is of another kind
}

// The tags of visits.
const (
	tagPart = 1 + iota
	tagType
	tagVersion
	tagOwn
)

// read passes over the parts of a kind. found reports whether the dump could
// have such parts: an Envoy leaves out parts that would be empty, but a dump
// without its main parts, or without a part that another refers to, was cut
// down and says nothing about the rest.
func (d *dump) read(ctx context.Context, r reading) (found bool, err error) {
	parts, done, err := d.first(ctx, r)
	if err != nil {
		return false, err
	}
	if found = d.full(); found && !d.cut && !d.has(r.kind) {
		refers, err := d.refers(ctx, references[r.kind])
		return !refers, err
	}
	for _, p := range parts {
		if p.kind != r.kind {
			continue
		}
		found = true
		if done {
			continue
		}
		if _, err := d.doc.Pass(ctx, p.off, p.end, anyShape{envoyFields()}, r.part(), r.visit(nil)); err != nil {
			return false, d.doc.Named(err)
		}
	}
	return found, nil
}

// must is read for a section that the dump has to have.
func (d *dump) must(ctx context.Context, r reading) error {
	found, err := d.read(ctx, r)
	if err == nil && !found {
		err = d.absent(r.kind)
	}
	return err
}

// An absentError says that a dump has nothing about a section.
type absentError struct{ kind string }

func (e *absentError) Error() string { return "no " + e.kind + " in it" }

func (d *dump) absent(kind string) error { return d.doc.Named(&absentError{kind}) }

// absent reports whether an error is an absentError.
func absent(err error) bool {
	var a *absentError
	return errors.As(err, &a)
}

// first makes the first pass, over the whole dump, unless it was made before.
func (d *dump) first(ctx context.Context, r reading) (parts []part, done bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.indexed {
		return d.parts, false, nil
	}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: &decode.Node{Walk: true, Elem: r.part()}}}}
	_, err = d.doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ConfigDump"), root, r.visit(&parts))
	if err != nil {
		return nil, false, d.doc.Named(err)
	}
	d.parts, d.indexed = parts, true
	return parts, true, nil
}

// has reports whether the dump has a part of a kind. It is valid after a read.
func (d *dump) has(kind string) bool {
	return slices.ContainsFunc(d.parts, func(p part) bool { return p.kind == kind })
}

// full reports whether a part that the dump lacks is empty: the dump has the
// parts that every Envoy has.
func (d *dump) full() bool {
	if d.cut {
		return true
	}
	for _, kind := range []string{"BootstrapConfigDump", "ClustersConfigDump", "ListenersConfigDump"} {
		if !d.has(kind) {
			return false
		}
	}
	return true
}

// references are the fields by which listeners and clusters refer to resources
// in another part of the dump: an Envoy that has such a field has that part,
// too. They are spelled as in Envoy's dumps, and in camelCase.
var references = map[string][]string{
	"RoutesConfigDump":  {`"rds"`, `"route_config"`, `"routeConfig"`, `"scoped_routes"`, `"scopedRoutes"`},
	"SecretsConfigDump": {"sds_secret_config", "sdsSecretConfig", "SdsSecretConfig"},
}

// refers reports whether a listener or a cluster has one of the fields.
func (d *dump) refers(ctx context.Context, fields []string) (bool, error) {
	for _, p := range d.parts {
		if fields == nil || p.kind != "ListenersConfigDump" && p.kind != "ClustersConfigDump" {
			continue
		}
		if found, err := d.doc.Contains(ctx, p.off, p.end, fields...); found || err != nil {
			return found, d.doc.Named(err)
		}
	}
	return false, nil
}

// part returns the node that reads one part of the dump.
func (r *reading) part() *decode.Node {
	return &decode.Node{Walk: true, Visit: tagPart, Fields: append([]decode.Field{
		{Name: "@type", Node: &decode.Node{Visit: tagType}},
	}, r.fields...)}
}

// visit returns the function that is called with what the nodes visit. It also
// collects the parts' positions.
func (r *reading) visit(parts *[]part) func(int, any, int64, int64) error {
	kind := ""
	return func(tag int, v any, off, end int64) error {
		switch tag {
		case tagType:
			kind = partKind(v)
		case tagPart:
			if parts != nil {
				*parts = append(*parts, part{kind, off, end})
			}
			r.ended(kind == r.kind)
			kind = ""
		default:
			r.take(tag, v)
		}
		return nil
	}
}

// partKind returns the name of a part's message, which is the same in v2alpha
// and v3.
func partKind(url any) string {
	s, _ := url.(string)
	name := typeName(s)
	if !strings.HasPrefix(name, "envoy.admin.") {
		return ""
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}
