package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// An istiod is one istiod of the fleet.
type istiod struct {
	name    string // the name of its pod
	proxies []*Proxy
	admin   admin
}

// A registry holds the answers of the fleet's istiods, as templates that are filled in for each proxy.
type registry struct {
	capture *capture
	status  *template // an entry of /debug/syncz for a proxy that has acknowledged everything
	stale   *template

	client     *template // an entry of /debug/adsz
	connection *template // an entry of /debug/connections, without the part that the proxy reports about itself
}

func newRegistry(c *capture, image *image) (*registry, error) {
	r := &registry{capture: c}
	status, err := r.proxyStatus()
	if err != nil {
		return nil, err
	}
	acked, stale := status, status
	if i := strings.Index(status, `"route_sent":"`); i >= 0 {
		sent, _, _ := strings.Cut(status[i+len(`"route_sent":"`):], `"`)
		stale = strings.ReplaceAll(acked, `acked":"`+sent+`"`, `acked":"2026-11-22T09:00:00Z/`+sent[strings.Index(sent, "/")+1:]+`"`)
	}
	if stale == acked {
		return nil, fmt.Errorf("%s: no routes were sent to the recorded proxies", c.folder)
	}
	r.status, r.stale = newTemplate([]byte(acked)), newTemplate([]byte(stale))
	client, err := r.proxyClient(image.names)
	if err != nil {
		return nil, err
	}
	r.client = newTemplate([]byte(client))
	all, err := members([]byte(client))
	r.connection = newTemplate(object(slices.DeleteFunc(all, func(m member) bool {
		return m.key != "connectionId" && m.key != "connectedAt" && m.key != "address"
	})))
	return r, err
}

// proxyStatus returns a recorded entry of /debug/syncz for a proxy that has acknowledged everything.
func (r *registry) proxyStatus() (string, error) {
	text, err := r.capture.pilot("syncz.json")
	if err != nil {
		return "", err
	}
	all, err := elements(text)
	if err != nil {
		return "", err
	}
	for _, raw := range all {
		var s struct {
			Proxy      string
			Type       string `json:"proxy_type"`
			RouteSent  string `json:"route_sent"`
			RouteAcked string `json:"route_acked"`
			Resources  map[string]struct{ Sent, Acked, Error string }
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", err
		}
		good := s.Type == "sidecar" && s.RouteSent != "" && s.RouteSent == s.RouteAcked
		for _, of := range s.Resources {
			good = good && of.Sent == of.Acked && of.Error == ""
		}
		if good {
			line, err := compact(raw)
			return strings.ReplaceAll(line, `"`+s.Proxy+`"`, `"`+podToken+"."+namespaceToken+`"`), err
		}
	}
	return "", fmt.Errorf("%s: no proxy of syncz is in sync", r.capture.folder)
}

// proxyClient returns a recorded connection of /debug/adsz, changed to watch the endpoints of the named clusters.
func (r *registry) proxyClient(names []string) (string, error) {
	text, err := r.capture.pilot("adsz.json")
	if err != nil {
		return "", err
	}
	var adsz struct{ Clients []json.RawMessage }
	if err := json.Unmarshal(text, &adsz); err != nil {
		return "", err
	}
	i := slices.IndexFunc(adsz.Clients, func(c json.RawMessage) bool { return bytes.Contains(c, []byte(`"`+r.capture.pod+".")) })
	if i < 0 {
		return "", fmt.Errorf("%s: %s is not in adsz", r.capture.folder, r.capture.pod)
	}
	line, err := compact(adsz.Clients[i])
	if err != nil {
		return "", err
	}
	all, err := members([]byte(r.capture.tokenize(line)))
	if err != nil {
		return "", err
	}
	watches, err := members(value(all, "watches"))
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(names)
	if err != nil {
		return "", err
	}
	watches = with(watches, "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", list)
	all = with(with(all, "watches", object(watches)), "connectionId", quote(podToken+"."+namespaceToken+"-"+serialToken))
	return string(object(all)), nil
}

// answer returns an istiod's answer to a request.
func (r *registry) answer(i *istiod, q *http.Request) (status int, kind string, b body) {
	const asJSON = "application/json"
	if q.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, "text/plain", text("Method Not Allowed")
	}
	switch q.URL.Path {
	case "/debug/syncz":
		return http.StatusOK, asJSON, r.syncz(i)
	case "/debug/adsz":
		return http.StatusOK, asJSON, r.clients(i, r.client)
	case "/debug/connections":
		return http.StatusOK, asJSON, r.clients(i, r.connection)
	case "/version":
		if b, err := r.capture.pilot("version.txt"); err == nil {
			return http.StatusOK, "text/plain", text(string(b))
		}
	}
	name, ok := strings.CutPrefix(q.URL.Path, "/debug/")
	if ok && !strings.ContainsAny(name, "/*?[") && q.URL.RawQuery == "" {
		if b, err := r.capture.pilot(name + ".json"); err == nil {
			return http.StatusOK, asJSON, text(string(b))
		}
	}
	return http.StatusNotFound, "text/plain", text("404 page not found\n")
}

func (r *registry) syncz(i *istiod) body {
	b, comma := text("["), fixed("")
	for _, p := range i.proxies {
		t := r.status
		if p.Trouble == Stale {
			t = r.stale
		}
		b = append(b, part{template: comma}, part{t, p})
		comma = fixed(",")
	}
	return append(b, text("]")...)
}

// clients returns the list of an istiod's connected proxies, with one filled-in template for each.
func (r *registry) clients(i *istiod, form *template) body {
	b, comma := text(fmt.Sprintf(`{"totalClients":%d,"clients":[`, len(i.proxies))), fixed("")
	for _, p := range i.proxies {
		b = append(b, part{template: comma}, part{form, p})
		comma = fixed(",")
	}
	return append(b, text("]}")...)
}

// newIstiods builds the istiods and assigns the proxies to them in turn.
func newIstiods(o Options, proxies []*Proxy, c *Counters, r *registry) []*istiod {
	all := make([]*istiod, o.Istiods)
	for i := range all {
		d := &istiod{name: fmt.Sprintf("istiod-%s-%s", hash(o.Seed, 1<<40, 10), hash(o.Seed, 1<<40+1+uint64(i), 5))}
		for n := i; n < len(proxies); n += o.Istiods {
			d.proxies = append(d.proxies, proxies[n])
		}
		t := c.tally(d.name+".istio-system", nil)
		c.istiods = append(c.istiods, t)
		d.admin = admin{counters: c, tally: t, latency: o.Latency, answer: func(q *http.Request) (int, string, body) { return r.answer(d, q) }}
		all[i] = d
	}
	return all
}
