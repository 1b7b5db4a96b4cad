package printers

// findingKind is the table of what checks find.
func findingKind() Kind {
	severity := path("SEVERITY", "severity")
	severity.alarm = true
	return Kind{Name: "Finding", none: "-", Columns: append([]Column{
		severity,
		naming(path("CHECK", "check")),
		path("PROXY", "proxy"),
		path("SUBJECT", "subject"),
		path("MESSAGE", "message"),
		path("NEXT", "next"),
	}, wide(path("ID", "id"))...)}
}
