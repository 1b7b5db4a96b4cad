package printers

import (
	"strconv"
	"strings"
)

// matchColumns are those of what match(request) gives: the route that Envoy
// takes, and what becomes of the request.
func matchColumns() []Column {
	undecided := Column{Header: "UNSUPPORTED", Fields: []string{"unsupported"}, cell: func(s *subject) string { return strings.Join(s.texts("unsupported"), ", ") }}
	undecided.alarm, undecided.Sometimes, undecided.shown = true, "something can't be decided", unless("", "-")
	return append([]Column{
		{Header: "NAME", Fields: []string{"routeConfiguration"}, name: true, cell: func(s *subject) string { return s.text("routeConfiguration") }},
		{Header: "VHOST", Fields: []string{"virtualHost"}, cell: func(s *subject) string { return s.text("virtualHost") }},
		{Header: "MATCH", Fields: []string{"match"}, cell: routeMatch},
		{Header: "GOES TO", Fields: []string{"clusters", "redirectTo", "directStatus"}, cell: outcome},
		{Header: "VIRTUAL SERVICE", Fields: []string{"virtualService"}, cell: virtualService},
		undecided,
	}, wide(
		Column{Header: "URL", Fields: []string{"url"}, cell: func(s *subject) string { return s.text("url") }},
	)...)
}

// outcome is where the request goes: a cluster, several with their shares, a
// redirect, or Envoy's own answer.
func outcome(s *subject) string {
	if status := s.text("directStatus"); status != "" {
		return "status " + status
	}
	if to := s.text("redirectTo", "location"); to != "" {
		return s.text("redirectTo", "status") + " " + to
	}
	if one := s.text("cluster"); one != "" {
		return one
	}
	var parts []string
	for _, c := range s.objects("clusters") {
		parts = append(parts, c.text("name")+" ("+percent(c.text("share"))+")")
	}
	return strings.Join(parts, ", ")
}

// percent shows a share of 1.
func percent(share string) string {
	f, err := strconv.ParseFloat(share, 64)
	if err != nil {
		return share
	}
	return strconv.FormatFloat(f*100, 'g', 3, 64) + "%"
}
