package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// questions are the questions that people ask in public about meshes, each with
// the one or two command lines that answer it on the demo, and what the answer
// holds. The symptom table of the README and help lead to these commands.
var questions = []struct {
	question string
	lines    []string
	answer   string // a regular expression, on the outputs of all lines
}{
	{"503, the cluster does not exist", []string{"trace productpage-v1 http://reviews.default.svc.cluster.local/slow/1"}, `NO_CLUSTER.*with status 503`},
	{"503 UH", []string{"check --only unhealthy-clusters"}, `unhealthy-clusters +6 proxies +outbound\|15010\|\|istiod`},
	{"404 NR", []string{"trace istio-ingressgateway http://nowhere.example.com/nothing"}, `NO_ROUTE`},
	{"which VirtualService wins", []string{"trace productpage-v1 http://reviews:9080/reviews/1", "describe virtualservice/reviews-complex"}, `(?s)virtual-service/reviews-complex\.default.*5 proxies +14 routes`},
	{"a policy denies", []string{"trace reviews-v1 http://reviews:9080/admin --inbound --from productpage-v1 -X POST"}, `DENIED`},
	{"which ports take plain text", []string{"check --only permissive"}, `port 9080 +takes plain text, too`},
	{"which versions run", []string{"versions"}, `1\.31\.0`},
	{"a NACK", []string{"rejected"}, `bogus\.filter`},
	{"stale", []string{"stale"}, `reviews-v2-7d79d5bd5d-8zzqd\.default`},
	{"what is missing on a proxy", []string{"diff reviews-v2 --sections routes -o table"}, `weight +5 +15`},
	{"certificates", []string{"certs --within 72h"}, `2026-11-23T12:53:47Z +23h`},
	{"a missing secret", []string{"check --only missing-secrets"}, `kubernetes://secure-cred +Envoy waits for it`},
	{"root certificates", []string{"rootca"}, `(?i)serial|ROOT`},
	{"disconnected", []string{"disconnected", "check --only disconnected -o json"}, `^\s*$|items`},
	{"a gateway's hosts and SNI", []string{"describe gateway/multi"}, `HTTPS 8443 secure\.example\.com with secure-cred, TLS 8443 \*\.pass\.example\.com`},
	{"routing by header", []string{"trace productpage-v1 http://reviews:9080/api/x -H end-user=jason -H x-canary=true"}, `outbound\|9080\|v3\|reviews`},
	{"egress", []string{"trace productpage-v1 http://api.external.io/"}, `outbound\|80\|\|api\.external\.io`},
	{"overflow (UO)", []string{"help UO", "limits productpage-v1 --to ratings"}, `(?s)circuit breaker is open.*ratings\.default\.svc\.cluster\.local:9080 +v1 +10 +<none> +5`},
	{"locality and priority", []string{"endpoints reviews-v1 -o wide"}, `LOCALITY(?s:.*)eu-west1/eu-west1-b`},
	{"log level", []string{"log reviews-v1"}, `(?i)warning|info`},
	{"wait until something is true", []string{"wait --timeout 0 '.proxies | length == 7'"}, `^$`},
	{"compare two pods", []string{"diff reviews-v2 --with reviews-v1 --sections routes -o table"}, `weight +5 +15 +VirtualService/reviews-complex\.default`},
	{"canary weights", []string{"timeouts productpage-v1 --to reviews"}, `reviews\.default\.svc\.cluster\.local:9080 +v2 +95%`},
	{"timeouts and retries", []string{"timeouts productpage-v1 --to reviews"}, `v2 +100% +~/v\[0-9\]\+/reviews/\.\* +3s +2 on 5xx,reset`},
	{"circuit breakers and outlier detection", []string{"limits reviews-v1 --to ratings"}, `10 +<none> +5 +<none> +after 3 errors, for 30s, at most 10%`},
	{"which EnvoyFilter is behind a NACK", []string{"rejected", `'.envoyFilters[] | select(tojson | test("bogus[.]filter|Lua"; "i")) | .metadata.name' -r`}, `(?s)bogus\.filter.*ratings-lua`},
	{"callers of a service", []string{"graph --to svc/ratings"}, `(?s)productpage-v1\.default\n└─ ratings\.default:9080`},
	{"proxies that use a VirtualService", []string{"describe virtualservice/shop"}, `Proxy +istio-ingressgateway-674cc989b8-76lqn\.istio-system +6 routes`},
	{"mTLS conflict (TestMTLSFindsConflicts has one)", []string{"trace productpage-v1 http://reviews:9080/ --through", "help mtls"}, `(?s)tlsMode-istio.*STRICT at the server refuses plain text`},
	{"why PassthroughCluster", []string{"trace details-v1 http://reviews:9080/", "help passthrough"}, `(?s)PassthroughCluster.*a Sidecar object hides it`},
	{"pods without a sidecar", []string{`'.pods[] | select(any(.spec.containers[], .spec.initContainers[]?; .name == "istio-proxy") | not) | .metadata.name' -r`}, `istiod`},
	{"size of the configuration", []string{"sizes"}, `ratings-v1-7dc98c7588-8jsbw\.default +34 +15 +40 +18 +\d+`},
	{"HTTPS with a missing certificate", []string{"trace istio-ingressgateway https://secure.example.com:8443/"}, `ends +NO_CERTIFICATE`},
	{"which policies apply here", []string{"describe reviews-v1"}, `AuthorizationPolicy +deny-post\.default +DENY, 1 rule`},
	{"what does UC mean", []string{"help UC"}, `the server closed the connection`},
	{"what does UF mean", []string{"help UF"}, `the connection to the endpoint failed`},
	{"version skew when istiod's version is unknown", []string{"check --only skew"}, `unknown +skew`},
	{"a picture of the mesh", []string{"graph -o mermaid", "report"}, `(?s)^flowchart LR.*<svg role="img"`},
}

// TestQuestions runs the command lines of every question on the demo.
func TestQuestions(t *testing.T) {
	for _, q := range questions {
		var all strings.Builder
		for _, line := range q.lines {
			words := program.Words(line)
			if words[0] != "help" {
				words = append(words, "--snapshot", "demo")
			}
			out, errs, code := program.Run(t, words...)
			if code != 0 && code != 1 && code != 6 {
				t.Errorf("%s: %s: exit code %d: %s", q.question, line, code, errs)
			}
			all.WriteString(out)
		}
		if !regexp.MustCompile(q.answer).MatchString(all.String()) {
			t.Errorf("%s: %q: no %s in\n%.1500s", q.question, q.lines, q.answer, all.String())
		}
		if len(q.lines) > 2 {
			t.Errorf("%s: %d commands", q.question, len(q.lines))
		}
	}
	if len(questions) < 38 {
		t.Errorf("%d questions", len(questions))
	}
}

// TestCheckWithFewRights removes all lists of Kubernetes objects and istiod's
// answers: check names what it could not judge, and doesn't exit with 0.
func TestCheckWithFewRights(t *testing.T) {
	dir := program.RewrittenDemo(t, []string{"virtualservices.networking.istio.io.json", "syncz.json", "adsz.json"}, func(_ string, v any) any { return v })
	out, errs, code := program.Run(t, "check", "--snapshot", dir)
	if code != 6 || !strings.Contains(out, "unknown") || errs == "" {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
}
