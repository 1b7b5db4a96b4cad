package printers

import (
	"fmt"
	"strings"
)

// routeColumns are those of a route configuration, a virtual host and a route
// alike: a row is about a route, and what it is in.
func routeColumns() []Column {
	return append([]Column{
		{Header: "NAME", Fields: []string{"name", "routeConfiguration"}, name: true, cell: routeConfigurationName},
		{Header: "VHOST", Fields: []string{"virtualHosts.name", "virtualHost"}, cell: virtualHostName},
		{Header: "DOMAINS", Fields: []string{"virtualHosts.domains"}, cell: domains},
		{Header: "MATCH", Fields: []string{"virtualHosts.routes.match"}, cell: routeMatch},
		{Header: "VIRTUAL SERVICE", Fields: []string{"virtualHosts.routes.virtualService"}, cell: virtualService},
		configurationState(),
	}, wide(
		Column{Header: "DESTINATION", Fields: []string{"virtualHosts.routes.destinations", "virtualHosts.routes.directResponse.status"}, cell: destinations},
	)...)
}

// A route without fields stands for a virtual host that has none, and one
// without a parent was printed by itself.
func routeConfigurationRows(s *subject) (rows []*subject) {
	for _, host := range s.objects("virtualHosts") {
		rows = append(rows, virtualHostRows(host)...)
	}
	if rows == nil {
		rows = append(rows, s.of(nil).of(nil))
	}
	return rows
}

func virtualHostRows(s *subject) []*subject {
	if rows := s.objects("routes"); rows != nil {
		return rows
	}
	return []*subject{s.of(nil)}
}

func configurationState() Column {
	c := stateColumn()
	c.cell = func(s *subject) string {
		for ; s != nil; s = s.parent {
			if state := s.text("state"); state != "" {
				return state
			}
		}
		return ""
	}
	return c
}

func routeConfigurationName(s *subject) string {
	if s.parent != nil && s.parent.parent != nil {
		return s.parent.parent.text("name")
	}
	if s.parent != nil {
		return s.parent.text("routeConfiguration")
	}
	return s.text("routeConfiguration")
}

func virtualHostName(s *subject) string {
	if s.parent != nil {
		return s.parent.text("name")
	}
	return s.text("virtualHost")
}

// mostDomains is how many domains a cell holds.
const mostDomains = 2

// domains are those of the virtual host that say something new: none with a
// port where there is one without, no longer form of a service's name.
func domains(s *subject) string {
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
	return summary(short, mostDomains)
}

func hasPort(domain string) bool {
	colons := strings.Count(domain, ":")
	return colons > 0 && !(colons > 2 && strings.HasSuffix(domain, "]"))
}

// summary names the first of several.
func summary(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s + %d more...", strings.Join(all[:most], ", "), len(all)-most)
}

// routeMatch is the path that a route matches. What else it asks for isn't
// shown.
func routeMatch(s *subject) string {
	switch {
	case !s.absent():
	case s.parent.absent():
		return ""
	default:
		return "/*"
	}
	return pathMatch(s.of(s.member("match")))
}

func pathMatch(m *subject) string {
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
		if text := m.text(form.path...); text != "" {
			parts = append(parts, form.prefix+text+form.suffix)
		}
	}
	if m.member("connectMatcher") != nil {
		parts = append(parts, "CONNECT")
	}
	return strings.Join(parts, " ")
}

// virtualService is where the route came from. A virtual host without routes
// answers 404.
func virtualService(s *subject) string {
	if s.absent() && !s.parent.absent() {
		return "404"
	}
	return s.text("virtualService")
}

// destinations are the clusters that the route sends to, and their weights
// where there are several.
func destinations(s *subject) string {
	all := s.objects("destinations")
	var parts []string
	for _, d := range all {
		cluster := d.text("cluster")
		if len(all) > 1 {
			cluster += fmt.Sprintf(" (%s)", d.text("weight"))
		}
		parts = append(parts, cluster)
	}
	switch {
	case parts != nil:
		return strings.Join(parts, ", ")
	case s.member("redirect") != nil:
		return "redirect"
	case s.member("directResponse") != nil:
		return "status " + s.text("directResponse", "status")
	}
	return ""
}
