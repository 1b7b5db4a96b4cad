package printers

import (
	"strconv"
	"strings"
)

// traceKind is the table of requests' ways, a row each: where from, where to,
// and what ends it.
func traceKind() Kind {
	undecided := Column{Header: "UNKNOWN", Fields: []string{"unknowns"}, cell: func(s *subject) string {
		var parts []string
		for _, u := range s.objects("unknowns") {
			parts = append(parts, u.text("what"))
		}
		return strings.Join(parts, ", ")
	}}
	undecided.alarm, undecided.Sometimes, undecided.shown = true, "something is not known", unless("", noneCell)
	reason := Column{Header: "REASON", Fields: []string{"reason", "outcomes"}, cell: func(s *subject) string {
		if len(s.objects("outcomes")) > 1 {
			return outcomesSaid(s)
		}
		return s.text("reason")
	}}
	reason.alarm, reason.Sometimes, reason.shown = true, "a way ends before an endpoint, or beyond the mesh", unless("", noneCell)
	return Kind{Name: "Trace", Columns: append([]Column{
		naming(path("PROXY", "proxy")),
		{Header: "ROUTE", Fields: []string{"steps"}, cell: func(s *subject) string { return stepNamed(s, "route") }},
		{Header: "GOES TO", Fields: []string{"clusters", "cluster", "redirectTo", "status"}, cell: traceOutcome},
		{Header: "ENDPOINTS", Fields: []string{"endpoints"}, cell: reachedEndpoints},
		reason,
		undecided,
	}, wide(
		Column{Header: "LISTENER", Fields: []string{"steps"}, cell: func(s *subject) string { return stepNamed(s, "listener") }},
		Column{Header: "VHOST", Fields: []string{"steps"}, cell: func(s *subject) string { return stepNamed(s, "virtual host") }},
		path("URL", "url"),
	)...)}
}

// stepNamed is the name of what was chosen in a step, and the Istio resource it
// came from.
func stepNamed(s *subject, step string) string {
	for _, one := range s.objects("steps") {
		if one.text("step") != step {
			continue
		}
		name := one.text("name")
		if istio := one.text("istio"); istio != "" {
			name += " (" + istio + ")"
		}
		return name
	}
	return ""
}

// traceOutcome is what a request ends with: clusters with their shares, a
// redirect, or a status.
func traceOutcome(s *subject) string {
	if to := s.text("redirectTo"); to != "" {
		return s.text("status") + " " + to
	}
	if status := s.text("status"); status != "" {
		return "status " + status
	}
	var parts []string
	all := s.objects("clusters")
	for _, c := range all {
		part := c.text("name")
		if len(all) > 1 {
			part += " (" + percent(c.text("share")) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// mostEndpoints is how many endpoints a cell holds.
const mostEndpoints = 3

func reachedEndpoints(s *subject) string {
	var parts []string
	for _, e := range s.objects("endpoints") {
		if share, err := strconv.ParseFloat(e.text("share"), 64); err == nil && share > 0 {
			if address := e.text("address"); address != "" {
				parts = append(parts, address)
			}
		}
	}
	return summary(parts, mostEndpoints)
}
