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

// An Edit is one object of a change, as it would be stored.
type Edit struct {
	apiserver.Change
	Base apiserver.Object // the object that it replaces or removes; nil for a new object
	Same bool             // the object is stored as it was
}

// Name returns the kind, namespace and name of the object: "VirtualService
// shop/web".
func (e *Edit) Name() string {
	return apiserver.Text(e.Object["kind"]) + " " + strings.TrimPrefix(apiserver.Key(e.Object), "/")
}

// An Overlay is a change that is merged into the objects of a mesh.
type Overlay struct {
	Edits []*Edit

	// Derived are the changes that controllers of the cluster would make: to the
	// EndpointSlices of a Service.
	Derived []apiserver.Change

	// Notes say what a prediction of the change can't know, such as an address that
	// is allocated when the change is applied.
	Notes []string
}

// Changes returns the changes of the edits that accept takes, and all derived ones.
func (o *Overlay) Changes(accept func(*Edit) bool) (all []apiserver.Change) {
	for _, e := range o.Edits {
		if accept(e) {
			all = append(all, e.Change)
		}
	}
	return append(all, o.Derived...)
}

// unwatched are kinds that people apply together with the configuration of a mesh.
// istiod doesn't send anything because of them, except that their pods are proxies
// that don't exist yet.
var unwatched = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "HorizontalPodAutoscaler", "PodDisruptionBudget"}

// Merge merges objects into those of the mesh, as the API server would store them:
// a new object is created now, a changed one keeps its identity, its status, and what
// the API server and controllers have set. With remove, the objects are removed.
// namespace is the one of objects that name none.
func (in *Inputs) Merge(given []apiserver.Object, remove bool, namespace string, now time.Time) (*Overlay, error) {
	o := &Overlay{}
	for _, g := range given {
		kind, apiVersion := apiserver.Text(g["kind"]), apiserver.Text(g["apiVersion"])
		m := apiserver.Metadata(g)
		if kind == "" || apiVersion == "" || apiserver.Text(m["name"]) == "" {
			return nil, fmt.Errorf("an object without apiVersion, kind or metadata.name: %s", brief(g))
		}
		resource, ok := apiserver.ResourceOf(apiVersion, kind)
		if slices.Contains(unwatched, kind) || !ok {
			o.Notes = append(o.Notes, fmt.Sprintf("%s %s: not predicted: istiod sends nothing because of it, and proxies of new pods can't be asked yet", kind, apiserver.Text(m["name"])))
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
	if len(o.Edits)+len(o.Notes) == 0 {
		return nil, errors.New("the change has no objects")
	}
	o.services(in.Objects)
	return o, nil
}

func (in *Inputs) serves(resource string) bool {
	return in.Objects.Get("customresourcedefinitions.apiextensions.k8s.io", "/"+resource) != nil || len(in.Objects.All(resource)) > 0
}

func brief(v any) string {
	text, _ := json.Marshal(v) // v comes from JSON or YAML
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
	case int64: // a YAML parser makes integers, JSON keeps the digits
		return json.Number(strconv.FormatInt(v, 10))
	case int:
		return json.Number(strconv.Itoa(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return v
}

// content returns what istiod reads of an object.
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

// replaced returns the object that is stored when given is applied over base. Of
// Kubernetes' own kinds, fields that given doesn't set keep their values, because
// most of them were set by the API server (addresses, ports, families of a Service).
// Custom resources have no such fields, so their content is given's. Labels and
// annotations that only base has stay if kubectl's last configuration doesn't
// contain them.
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

// merged merges a value into the stored one, as kubectl apply does: fields of objects
// one by one, without those that were in the last configuration and are gone. The
// elements of a list of objects keep fields that the new ones don't set, if their
// names or ports are equal. All other values are replaced.
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
