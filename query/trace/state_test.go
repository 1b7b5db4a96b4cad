package trace_test

import "testing"

func tlsChain(name, more string) string {
	return `{"name": "` + name + `", "transportSocket": {"name": "tls", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", ` + more +
		`"commonTlsContext": {"tlsCertificateSdsSecretConfigs": [{"name": "cred"}]}}}, "filters": [{"name": "tcp", "typedConfig": {` + tcpType + `, "cluster": "c"}}]}`
}

// gatewayOf returns a gateway with a listener at port 443 that terminates TLS. The
// arguments contain the states of the listener and of the secret.
func gatewayOf(listeners, secrets string) map[string]string {
	return map[string]string{
		"listeners": `[` + listeners + `]`, "secrets": `[` + secrets + `]`,
		"clusters":  `[{"name": "c", "type": "EDS"}]`,
		"endpoints": `[{"cluster": "c", "address": "10.0.0.9:80", "health": "HEALTHY"}]`,
	}
}

// TestTraceByStateOfListenersAndSecrets checks what happens to a connection in each
// state of a listener and of its certificate. The expectations follow Envoy's page
// on SDS.
func TestTraceByStateOfListenersAndSecrets(t *testing.T) {
	listener := func(state, more string) string {
		return `{"name": "l", "state": "` + state + `", "error": "no such filter\n", "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 443}}, "filterChains": [` + tlsChain("tls", more) + `]}`
	}
	secret := func(state, more string) string { return `{"name": "cred", "state": "` + state + `"` + more + `}` }
	const ask = `.proxy("web").trace({url: "tls://10.0.0.1:443", `
	for _, c := range []struct {
		name, listeners, secrets, request, want string
	}{
		{"all is there", listener("ACTIVE", ``), secret("ACTIVE", `, "valid": true`), ``, `[null,["listener","filter chain","cluster"],[]]`},
		{"the secret is awaited", listener("ACTIVE", ``), secret("WARMING", ``), ``, `["NO_CERTIFICATE",["listener","filter chain","certificate"],[]]`},
		{"both are awaited", listener("WARMING", ``), secret("WARMING", ``), ``, `["NO_LISTENER",["listener"],[]]`},
		{"nothing says of the secret", listener("ACTIVE", ``), ``, ``, `[null,["listener","filter chain","cluster"],["secrets"]]`},
		{"it is expired", listener("ACTIVE", ``), secret("ACTIVE", `, "valid": false, "notBefore": "a", "notAfter": "b"`), ``, `[null,["listener","filter chain","certificate","cluster"],[]]`},
		{"a newer listener was refused", listener("ACTIVE", ``) + "," + listener("REJECTED", ``), secret("ACTIVE", ``), ``, `[null,["listener","newer listener","filter chain","cluster"],[]]`},
		{"the only listener was refused", listener("REJECTED", ``), secret("ACTIVE", ``), ``, `["NO_LISTENER",["listener"],[]]`},
		{"a certificate is needed", listener("ACTIVE", `"requireClientCertificate": true, `), secret("ACTIVE", ``), ``, `[null,["listener","filter chain","cluster"],["the client's certificate"]]`},
		{"the client has one", listener("ACTIVE", `"requireClientCertificate": true, `), secret("ACTIVE", ``), `principal: "spiffe://a", `, `[null,["listener","filter chain","cluster"],[]]`},
		{"the client has none", listener("ACTIVE", `"requireClientCertificate": true, `), secret("ACTIVE", ``), `principal: "", `, `["TLS_MISMATCH",["listener","filter chain","transport"],[]]`},
	} {
		in := lone(t, "router", gatewayOf(c.listeners, c.secrets))
		if got := traced(t, in, ask+c.request+`}) | [.reason, [.steps[].step], [.unknowns[].what]]`); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	in := lone(t, "router", gatewayOf(listener("WARMING", ``), secret("WARMING", ``)))
	want := `"it is WARMING, so its port is not open yet: it waits for secret cred"`
	if got := traced(t, in, ask+`}) | .steps[0].almost[0].why`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	in = lone(t, "router", gatewayOf(listener("ACTIVE", ``)+","+listener("REJECTED", ``), secret("ACTIVE", ``)))
	if got, want := traced(t, in, ask+`}) | .steps[1].reason`), `"it is REJECTED: no such filter"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOutcomesAreAllOfTheTraffic checks that the outcomes include each share of
// split traffic.
func TestOutcomesAreAllOfTheTraffic(t *testing.T) {
	split := func(filters string) string {
		return `[` + at("a", "0.0.0.0", "80", `"filterChains": [`+httpChain("http", ``, `"routeConfig": {"name": "r", "virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"},
			"route": {"weightedClusters": {"clusters": [{"name": "real", "weight": 50}, {"name": "gone", "weight": 25}, {"name": "empty", "weight": 25}]}}}]}]}`, filters)+`}]`) + `]`
	}
	const ext = `{"name": "ext", "typedConfig": {"@type": "` + filterType + `http.ext_authz.v3.ExtAuthz", "shadowMode": true}}`
	const fault = `{"name": "fault", "typedConfig": {` + faultType + `, "abort": {"httpStatus": 503, "percentage": {"numerator": 20}}}}`
	for _, c := range []struct{ filters, want string }{
		{``, `[[0.5,null],[0.25,"NO_CLUSTER"],[0.25,"NO_ENDPOINTS"],[]]`},
		{ext, `[[0.5,null],[0.25,"NO_CLUSTER"],[0.25,"NO_ENDPOINTS"],[]]`},
		{fault, `[[0.4,null],[0.2,"NO_CLUSTER"],[0.2,"NO_ENDPOINTS"],[0.2,"FAULT"],[]]`},
	} {
		in := lone(t, "router", map[string]string{
			"listeners": split(c.filters), "clusters": `[{"name": "real", "type": "EDS"}, {"name": "empty", "type": "EDS"}]`,
			"endpoints": `[{"cluster": "real", "address": "10.0.0.9:80", "health": "HEALTHY"}]`,
		})
		if got := traced(t, in, `.proxy("web").trace("http://x/") | [(.outcomes[] | [.share, .reason]), .unsupported]`); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.filters, got, c.want)
		}
	}
}

// TestTraceSaysWhyAClusterIsNotInUse checks that a cluster that Envoy waits for, or
// has rejected, isn't reported as missing.
func TestTraceSaysWhyAClusterIsNotInUse(t *testing.T) {
	for _, c := range []struct{ clusters, want string }{
		{`[]`, `"there is none of that name"`},
		{`[{"name": "c", "state": "WARMING"}]`, `"it is WARMING, so it is not in use"`},
		{`[{"name": "c", "state": "REJECTED", "error": "no such policy\n"}]`, `"it is REJECTED, so it is not in use: no such policy"`},
	} {
		in := lone(t, "router", map[string]string{"listeners": `[` + at("a", "0.0.0.0", "80", `"filterChains": [`+tcpChain("c", ``)+`]`) + `]`, "clusters": c.clusters})
		if got := traced(t, in, `.proxy("web").trace("tcp://10.0.0.1:80") | .steps[-1].reason`); got != c.want {
			t.Errorf("%s: %s, want %s", c.clusters, got, c.want)
		}
	}
}
