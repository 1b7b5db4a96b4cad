package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

// A choice is what the plugin's match gives; nil: nothing, Envoy answers 404.
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

// differs gives the first request whose choice is not what Envoy did; -1 for
// none.
func (r *routing) differs() int {
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

// declines tells whether the plugin says that the answer hangs on a header
// that Envoy sets itself, to what nobody can know ahead.
func (c *choice) declines() bool {
	return len(c.Unsupported) > 0 && !slices.ContainsFunc(c.Unsupported, func(s string) bool { return !strings.HasPrefix(s, "header ") })
}

// said puts in words what the plugin chose for a request, and what Envoy did.
func (r *routing) said(i int) (plugin, envoy string) {
	c, q, a := r.choices[i], r.requests[i], r.answers[i]
	return c.said(q, a), envoySaid(q, a)
}

func (c *choice) said(q oracle.Request, a oracle.Answer) string {
	switch {
	case c == nil:
		return answered(q, "", 404, "")
	case c.RedirectTo.Status != 0:
		return answered(q, c.Name, c.RedirectTo.Status, c.RedirectTo.Location)
	case c.DirectStatus == 400 || c.DirectStatus == 403: // ahead of any route
		return answered(q, "", c.DirectStatus, "")
	case c.DirectStatus != 0 && a.Details == "cluster_not_found" && (c.DirectStatus == a.Status || byGRPC(q)):
		return c.Name + " to no cluster"
	case c.DirectStatus != 0:
		return answered(q, c.Name, c.DirectStatus, "")
	case len(c.Unsupported) > 0:
		return "unsupported: " + strings.Join(c.Unsupported, ", ")
	}
	cluster, url := c.Cluster, c.URL
	if !strings.Contains(url, "://") { // the host hangs on what is chosen
		url = a.Scheme + "://" + a.Host + url
		if a.Host == "" {
			url = c.URL
		}
	}
	if cluster == "" { // only shares are known: Envoy's has to be one of them
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

// known tells a cluster that is there.
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

// urlOf is the URL that Envoy sent on; of no host its path.
func urlOf(a oracle.Answer) string {
	if a.Host == "" {
		return a.Path
	}
	return a.Scheme + "://" + a.Host + a.Path
}

// answered is what is answered without a cluster. What is asked by gRPC is
// answered by gRPC: with a 200.
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
