package fleet

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The port of the recorded services that are repeated, and the ports of their copies. Each copy has the shared port and
// one of the other ports.
const (
	modelPort  = "9080"
	sharedPort = "9000"
	otherPorts = 20
)

func otherPort(service int) string { return fmt.Sprintf("8%03d", service%otherPorts) }

// A pattern holds the parts of a dump that belong to one recorded service, to be repeated under other names.
type pattern struct {
	name     string // the service's name, "reviews"
	cluster  string
	subset   string // the cluster of the subset v1
	endpoint string
	entry    string // an entry of /clusters; may be empty
	host     string // a virtual host
}

// patternNames returns the recorded services that are repeated.
func patternNames() []string { return []string{"details", "productpage", "ratings", "reviews"} }

// serviceWords returns the words that the names of the copies start with.
func serviceWords() []string {
	return []string{"ads", "cart", "catalog", "checkout", "currency", "invoice", "login", "payment", "profile", "quote", "search", "shipping", "stock", "tax"}
}

// A grower enlarges a dump, one service at a time.
type grower struct {
	dump     *dump
	patterns []pattern
	random   *rand.Rand

	clusters, endpoints, listeners, routes *field

	route    []member            // the route configuration that is repeated
	listener string              // the listener that is repeated
	hosts    map[string][][]byte // virtual hosts of the copies so far, by port
	ports    []string            // keys of hosts, in order
	entries  []string            // entries of /clusters
	names    []string            // names of the clusters with endpoints
	size     int64               // size of the dump in bytes, including virtual hosts that are not in it yet
}

// newGrower returns a grower of a recorded dump. seed determines the names of the services that it adds.
func newGrower(c *capture, seed uint64) (*grower, error) {
	text, err := c.proxy("config_dump.json")
	if err != nil {
		return nil, err
	}
	d, err := readDump([]byte(c.tokenize(text)))
	if err != nil {
		return nil, err
	}
	g := &grower{
		dump: d, random: rand.New(rand.NewPCG(seed, 0)), hosts: map[string][][]byte{},
		clusters: d.list("ClustersConfigDump", "dynamic_active_clusters"), endpoints: d.list("EndpointsConfigDump", "dynamic_endpoint_configs"),
		listeners: d.list("ListenersConfigDump", "dynamic_listeners"), routes: d.list("RoutesConfigDump", "dynamic_route_configs"),
	}
	if g.clusters == nil || g.endpoints == nil || g.listeners == nil || g.routes == nil {
		return nil, fmt.Errorf("%s: the config dump of %s lacks a section", c.folder, model)
	}
	for _, e := range g.endpoints.elements {
		g.names = append(g.names, e.name)
	}
	entries, err := c.entries()
	if err != nil {
		return nil, err
	}
	by := map[string]string{}
	for _, e := range entries {
		g.entries = append(g.entries, e)
		by[nameOf([]byte(e))] = e
	}
	return g, g.learn(by)
}

// entries returns the recorded entries of /clusters.
func (c *capture) entries() (all []string, err error) {
	text, err := c.proxy("clusters.json")
	if err != nil {
		return nil, err
	}
	top, err := members([]byte(c.tokenize(text)))
	if err != nil {
		return nil, err
	}
	list, err := elements(value(top, "cluster_statuses"))
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		all = append(all, string(e))
	}
	return all, nil
}

func (g *grower) learn(entries map[string]string) error {
	hosts, err := g.learnRoute()
	if err != nil {
		return err
	}
	for _, e := range g.listeners.elements {
		if e.name == "0.0.0.0_"+modelPort {
			g.listener = string(e.text)
		}
	}
	for _, name := range patternNames() {
		full := "outbound|" + modelPort + "||" + name + ".default.svc.cluster.local"
		p := pattern{
			name: name, entry: entries[full], host: hosts[name],
			cluster: g.clusters.text(full), endpoint: g.endpoints.text(full),
			subset: g.clusters.text(strings.Replace(full, "||", "|v1|", 1)),
		}
		if p.cluster == "" || p.endpoint == "" || p.host == "" || g.listener == "" {
			return fmt.Errorf("the recorded dump has nothing of %s to repeat", name)
		}
		g.patterns = append(g.patterns, p)
	}
	return nil
}

// text returns the element of that name, or "" if there is none.
func (f *field) text(name string) string {
	for _, e := range f.elements {
		if e.name == name {
			return string(e.text)
		}
	}
	return ""
}

// learnRoute parses the route configuration of the model's port. It returns the virtual hosts by service.
func (g *grower) learnRoute() (map[string]string, error) {
	text := g.routes.text(modelPort)
	if text == "" {
		return nil, fmt.Errorf("the recorded dump has no route configuration %s", modelPort)
	}
	var err error
	if g.route, err = members([]byte(text)); err != nil {
		return nil, err
	}
	config, err := members(value(g.route, "route_config"))
	if err != nil {
		return nil, err
	}
	list, err := elements(value(config, "virtual_hosts"))
	if err != nil {
		return nil, err
	}
	hosts := map[string]string{}
	for _, h := range list {
		service, _, _ := strings.Cut(nameOf(h), ".")
		hosts[service] = string(h)
	}
	return hosts, nil
}

// grow adds services until the rendered dump has at least the given number of bytes.
func (g *grower) grow(bytes int64) error {
	g.size = g.dump.size()
	for service := 0; g.size < bytes; service++ {
		g.addService(service)
	}
	return g.addRoutes()
}

func (g *grower) addService(n int) {
	p := g.patterns[n%len(g.patterns)]
	words := serviceWords()
	name := fmt.Sprintf("%s-%d", words[g.random.IntN(len(words))], n)
	if n%50 == 49 {
		name = fmt.Sprintf("reviews-%d", n)
	}
	for _, port := range []string{sharedPort, otherPort(n)} {
		r := g.renamed(p.name, name, port, n)
		full := "outbound|" + port + "||" + name + ".default.svc.cluster.local"
		g.put(g.clusters, r.Replace(p.cluster))
		g.put(g.endpoints, r.Replace(p.endpoint))
		if p.subset != "" && n%5 == 0 {
			g.put(g.clusters, r.Replace(p.subset))
		}
		if p.entry != "" {
			g.entries = append(g.entries, r.Replace(p.entry))
		}
		g.names = append(g.names, full)
		g.addHost(port, r.Replace(p.host))
	}
}

// put adds an element to a field. The text must already be indented as in the dump.
func (g *grower) put(f *field, text string) {
	f.elements = append(f.elements, element{nameOf([]byte(text)), []byte(text)})
	g.size += int64(len(text) + 6) // 6 bytes separate two elements
}

// renamed returns a replacer that turns the parts of one service into those of another.
func (g *grower) renamed(from, to, port string, n int) *strings.Replacer {
	return strings.NewReplacer(
		from+".default", to+".default", `"`+from+`"`, `"`+to+`"`, "/"+from+`"`, "/"+to+`"`,
		"|"+modelPort+"|", "|"+port+"|", ":"+modelPort+`"`, ":"+port+`"`,
		"10.96.", fmt.Sprintf("10.%d.", 97+n%100), "10.244.", fmt.Sprintf("10.%d.", 200+n%50),
	)
}

func (g *grower) addHost(port, host string) {
	if g.hosts[port] == nil {
		g.ports = append(g.ports, port)
		g.put(g.listeners, strings.ReplaceAll(g.listener, modelPort, port))
	}
	g.hosts[port] = append(g.hosts[port], []byte(host))
	g.size += int64(len(host) + 6)
}

// addRoutes adds a route configuration for each port.
func (g *grower) addRoutes() error {
	config, err := members(value(g.route, "route_config"))
	if err != nil {
		return err
	}
	for _, port := range g.ports {
		c := with(with(config, "name", quote(port)), "virtual_hosts", array(g.hosts[port]))
		if err := g.routes.add(object(with(g.route, "route_config", object(c)))); err != nil {
			return err
		}
	}
	return nil
}
