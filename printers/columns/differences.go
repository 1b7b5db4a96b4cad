package columns

// differenceKind returns the table of differences: where each is, the value on
// either side, and the Istio resource it comes from.
func differenceKind() Kind {
	sides := []Column{side("PILOT", "pilot"), side("ENVOY", "envoy"), side("A", "a"), side("B", "b")}
	refused := path("REFUSED", "refused")
	refused.Sometimes, refused.shown = "something Envoy rejected", unless("-")
	proxy := path("PROXY", "proxy")
	proxy.Sometimes, proxy.shown = "differences of several proxies", varies
	return Kind{Name: "Difference", none: "-", Columns: append(append([]Column{
		proxy,
		{Header: "RESOURCE", Fields: []string{"resource", "address", "section"}, name: true, cell: differing},
		path("PATH", "path"),
	}, sides...),
		path("SOURCE", "source"),
		refused,
		Column{Header: "SECTION", Wide: true, Fields: []string{"section"}, cell: func(s *Subject) string { return s.Text("section") }},
		Column{Header: "WITHIN", Wide: true, Fields: []string{"within"}, cell: listing("WITHIN", "within").cell},
	)}
}

// differing returns the name of the resource that differs, after the address of
// the endpoint if that differs.
func differing(s *Subject) string {
	if address := s.Text("address"); address != "" {
		return address + " of " + s.Text("resource")
	}
	return s.Text("resource")
}

// side returns a column with the value on one side. Without -o wide it is cut
// to 48 characters.
func side(header, name string) Column {
	const most = 48
	c := path(header, name)
	c.Sometimes, c.shown = "that side has something", unless("-")
	c.cell = func(s *Subject) string {
		text := []rune(s.Text(name))
		if len(text) > most && !s.Wide {
			return string(text[:most-1]) + "…"
		}
		return string(text)
	}
	return c
}

// findingKind returns the table of the findings of checks.
func findingKind() Kind {
	severity := path("SEVERITY", "severity")
	severity.Alarm = true
	return Kind{Name: "Finding", none: "-", Columns: append([]Column{
		severity,
		naming(path("CHECK", "check")),
		path("PROXY", "proxy"),
		path("SUBJECT", "subject"),
		path("MESSAGE", "message"),
		path("NEXT", "next"),
	}, wide(path("ID", "id"))...)}
}
