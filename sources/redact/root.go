package redact

import (
	"path"
	"slices"
	"strings"
)

// These are the names of the messages that are defined in this file because no
// schema has them.
const (
	anything = "an Any"
	aText    = "google.protobuf.StringValue"
	anObject = "an object of Kubernetes"
	aList    = "a list of "
)

// builtin returns a message that no schema has, or nil if there is no such message.
func (s *schema) builtin(name string) *message {
	switch {
	case name == anything:
		return &message{fields: map[string]*field{"value": openField}, rest: openField, any: true}
	case name == aText:
		return &message{fields: map[string]*field{"value": {chosen: true}}, rest: openField}
	case name == anObject:
		return s.object("")
	case strings.HasPrefix(name, aList):
		m := &message{rest: openField, fields: map[string]*field{
			"kind": {class: Kept}, "apiVersion": {class: Kept}, "metadata": {holds: "k8s.meta.ListMeta"}, "items": {holds: name[len(aList):]},
		}}
		return m
	case strings.HasPrefix(name, "object/"):
		kind, group, _ := strings.Cut(name[len("object/"):], ".")
		return s.object(s.spec(kind, group))
	}
	return nil
}

// object returns the schema of a Kubernetes object. of is the message of the whole
// object or, if the object is one of Istio's, the message of its spec.
func (s *schema) object(of string) *message {
	m := &message{rest: openField, object: true, fields: map[string]*field{
		"kind": {class: Kept}, "apiVersion": {class: Kept}, "metadata": {holds: "k8s.meta.ObjectMeta"},
	}}
	switch {
	case of == "":
	case strings.HasPrefix(of, "istio."):
		m.fields["spec"] = &field{holds: of}
		m.fields["status"] = &field{holds: "istio.meta.v1alpha1.IstioStatus"}
	default:
		for name, f := range s.message(of).fields {
			if _, ok := m.fields[name]; !ok {
				m.fields[name] = f
			}
		}
	}
	return m
}

// objectOf returns the schema of a Kubernetes object whose version isn't known,
// only its kind.
func (s *schema) objectOf(kind string) *message {
	for _, group := range []string{"", "networking.k8s.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"} {
		if name := s.spec(kind, group); name != "" {
			return s.message("object/" + kind + "." + group)
		}
	}
	return s.message("object/.")
}

// spec returns the name of the message for a kind of Kubernetes objects, or "" if
// the kind isn't known.
func (s *schema) spec(kind, group string) string {
	known := func(name string) bool { return s.lines[name] != "" }
	var names []string
	if room, ok := strings.CutSuffix(group, ".istio.io"); ok {
		for _, version := range []string{"v1alpha3", "v1beta1", "v1alpha1", "v1"} {
			names = append(names, "istio."+room+"."+version+"."+kind)
		}
	}
	switch group {
	case "":
		names = []string{"k8s.core." + kind}
	case "networking.k8s.io":
		names = []string{"k8s.networking." + kind}
	case "discovery.k8s.io":
		names = []string{"k8s.discovery." + kind}
	case "gateway.networking.k8s.io":
		names = []string{"gateway." + kind}
	}
	if i := slices.IndexFunc(names, known); i >= 0 {
		return names[i]
	}
	return ""
}

// answers maps the name of a snapshot's file, up to the first dot, to the name of
// the message in the file.
var answers = map[string]string{
	"config_dump": "answers.Bodies", "edsz": "answers.Bodies", "clusters": "envoy.admin.v3.Clusters", "listeners": "envoy.admin.v3.Listeners",
	"certs": "envoy.admin.v3.Certificates", "server_info": "envoy.admin.v3.ServerInfo", "stats": "answers.Stats",
	"syncz": "answers.Sync", "adsz": "answers.Clients", "connections": "answers.Clients", "configz": anObject,
	"registryz": "answers.Service", "instancesz": "answers.Instances", "endpointz": "answers.Endpoints", "endpointShardz": "answers.Endpoints",
	"clusterz": "answers.Cluster", "push_status": "answers.PushStatus", "mesh": "istio.mesh.v1alpha1.MeshConfig", "networkz": "answers.Networks",
}

// rootOf returns the name of the message in a file of a snapshot. The file may also
// contain a list of such messages. If it contains a list of Kubernetes objects,
// kind is their kind, for example "Gateway.networking.istio.io".
func rootOf(file, kind string) string {
	if strings.HasPrefix(file, "kubernetes/") {
		return aList + "object/" + kind
	}
	name, _, _ := strings.Cut(path.Base(file), ".")
	return answers[name]
}
