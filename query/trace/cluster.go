package trace

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// enterTCPProxy continues the trace at the clusters of a TCP proxy. The TCP proxy
// must be the last of the network filters.
func (w *walk) enterTCPProxy(filters []any) error {
	if len(filters) == 0 {
		return w.end(noCluster)
	}
	r := w.reader()
	last := filters[len(filters)-1]
	config, name := r.Get(last, "typedConfig"), r.Text(last, "name")
	isProxy := hasType(r, config, "TcpProxy")
	isUntyped := config == nil && r.Get(last, "config") != nil
	if r.Err != nil {
		return r.Err
	}
	if isUntyped {
		w.addMissing(w.proxy, unknown{"listeners", "the configuration of filter " + name + " is in the form of Envoy up to 1.13"})
		return w.end(notKnown)
	}
	if !isProxy {
		return w.endUndecided(name)
	}
	sni := "" // the name of the cluster, if an sni_cluster filter takes it from the SNI
	for _, f := range filters[:len(filters)-1] {
		if strings.HasSuffix(r.Text(f, "name"), "sni_cluster") {
			sni = w.request.SNI
		}
	}
	shares, cluster, criteria, err := w.tcpClusters(r, config, sni, w.Random)
	if err != nil {
		return err
	}
	if w.opensTunnel = r.Get(config, "tunnelingConfig") != nil; !w.opensTunnel {
		w.request.Scheme = routing.Bytes
	}
	if r.Err != nil {
		return r.Err
	}
	w.cluster = cluster
	return w.enterClusters(shares, cluster, criteria)
}

// tcpClusters returns the shares of the clusters of a TCP proxy, the cluster that a
// random value selects, and the metadata that an endpoint must have. A name that
// isn't empty replaces the configured cluster.
func (g *configuration) tcpClusters(r *document.Reader, config any, name string, random *uint64) (shares []routing.Share, cluster string, criteria *object.Object, err error) {
	cluster, criteria = cmp.Or(name, r.Text(config, "cluster")), endpointMetadata(r, r.Get(config, "metadataMatch"))
	weighted := r.Get(config, "weightedClusters")
	if weighted == nil || r.Err != nil {
		return []routing.Share{{Name: cluster, Share: 1}}, cluster, criteria, r.Err
	}
	shares, cluster, err = routing.Weighted(g.ctx, envoyOf(g.ctx, g.proxy), weighted, random)
	return shares, cluster, criteria, err
}

// enterClusters continues the trace at the clusters among which the requests are
// split. If a random value has chosen one of them, the trace continues only there.
func (w *walk) enterClusters(shares []routing.Share, chosen string, criteria *object.Object) error {
	reason, passes := "", false
	if chosen == "" && len(shares) > 1 {
		if err := w.loadSplit(shares); err != nil && !w.isUnreadable(err) {
			return err
		}
	}
	isChosen := false
	for _, s := range shares {
		share := s.Share
		if chosen != "" && len(shares) > 1 {
			share = 0
			if s.Name == chosen && !isChosen { // if two entries have the same name, the first one counts
				isChosen, share = true, 1
			}
		}
		r := w.reader()
		own := endpointMetadata(r, s.Criteria)
		if r.Err != nil {
			return r.Err
		}
		entry := object.Of("name", s.Name, "share", s.Share, "reason", nil)
		w.clusters = append(w.clusters, entry)
		if share == 0 {
			continue
		}
		before := w.left
		w.stopped = ""
		why, err := w.enterCluster(s.Name, share, merged(criteria, own))
		if err != nil {
			if !w.isUnreadable(err) {
				return err
			}
			why = notKnown
		}
		entry.Set("reason", orNull(why))
		if arrives(why) {
			w.addOutcome(why, w.left-before)
			w.addOutcome(cmp.Or(w.stopped, routing.AllUnhealthy), share-(w.left-before)) // this share fails because too few endpoints are healthy
		} else {
			w.addOutcome("", w.left-before)
			w.addOutcome(why, share-(w.left-before))
		}
		if passes = passes || why == passthrough; w.left == before && reason == "" {
			reason = why
		}
	}
	switch {
	case !w.reached():
		w.reason = reason
	case passes:
		w.reason = passthrough
	}
	return nil
}

// enterCluster continues the trace at a cluster's endpoints, for a share of the
// requests. The reason is empty if Envoy reaches the endpoints in the normal way.
func (w *walk) enterCluster(name string, share float64, criteria *object.Object) (reason string, err error) {
	c, unused, err := w.clusterNamed(name)
	if err != nil {
		w.addStep(step{what: "cluster", name: name, why: "the clusters could not be read"})
		return "", err
	}
	r := w.reader()
	if c == nil {
		why := whyUnused(r, unused)
		if r.Err != nil {
			return "", r.Err
		}
		w.addStep(step{what: "cluster", name: name, why: why})
		return noCluster, nil
	}
	istio, kind := istioOrigin(r, c), r.Text(c, "type")
	if r.Err != nil {
		return "", r.Err
	}
	why := ""
	if share != 1 {
		why = strconv.FormatFloat(share*100, 'g', 3, 64) + "% of the requests"
	}
	w.addStep(step{what: "cluster", name: name, why: why, istio: istio, object: c})
	if kind == "ORIGINAL_DST" {
		return w.enterOriginalDestination(c, name, share)
	}
	rows, err := w.endpointsOf(c, name, nil, w.unsure)
	if err != nil {
		return "", err
	}
	if name == "BlackHoleCluster" && len(rows) == 0 {
		return blackHole, nil
	}
	b, err := routing.Balance(w.ctx, c, rows, criteria, w.zoneIfKnown)
	if err != nil {
		return "", err
	}
	w.unsure(b.Unsupported...)
	before := w.left
	if err := w.addMembers(c, name, share, b); err != nil || b.Reason != "" || w.left > before {
		return b.Reason, err
	}
	return w.stopped, nil
}

// whyUnused returns the reason why Envoy doesn't use the cluster c. A nil c means
// that no such cluster exists.
func whyUnused(r *document.Reader, c any) string {
	if c == nil {
		return "there is none of that name"
	}
	why := "it is " + r.Text(c, "state") + ", so it is not in use"
	if text := strings.TrimSpace(r.Text(c, "error")); text != "" {
		why += ": " + text
	}
	return why
}

// zoneIfKnown returns the proxy's locality, as the method zone does. If a part of
// it can't be read, zoneIfKnown reports that part as missing and returns nil.
func (w *walk) zoneIfKnown() (*routing.Zone, error) {
	z, err := w.zone()
	if err != nil && w.isUnreadable(err) {
		return nil, nil
	}
	return z, err
}

// addMembers adds a cluster's endpoints to the result, and continues the trace at
// the endpoints that receive a share of the requests.
func (w *walk) addMembers(c any, name string, share float64, b *routing.Balanced) error {
	r := w.reader()
	isChecked := r.Get(c, "outlierDetection") != nil || len(r.List(c, "healthChecks")) > 0
	if r.Err != nil {
		return r.Err
	}
	why := b.Why
	if b.Reason != "" && why == "" {
		why = map[string]string{routing.NoEndpoints: "it has none", routing.AllUnhealthy: "all are unhealthy"}[b.Reason]
	}
	if why != "" {
		w.addStep(step{what: "endpoints", why: why})
	}
	for _, member := range b.Members {
		m, tls, err := w.endpointValue(member.Endpoint, c, isChecked)
		if err != nil {
			return err
		}
		m.Set("cluster", name)
		m.Set("share", share*member.Share)
		if member.Share > 0 {
			if err := w.reach(end{endpoint: m, tls: tls, share: share * member.Share}, member.Endpoint); err != nil {
				return err
			}
		}
		w.endpoints = append(w.endpoints, m)
	}
	return nil
}

// endpointValue returns the object for an endpoint in the result, and the TLS
// configuration of the connection to the endpoint, which is nil for plain text. It
// reads the results of Envoy's own health checks only if the cluster has such
// checks.
func (w *walk) endpointValue(row, cluster any, isChecked bool) (m *object.Object, tls any, err error) {
	r := w.reader()
	fields := r.Message(row)
	m = object.Of("outlier", nil, "tunnel", nil)
	for _, key := range []string{"address", "ip", "port", "health", "weight", "priority", "locality"} {
		m.Set(key, r.Deep(fields.Fields.Get(key)))
	}
	if isChecked {
		m.Set("outlier", fields.Value("outlier"))
	}
	if r.Err != nil {
		return nil, nil, r.Err
	}
	metadata := r.Get(fields.Fields.Get("metadata"), "filterMetadata")
	if r.Err != nil && w.isUnreadable(r.Err) { // without the metadata, Envoy's choice of a transport socket isn't known
		m.Set("workload", nil)
		m.Set("transport", nil)
		return m, nil, nil
	}
	m.Set("workload", orNull(workloadName(r.Text(metadata, "istio", "workload"))))
	socketMatch := r.Get(metadata, "envoy.transport_socket_match")
	if r.Err != nil {
		return nil, nil, r.Err
	}
	name, tls, err := upstreamTransport(r, cluster, socketMatch)
	m.Set("transport", orNull(name))
	return m, tls, err
}

// workloadName returns "name.namespace" of a workload that is given as
// "name;namespace;canonical name;revision;cluster".
func workloadName(s string) string {
	words := strings.Split(s, ";")
	if len(words) < 2 || words[0] == "" {
		return ""
	}
	return words[0] + "." + words[1]
}

// upstreamTransport returns the name of the transport socket that Envoy uses for an
// endpoint with this metadata: the first transport socket match whose conditions
// hold, or else the cluster's own transport socket. The name is empty for plain
// text. tls is the UpstreamTlsContext, or nil for any other transport.
func upstreamTransport(r *document.Reader, cluster, metadata any) (name string, tls any, err error) {
	socket := r.Get(cluster, "transportSocket")
	name = r.Text(socket, "name")
	for _, m := range r.List(cluster, "transportSocketMatches") {
		holds := true
		for k, want := range r.Object(m, "match").All() {
			same, err := routing.Same(r.Ctx, r.Get(metadata, k), want)
			if err != nil {
				return "", nil, err
			}
			holds = holds && same
		}
		if holds && r.Err == nil {
			name, socket = r.Text(m, "name"), r.Get(m, "transportSocket")
			break
		}
	}
	if config := r.Get(socket, "typedConfig"); hasType(r, config, "UpstreamTlsContext") {
		tls = config
	}
	return name, tls, r.Err
}

// enterOriginalDestination continues the trace at an ORIGINAL_DST cluster. Such a
// cluster sends a connection to the address that the client connected to, or to an
// address from metadata or a header.
func (w *walk) enterOriginalDestination(c any, name string, share float64) (string, error) {
	r := w.reader()
	lb := r.Message(r.Get(c, "originalDstLbConfig"))
	ip, port, err := w.originalDestination(lb)
	if err != nil {
		return "", err
	}
	if n := int(lb.Number("upstreamPortOverride")); n != 0 {
		port = n
	}
	address := ""
	if ip == "" {
		w.addNoAddress()
	} else {
		address = net.JoinHostPort(ip, strconv.Itoa(port))
	}
	transport, tls, err := upstreamTransport(r, c, nil)
	if err != nil {
		return "", err
	}
	reason := ""
	if name == "PassthroughCluster" || name == "InboundPassthroughCluster" {
		reason = passthrough
	}
	m := unlistedEndpoint(address, ip, port, share)
	m.Set("cluster", name)
	m.Set("transport", orNull(transport))
	w.endpoints = append(w.endpoints, m)
	w.left += share
	w.ends = append(w.ends, end{endpoint: m, tls: tls, share: share, reason: reason})
	return reason, nil
}

// unlistedEndpoint returns the value for an endpoint that isn't in the EDS data.
func unlistedEndpoint(address, ip string, port int, share float64) *object.Object {
	return object.Of(
		"address", orNull(address), "ip", orNull(ip), "port", port, "cluster", nil, "share", share, "health", "UNKNOWN",
		"outlier", nil, "weight", 1, "priority", 0, "locality", nil, "workload", nil, "transport", nil, "tunnel", nil,
	)
}

// originalDestination returns the address to which an ORIGINAL_DST cluster sends a
// connection. The address in the metadata takes precedence over the one in the
// request's header. Without either, it is the address that the client connected to.
func (w *walk) originalDestination(lb document.Message) (ip string, port int, err error) {
	if lb.Has("metadataKey") {
		v := any(w.metadata)
		key := lb.Sub("metadataKey")
		v = lb.Get(v, key.Text("key"))
		for _, p := range key.List("path") {
			v = lb.Get(v, p.Text("key"))
		}
		text, _ := lb.Force(v).(string)
		if at, err := netip.ParseAddrPort(text); err == nil {
			return at.Addr().String(), int(at.Port()), lb.Err
		}
	}
	if lb.Flag("useHttpHeader") && w.request.Scheme != routing.Bytes {
		header := cmp.Or(lb.Text("httpHeaderName"), "x-envoy-original-dst-host")
		for _, h := range w.request.Headers {
			if !strings.EqualFold(h[0], header) {
				continue
			}
			if at, err := netip.ParseAddrPort(h[1]); err == nil {
				return at.Addr().String(), int(at.Port()), nil
			}
			break // Envoy ignores a header that contains no address
		}
	}
	if lb.Err != nil {
		return "", 0, lb.Err
	}
	err = w.resolve()
	return w.Destination, w.DestinationPort, err
}
