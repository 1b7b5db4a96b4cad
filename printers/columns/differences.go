package columns

// differenceKind returns the table of differences between configurations. A row
// shows the position of a difference, the value on either side, and the Istio
// resource from which the configuration was generated.
func differenceKind() Kind {
	sides := []Column{sideColumn("PILOT", "pilot"), sideColumn("ENVOY", "envoy"), sideColumn("A", "a"), sideColumn("B", "b")}
	refused := pathColumn("REFUSED", "refused")
	refused.Sometimes, refused.shown = "something Envoy rejected", hasOtherThan("-")
	proxy := pathColumn("PROXY", "proxy")
	proxy.Sometimes, proxy.shown = "differences of several proxies", varies
	return Kind{Name: "Difference", none: "-", Columns: append(append([]Column{
		proxy,
		{Header: "RESOURCE", Fields: []string{"resource", "address", "section"}, isName: true, cell: differenceName},
		pathColumn("PATH", "path"),
	}, sides...),
		pathColumn("SOURCE", "source"),
		refused,
		Column{Header: "SECTION", Wide: true, Fields: []string{"section"}, cell: func(s *Subject) string { return s.Text("section") }},
		Column{Header: "WITHIN", Wide: true, Fields: []string{"within"}, cell: listColumn("WITHIN", "within").cell},
	)}
}

// differenceName returns the name of the resource that differs. If an endpoint
// differs, the address of the endpoint comes first.
func differenceName(s *Subject) string {
	if address := s.Text("address"); address != "" {
		return address + " of " + s.Text("resource")
	}
	return s.Text("resource")
}

// sideColumn returns a column with the value on one side. Without -o wide it is
// cut to 48 characters.
func sideColumn(header, name string) Column {
	const most = 48
	c := pathColumn(header, name)
	c.Sometimes, c.shown = "that side has something", hasOtherThan("-")
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
	severity := pathColumn("SEVERITY", "severity")
	severity.Alarm = true
	return Kind{Name: "Finding", none: "-", Head: []string{"SEVERITY", "CHECK", "PROXY", "SUBJECT"}, Columns: append([]Column{
		severity,
		asName(pathColumn("CHECK", "check")),
		pathColumn("PROXY", "proxy"),
		pathColumn("SUBJECT", "subject"),
		pathColumn("MESSAGE", "message"),
		pathColumn("NEXT", "next"),
	}, asWide(pathColumn("ID", "id"))...)}
}
