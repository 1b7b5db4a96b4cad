package predict

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// A Source is a mesh in which every proxy has the configuration that istiod would
// send to it, either without or with the change. All other data comes from the
// sources of the mesh.
//
// The sections of a proxy that istiod sends are predicted. Static configuration, the
// bootstrap and secrets come from the proxy's Envoy. Answers of istiod that the
// change may affect and that can't be predicted are missing, and so are ztunnels.
type Source struct {
	prediction *Prediction
	base       []transport.Source
	after      bool
	manifest   transport.Manifest
	frames     *frames
	owns       bool

	class   map[string]*Class // the class of each predicted proxy, by the proxy's id
	changed map[string]bool   // the resources with objects that the change affects
	objects *apiserver.Objects
}

// Sources returns the mesh without the change, which is istiod's baseline, and the
// mesh with the change. Both read from base, which the caller has to close.
func (p *Prediction) Sources(base []transport.Source) (before, after *Source) {
	f := &frames{base: base, known: map[string]*frame{}}
	before, after = p.source(base, false, f), p.source(base, true, f)
	return before, after
}

func (p *Prediction) source(base []transport.Source, after bool, f *frames) *Source {
	s := &Source{prediction: p, base: base, after: after, manifest: base[0].Manifest(), frames: f, class: map[string]*Class{}, changed: map[string]bool{}}
	s.manifest.Kind = transport.KindWhatIf
	for _, c := range p.Classes {
		for _, m := range c.Members {
			s.class[m.ID] = c
		}
	}
	if after {
		changes := p.Overlay.Changes(p.isAdmitted)
		s.objects = p.Inputs.Objects.Clone()
		s.objects.Apply(changes)
		for _, c := range changes {
			s.changed[c.Resource] = true
		}
		for _, e := range p.Overlay.Edits {
			if p.isAdmitted(e) {
				s.manifest.WhatIf = append(s.manifest.WhatIf, e.Name())
			}
		}
	}
	return s
}

// Manifest returns the manifest of the mesh, marked as a prediction.
func (s *Source) Manifest() transport.Manifest { return s.manifest }

// Faults returns the faults of the mesh. With the change, they include what makes the
// prediction incomplete: an unverified baseline, parts of the mesh that were not read,
// connections that istiod could not make, and objects that are left out.
func (s *Source) Faults() (all []*mesh.Fault) {
	for _, b := range s.base {
		all = append(all, b.Faults()...)
	}
	if !s.after {
		return all
	}
	p := s.prediction
	missing := func(section, format string, args ...any) {
		all = append(all, &mesh.Fault{Subject: Subject, Section: section, Err: fmt.Errorf(format, args...)})
	}
	if !p.Gate.Passed() {
		missing("baseline", "%s", p.Gate)
	}
	all = append(all, p.Inputs.Unread...)
	if p.Overlay.IsEmpty() {
		missing("change", "none of its objects can be predicted")
	}
	for _, u := range p.Overlay.Unpredicted {
		missing("change", "%s", u)
	}
	for _, host := range p.Blocked {
		missing("network", "istiod has no network here, so it could not connect to %s", host)
	}
	for i, v := range p.Verdicts {
		if v.Refused != "" {
			missing("admission", "%s is refused by istiod's admission and left out: %s", p.Overlay.Edits[i].Name(), v.Refused)
		}
	}
	return all
}

// String reports in one line whether the baseline is verified.
func (g *Gate) String() string {
	if g.Passed() {
		return fmt.Sprintf("verified: %d of %d proxies as your istiod sends them", g.Verified, g.Proxies)
	}
	text := fmt.Sprintf("unverified: the baseline of %d of %d proxies is as your istiod sends it", g.Verified, g.Proxies)
	if len(g.Unknown) > 0 {
		text += "; " + g.Unknown[0].Error()
	}
	if len(g.Causes) > 0 {
		text += "; " + strings.Join(g.Causes, "; ")
	}
	return text
}

// Pilots returns the istiods of the mesh.
func (s *Source) Pilots(ctx context.Context) ([]string, error) {
	return s.names(ctx, transport.Source.Pilots)
}

// Proxies returns the proxies of the mesh.
func (s *Source) Proxies(ctx context.Context) ([]string, error) {
	return s.names(ctx, transport.Source.Proxies)
}

func (s *Source) names(ctx context.Context, list func(transport.Source, context.Context) ([]string, error)) (all []string, err error) {
	for _, b := range s.base {
		names, e := list(b, ctx)
		all, err = append(all, names...), errors.Join(err, e)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// unaffected are the istiod endpoints whose answers don't depend on the objects of a
// change.
var unaffected = []string{"syncz", "adsz", "connections", "version", "clusterz"}

// Pilot returns the answer of an istiod. For a proxy's config_dump and edsz, it
// returns the predicted ones.
func (s *Source) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	name, query, _ := strings.Cut(endpoint, "?")
	switch {
	case name == "config_dump" || name == "edsz":
		for p := range strings.SplitSeq(query, "&") {
			id, ok := strings.CutPrefix(p, "proxyID=")
			switch {
			case ok && name == "edsz":
				return s.endpoints(id)
			case ok:
				return s.dump(id, nil)
			}
		}
	case slices.Contains(unaffected, name) || !s.after:
		return first(s.base, func(b transport.Source) (*transport.Body, error) { return b.Pilot(ctx, pilot, endpoint) })
	}
	return nil, fmt.Errorf("%s is not predicted", name)
}

// Fetch returns the answer of a proxy. For the proxy's config_dump, it returns
// the predicted one.
func (s *Source) Fetch(ctx context.Context, proxy, request string, hint mesh.Hint) (*transport.Body, error) {
	if name, _, _ := strings.Cut(request, "?"); name != "config_dump" {
		return first(s.base, func(b transport.Source) (*transport.Body, error) { return b.Fetch(ctx, proxy, request, hint) })
	}
	if _, err := s.config(proxy); err != nil {
		return nil, err
	}
	f, err := s.frames.get(ctx, proxy)
	switch {
	case errors.Is(err, fs.ErrNotExist): // without the proxy's dump, only what istiod sends is known
		f = &frame{}
	case err != nil:
		return nil, err
	}
	return s.dump(proxy, f)
}

// config returns the configuration of a proxy, or an error if it isn't predicted.
func (s *Source) config(proxy string) (Config, error) {
	if class := s.class[proxy]; class != nil {
		if s.after {
			return class.After, nil
		}
		return class.Before, nil
	}
	for _, f := range s.prediction.Inputs.Unread {
		if f.Proxy == proxy {
			return nil, fmt.Errorf("not predicted: %w", f.Err)
		}
	}
	return nil, errors.New("not predicted: istiod was asked for the connected sidecars, gateways and waypoints that were selected, and for no ztunnels")
}

// List returns the objects of a resource. Without the change, these are the objects
// of the mesh. With the change, they are the objects that the API server would store.
func (s *Source) List(ctx context.Context, resource string) (*transport.Body, error) {
	if !s.changed[resource] {
		return first(s.base, func(b transport.Source) (*transport.Body, error) { return b.List(ctx, resource) })
	}
	items := s.objects.All(resource)
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	if err != nil {
		return nil, err
	}
	return &transport.Body{Bytes: bytes.NewReader(text), Name: resource, Form: transport.JSON}, nil
}

// Close closes the sources of the mesh only after a call of Own. Otherwise it does
// nothing, because they belong to the caller.
func (s *Source) Close() (err error) {
	if s.owns {
		for _, b := range s.base {
			err = errors.Join(err, b.Close())
		}
	}
	return err
}

// Own makes Close close the sources of the mesh.
func (s *Source) Own() { s.owns = true }

func first(base []transport.Source, ask func(transport.Source) (*transport.Body, error)) (body *transport.Body, err error) {
	for _, b := range base {
		if body, err = ask(b); err == nil {
			return body, nil
		}
	}
	return nil, err
}

// dump returns a config dump of a proxy. If there is a frame, the dump also
// contains the parts of the Envoy's own dump that istiod doesn't send.
func (s *Source) dump(proxy string, f *frame) (*transport.Body, error) {
	config, err := s.config(proxy)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(`{"configs":[`)
	if f == nil {
		out.WriteString(`{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump"}`)
	} else {
		out.Write(bytes.Join(f.whole, []byte(",")))
	}
	for i, l := range lists {
		if i > 0 || f == nil || len(f.whole) > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"@type":"type.googleapis.com/envoy.admin.v3.%s"`, l.message)
		if f != nil {
			out.Write(f.static[l.message])
		}
		fmt.Fprintf(&out, `,%q:[`, l.list)
		for n, name := range sortedKeys(config[l.of]) {
			text, err := s.prediction.decoder.JSON(l.of, config[l.of][name])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if n > 0 {
				out.WriteByte(',')
			}
			l.wrap(&out, name, text)
		}
		out.WriteString(`]}`)
	}
	out.WriteString(`]}`)
	return &transport.Body{Bytes: bytes.NewReader(out.Bytes()), Name: "config_dump (predicted)", Form: transport.JSON}, nil
}

// endpoints returns the predicted answer of istiod's endpoint edsz for a proxy.
func (s *Source) endpoints(proxy string) (*transport.Body, error) {
	config, err := s.config(proxy)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, name := range sortedKeys(config[xds.Endpoints]) {
		text, err := s.prediction.decoder.JSON(xds.Endpoints, config[xds.Endpoints][name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, text)
	}
	text := fmt.Appendf(nil, `{"configs":[%s]}`, bytes.Join(all, []byte(",")))
	return &transport.Body{Bytes: bytes.NewReader(text), Name: "edsz (predicted)", Form: transport.JSON}, nil
}

// wrap writes a resource as an element of its list.
func (l dumpList) wrap(out *bytes.Buffer, name string, text []byte) {
	if l.message == "ListenersConfigDump" {
		fmt.Fprintf(out, `{"name":%s,`, quoted(name))
	} else {
		out.WriteByte('{')
	}
	for i, f := range l.path {
		if i > 0 {
			out.WriteByte('{')
		}
		fmt.Fprintf(out, "%q:", f)
	}
	out.Write(text)
	out.WriteString(strings.Repeat("}", len(l.path)))
}

func quoted(s string) []byte {
	text, _ := json.Marshal(s) // can't fail, because a string always has a JSON form
	return text
}

// A frame contains the parts of an Envoy's config dump that istiod doesn't
// send.
type frame struct {
	whole  [][]byte          // the messages that are kept whole: the bootstrap, secrets and scoped routes
	static map[string][]byte // the static fields of the other messages, each as JSON members with a leading comma
}

// frames caches the frame of each proxy, because the meshes with and without
// the change both need it.
type frames struct {
	base []transport.Source

	mu    sync.Mutex
	known map[string]*frame
}

func (f *frames) get(ctx context.Context, proxy string) (*frame, error) {
	f.mu.Lock()
	found := f.known[proxy]
	f.mu.Unlock()
	if found != nil {
		return found, nil
	}
	body, err := first(f.base, func(b transport.Source) (*transport.Body, error) {
		return b.Fetch(ctx, proxy, "config_dump", mesh.Hint{})
	})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		return nil, err
	}
	if found, err = newFrame(text); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[proxy] = found
	return found, nil
}

// newFrame extracts the frame from a config dump of an Envoy.
func newFrame(dump []byte) (*frame, error) {
	var all struct{ Configs []json.RawMessage }
	if err := json.Unmarshal(dump, &all); err != nil {
		return nil, err
	}
	f := &frame{static: map[string][]byte{}}
	for _, raw := range all.Configs {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, err
		}
		var url string
		if err := json.Unmarshal(fields["@type"], &url); err != nil {
			return nil, errors.New("a config dump whose parts have no type")
		}
		message := url[strings.LastIndexByte(url, '.')+1:]
		if !slices.ContainsFunc(lists, func(l dumpList) bool { return l.message == message }) {
			f.whole = append(f.whole, raw)
			continue
		}
		for _, name := range sortedKeys(fields) {
			if strings.HasPrefix(name, "static") {
				f.static[message] = append(append(append(f.static[message], ',', '"'), name...), append([]byte(`":`), fields[name]...)...)
			}
		}
	}
	if len(f.whole) == 0 {
		return nil, errors.New("a config dump without a bootstrap")
	}
	return f, nil
}
