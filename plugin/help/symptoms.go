package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/fit"
)

// A Symptom is something that users observe: a response flag in an Envoy's
// access log, a status code, or another observation. It has a help page with
// its meaning and the commands that find the cause.
type Symptom struct {
	Name  string   // the argument of the help command
	Long  string   // for a response flag, Envoy's long name for it; otherwise empty
	Also  []string // other words for the symptom
	Title string   // a description in a few words
	Means string   // what happened, and its usual causes

	// Find are command lines without the program's name, each with a
	// description of its output. PROXY, URL and SERVICE are placeholders for
	// the user's values.
	Find [][2]string

	Example string // a command line that works on the demo mesh
}

// symptomsTopic is the name of the help page that lists the symptoms.
const symptomsTopic = "symptoms"

// maxLine is the width in characters of the help pages for symptoms. This width
// fits every terminal.
const maxLine = 80

// FindSymptom returns the symptom with the given name, or with another word for
// it. Upper and lower case are the same.
func FindSymptom(word string) (Symptom, bool) {
	for _, s := range Symptoms() {
		if strings.EqualFold(s.Name, word) || s.Long != "" && strings.EqualFold(s.Long, word) {
			return s, true
		}
		for _, also := range s.Also {
			if strings.EqualFold(also, word) {
				return s, true
			}
		}
	}
	return Symptom{}, false
}

// Symptoms returns all symptoms: the observations first, then Envoy's response
// flags.
func Symptoms() []Symptom { return append(observations(), responseFlags()...) }

// PrintSymptom prints the help page of a symptom. program is the command with
// which the user runs the plugin.
func PrintSymptom(w io.Writer, s Symptom, program string) {
	title := s.Name + ": " + s.Title
	if s.Long != "" {
		title += " (" + s.Long + ")"
	}
	fmt.Fprintf(w, "%s\n\n%s\n\nFind the cause:\n", strings.Join(fit.Wrap(title, maxLine), "\n"), strings.Join(fit.Wrap(s.Means, maxLine), "\n"))
	for _, find := range s.Find {
		fmt.Fprintf(w, "  %s %s\n", program, find[0])
		for _, line := range fit.Wrap(find[1], maxLine-6) {
			fmt.Fprintf(w, "      %s\n", line)
		}
	}
	fmt.Fprintf(w, "\nExample:\n  %s %s\n", program, s.Example)
}

// printSymptoms prints the list of all symptoms.
func printSymptoms(w io.Writer) {
	fmt.Fprintf(w, "help NAME says what it means, and which command finds the cause.\n\n")
	for _, s := range observations() {
		fmt.Fprintf(w, "  %-14s %s\n", s.Name, s.Title)
	}
	fmt.Fprintf(w, "\nResponse flags in an Envoy's access log (%%RESPONSE_FLAGS%%):\n\n")
	for _, s := range responseFlags() {
		fmt.Fprintf(w, "  %-14s %s\n", s.Name, s.Title)
	}
}

// These command lines are shared by several symptoms. They must not be changed.
var (
	traceIt     = [2]string{"trace PROXY URL", "follows the request to its route, cluster and endpoints, and says where it ends"}
	traceIn     = [2]string{"trace PROXY URL --inbound --from CLIENT", "follows it into the workload: policies, mutual TLS, the port"}
	traceWhole  = [2]string{"trace PROXY URL --through", "follows it from the client through to the server's proxy: TLS on both sides"}
	unhealthy   = [2]string{"check --only unhealthy-clusters", "clusters with a route and no healthy endpoint"}
	missing     = [2]string{"check --only missing-clusters", "routes to a cluster that the proxy doesn't have"}
	inSync      = [2]string{"status --not-synced", "proxies that don't have istiod's latest configuration"}
	compare     = [2]string{"diff PROXY", "what istiod would send and the proxy doesn't have"}
	certificate = [2]string{"certs --within 72h", "certificates that expire soon, or have expired"}
	endpointsOf = [2]string{"endpoints PROXY --cluster CLUSTER -o wide", "the endpoints as this proxy sees them: health, outlier detection, locality"}
	describe    = [2]string{"describe svc/SERVICE", "the objects that apply to the service: policies, mutual TLS, routes"}
)

func observations() []Symptom {
	return []Symptom{
		{
			Name: "403", Also: []string{"forbidden", "RBAC", "denied"}, Title: "a request is denied",
			Means: "An AuthorizationPolicy at the server's proxy, at a waypoint or at the gateway denied it: a DENY policy matches, or there are ALLOW policies and none matches. The body is \"RBAC: access denied\". A 403 with another body comes from the application or from an external authorizer (UAEX).",
			Find:  [][2]string{traceIn, describe}, Example: "trace --snapshot demo reviews-v1 http://reviews:9080/admin --inbound --from productpage-v1 -X POST",
		},
		{
			Name: "404", Also: []string{"not-found"}, Title: "a request has no route, or the application has no such page",
			Means:   "With the flag NR, no virtual host or route of the proxy matched: the host is not in the VirtualService or in the Gateway, the VirtualService is not bound to the gateway, or the path doesn't match. Without a flag, the application answered.",
			Find:    [][2]string{traceIt, {"routes PROXY", "the hosts and paths that the proxy knows"}, {"describe gateway/NAME", "the VirtualServices of a Gateway, and what wins"}, {"check --only conflicting-domains,shadowed-routes", "routes that another one hides"}},
			Example: "trace --snapshot demo istio-ingressgateway http://nowhere.example.com/",
		},
		{
			Name: "503", Also: []string{"unavailable"}, Title: "a service is unavailable",
			Means: "The response flag in the access log says why: UH no healthy endpoint, UF the connection failed, UC the connection was closed, UO a circuit breaker, NC no such cluster, URX retries exhausted, LR or UR a reset. 503 without a flag comes from the application.",
			Find:  [][2]string{traceIt, unhealthy, missing, traceWhole}, Example: "trace --snapshot demo productpage-v1 http://reviews.default.svc.cluster.local/slow/1",
		},
		{
			Name: "504", Also: []string{"timeout", "gateway-timeout"}, Title: "a request takes longer than its timeout",
			Means:   "With UT, the route's timeout or the per-try timeout was over; with SI or DT, the stream's. The timeout is that of the VirtualService's route, or 15 s of Envoy if an EnvoyFilter removed Istio's default (none).",
			Find:    [][2]string{{"trace PROXY URL -o json", "the route, with timeout and retries"}, {"'.proxy(\"PROXY\").routes[].virtualHosts[].routes[] | {name, timeout: .route.timeout, retries: .route.retryPolicy}'", "the timeouts and retries of all routes"}},
			Example: "--snapshot demo '[.proxy(\"productpage-v1\").routes[].virtualHosts[].routes[].route.timeout // empty] | unique' -c",
		},
		{
			Name: "certificate", Also: []string{"certificates", "cert", "expired"}, Title: "a certificate is missing, expired or not trusted",
			Means:   "A gateway whose credentialName has no Secret doesn't answer on that port. A workload's certificate comes from istiod and is renewed at half of its life: one that is about to expire means that the proxy doesn't reach istiod. Proxies with different root certificates can't talk to each other.",
			Find:    [][2]string{certificate, {"check --only missing-secrets,expiring", "certificates that a proxy waits for, or that run out"}, {"rootca", "which root certificates the proxies trust"}, {"secrets PROXY -o wide", "every certificate of a proxy, with its names"}},
			Example: "check --snapshot demo --only missing-secrets",
		},
		{
			Name: "mtls", Also: []string{"tls", "plaintext", "mutual-tls"}, Title: "client and server don't agree on mutual TLS",
			Means:   "A PeerAuthentication STRICT at the server refuses plain text; a DestinationRule with tls.mode DISABLE or SIMPLE at the client sends it. The client sees UF or UC, often with \"TLS error\" or \"connection reset\" in the details; the server's inbound listener logs NR with \"filter_chain_not_found\".",
			Find:    [][2]string{{"mtls", "every pair of client and server that doesn't agree"}, traceWhole, describe, {"check --only permissive", "ports that take plain text beside mutual TLS"}},
			Example: "trace --snapshot demo productpage-v1 http://ratings:9080/ --through",
		},
		{
			Name: "no-traffic", Also: []string{"passthrough", "blackhole", "BlackHoleCluster", "PassthroughCluster"}, Title: "requests don't reach a workload, or bypass the mesh's rules",
			Means:   "A request that goes to PassthroughCluster left without the mesh's rules: the proxy doesn't know the host, because a Sidecar object hides it, the port is not declared, or the service isn't in the registry. BlackHoleCluster is the same with outboundTrafficPolicy REGISTRY_ONLY: it is dropped. A pod without a sidecar is not in the mesh at all.",
			Find:    [][2]string{traceIt, {"graph --from PROXY", "where a proxy can send requests to"}, {"'.sidecars[] | .spec'", "the Sidecar objects, which limit what proxies see"}, {"'.pods[] | select(any(.spec.containers[], .spec.initContainers[]?; .name == \"istio-proxy\") | not) | .metadata.name'", "pods without a sidecar"}},
			Example: "trace --snapshot demo details-v1 http://reviews:9080/",
		},
		{
			Name: "wrong-version", Also: []string{"subset", "canary", "weights"}, Title: "requests go to another version than they should",
			Means:   "The route's weights, or an earlier route that matches first, send them there. A proxy that is STALE still has the old weights. A subset whose labels fit no pod has no endpoints.",
			Find:    [][2]string{traceIt, {"graph --to SERVICE", "the weights of every caller"}, {"describe virtualservice/NAME", "which proxies use it, and where another one wins"}, inSync},
			Example: "trace --snapshot demo productpage-v1 http://reviews:9080/",
		},
		{
			Name: "stale-config", Also: []string{"stale-configuration", "nack", "not-synced"}, Title: "a change of the configuration has no effect",
			Means:   "STALE: istiod sent it and the proxy didn't answer. ERROR: the proxy refused it (NACK) and keeps the old configuration. SYNCED and no effect: the object doesn't apply, or another one wins.",
			Find:    [][2]string{inSync, {"rejected", "what proxies refused, and why"}, compare, {"describe PROXY", "the objects that apply"}},
			Example: "rejected --snapshot demo",
		},
	}
}

func responseFlags() []Symptom {
	flag := func(name, long, title, means string, example string, find ...[2]string) Symptom {
		return Symptom{Name: name, Long: long, Title: title, Means: means, Example: example, Find: find}
	}
	const (
		slow    = "trace --snapshot demo productpage-v1 http://reviews.default.svc.cluster.local/slow/1"
		through = "trace --snapshot demo productpage-v1 http://reviews:9080/reviews/1 --through"
	)
	limits := [2]string{"'.proxy(\"PROXY\").cluster(\"CLUSTER\") | {circuitBreakers, outlierDetection}'", "the limits of the DestinationRule, as Envoy has them"}
	retries := [2]string{"trace PROXY URL -o json", "the route, with its timeout and retries"}
	filters := [2]string{"'.proxy(\"PROXY\").listeners[] | .. | .httpFilters? // empty'", "the HTTP filters of the proxy"}
	stats := [2]string{"stats PROXY --name NAME", "the counters of the proxy"}
	extensions := [2]string{"extensions PROXY", "filters that istiod sends on their own"}
	return []Symptom{
		flag("UH", "NoHealthyUpstream", "no healthy endpoint", "The cluster has no endpoint, or none that is healthy: no pod is ready, no pod has the subset's labels, or outlier detection ejected them all. The status is 503.", "check --snapshot demo --only unhealthy-clusters", unhealthy, traceIt, endpointsOf),
		flag("UF", "UpstreamConnectionFailure", "the connection to the endpoint failed", "Nothing listens there, a NetworkPolicy or firewall drops it, or TLS failed: client and server don't agree on mutual TLS, or a certificate is not trusted. The details (%UPSTREAM_TRANSPORT_FAILURE_REASON%) tell which. The status is 503.", through, traceWhole, describe, certificate, [2]string{"rootca", "whether both sides trust the same root certificate"}),
		flag("UO", "UpstreamOverflow", "a circuit breaker is open", "More connections, pending requests, requests or retries than the DestinationRule's connectionPool allows. The status is 503.", `--snapshot demo '[.proxies[].clusters[] | select(.circuitBreakers.thresholds[0].maxPendingRequests < 1000) | .name] | unique' -c`, limits, stats),
		flag("NR", "NoRouteFound", "no route, or no filter chain", "No virtual host or route matches the request: see help 404. On a TCP or inbound listener, no filter chain matches the connection, as when plain text comes to a port with STRICT mutual TLS. The status is 404.", "trace --snapshot demo istio-ingressgateway http://nowhere.example.com/", traceIt, traceIn, [2]string{"routes PROXY", "the hosts and paths that the proxy knows"}),
		flag("URX", "UpstreamRetryLimitExceeded", "all retries, or all attempts to connect, failed", "The request was tried as often as the route's retries allow, or for TCP, as often as maxConnectAttempts. The last failure is the cause; its flag is beside this one.", slow, traceIt, retries, unhealthy),
		flag("NC", "NoClusterFound", "the route's cluster doesn't exist", "The route names a cluster that the proxy doesn't have: a subset that no DestinationRule defines, a host that is in no registry, or a service in a namespace that a Sidecar object hides. The status is 503.", slow, missing, traceIt, compare),
		flag("DT", "DurationTimeout", "the connection or request was open for too long", "The maximum duration of the connection or stream (max_connection_duration, maxStreamDuration) was over.", slow, retries, compare),
		flag("DC", "DownstreamConnectionTermination", "the client closed the connection", "The client gave up, often because its own timeout is shorter than the server's answer takes. The cause is mostly a slow server, not the mesh.", slow, retries, traceWhole),
		flag("LH", "FailedLocalHealthCheck", "the local service failed its health check", "The health check filter of this Envoy answered that the local service is not healthy. Istio doesn't configure that filter: an EnvoyFilter did. The status is 503.", through, filters, describe),
		flag("UT", "UpstreamRequestTimeout", "the request's timeout was over", "The route's timeout (VirtualService timeout), or a timeout that the client asked for in a header. The status is 504.", `--snapshot demo '[.proxies[].routes[].virtualHosts[]?.routes[].route.timeout // empty] | unique' -c`, retries, traceIt),
		flag("LR", "LocalReset", "Envoy reset the stream", "Envoy itself ended the stream to the endpoint, often after a protocol error or at a drain. The status is 503.", through, traceWhole, inSync, stats),
		flag("UR", "UpstreamRemoteReset", "the server reset the stream", "The server's proxy or application ended the stream (RST_STREAM): it restarted, crashed, or has a limit. The status is 503.", through, traceWhole, endpointsOf),
		flag("UC", "UpstreamConnectionTermination", "the server closed the connection", "The connection was closed before the answer was complete: the server restarted, its keep-alive timeout is shorter than Envoy's idle timeout, it doesn't speak the protocol of the port (HTTP/2 to an HTTP/1.1 server), or the server's proxy refused plain text. The status is 503.", through, traceWhole, describe, [2]string{"endpoints PROXY --cluster CLUSTER -o wide", "whether the endpoint is still there"}),
		flag("DI", "DelayInjected", "a fault delayed the request", "The VirtualService's fault.delay, on purpose.", slow, traceIt),
		flag("FI", "FaultInjected", "a fault aborted the request", "The VirtualService's fault.abort, on purpose, with the status that it sets.", slow, traceIt),
		flag("RL", "RateLimited", "the rate limit refused the request", "A local or global rate limit, which an EnvoyFilter configures. The status is 429.", through, filters, traceIt),
		flag("UAEX", "UnauthorizedExternalService", "the external authorizer denied the request", "An AuthorizationPolicy with action CUSTOM asked an external service (ext_authz), and that denied it. The status is the authorizer's, by default 403.", "trace --snapshot demo reviews-v1 http://reviews:9080/ --inbound --from productpage-v1", traceIn, describe),
		flag("RLSE", "RateLimitServiceError", "the rate limit service failed", "The global rate limit service did not answer, and the filter denies requests then.", through, filters, unhealthy),
		flag("IH", "InvalidEnvoyRequestHeaders", "an x-envoy-* header has an invalid value", "A strictly checked header, such as x-envoy-upstream-rq-timeout-ms, is invalid. The status is 400.", through, filters),
		flag("SI", "StreamIdleTimeout", "the stream was idle for too long", "Nothing was sent on the stream for the idle timeout (by default 5 min): long polls and streams without keep-alives. The status is 408 or 504.", `--snapshot demo '[.proxies[].routes[].virtualHosts[]?.routes[].route.idleTimeout // empty] | unique' -c`, retries, filters),
		flag("DPE", "DownstreamProtocolError", "the client broke the protocol", "The client's request is not valid HTTP: TLS sent to a plain port, HTTP/2 without its preface, or an invalid header. The status is 400.", through, traceIt, [2]string{"listeners PROXY --port PORT", "what the port takes"}),
		flag("UPE", "UpstreamProtocolError", "the server broke the protocol", "The answer is not valid HTTP, mostly because the port's name or appProtocol declares a protocol that the server doesn't speak. The status is 502 or 503.", through, [2]string{"describe svc/SERVICE", "the ports and their protocols"}, traceWhole),
		flag("UMSDR", "UpstreamMaxStreamDurationReached", "the request reached the maximum stream duration", "maxStreamDuration of the route or cluster was over. The status is 504.", slow, retries),
		flag("RFCF", "ResponseFromCacheFilter", "the answer came from Envoy's cache", "An EnvoyFilter configures the cache filter. It is no error.", through, filters),
		flag("NFCF", "NoFilterConfigFound", "a filter's configuration has not arrived", "The filter is configured by ECDS (a WasmPlugin), and its configuration is missing or was refused. The status is 500.", "--snapshot demo '[.proxies[].extensions[].name]' -c", extensions, inSync, [2]string{"rejected", "what proxies refused, and why"}),
		flag("OM", "OverloadManagerTerminated", "the overload manager ended the request", "Envoy is short of memory, connections or file descriptors, and sheds load.", "stats --snapshot demo reviews-v1", stats),
		flag("DF", "DnsResolutionFailed", "the name could not be resolved", "A dynamic forward proxy could not resolve the host: an external ServiceEntry with DNS resolution. The status is 503.", through, traceIt, [2]string{"'.serviceEntries[] | .spec'", "the ServiceEntries"}),
		flag("DO", "DropOverload", "the request was dropped by the control plane's drop_overload", "The endpoint assignment (EDS) of the cluster tells Envoy to drop a share of the requests. Istio doesn't set that: another control plane or an EnvoyFilter does. The status is 503.", through, endpointsOf, compare),
		flag("UDO", "UnconditionalDropOverload", "the request was dropped, because drop_overload is 100%", "As DO, with a share of 100%.", through, endpointsOf, compare),
		flag("DR", "DownstreamRemoteReset", "the client reset the stream", "The client cancelled the request (RST_STREAM), as browsers and gRPC clients with a deadline do.", through, retries, traceWhole),
	}
}
