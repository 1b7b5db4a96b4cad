package envoy

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// longestLine is the maximum length in bytes of a line in a text body.
const longestLine = 16 << 20

// isJSON reports whether a document is JSON, by the first byte that isn't white
// space.
func isJSON(doc *decode.Document) bool {
	var b [512]byte
	n, _ := doc.Bytes.ReadAt(b[:], 0)
	head := bytes.TrimLeft(b[:n], " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

// lines calls take with each line of a body.
func lines(ctx context.Context, doc *decode.Document, take func(line string)) error {
	in := bufio.NewScanner(io.NewSectionReader(doc.Bytes, 0, doc.Bytes.Size()))
	in.Buffer(nil, longestLine)
	for in.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		take(strings.TrimRight(in.Text(), "\r"))
	}
	return in.Err()
}

// readText parses the text form of the answer to /clusters. It consists of
// lines of "cluster::host::key::value", and of some lines about the cluster
// itself. The lines of a host are consecutive.
func (t *hostTable) readText(ctx context.Context) error {
	services := map[string]string{}
	err := lines(ctx, t.doc, func(line string) {
		rest, value, ok := cutLast(line, "::")
		if !ok {
			return
		}
		rest, key, ok := cutLast(rest, "::")
		if !ok {
			return
		}
		if key == "eds_service_name" {
			services[rest] = value
			return
		}
		if cluster, at, ok := cutAddress(rest); ok {
			t.host(cluster, at).set(key, value)
		}
	})
	for i := range t.rows {
		t.rows[i].service = services[t.rows[i].cluster]
	}
	return err
}

// host returns the row of a host. This is the row that was added last if it
// belongs to this host, or else a new row.
func (t *hostTable) host(cluster string, at address) *endpoint {
	if n := len(t.rows); n > 0 && t.rows[n-1].cluster == cluster && t.rows[n-1].address == at {
		return &t.rows[n-1]
	}
	t.rows = append(t.rows, endpoint{cluster: cluster, address: at, health: "HEALTHY", outlier: "OK", stats: object.New(0)})
	return &t.rows[len(t.rows)-1]
}

// set stores the value of one line about a host.
func (e *endpoint) set(key, value string) {
	switch key {
	case "hostname":
		e.hostname = value
	case "weight":
		e.weight = number(value)
	case "priority":
		e.priority = number(value)
	case "region":
		e.setLocality("region", value)
	case "zone":
		e.setLocality("zone", value)
	case "sub_zone":
		e.setLocality("subZone", value)
	case "health_flags":
		e.health, e.outlier = flags(value)
	case "canary", "success_rate", "local_origin_success_rate": // the JSON form doesn't have these among the stats
	default:
		e.stats.(*object.Object).Set(key, number(value))
	}
}

func (e *endpoint) setLocality(part, value string) {
	if value == "" {
		return
	}
	l, _ := e.locality.(*object.Object)
	if l == nil {
		l = object.New(0)
		e.locality = l
	}
	l.Set(part, value)
}

// flags parses Envoy's health flags, such as "healthy" or
// "/failed_eds_health/…". The text form contains no other health states of EDS
// than these.
func flags(s string) (health, outlier string) {
	health, outlier = "HEALTHY", "OK"
	for flag := range strings.SplitSeq(s, "/") {
		switch flag {
		case "failed_eds_health":
			health = "UNHEALTHY"
		case "degraded_eds_health":
			health = "DEGRADED"
		case "eds_status_draining":
			health = "DRAINING"
		case "failed_outlier_check":
			outlier = "FAILED"
		}
	}
	return health, outlier
}

// cutAddress splits "cluster::host". The host may be "10.0.0.1:80", "[::1]:80",
// the path of a socket, or "envoy://listener/id".
func cutAddress(s string) (cluster string, at address, ok bool) {
	if i := strings.LastIndex(s, "::["); i >= 0 {
		at, ok = socket(s[i+2:])
		return s[:i], at, ok
	}
	cluster, host, found := cutLast(s, "::")
	switch {
	case !found:
		return "", at, false
	case strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@"):
		return cluster, address{text: "unix://" + host, pipe: true}, true
	case strings.HasPrefix(host, "envoy://"):
		return cluster, address{text: host}, true
	}
	at, ok = socket(host)
	return cluster, at, ok
}

// socket parses "ip:port".
func socket(s string) (a address, ok bool) {
	ip, port, ok := cutLast(s, ":")
	n, err := strconv.Atoi(port)
	if !ok || err != nil {
		return a, false
	}
	return address{text: s, ip: strings.Trim(ip, "[]"), port: n}, true
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
