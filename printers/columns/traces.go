package columns

import (
	"strconv"
	"strings"
)

// traceKind returns the table of traces. A row is one request: the proxy at
// which it starts, its route and destination, and the reason why it ends.
func traceKind() Kind {
	undecided := Column{Header: "UNKNOWN", Fields: []string{"unknowns"}, cell: func(s *Subject) string {
		var parts []string
		for _, u := range s.objects("unknowns") {
			parts = append(parts, u.Text("what"))
		}
		return strings.Join(parts, ", ")
	}}
	undecided.Alarm, undecided.Sometimes, undecided.shown = true, "something is not known", hasOtherThan("", None)
	reason := Column{Header: "REASON", Fields: []string{"reason", "outcomes"}, cell: func(s *Subject) string {
		if len(s.objects("outcomes")) > 1 {
			return outcomesText(s)
		}
		return s.Text("reason")
	}}
	reason.Alarm, reason.Sometimes, reason.shown = true, "a way ends before an endpoint, or beyond the mesh", hasOtherThan("", None)
	return Kind{Name: "Trace", Columns: append([]Column{
		asName(pathColumn("PROXY", "proxy")),
		{Header: "ROUTE", Fields: []string{"steps"}, cell: func(s *Subject) string { return stepName(s, "route") }},
		{Header: "GOES TO", Fields: []string{"clusters", "cluster", "redirectTo", "status"}, cell: traceOutcome},
		{Header: "ENDPOINTS", Fields: []string{"endpoints"}, cell: reachedEndpoints},
		reason,
		undecided,
	}, asWide(
		Column{Header: "LISTENER", Fields: []string{"steps"}, cell: func(s *Subject) string { return stepName(s, "listener") }},
		Column{Header: "VHOST", Fields: []string{"steps"}, cell: func(s *Subject) string { return stepName(s, "virtual host") }},
		pathColumn("URL", "url"),
	)...)}
}

// stepName returns the name of the resource that Envoy selects in a step of a
// trace, and the Istio resource from which that was generated.
func stepName(s *Subject, step string) string {
	for _, one := range s.objects("steps") {
		if one.Text("step") != step {
			continue
		}
		name := one.Text("name")
		if istio := one.Text("istio"); istio != "" {
			name += " (" + istio + ")"
		}
		return name
	}
	return ""
}

// traceOutcome returns the destination of a traced request: clusters with their
// shares, a redirect, or a status.
func traceOutcome(s *Subject) string {
	if to := s.Text("redirectTo"); to != "" {
		return s.Text("status") + " " + to
	}
	if status := s.Text("status"); status != "" {
		return "status " + status
	}
	var parts []string
	all := s.objects("clusters")
	for _, c := range all {
		part := c.Text("name")
		if len(all) > 1 {
			part += " (" + percent(c.Text("share")) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// maxCellEndpoints is the largest number of endpoints in a cell.
const maxCellEndpoints = 3

func reachedEndpoints(s *Subject) string {
	var parts []string
	for _, e := range s.objects("endpoints") {
		if share, err := strconv.ParseFloat(e.Text("share"), 64); err == nil && share > 0 {
			if address := e.Text("address"); address != "" {
				parts = append(parts, address)
			}
		}
	}
	return summary(parts, maxCellEndpoints)
}
