package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/graph"
	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/spf13/cobra"
)

const traceLong = `Follow a request from a proxy, by the configuration of its Envoy: listener, filter chain, route configuration, virtual host,
route, filters, cluster, endpoints. Each step has its reason, the Istio resource it came from, and what was almost chosen. No
request is sent.

In an ambient mesh, FROM may also be a workload: web-v1.shop, a pod, deploy/web-v1, or its address. The request is followed through
the ztunnel of its node (service, waypoint, endpoints, policies), the waypoint, and the ztunnel of each endpoint's node. Each hop is
judged by the data of its own proxy.

URL is http://host[:port]/path (http:// may be left out), https://…, tcp://host:port or tls://host:port. From a sidecar, the
request is the one of its own workload, and the name of a Service (reviews, reviews.default, reviews.default.svc.cluster.local)
stands for its address; at a gateway, it comes from outside. --inbound traces a request that arrives at this workload: mTLS if --from is a proxy, plain text if
it is an address. By default, a request is followed into the next proxies where it enters a tunnel, and always from a workload;
--through follows it into all proxies, --through=false into none.
Steps that the configuration alone can't decide (Lua, Wasm, ext_authz, JWT claims, rate limits) are listed.

The exit code is 0 if all of the traffic reaches an endpoint, 1 if a share of it doesn't, and 6 if the trace needs something that
could not be read: that is named, and the trace is printed as far as it is known.`

// traceOptions contains the flags of the command trace.
type traceOptions struct {
	method, sni, from, destination, principal string
	key                                       string // the file that contains the key for digests
	headers, alpn                             []string
	inbound, through                          bool
}

// traceCommand returns the command "trace FROM URL".
func traceCommand(w *process.World, f *options.Flags, root *rootCommand) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	t := &traceOptions{}
	cmd := &cobra.Command{
		Use:   "trace FROM URL",
		Short: "Where a request would go, and why",
		Long:  traceLong,
		Example: process.Indent([]string{
			name + " trace istio-ingressgateway http://bookinfo.example.com/productpage",
			name + " trace productpage-v1 http://reviews:9080/reviews/1 --header end-user=jason --through",
			name + " trace productpage-v1 tcp://mysql.db:3306 -o json",
			name + " trace reviews-v1 http://reviews:9080/ --inbound --from productpage-v1",
			name + " trace --snapshot demo-ambient web-v1.shop http://cart.shop/",
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) != 2 {
				return process.Usagef("trace: two words are needed: a proxy or workload, and a URL like http://reviews:9080/")
			}
			return t.run(cmd, w, f, root, words[0], words[1])
		},
	}
	set := cmd.Flags()
	f.BindMesh(set)
	f.Output.Bind(set)
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 or 1 even if some of the mesh could not be read")
	set.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing: only the exit code")
	set.BoolVar(&f.Explain, "explain", false, "print all requests on stderr")
	set.StringVarP(&t.method, "method", "X", "", "the request's method (default GET)")
	set.StringArrayVarP(&t.headers, "header", "H", nil, `a header, "name: value" or name=value; repeat it for several`)
	set.StringVar(&t.sni, "sni", "", "the name that TLS asks for (default the URL's host)")
	set.StringSliceVar(&t.alpn, "alpn", nil, "the protocols that the client offers: h2,http/1.1")
	set.StringVar(&t.from, "from", "", "the source of the request: an address, or a proxy")
	set.StringVar(&t.principal, "principal", "", "the identity in the client's certificate: spiffe://cluster.local/ns/shop/sa/web; '' for no certificate")
	set.StringVar(&t.destination, "destination", "", "the destination address, if the host doesn't determine it: 10.0.0.1, [fd00::1]:80")
	set.StringVar(&t.key, "redact-key", "", "file with the key that a snapshot was recorded with: headers can be compared with its digests")
	set.BoolVar(&t.inbound, "inbound", false, "trace a request that arrives at the proxy's workload")
	set.BoolVar(&t.through, "through", false, "follow it into the proxies of all its endpoints (default: where a tunnel leads, and from a workload)")
	set.Lookup("output").Usage = "how to print: json, yaml, table, wide, mermaid (a sequence diagram), …; without it, a tree"
	return cmd
}

func (t *traceOptions) run(cmd *cobra.Command, w *process.World, f *options.Flags, root *rootCommand, proxy, url string) error {
	request, err := t.request(withScheme(url), cmd.Flags().Changed("principal"), cmd.Flags().Changed("through"))
	if err != nil {
		return err
	}
	f.ExitStatus = true
	ctx, stop := w.WithTimeout(cmd.Context(), f.Timeout)
	defer stop()
	a := &run.Request{File: "trace", Ours: true, Traces: true}
	if f.Output.Format == "mermaid" {
		f.Output.Format = ""
		a.Printer = func(out io.Writer) printers.Printer {
			return printers.NewEach(func(row []byte) error { return graph.WriteSequence(out, row) }, func() error { return nil })
		}
	}
	if t.key != "" {
		if a.Key, err = readKey(ctx, t.key); err != nil {
			return err
		}
		headers, _ := request.Get("headers").(map[string][]string)
		request.Set("digests", digests(a.Key, url, headers))
	}
	if ns := *f.Kube.Namespace; ns != "" && !f.AllNamespaces && !strings.ContainsAny(proxy, ".:") {
		proxy += "." + ns
	}
	f.AllNamespaces = true // the request may go to proxies of other namespaces
	a.Query = fmt.Sprintf("traceFrom(%s; %s)", quoted(proxy), quoted(request))
	return runAsked(ctx, w, f, root.argv, a, cmd)
}

// withScheme returns a URL with the scheme http if it has none, as in
// "reviews:9080". A path has no scheme.
func withScheme(url string) string {
	if strings.HasPrefix(url, "/") || strings.Contains(url, "://") || strings.Contains(url, " ") {
		return url
	}
	return "http://" + url
}

// request returns the request that the flags describe, in the form that the
// function trace takes. If --principal is given but empty, the client has no
// certificate.
func (t *traceOptions) request(url string, principal, through bool) (*object.Object, error) {
	m := object.Of("url", url)
	if principal {
		m.Set("principal", t.principal)
	}
	if t.destination != "" {
		if err := request.CheckAddress(t.destination); err != nil {
			return nil, process.Usagef("--destination: %s", err)
		}
	}
	for _, said := range [][2]string{{"method", strings.ToUpper(t.method)}, {"sni", t.sni}, {"from", t.from}, {"destination", t.destination}} {
		if said[1] != "" {
			m.Set(said[0], said[1])
		}
	}
	if len(t.alpn) > 0 {
		m.Set("alpn", t.alpn)
	}
	if t.inbound {
		m.Set("direction", "inbound")
	}
	if through {
		m.Set("through", t.through)
	}
	headers := map[string][]string{}
	for _, h := range t.headers {
		at := strings.IndexAny(h, ":=")
		if at > 0 && h[at] == ':' && strings.TrimSpace(h[:at]) == "" || at <= 0 {
			return nil, process.Usagef("--header %s: a header is \"name: value\" or name=value", h)
		}
		name := strings.ToLower(strings.TrimSpace(h[:at]))
		headers[name] = append(headers[name], strings.TrimSpace(h[at+1:]))
	}
	if len(headers) > 0 {
		m.Set("headers", headers)
	}
	return m, nil
}

// quoted returns a value as jq source text.
func quoted(v any) string {
	b, _ := json.Marshal(v) // JSON never contains \(, which would start an interpolation in jq
	return string(b)
}
