package columns

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

func pilotKind() Kind {
	return Kind{Name: "Pilot", Columns: append([]Column{
		asName(pathColumn("NAME", "name")),
		pathColumn("NAMESPACE", "namespace"),
		pathColumn("REVISION", "revision"),
		pathColumn("VERSION", "version"),
		pathColumn("PROXIES", "connectedProxies"),
	}, asWide(
		pathColumn("IP", "ip"),
		pathColumn("CLUSTER", "clusterID"),
	)...)}
}

// proxyKind returns the status table, which shows for each type of
// configuration whether a proxy has the last version from istiod. The first
// four types are always shown. Any other type is shown if some proxy has
// subscribed to it.
func proxyKind() Kind {
	columns := []Column{asName(pathColumn("NAME", "id"))}
	for i, t := range mesh.SyncTypes() {
		c := syncColumn(t)
		if i >= 4 {
			c.Sometimes, c.shown = "some proxy subscribed to it", hasOtherThan(mesh.Ignored, mesh.Unknown, "", None)
		}
		columns = append(columns, c)
	}
	cluster := pathColumn("CLUSTER", "clusterID")
	cluster.Sometimes, cluster.shown = "proxies of several clusters; -o wide", varies
	from := pathColumn("CONTEXT", "context")
	from.Sometimes, from.shown = "proxies of several contexts", varies
	columns = append(columns, from, cluster, pathColumn("PILOT", "pilot"), pathColumn("VERSION", "version"))
	columns = append(columns, asWide(
		pathColumn("REVISION", "revision"),
		pathColumn("TYPE", "type"),
		pathColumn("IP", "ip"),
		pathColumn("NODE", "node"),
		ageColumn("CONNECTED", "connectedAt"),
		behindColumn(),
	)...)
	return Kind{Name: "Proxy", Columns: columns, labels: []string{"labels"}}
}

// syncColumn returns the column with the sync state of one type of
// configuration. With -o wide it also shows the age of the state. For an istiod
// older than 1.6, it shows the percentage of its clusters for which the proxy
// has requested endpoints.
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

// behindColumn returns the column that shows how far a proxy lags behind: each
// type of which it lacks the last pushes, with their number, as in CDS:1,RDS:3.
func behindColumn() Column {
	c := Column{Header: "BEHIND", cell: behind, Sometimes: "some proxy is; -o wide", shown: hasOtherThan("", None)}
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
	of := Column{Header: "SUBJECT", Fields: []string{"proxy", "subject"}, isName: true, cell: func(s *Subject) string {
		if proxy := s.Text("proxy"); proxy != "" {
			return proxy
		}
		return s.Text("subject")
	}}
	return Kind{Name: "Fault", Columns: []Column{of, pathColumn("SECTION", "section"), pathColumn("MESSAGE", "message")}}
}
