package columns

import (
	"fmt"
	"strconv"
	"strings"
)

// routeColumns returns the columns of route configurations, virtual hosts and
// routes. A row is one route, with its virtual host and route configuration.
func routeColumns() []Column {
	return append([]Column{
		{Header: "NAME", Fields: []string{"name", "routeConfiguration"}, isName: true, cell: routeConfigurationName},
		{Header: "VHOST", Fields: []string{"virtualHosts.name", "virtualHost"}, cell: virtualHostName},
		{Header: "DOMAINS", Fields: []string{"virtualHosts.domains"}, cell: domains},
		{Header: "MATCH", Fields: []string{"virtualHosts.routes.match"}, cell: routeMatch},
		{Header: "VIRTUAL SERVICE", Fields: []string{"virtualHosts.routes.virtualService"}, cell: virtualService},
		configurationState(),
	}, asWide(
		Column{Header: "DESTINATION", Fields: []string{"virtualHosts.routes.destinations", "virtualHosts.routes.directResponse.status"}, cell: destinations},
	)...)
}

// routeConfigurationRows returns one subject for each route in a route
// configuration. A virtual host without routes has one row too, so that the
// table shows it. The subject of that row is absent, and its parent is the
// virtual host.
func routeConfigurationRows(s *Subject) (rows []*Subject) {
	for _, host := range s.objects("virtualHosts") {
		rows = append(rows, virtualHostRows(host)...)
	}
	if rows == nil {
		rows = append(rows, s.of(nil).of(nil))
	}
	return rows
}

func virtualHostRows(s *Subject) []*Subject {
	if rows := s.objects("routes"); rows != nil {
		return rows
	}
	return []*Subject{s.of(nil)}
}

func configurationState() Column {
	c := stateColumn()
	c.cell = func(s *Subject) string {
		for ; s != nil; s = s.parent {
			if state := s.Text("state"); state != "" {
				return state
			}
		}
		return ""
	}
	return c
}

func routeConfigurationName(s *Subject) string {
	if s.parent != nil && s.parent.parent != nil {
		return s.parent.parent.Text("name")
	}
	if s.parent != nil {
		return s.parent.Text("routeConfiguration")
	}
	return s.Text("routeConfiguration")
}

func virtualHostName(s *Subject) string {
	if s.parent != nil {
		return s.parent.Text("name")
	}
	return s.Text("virtualHost")
}

// maxDomains is the largest number of domains in a cell.
const maxDomains = 2

// domains returns the domains of a virtual host without the redundant ones:
// domains with a port, and a longer form of a service's name if the shorter
// form is listed too.
func domains(s *Subject) string {
	if s.parent == nil {
		return ""
	}
	all := s.parent.texts("domains")
	if len(all) <= 1 {
		return strings.Join(all, "")
	}
	var short []string
	seen := map[string]bool{}
	for _, d := range all {
		seen[d] = true
	}
	for _, d := range all {
		name := strings.TrimSuffix(strings.TrimSuffix(d, ".svc.cluster.local"), ".svc")
		if !hasPort(d) && (name == d || !seen[name]) {
			short = append(short, d)
		}
	}
	return summary(short, maxDomains)
}

func hasPort(domain string) bool {
	colons := strings.Count(domain, ":")
	return colons > 0 && !(colons > 2 && strings.HasSuffix(domain, "]"))
}

// summary returns the first texts of a list, followed by the number of the
// remaining texts.
func summary(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s + %d more...", strings.Join(all[:most], ", "), len(all)-most)
}

// routeMatch returns the path that a route matches. Other conditions of the
// route aren't shown.
func routeMatch(s *Subject) string {
	switch {
	case !s.isAbsent():
	case s.parent.isAbsent():
		return ""
	default:
		return "/*"
	}
	return pathMatch(s.of(s.member("match")))
}

func pathMatch(m *Subject) string {
	var parts []string
	for _, form := range []struct {
		prefix string
		path   []string
		suffix string
	}{
		{"", []string{"prefix"}, "*"},
		{"PathPrefix:", []string{"pathSeparatedPrefix"}, ""},
		{"", []string{"path"}, ""},
		{"regex ", []string{"safeRegex", "regex"}, ""},
	} {
		if text := m.Text(form.path...); text != "" {
			parts = append(parts, form.prefix+text+form.suffix)
		}
	}
	if m.member("connectMatcher") != nil {
		parts = append(parts, "CONNECT")
	}
	return strings.Join(parts, " ")
}

// virtualService returns the VirtualService from which the route was generated.
// For a virtual host without routes it returns 404, with which Envoy responds
// to every request for that host.
func virtualService(s *Subject) string {
	if s.isAbsent() && !s.parent.isAbsent() {
		return "404"
	}
	return s.Text("virtualService")
}

// destinations returns the clusters to which the route sends requests. If there
// are several, it adds their weights.
func destinations(s *Subject) string {
	all := s.objects("destinations")
	var parts []string
	for _, d := range all {
		cluster := d.Text("cluster")
		if len(all) > 1 {
			cluster += fmt.Sprintf(" (%s)", d.Text("weight"))
		}
		parts = append(parts, cluster)
	}
	switch {
	case parts != nil:
		return strings.Join(parts, ", ")
	case s.member("redirect") != nil:
		return "redirect"
	case s.member("directResponse") != nil:
		return "status " + s.Text("directResponse", "status")
	}
	return ""
}

// matchColumns returns the columns for the result of match(request): the route
// that Envoy selects, and the destination of the request.
func matchColumns() []Column {
	undecided := Column{Header: "UNSUPPORTED", Fields: []string{"unsupported"}, cell: func(s *Subject) string { return strings.Join(s.texts("unsupported"), ", ") }}
	undecided.Alarm, undecided.Sometimes, undecided.shown = true, "something can't be decided", hasOtherThan("", "-")
	return append([]Column{
		{Header: "NAME", Fields: []string{"routeConfiguration"}, isName: true, cell: func(s *Subject) string { return s.Text("routeConfiguration") }},
		{Header: "VHOST", Fields: []string{"virtualHost"}, cell: func(s *Subject) string { return s.Text("virtualHost") }},
		{Header: "MATCH", Fields: []string{"match"}, cell: routeMatch},
		{Header: "GOES TO", Fields: []string{"clusters", "redirectTo", "directStatus"}, cell: outcome},
		{Header: "VIRTUAL SERVICE", Fields: []string{"virtualService"}, cell: virtualService},
		undecided,
	}, asWide(
		Column{Header: "URL", Fields: []string{"url"}, cell: func(s *Subject) string { return s.Text("url") }},
	)...)
}

// outcome returns the destination of a request: one cluster, several clusters
// with their shares, a redirect, or the status with which Envoy itself
// responds.
func outcome(s *Subject) string {
	if status := s.Text("directStatus"); status != "" {
		return "status " + status
	}
	if to := s.Text("redirectTo", "location"); to != "" {
		return s.Text("redirectTo", "status") + " " + to
	}
	if one := s.Text("cluster"); one != "" {
		return one
	}
	var parts []string
	for _, c := range s.objects("clusters") {
		parts = append(parts, c.Text("name")+" ("+percent(c.Text("share"))+")")
	}
	return strings.Join(parts, ", ")
}

// percent formats a share, a number from 0 to 1, as a percentage.
func percent(share string) string {
	f, err := strconv.ParseFloat(share, 64)
	if err != nil {
		return share
	}
	return strconv.FormatFloat(f*100, 'g', 3, 64) + "%"
}

// unreachableColumns returns the columns of unreachable routes. These are
// routes that no request reaches, and routes whose destination has no endpoint.
func unreachableColumns() []Column {
	reason := pathColumn("REASON", "reason")
	reason.Alarm = true
	return []Column{
		{Header: "NAME", Fields: []string{"routeConfiguration", "listener"}, isName: true, cell: unreachableName},
		pathColumn("VHOST", "virtualHost"),
		{Header: "MATCH", Fields: []string{"match", "name"}, cell: unreachableMatch},
		reason,
		{Header: "BY", Fields: []string{"by", "cluster", "unknowns"}, cell: unreachableBy},
		pathColumn("VIRTUAL SERVICE", "virtualService"),
	}
}

// unreachableName returns the route configuration of an unreachable route, or
// the listener if a TCP proxy is unreachable.
func unreachableName(s *Subject) string {
	if l := s.Text("listener"); l != "" {
		return l
	}
	return s.Text("routeConfiguration")
}

// unreachableBy returns why a route is unreachable: the earlier route that
// takes its requests, or the cluster without endpoints. If this could not be
// decided, it returns the missing information.
func unreachableBy(s *Subject) string {
	var parts []string
	for _, u := range s.objects("unknowns") {
		parts = append(parts, u.Text("what")+": "+u.Text("why"))
	}
	return s.Text("by") + s.Text("cluster") + strings.Join(parts, ", ")
}

// unreachableMatch returns the path of an unreachable route, or the domain if a
// virtual host is unreachable.
func unreachableMatch(s *Subject) string {
	if s.member("match") == nil {
		return s.Text("name")
	}
	return routeMatch(s)
}
