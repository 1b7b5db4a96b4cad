package columns

import (
	"fmt"
	"strconv"
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

// mostDomains is how many domains a cell holds.
const mostDomains = 2

// domains are those of the virtual host that say something new: none with a
// port where there is one without, no longer form of a service's name.
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
func routeMatch(s *Subject) string {
	switch {
	case !s.absent():
	case s.parent.absent():
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

// virtualService is where the route came from. A virtual host without routes
// answers 404.
func virtualService(s *Subject) string {
	if s.absent() && !s.parent.absent() {
		return "404"
	}
	return s.Text("virtualService")
}

// destinations are the clusters that the route sends to, and their weights
// where there are several.
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

// matchColumns are those of what match(request) gives: the route that Envoy
// takes, and what becomes of the request.
func matchColumns() []Column {
	undecided := Column{Header: "UNSUPPORTED", Fields: []string{"unsupported"}, cell: func(s *Subject) string { return strings.Join(s.texts("unsupported"), ", ") }}
	undecided.Alarm, undecided.Sometimes, undecided.shown = true, "something can't be decided", unless("", "-")
	return append([]Column{
		{Header: "NAME", Fields: []string{"routeConfiguration"}, name: true, cell: func(s *Subject) string { return s.Text("routeConfiguration") }},
		{Header: "VHOST", Fields: []string{"virtualHost"}, cell: func(s *Subject) string { return s.Text("virtualHost") }},
		{Header: "MATCH", Fields: []string{"match"}, cell: routeMatch},
		{Header: "GOES TO", Fields: []string{"clusters", "redirectTo", "directStatus"}, cell: outcome},
		{Header: "VIRTUAL SERVICE", Fields: []string{"virtualService"}, cell: virtualService},
		undecided,
	}, wide(
		Column{Header: "URL", Fields: []string{"url"}, cell: func(s *Subject) string { return s.Text("url") }},
	)...)
}

// outcome is where the request goes: a cluster, several with their shares, a
// redirect, or Envoy's own answer.
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

// percent shows a share of 1.
func percent(share string) string {
	f, err := strconv.ParseFloat(share, 64)
	if err != nil {
		return share
	}
	return strconv.FormatFloat(f*100, 'g', 3, 64) + "%"
}

// unreachableColumns are those of the routes that lead nowhere.
func unreachableColumns() []Column {
	reason := path("REASON", "reason")
	reason.Alarm = true
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
func unreachableName(s *Subject) string {
	if l := s.Text("listener"); l != "" {
		return l
	}
	return s.Text("routeConfiguration")
}

// unreachableBy is what stands ahead, or the cluster that leads nowhere; for
// what could not be judged, what is missing.
func unreachableBy(s *Subject) string {
	var parts []string
	for _, u := range s.objects("unknowns") {
		parts = append(parts, u.Text("what")+": "+u.Text("why"))
	}
	return s.Text("by") + s.Text("cluster") + strings.Join(parts, ", ")
}

// unreachableMatch is the route's path; of a virtual host, the domain.
func unreachableMatch(s *Subject) string {
	if s.member("match") == nil {
		return s.Text("name")
	}
	return routeMatch(s)
}
