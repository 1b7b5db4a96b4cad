package printers

// unreachableColumns are those of the routes that lead nowhere.
func unreachableColumns() []Column {
	reason := path("REASON", "reason")
	reason.alarm = true
	return []Column{
		{Header: "NAME", Fields: []string{"routeConfiguration"}, name: true, cell: func(s *subject) string { return s.text("routeConfiguration") }},
		path("VHOST", "virtualHost"),
		{Header: "MATCH", Fields: []string{"match", "name"}, cell: unreachableMatch},
		reason,
		{Header: "BY", Fields: []string{"by", "cluster"}, cell: func(s *subject) string { return s.text("by") + s.text("cluster") }},
		path("VIRTUAL SERVICE", "virtualService"),
	}
}

// unreachableMatch is the route's path; of a virtual host, the domain.
func unreachableMatch(s *subject) string {
	if s.member("match") == nil {
		return s.text("name")
	}
	return routeMatch(s)
}
