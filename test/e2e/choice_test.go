package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

// A choice is the result of the plugin's match. A nil choice means that no route matches, where Envoy answers 404.
type choice struct {
	Name, Cluster, URL string
	Clusters           []struct{ Name string }
	RedirectTo         struct {
		Status   int
		Location string
	}
	DirectStatus int
	Unsupported  []string
}

// differs returns the index of the first request for which the plugin and Envoy differ, or -1 if they agree.
func (r *routeCase) differs() int {
	for i := range r.answers {
		if c := r.choices[i]; c != nil && c.declines() {
			continue
		}
		if plugin, envoy := r.said(i); plugin != envoy {
			return i
		}
	}
	return -1
}

// declines reports whether the plugin says that the route depends on a header that Envoy sets itself, to a value that
// can't be known in advance.
func (c *choice) declines() bool {
	return len(c.Unsupported) > 0 && !slices.ContainsFunc(c.Unsupported, func(s string) bool { return !strings.HasPrefix(s, "header ") })
}

// said describes the choice of the plugin and the action of Envoy for a request. The two texts are equal if both agree.
func (r *routeCase) said(i int) (plugin, envoy string) {
	c, q, a := r.choices[i], r.requests[i], r.answers[i]
	return c.said(q, a), envoySaid(q, a)
}

func (c *choice) said(q oracle.Request, a oracle.Answer) string {
	switch {
	case c == nil:
		return answered(q, "", 404, "")
	case c.RedirectTo.Status != 0:
		return answered(q, c.Name, c.RedirectTo.Status, c.RedirectTo.Location)
	case c.DirectStatus == 400 || c.DirectStatus == 403: // these are answered before a route is chosen
		return answered(q, "", c.DirectStatus, "")
	case c.DirectStatus != 0 && a.Details == "cluster_not_found" && (c.DirectStatus == a.Status || byGRPC(q)):
		return c.Name + " to no cluster"
	case c.DirectStatus != 0:
		return answered(q, c.Name, c.DirectStatus, "")
	case len(c.Unsupported) > 0:
		return "unsupported: " + strings.Join(c.Unsupported, ", ")
	}
	cluster, url := c.Cluster, c.URL
	if !strings.Contains(url, "://") { // the host depends on the chosen endpoint
		url = a.Scheme + "://" + a.Host + url
		if a.Host == "" {
			url = c.URL
		}
	}
	if cluster == "" { // only the weights are known, so Envoy must have chosen one of the clusters
		for _, s := range c.Clusters {
			if s.Name == a.Cluster || a.Cluster == "" && !known(s.Name) {
				cluster = s.Name
			}
		}
	}
	if !known(cluster) {
		return c.Name + " to no cluster"
	}
	return c.Name + " to " + cluster + " as " + url
}

// known reports whether Envoy has a cluster of that name.
func known(name string) bool { return strings.HasPrefix(name, "c") }

func envoySaid(q oracle.Request, a oracle.Answer) string {
	switch {
	case a.Status == 400 && a.Cluster == "" || a.Details == "upgrade_failed" || a.Details == "path_normalization_failed":
		return answered(q, "", a.Status, a.Location)
	case a.Cluster != "":
		return a.Route + " to " + a.Cluster + " as " + urlOf(a)
	case a.Details == "cluster_not_found":
		return a.Route + " to no cluster"
	}
	return answered(q, a.Route, a.Status, a.Location)
}

// urlOf returns the URL that Envoy forwarded, or only its path if it has no host.
func urlOf(a oracle.Answer) string {
	if a.Host == "" {
		return a.Path
	}
	return a.Scheme + "://" + a.Host + a.Path
}

// answered describes an answer that Envoy sends itself, without a cluster. A gRPC request gets its error as a gRPC
// status with HTTP status 200.
func answered(q oracle.Request, route string, status int, location string) string {
	if byGRPC(q) && q.Method != "CONNECT" {
		return route + " itself, by gRPC"
	}
	return fmt.Sprintf("%s itself with %d %s", route, status, location)
}

func byGRPC(q oracle.Request) bool {
	for _, h := range q.Headers {
		if strings.EqualFold(h[0], "content-type") && (h[1] == "application/grpc" || strings.HasPrefix(h[1], "application/grpc+")) {
			return true
		}
	}
	return false
}
