package predict

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/kube"
)

// An Edit is one object of a change, in the form in which it would be stored.
type Edit struct {
	apiserver.Change
	Base apiserver.Object // the object that this edit replaces or removes; nil for a new object
	Same bool             // true if the stored object doesn't change
}

// Name returns the kind, namespace and name of the object, such as
// "VirtualService shop/web".
func (e *Edit) Name() string {
	return apiserver.Text(e.Object["kind"]) + " " + strings.TrimPrefix(apiserver.Key(e.Object), "/")
}

// An Overlay is a change to be merged into the objects of a mesh.
type Overlay struct {
	Edits []*Edit

	// Derived are the changes that the cluster's controllers would make to the
	// EndpointSlices of a Service, and throwaway certificates in place of Secrets.
	Derived []apiserver.Change

	// Notes describe what a prediction of the change can't know, such as an address
	// that is allocated when the change is applied.
	Notes []string

	// Unpredicted describes the objects that istiod may read but that no prediction
	// serves to it. What they do is unknown.
	Unpredicted []string
}

// IsEmpty reports whether the overlay has none of the change's objects, so that a
// prediction says nothing about the change.
func (o *Overlay) IsEmpty() bool { return len(o.Edits) == 0 }

// Changes returns the changes of the edits for which accept returns true, and all
// derived changes.
func (o *Overlay) Changes(accept func(*Edit) bool) (all []apiserver.Change) {
	for _, e := range o.Edits {
		if accept(e) {
			all = append(all, e.Change)
		}
	}
	return append(all, o.Derived...)
}

// unwatched are kinds that users often apply together with the configuration of a
// mesh. istiod sends nothing because of them, except to their pods, which are
// proxies that don't exist yet.
var unwatched = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "HorizontalPodAutoscaler", "PodDisruptionBudget"}

// Merge merges objects into those of the mesh, with the result that the API server
// would store. A new object gets the current time as its creation time. A changed
// object keeps its identity, its status, and the fields that the API server and
// controllers have set. If remove is set, the objects are removed. namespace is used
// for objects that don't name one.
func (in *Inputs) Merge(given []apiserver.Object, remove bool, namespace string, now time.Time) (*Overlay, error) {
	o := &Overlay{}
	for _, g := range given {
		kind, apiVersion := apiserver.Text(g["kind"]), apiserver.Text(g["apiVersion"])
		m := apiserver.Metadata(g)
		if kind == "" || apiVersion == "" || apiserver.Text(m["name"]) == "" {
			return nil, fmt.Errorf("an object without apiVersion, kind or metadata.name: %s", brief(g))
		}
		resource, ok := apiserver.ResourceOf(apiVersion, kind)
		switch group, _, _ := strings.Cut(apiVersion, "/"); {
		case slices.Contains(unwatched, kind):
			o.Notes = append(o.Notes, fmt.Sprintf("%s %s: not predicted: istiod sends nothing because of it, and proxies of new pods can't be asked yet", kind, apiserver.Text(m["name"])))
			continue
		case !ok && apiserver.IsCustomGroup(group):
			o.Unpredicted = append(o.Unpredicted, fmt.Sprintf("%s %s: not predicted: %s has no kind %s that is known here", kind, apiserver.Text(m["name"]), apiVersion, kind))
			continue
		case !ok:
			o.Notes = append(o.Notes, fmt.Sprintf("%s %s: not predicted: istiod doesn't read objects of this kind", kind, apiserver.Text(m["name"])))
			continue
		}
		if kind == "Secret" {
			o.Notes = append(o.Notes, fmt.Sprintf("Secret %s: not predicted: secrets are neither read nor sent", apiserver.Text(m["name"])))
			continue
		}
		g = clone(g)
		m = apiserver.Metadata(g)
		if !apiserver.IsNamespaced(resource) {
			delete(m, "namespace")
		} else if apiserver.Text(m["namespace"]) == "" {
			m["namespace"] = namespace
		}
		e := &Edit{Change: apiserver.Change{Resource: resource, Object: g, Remove: remove}, Base: in.Objects.Get(resource, apiserver.Key(g))}
		switch {
		case remove && e.Base == nil:
			return nil, fmt.Errorf("%s is not in the mesh, so it can't be deleted", e.Name())
		case remove:
			e.Object = e.Base
		case e.Base != nil:
			e.Object = replaced(e.Base, g)
			e.Same = reflect.DeepEqual(content(e.Base), content(e.Object))
		default:
			m["uid"] = "whatif-" + resource + "-" + apiserver.Key(g)
			m["creationTimestamp"] = now.UTC().Format(time.RFC3339)
			m["generation"] = json.Number("1")
			m["resourceVersion"] = "1"
			if apiserver.IsCustom(resource) && !in.serves(resource) && in.cluster.IsLive() {
				return nil, fmt.Errorf("%s: the cluster has no resource %s", e.Name(), resource)
			}
		}
		o.Edits = append(o.Edits, e)
	}
	if len(given) == 0 {
		return nil, errors.New("the change has no objects")
	}
	o.services(in.Objects)
	o.certificates(in.Objects)
	return o, nil
}

func (in *Inputs) serves(resource string) bool {
	return in.Objects.Get("customresourcedefinitions.apiextensions.k8s.io", "/"+resource) != nil || len(in.Objects.All(resource)) > 0
}

func brief(v any) string {
	text, _ := json.Marshal(v) // can't fail, because v comes from JSON or YAML
	if len(text) > 100 {
		return string(text[:100]) + "…"
	}
	return string(text)
}

func clone(o apiserver.Object) apiserver.Object {
	return deepCopy(o).(apiserver.Object)
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for k, e := range v {
			c[k] = deepCopy(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = deepCopy(e)
		}
		return c
	case int64: // YAML parsers return integers; JSON keeps the digits
		return json.Number(strconv.FormatInt(v, 10))
	case int:
		return json.Number(strconv.Itoa(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return v
}

// content returns the parts of an object that istiod reads.
func content(o apiserver.Object) apiserver.Object {
	c := maps.Clone(o)
	delete(c, "status")
	delete(c, "apiVersion")
	m := maps.Clone(apiserver.Metadata(o))
	for _, f := range []string{"managedFields", "resourceVersion", "generation", "selfLink"} {
		delete(m, f)
	}
	if a, ok := m["annotations"].(apiserver.Object); ok {
		a = maps.Clone(a)
		delete(a, kube.LastApplied)
		if m["annotations"] = a; len(a) == 0 {
			delete(m, "annotations")
		}
	}
	c["metadata"] = m
	return c
}

// replaced returns the object that is stored when given is applied over base. In
// Kubernetes' own kinds, fields that given doesn't set keep their values, because
// the API server has set most of them (addresses, ports and IP families of a
// Service). Custom resources have no such fields, so their content is that of given.
// Labels and annotations that only base has are kept, unless they are in the
// configuration that kubectl applied last.
func replaced(base, given apiserver.Object) apiserver.Object {
	out := clone(base)
	resource, _ := apiserver.ResourceOf(apiserver.Text(given["apiVersion"]), apiserver.Text(given["kind"]))
	last := lastApplied(base)
	for k, v := range given {
		switch k {
		case "metadata", "status":
		case "apiVersion", "kind":
			out[k] = v
		default:
			if apiserver.IsCustom(resource) {
				out[k] = v
				continue
			}
			out[k] = merged(base[k], last[k], v)
		}
	}
	for k := range base {
		if _, ok := given[k]; !ok && (apiserver.IsCustom(resource) || last[k] != nil) && !slices.Contains([]string{"metadata", "status", "apiVersion", "kind"}, k) {
			delete(out, k)
		}
	}
	m, old := apiserver.Metadata(out), apiserver.Metadata(given)
	for _, k := range []string{"labels", "annotations"} {
		if _, ok := old[k]; ok || apiserver.At(last, "metadata", k) != nil {
			m[k] = merged(m[k], apiserver.At(last, "metadata", k), cmpObject(old[k]))
		}
	}
	if n, ok := m["generation"].(json.Number); ok && !reflect.DeepEqual(base["spec"], out["spec"]) {
		g, _ := n.Int64()
		m["generation"] = json.Number(strconv.FormatInt(g+1, 10))
	}
	return out
}

func cmpObject(v any) any {
	if v == nil {
		return apiserver.Object{}
	}
	return v
}

// lastApplied returns the configuration that kubectl applied last, or an empty object
// if it isn't known.
func lastApplied(o apiserver.Object) (last apiserver.Object) {
	text := apiserver.Text(apiserver.At(o, "metadata", "annotations", kube.LastApplied))
	if decodeJSON([]byte(text), &last) != nil {
		return apiserver.Object{}
	}
	return last
}

// merged merges a value into the stored one, as kubectl apply does. It merges objects
// field by field, and removes fields that were in the last configuration and are not
// in the new one. In a list of objects, elements with an equal name or port are
// merged. All other values are replaced.
func merged(base, last, given any) any {
	switch g := given.(type) {
	case map[string]any:
		b, ok := base.(map[string]any)
		if !ok {
			return given
		}
		l, _ := last.(map[string]any)
		out := maps.Clone(b)
		for k := range l {
			if _, ok := g[k]; !ok {
				delete(out, k)
			}
		}
		for k, v := range g {
			out[k] = merged(b[k], l[k], v)
		}
		return out
	case []any:
		b, _ := base.([]any)
		out := slices.Clone(g)
		for i, v := range g {
			element, ok := v.(map[string]any)
			if !ok {
				continue
			}
			for _, old := range b {
				if o, ok := old.(map[string]any); ok && sameElement(o, element) {
					out[i] = merged(o, nil, element)
					break
				}
			}
		}
		return out
	}
	return given
}

func sameElement(a, b map[string]any) bool {
	for _, key := range []string{"port", "name"} {
		if a[key] != nil || b[key] != nil {
			return reflect.DeepEqual(a[key], b[key])
		}
	}
	return false
}
