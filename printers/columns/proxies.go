package columns

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

func pilotKind() Kind {
	return Kind{Name: "Pilot", Columns: append([]Column{
		naming(path("NAME", "name")),
		path("NAMESPACE", "namespace"),
		path("REVISION", "revision"),
		path("VERSION", "version"),
		path("PROXIES", "connectedProxies"),
	}, wide(
		path("IP", "ip"),
		path("CLUSTER", "clusterID"),
	)...)}
}

// proxyKind is the status table: how each proxy stands to its Pilot, type by
// type. A type beyond the first four is there when some proxy subscribed to it.
func proxyKind() Kind {
	columns := []Column{naming(path("NAME", "id"))}
	for i, t := range mesh.SyncTypes() {
		c := syncColumn(t)
		if i >= 4 {
			c.Sometimes, c.shown = "some proxy subscribed to it", unless(mesh.Ignored, mesh.Unknown, "", None)
		}
		columns = append(columns, c)
	}
	cluster := path("CLUSTER", "clusterID")
	cluster.Sometimes, cluster.shown = "proxies of several clusters; -o wide", varies
	from := path("CONTEXT", "context")
	from.Sometimes, from.shown = "proxies of several contexts", varies
	columns = append(columns, from, cluster, path("PILOT", "pilot"), path("VERSION", "version"))
	columns = append(columns, wide(
		path("REVISION", "revision"),
		path("TYPE", "type"),
		path("IP", "ip"),
		path("NODE", "node"),
		age("CONNECTED", "connectedAt"),
		behindColumn(),
	)...)
	return Kind{Name: "Proxy", Columns: columns, labels: []string{"labels"}}
}

// syncColumn is the word of one type, with its age when there is room. The share
// of its clusters that a proxy has endpoints for stands in the age's place: who
// sees it has asked for it, or has an istiod that knows no ages.
func syncColumn(t mesh.SyncType) Column {
	return Column{
		Header: strings.ToUpper(t.Key), Fields: []string{t.Key}, WideFields: []string{"sync." + t.Key + ".age", "sync." + t.Key + ".percent"}, Alarm: true,
		cell: func(s *Subject) string {
			word := s.Text(t.Key)
			if !s.Wide {
				return word
			}
			if percent := s.Text("sync", t.Key, "percent"); percent != "" {
				return word + " (" + percent + "%)"
			}
			if age := s.seconds("sync", t.Key, "age"); age != "" {
				return word + " (" + age + ")"
			}
			return word
		},
	}
}

// behindColumn says of which types a proxy has not got the last push, and how
// many of them: CDS:1,RDS:3.
func behindColumn() Column {
	c := Column{Header: "BEHIND", cell: behind, Sometimes: "some proxy is; -o wide", shown: unless("", None)}
	for _, t := range mesh.SyncTypes() {
		c.Fields = append(c.Fields, "sync."+t.Key+".pushesBehind")
	}
	return c
}

func behind(s *Subject) string {
	var types []string
	for _, t := range mesh.SyncTypes() {
		if n := s.Text("sync", t.Key, "pushesBehind"); n != "" && n != "0" {
			types = append(types, strings.ToUpper(t.Key)+":"+n)
		}
	}
	return strings.Join(types, ",")
}

func faultKind() Kind {
	of := Column{Header: "SUBJECT", Fields: []string{"proxy", "subject"}, name: true, cell: func(s *Subject) string {
		if proxy := s.Text("proxy"); proxy != "" {
			return proxy
		}
		return s.Text("subject")
	}}
	return Kind{Name: "Fault", Columns: []Column{of, path("SECTION", "section"), path("MESSAGE", "message")}}
}
