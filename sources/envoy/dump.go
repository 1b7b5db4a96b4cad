package envoy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A dump is a config dump and what is known of it: where its parts lie, after
// the first pass. Later passes read only the parts they are about.
type dump struct {
	doc *decode.Document
	cut bool // it holds what was asked for, and what it lacks isn't there

	mu      sync.Mutex // held through the first pass
	indexed bool
	parts   []part
}

// A part is one of the dump's configs: an Any of envoy.admin.v3.
type part struct {
	kind     string // its message, "ClustersConfigDump"
	off, end int64
}

// A reading is what a pass wants of the parts of one kind.
type reading struct {
	kind   string
	fields []decode.Field       // of the part; their visits have tags from tagOwn on
	take   func(tag int, v any) // what they visit
	ended  func(mine bool)      // a part has ended; what was taken since the last is of the kind or, if not mine, of no use
}

// The tags of visits.
const (
	tagPart = 1 + iota
	tagType
	tagVersion
	tagOwn
)

// read passes over the parts of a kind; found tells whether there is any, or
// could have been: an Envoy leaves out what it has nothing of, but of a dump
// without its main parts, or without a part that another refers to, nothing
// can be said about the rest.
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

// must is read for a section that there has to be.
func (d *dump) must(ctx context.Context, r reading) error {
	found, err := d.read(ctx, r)
	if err == nil && !found {
		err = d.absent(r.kind)
	}
	return err
}

// An absentError says that a dump says nothing about a section.
type absentError struct{ kind string }

func (e *absentError) Error() string { return "no " + e.kind + " in it" }

func (d *dump) absent(kind string) error { return d.doc.Named(&absentError{kind}) }

// absent tells that error from others.
func absent(err error) bool {
	var a *absentError
	return errors.As(err, &a)
}

// first makes the first pass, over everything, unless it was made before.
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

// has tells whether the dump holds a part of a kind. It is good after a read.
func (d *dump) has(kind string) bool {
	return slices.ContainsFunc(d.parts, func(p part) bool { return p.kind == kind })
}

// full tells whether what the dump lacks isn't there: it has the parts that
// every Envoy has.
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

// references are the fields by which listeners and clusters refer to what
// another part of the dump holds: an Envoy that has one has that part, too. As
// they stand in a dump of Envoy's own, and in camelCase.
var references = map[string][]string{
	"RoutesConfigDump":  {`"rds"`, `"route_config"`, `"routeConfig"`, `"scoped_routes"`, `"scopedRoutes"`},
	"SecretsConfigDump": {"sds_secret_config", "sdsSecretConfig", "SdsSecretConfig"},
}

// refers tells whether a listener or a cluster has one of the fields.
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

// part is the node of one part of the dump.
func (r *reading) part() *decode.Node {
	return &decode.Node{Walk: true, Visit: tagPart, Fields: append([]decode.Field{
		{Name: "@type", Node: &decode.Node{Visit: tagType}},
	}, r.fields...)}
}

// visit gives the function that hands on what the nodes visit, and notes the
// parts' places.
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

// partKind is the name of a part's message: the same in v2alpha and v3.
func partKind(url any) string {
	s, _ := url.(string)
	name := typeName(s)
	if !strings.HasPrefix(name, "envoy.admin.") {
		return ""
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}
