package envoy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A dump is a config dump and the positions of its parts. The first pass finds
// the positions. Later passes read only the parts that they need.
type dump struct {
	doc *decode.Document
	cut bool // true if only some parts were requested, so that a part that isn't in the answer doesn't exist

	mu      sync.Mutex // a lock that is held while the first pass runs
	indexed bool
	parts   []part
}

// A part is one element of the list "configs" in a dump. It is an Any with a
// message of envoy.admin.v3.
type part struct {
	kind     string // the name of the message, such as "ClustersConfigDump"
	off, end int64
}

// A reading describes what a pass reads from the parts of one kind.
type reading struct {
	kind   string
	fields []decode.Field       // the fields to read from the part; the tags of their visits start at tagOwn
	take   func(tag int, v any) // receives each value that the decoder visits
	// called at the end of a part; if mine is false, the part is of another
	// kind and its values must be dropped
	ended func(mine bool)
}

// These are the tags with which the decoder passes values to a reading.
const (
	tagPart = 1 + iota
	tagType
	tagVersion
	tagOwn
)

// read reads the parts of a kind. found reports whether a missing part means
// that the section is empty, because Envoy omits empty parts. It doesn't mean
// that if the main parts are missing too, or if another part refers to the
// missing part: then the dump was cut down before.
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

// must reads a section that the dump has to contain. If the dump doesn't
// contain it, it returns an absentError.
func (d *dump) must(ctx context.Context, r reading) error {
	found, err := d.read(ctx, r)
	if err == nil && !found {
		err = d.absent(r.kind)
	}
	return err
}

// An absentError reports that a dump contains nothing about a section.
type absentError struct{ kind string }

func (e *absentError) Error() string { return "no " + e.kind + " in it" }

func (d *dump) absent(kind string) error { return d.doc.Named(&absentError{kind}) }

// absent reports whether err means that the dump contains nothing about a
// section.
func absent(err error) bool {
	var a *absentError
	return errors.As(err, &a)
}

// first makes the first pass over the whole dump, unless it was made before.
// done reports whether this call made the pass, and so has also read the parts
// for r.
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

// has reports whether the dump contains a part of the given kind. It must be
// called after read.
func (d *dump) has(kind string) bool {
	return slices.ContainsFunc(d.parts, func(p part) bool { return p.kind == kind })
}

// full reports whether a missing part is certainly empty, because the dump
// contains the parts that every Envoy writes.
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

// references maps a part to the fields by which listeners and clusters refer to
// resources in that part. If an Envoy has such a field, its dump has that part.
// The fields are spelled as in Envoy's dumps, and in camelCase.
var references = map[string][]string{
	"RoutesConfigDump":  {`"rds"`, `"route_config"`, `"routeConfig"`, `"scoped_routes"`, `"scopedRoutes"`},
	"SecretsConfigDump": {"sds_secret_config", "sdsSecretConfig", "SdsSecretConfig"},
}

// refers reports whether any listener or cluster contains one of the given
// fields.
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

// part returns the decoder's node that reads one part of the dump.
func (r *reading) part() *decode.Node {
	return &decode.Node{Walk: true, Visit: tagPart, Fields: append([]decode.Field{
		{Name: "@type", Node: &decode.Node{Visit: tagType}},
	}, r.fields...)}
}

// visit returns the function that receives the visited values. It also collects
// the positions of the parts.
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

// partKind returns the name of a part's message from its type URL. The names
// are the same in v2alpha and v3.
func partKind(url any) string {
	s, _ := url.(string)
	name := typeName(s)
	if !strings.HasPrefix(name, "envoy.admin.") {
		return ""
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}
