package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/recording"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// TestDocumentShowsNoSecrets reads a mesh whose sources contain secrets that were
// not redacted: keys, tokens, passwords and environment variables, in every field
// whose type marks it as a secret. It checks that the document contains none of the
// secrets, and all other values.
func TestDocumentShowsNoSecrets(t *testing.T) {
	const secret = "Pl4nt3d"
	pem := "-----BEGIN RSA PRIVATE KEY-----\\n" + strings.Repeat(secret, 20) + "\\n-----END RSA PRIVATE KEY-----\\n"
	base64Key := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(pem, `\n`, "\n")))
	envoyType := `"@type":"type.googleapis.com/`
	env := `"env":[{"value":"shown","name":"PILOT_X"},{"name":"PILOT_API_TOKEN","value":"` + secret + `"},{"name":"A","value":"` + secret + `"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"shown"}}}]`
	user := strings.ReplaceAll(env, `"shown","name":"PILOT_X"`, `"`+secret+`","name":"PILOT_X"`)
	wide := `"args":["` + strings.Repeat("shown ", 4000) + `"],`
	applied := `"annotations":{"a":"shown","kubectl.kubernetes.io/last-applied-configuration":"{\"env\":\"` + secret + `\"}"}`
	pod := func(name, containers string) string {
		return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","namespace":"n","labels":{"app":"shown"},` + applied + `},"spec":{` + containers + `},"status":{"phase":"Running"}}`
	}
	istio := func(kind, version, spec string) string {
		return `{"kind":"` + kind + `","apiVersion":"` + version + `","metadata":{"name":"x","namespace":"n",` + applied + `},"spec":` + spec + `}`
	}
	grpc := `{"google_grpc":{"target_uri":"shown","call_credentials":[{"access_token":"` + secret + `"},{"service_account_jwt_access":{"json_key":"` + secret + `"}}],"channel_credentials":{"ssl_credentials":{"private_key":{"inline_string":"` + secret + `"}}}}}`
	tls := `{` + envoyType + `envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext","common_tls_context":{"tls_certificates":[{"private_key":{"inline_bytes":"` + secret + `"},"password":{"inline_string":"` + secret + `"},"certificate_chain":{"filename":"/shown"}}]}}`
	filters := `{"name":"a","typed_config":{` + envoyType + `envoy.extensions.filters.http.wasm.v3.Wasm","config":{"name":"shown","vm_config":{"environment_variables":{"key_values":{"K":"` + secret + `"}}}}}},` +
		`{"name":"b","typed_config":{` + envoyType + `udpa.type.v1.TypedStruct","type_url":"x","value":{"name":"shown","clientSecret":"` + secret + `","deep":[{"access_token":"` + secret + `","private-key":{"inline_string":"` + secret + `","filename":"/shown"}}]}}},` +
		`{"name":"c","typed_config":{` + envoyType + `nobody.knows.It","name":"shown","token":"` + secret + `","some":{"code":"` + pem + `","data":"` + base64Key + `"}}},` +
		`{"name":"d","typed_config":{` + envoyType + `envoy.extensions.filters.http.ext_authz.v3.ExtAuthz","grpc_service":` + grpc + `}}`
	listener := `{` + envoyType + `envoy.config.listener.v3.Listener","name":"l","filter_chains":[{"transport_socket":{"name":"tls","typed_config":` + tls + `},"filters":[{"name":"hcm","typed_config":{` + envoyType +
		`envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"shown","http_filters":[` + filters + `]}}]}]}`
	dump := `{"configs":[{` + envoyType + `envoy.admin.v3.BootstrapConfigDump","bootstrap":{"node":{"id":"sidecar~10.0.0.1~p.n~n.svc.cluster.local","metadata":{"NAME":"p","PROXY_CONFIG":{"proxyMetadata":{"K":"` + secret + `"},"concurrency":2}}},` +
		`"static_resources":{"clusters":[{"name":"shown","typed_extension_protocol_options":{}}]}}},{` + envoyType + `envoy.admin.v3.ListenersConfigDump","dynamic_listeners":[{"name":"l","active_state":{"listener":` + listener + `}}]},` +
		`{` + envoyType + `envoy.admin.v3.SecretsConfigDump","dynamic_active_secrets":[{"name":"s","secret":{` + envoyType + `envoy.extensions.transport_sockets.tls.v3.Secret","name":"s","generic_secret":{"secret":{"inline_string":"` + secret + `"}}}}]}]}`
	meshConfig := `{"rootNamespace":"shown","defaultConfig":{"proxyMetadata":{"K":"` + secret + `"},"runtimeValues":{"K":"` + secret + `"},"tracing":{"lightstep":{"address":"shown","accessToken":"` + secret + `"}}}}`
	patch := `{"configPatches":[{"applyTo":"CLUSTER","patch":{"operation":"MERGE","value":{"name":"shown","transport_socket":{"typed_config":` + tls + `},"grpc":` + strings.Replace(grpc, "call_credentials", "credentials", 1) + `}}}]}`
	patch = strings.ReplaceAll(patch, `{"access_token"`, `{"Access-Token"`)
	proxyConfig := istio("ProxyConfig", "networking.istio.io/v1beta1", `{"concurrency":3,"environmentVariables":{"K":"`+secret+`"}}`)
	wasm := istio("WasmPlugin", "extensions.istio.io/v1alpha1", `{"url":"shown","vmConfig":{"env":[{"value":"`+secret+`","name":"K","valueFrom":"INLINE"}]}}`)
	filter := istio("EnvoyFilter", "networking.istio.io/v1alpha3", patch)
	list := func(items ...string) string {
		return `{"kind":"List","apiVersion":"v1","items":[` + strings.Join(items, ",") + `]}`
	}

	pods := list(
		pod("istiod", `"containers":[{`+wide+env+`,"name":"discovery"}]`),
		pod("p", `"containers":[{"name":"app",`+wide+user+`}],"initContainers":[{`+user+`,"name":"istio-proxy"}],"ephemeralContainers":[{"name":"debug",`+user+`}]`),
	)
	for name, in := range map[string]string{"written short": pods, "with space": indented(t, pods)} {
		dir := files(t, map[string]string{
			"kubernetes/pods.json": in, "kubernetes/proxyconfigs.networking.istio.io.json": list(proxyConfig),
			"kubernetes/wasmplugins.extensions.istio.io.json": list(wasm), "kubernetes/envoyfilters.networking.istio.io.json": list(filter),
			"pilots/istiod.n/syncz.json": `[{"cluster_id":"c","proxy":"p.n","istio_version":"1.31.0"}]`, "pilots/istiod.n/mesh.json": meshConfig, "pilots/istiod.n/configz.json": "[" + proxyConfig + "," + wasm + "," + filter + "]",
			"pilots/istiod.n/config_dump.p.n.json": dump, "proxies/p.n/config_dump.json": dump,
		})
		m := open(t, Options{}, source(t, dir))
		var parts []any
		for _, field := range []string{"pods", "proxyConfigs", "wasmPlugins", "envoyFilters"} {
			parts = append(parts, at(t, m.Document(), field))
		}
		pilot := at(t, m.Document(), "pilots").([]any)[0]
		parts = append(parts, at(t, pilot, "config"), at(t, pilot, "meshConfig"))
		proxy := at(t, m.Document(), "proxies").([]any)[0].(*mesh.Object)
		desired, err := m.Desired(t.Context(), proxy)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []any{proxy, desired} {
			for _, section := range []string{"listeners", "secrets", "bootstrap"} {
				if v, err := look(t, o, section); err == nil && v != nil {
					parts = append(parts, v)
				}
			}
		}
		parts = append(parts, at(t, proxy, "annotations"))
		for i, part := range parts {
			b, err := json.Marshal(plain(t, part))
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			if at := strings.Index(text, secret); at >= 0 || strings.Contains(text, base64Key[:100]) {
				t.Errorf("%s: part %d: %.200s", name, i, text[max(0, at-100):])
			}
			if !strings.Contains(text, "shown") && !strings.Contains(text, `"concurrency"`) && !strings.Contains(text, `"Secret"`) {
				t.Errorf("%s: part %d has lost what is harmless: %s", name, i, text)
			}
		}
		if text := fmt.Sprint(plain(t, parts[0])); strings.Count(text, "value:shown") != 1 || strings.Count(text, "fieldPath:shown") != 4 {
			t.Errorf("%s: settings of istiod: %.3000s", name, strings.ReplaceAll(text, "shown ", ""))
		}
	}
}

func indented(t *testing.T, text string) string {
	t.Helper()
	b, err := json.MarshalIndent(decoded[any](t, []byte(text)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A refusing source answers every request to a proxy with an error that contains a
// secret.
type refusing struct{ transport.Source }

type refusal struct{ words string }

func (r refusal) Error() string         { return "503 Service Unavailable: " + r.words }
func (r refusal) Status() (int, string) { return 503, r.words }

func (refusing) Fetch(context.Context, string, string, mesh.Hint) (*transport.Body, error) {
	return nil, refusal{"no token Pl4nt3d"}
}

// TestManifestHasNoWordsOfServers records proxies that return errors. It checks that
// the manifest contains a digest of each error's text, and that the result of the
// recording contains the text itself.
func TestManifestHasNoWordsOfServers(t *testing.T) {
	var sh shelf
	r, err := open(t, Options{}, refusing{source(t, capture)}).Record(t.Context(), &sh, recording.Options{})
	if err != nil || len(r.Faults) == 0 || !strings.Contains(r.Faults[0].Error(), "Pl4nt3d") {
		t.Errorf("%v %v", err, r.Faults)
	}
	if text := sh.files["manifest.json"]; strings.Contains(text, "Pl4nt3d") || !strings.Contains(text, "503 Service Unavailable: redacted:") {
		t.Error(text)
	}
}
