package printers

import "strings"

// unreachableColumns are those of the routes that lead nowhere.
func unreachableColumns() []Column {
	reason := path("REASON", "reason")
	reason.alarm = true
	return []Column{
		{Header: "NAME", Fields: []string{"routeConfiguration", "listener"}, name: true, cell: unreachableName},
		path("VHOST", "virtualHost"),
		{Header: "MATCH", Fields: []string{"match", "name"}, cell: unreachableMatch},
		reason,
		{Header: "BY", Fields: []string{"by", "cluster", "unknowns"}, cell: unreachableBy},
		path("VIRTUAL SERVICE", "virtualService"),
	}
}

// unreachableName is the route configuration; of a TCP proxy, its listener.
func unreachableName(s *subject) string {
	if l := s.text("listener"); l != "" {
		return l
	}
	return s.text("routeConfiguration")
}

// unreachableBy is what stands ahead, or the cluster that leads nowhere; for
// what could not be judged, what is missing.
func unreachableBy(s *subject) string {
	var parts []string
	for _, u := range s.objects("unknowns") {
		parts = append(parts, u.text("what")+": "+u.text("why"))
	}
	return s.text("by") + s.text("cluster") + strings.Join(parts, ", ")
}

// unreachableMatch is the route's path; of a virtual host, the domain.
func unreachableMatch(s *subject) string {
	if s.member("match") == nil {
		return s.text("name")
	}
	return routeMatch(s)
}
