package section

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// Desired returns the configuration that istiod would send to the proxy: an
// object of kind Desired, whose sections load when they are read. It isn't a
// field of the proxy, because reading it makes istiod compute a push. A
// returned error is a fault of the proxy.
func (p *Proxy) Desired(ctx context.Context) (*mesh.Object, error) {
	var err error
	switch {
	case p.Type() == mesh.ZTunnel:
		err = errors.New("a ztunnel is sent workloads, not sections of an Envoy")
	case p.Link == nil && !p.AllPilotsAnswered:
		err = errors.New("not every Pilot could be asked, and of the others none knows this proxy")
	case p.Link == nil:
		err = errors.New("no Pilot knows this proxy")
	}
	if err != nil {
		return nil, p.loader.client.Fail(ctx, &mesh.Fault{Proxy: p.ID, Section: "desired", Err: err})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desired == nil {
		d := &desired{Proxy: p, group: p.loader.store.Group(nil)}
		f := object.New(0)
		for _, s := range mesh.Sections() {
			if s.Desired {
				f.Set(string(s.Name), d.section(s.Name))
			}
		}
		d.object = mesh.NewObject("Desired", p.object, f)
		p.desired = d.object
	}
	return p.desired, nil
}

// desired loads the configuration that an istiod would send to a proxy.
type desired struct {
	*Proxy
	group  *store.Group
	object *mesh.Object // the owner of the elements in the sections
}

func (d *desired) section(s mesh.Section) mesh.Lazy {
	return d.group.Thunk(func(ctx context.Context) (any, error) {
		v, err := d.read(ctx, s, d.request(s))
		if err != nil && s == mesh.Endpoints && !requests.IsEnd(ctx, err) {
			// A config_dump that was requested without include_eds lacks
			// endpoints. edsz always has them.
			if all, e := d.read(ctx, s, "edsz?"+d.Link.Query()); e == nil {
				return all, nil
			}
		}
		if err != nil {
			return nil, d.loader.client.Fail(ctx, &mesh.Fault{Proxy: d.ID, Section: "desired." + string(s), Err: err})
		}
		return v, nil
	})
}

// WithEndpoints is the parameter that makes istiod's config_dump contain
// endpoints.
const WithEndpoints = "&include_eds=true"

// request returns the request for a section. A live istiod gets one request for
// all the sections that the query will read, and for no others. A snapshot
// contains the answer to only one request.
func (d *desired) request(s mesh.Section) string {
	request := "config_dump?" + d.Link.Query()
	if !d.Link.Pilot.Cluster.IsLive() {
		return request
	}
	desires := d.loader.ReadsDesired
	if _, known := desires[s]; !known {
		return request + WithEndpoints
	}
	var types []string
	for _, p := range mesh.Sections() {
		look, is := desires[p.Name]
		switch {
		case !is || !p.Desired:
			continue
		case look.Fields == nil || slices.Contains(look.Fields, "versionInfo"): // istiod's answers with the parameter "types" contain no versions
			if _, is := desires[mesh.Endpoints]; is {
				return request + WithEndpoints
			}
			return request
		}
		types = append(types, istiod.TypesOf[p.Name])
	}
	return request + "&types=" + strings.Join(types, ",")
}

// read reads a section from an answer of istiod, with a new envoy.Proxy for
// each section. That costs little, since all of them share the bytes of the
// answer, and a section is found without decoding the others.
func (d *desired) read(ctx context.Context, s mesh.Section, request string) (any, error) {
	p := d.Link.Pilot
	body, err := d.loader.client.Ask(ctx, requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: request})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID, err)
	}
	doc := &decode.Document{Bytes: body, Name: body.Name, Proxy: d.ID, Grew: d.group.Grew, Twins: d.twins(d.group)}
	if !strings.HasPrefix(request, "config_dump") || strings.Contains(request, "&types=") {
		if err := d.wrap(ctx, s, doc); err != nil {
			return nil, err
		}
	}
	fetch := func(context.Context, envoy.Request) (*decode.Document, error) { return doc, nil }
	return envoy.NewDump(d.object, fetch, d.loader.Now).Section(ctx, s)
}

// wrap converts an answer that is a list of resources into a config dump. An
// answer that already is a config dump is left unchanged: an istiod that
// doesn't support the parameter "types" returns one.
func (d *desired) wrap(ctx context.Context, s mesh.Section, doc *decode.Document) error {
	var out bytes.Buffer
	if err := istiod.Wrap(ctx, &out, s, doc); err != nil {
		return doc.Named(err)
	}
	if out.Len() > 0 {
		d.group.Grew(int64(out.Len()))
		doc.Bytes = bytes.NewReader(out.Bytes())
	}
	return nil
}
