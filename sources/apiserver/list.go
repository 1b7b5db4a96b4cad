package apiserver

import (
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// A filter selects the objects of a list or a watch.
type filter struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

func filterOf(r *http.Request, q target) (f filter, err error) {
	f.namespace = q.namespace
	if f.labels, err = labels.Parse(r.URL.Query().Get("labelSelector")); err != nil {
		return f, err
	}
	f.fields, err = fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	return f, err
}

// takes reports whether the filter selects an object. It knows the fields that
// istiod's selectors use, and treats all others as empty.
func (f filter) takes(o Object) bool {
	m := Metadata(o)
	set := labels.Set{}
	given, _ := m["labels"].(Object)
	for k, v := range given {
		set[k] = Text(v)
	}
	return (f.namespace == "" || f.namespace == Text(m["namespace"])) && f.labels.Matches(set) && f.fields.Matches(fields.Set{
		"metadata.name": Text(m["name"]), "metadata.namespace": Text(m["namespace"]),
		"type": Text(o["type"]), "status.phase": Text(At(o, "status", "phase")), "spec.nodeName": Text(At(o, "spec", "nodeName")),
	})
}

// selected returns the objects that a request selects, with the position in the log
// up to which they have all changes.
func (s *Server) selected(q target, f filter) (items []any, at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	items = []any{}
	for _, o := range s.objects.All(q.resource) {
		if f.takes(o) {
			items = append(items, q.present(o))
		}
	}
	return items, len(s.log)
}

func version(at int) string { return strconv.Itoa(epoch + at) }

// listKind returns the apiVersion and kind of a list; kindOf those of its objects.
func (s *Server) listKind(q target) (apiVersion, kind string) {
	apiVersion, kind = s.kindOf(q)
	return apiVersion, kind + "List"
}

func (s *Server) kindOf(q target) (apiVersion, kind string) {
	if q.partial {
		return "meta.k8s.io/v1", "PartialObjectMetadata"
	}
	return q.version, s.kinds[q.resource]
}

func (s *Server) list(w *response, r *http.Request, q target) {
	f, err := filterOf(r, q)
	if err != nil {
		w.fail(http.StatusBadRequest, "BadRequest")
		return
	}
	items, at := s.selected(q, f)
	apiVersion, kind := s.listKind(q)
	w.reply(http.StatusOK, Object{"kind": kind, "apiVersion": apiVersion, "metadata": Object{"resourceVersion": version(at)}, "items": items})
}

// watch sends the changes after the requested version until the client leaves. If
// the client wants initial events (Kubernetes' streaming lists), it first sends all
// objects, and a bookmark.
func (s *Server) watch(w *response, r *http.Request, q target) {
	f, err := filterOf(r, q)
	if err != nil {
		w.fail(http.StatusBadRequest, "BadRequest")
		return
	}
	items, at := s.selected(q, f)
	w.stream()
	send := func(kind string, o any) { w.send(Object{"type": kind, "object": o}) } // flush returns the error
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, o := range items {
			send("ADDED", o)
		}
		apiVersion, kind := s.kindOf(q)
		send("BOOKMARK", Object{"kind": kind, "apiVersion": apiVersion, "metadata": Object{
			"resourceVersion": version(at), "annotations": Object{"k8s.io/initial-events-end": "true"},
		}})
	} else if n, err := strconv.Atoi(strings.TrimSpace(r.URL.Query().Get("resourceVersion"))); err == nil && n >= epoch && n-epoch <= at {
		at = n - epoch
	}
	for {
		s.mu.Lock()
		events := s.log[at:]
		closed := s.closed
		grown := s.grown // closed after the next change
		s.mu.Unlock()
		for _, e := range events {
			if at++; e.Resource == q.resource && f.takes(e.Object) {
				send(e.kind, q.present(e.Object))
			}
		}
		if w.flush() != nil || closed {
			return
		}
		<-grown
	}
}
