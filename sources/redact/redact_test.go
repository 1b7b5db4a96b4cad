package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func redacted(t *testing.T, body string) (string, Kinds) {
	t.Helper()
	r := NewReader(strings.NewReader(body))
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(out), r.Kinds()
}

var cases = []struct {
	name, in, out string
	kinds         Kinds
}{
	{"nothing", " { \"a\" : [ 1.50e+3 , true,null, \"\\u00e9\\\"\\\\\" ] }\n", "", 0},
	{"a bare string", `"token"`, "", 0},
	{"empty", `{"token":"","password":"","data":{}}`, "", 0},
	{"no strings", `{"token":null,"password":12,"private_key":[],"access_token":true}`, "", 0},

	{"private key", `{"private_key":{"inline_bytes":"QUJD"},"certificate_chain":{"inline_bytes":"QUJD"}}`,
		`{"private_key":{"inline_bytes":"W3JlZGFjdGVkXQ=="},"certificate_chain":{"inline_bytes":"QUJD"}}`, PrivateKeys},
	{"Envoy was first", `{"private_key":{"inline_bytes":"W3JlZGFjdGVkXQ=="}}`, "", PrivateKeys},
	{"private key, Pilot", `{"privateKey": {"inlineString": "x"}}`, `{"privateKey": {"inlineString": "[redacted]"}}`, PrivateKeys},
	{"private key in a file", `{"private_key":{"filename":"/etc/key.pem"}}`, "", 0},
	{"a string of a private key", `{"private_key":"x"}`, `{"private_key":"[redacted]"}`, PrivateKeys},
	{"pkcs12", `{"pkcs12":{"inline_bytes":"x"},"password":{"inline_string":"y"}}`,
		`{"pkcs12":{"inline_bytes":"W3JlZGFjdGVkXQ=="},"password":{"inline_string":"[redacted]"}}`, PrivateKeys | Passwords},
	{"PEM", `["a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b","-----BEGIN CERTIFICATE-----\nMIIE"]`,
		`["a [redacted] b","-----BEGIN CERTIFICATE-----\nMIIE"]`, PrivateKeys},
	{"PEM, cut short", `["-----BEGIN EC PRIVATE KEY-----\nMIIE"]`, `["[redacted]"]`, PrivateKeys},
	{"PEM in base64", `["` + base64.StdEncoding.EncodeToString([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE")) + `","` +
		base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIE")) + `"]`,
		`["W3JlZGFjdGVkXQ==","` + base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIE")) + `"]`, PrivateKeys},

	{"generic secret", `{"generic_secret":{"secret":{"inline_string":"x"},"secrets":{"a":{"inlineBytes":"eA=="},"b":{"filename":"f"}}}}`,
		`{"generic_secret":{"secret":{"inline_string":"[redacted]"},"secrets":{"a":{"inlineBytes":"W3JlZGFjdGVkXQ=="},"b":{"filename":"f"}}}}`, Secrets},
	{"session tickets", `{"session_ticket_keys":{"keys":[{"inline_bytes":"eA=="},{"filename":"f"}]}}`,
		`{"session_ticket_keys":{"keys":[{"inline_bytes":"W3JlZGFjdGVkXQ=="},{"filename":"f"}]}}`, Secrets},
	{"SDS", `{"token_secret":{"name":"oauth","sds_config":{"path":"/x"}},"credentialName":"c"}`, "", 0},

	{"tokens", `{"token":"a","access_token":"b","idToken":"c","refresh_token":"d","clientSecret":"e","Authorization":"f","X-API-Key":"g","tokens":"h"}`,
		`{"token":"[redacted]","access_token":"[redacted]","idToken":"[redacted]","refresh_token":"[redacted]","clientSecret":"[redacted]","Authorization":"[redacted]","X-API-Key":"[redacted]","tokens":"h"}`, Tokens},
	{"an escaped name", `{"pass\u0077ord":"a"}`, `{"pass\u0077ord":"[redacted]"}`, Passwords},
	{"tokens in an array", `{"token":["a",["b"]],"a":"c"}`, `{"token":["[redacted]",["[redacted]"]],"a":"c"}`, Tokens},
	{"API keys", `{"credentials":[{"key":"k","client":"c"}]}`, `{"credentials":[{"key":"[redacted]","client":"c"}]}`, Tokens},
	{"Bearer", `["Bearer abc.def-_~+/=","use bearer  abc; BEARER x","Bearer ","Bearer .*","Bearer %REQ(X)%","forbear abc"]`,
		`["Bearer [redacted]","use bearer  [redacted]; BEARER [redacted]","Bearer ","Bearer .*","Bearer %REQ(X)%","forbear abc"]`, Tokens},

	{"pair", `[{"key":"Authorization","value":"Basic x"},{"key":"x-other","value":"y"}]`,
		`[{"key":"Authorization","value":"[redacted]"},{"key":"x-other","value":"y"}]`, Tokens},
	{"pair, backwards", `[{"value":"Basic x","raw_value":"eA==","key":"x-api-key"},{"value":"y","key":"b"},{"value":"z"},{"value":["v"]}]`,
		`[{"value":"[redacted]","raw_value":"W3JlZGFjdGVkXQ==","key":"x-api-key"},{"value":"y","key":"b"},{"value":"z"},{"value":["v"]}]`, Tokens},
	{"pair, a longer stand-in", `[{"value":"a","raw_value":"b","x":{"value":"c"},"header":"authorization"}]`,
		`[{"value":"[redacted]","raw_value":"W3JlZGFjdGVkXQ==","x":{"value":"c"},"header":"authorization"}]`, Tokens},
	{"header matchers", `[{"name":"authorization","string_match":{"exact":"Basic x"}},{"name":"a","string_match":{"exact":"b"}},{"exact_match":"v","name":"X-Api-Key"}]`,
		`[{"name":"authorization","string_match":{"exact":"[redacted]"}},{"name":"a","string_match":{"exact":"b"}},{"exact_match":"[redacted]","name":"X-Api-Key"}]`, Tokens},
	{"VirtualService", `{"headers":{"authorization":{"exact":"Basic x"},"end-user":{"exact":"jason"},"x-api-key":{"regex":".+"}}}`,
		`{"headers":{"authorization":{"exact":"[redacted]"},"end-user":{"exact":"jason"},"x-api-key":{"regex":".+"}}}`, Tokens},

	{"environment", `{"kind":"Pod","spec":{"containers":[{"env":[{"name":"A","value":"x"},{"value":"y","name":"B"},{"name":"C","valueFrom":{"secretKeyRef":{"key":"k","name":"n"}}}]}]}}`,
		`{"kind":"Pod","spec":{"containers":[{"env":[{"name":"A","value":"[redacted]"},{"value":"[redacted]","name":"B"},{"name":"C","valueFrom":{"secretKeyRef":{"key":"k","name":"n"}}}]}]}}`, Environment},
	{"last applied", `{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"a\":1}\n","a":"{\"b\":1}"}}`,
		`{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"[redacted]","a":"{\"b\":1}"}}`, LastApplied},
	{"Secret", `{"kind":"Secret","metadata":{"name":"n"},"data":{"k":"eA=="},"stringData":{"k":"x"},"type":"Opaque"}`,
		`{"kind":"Secret","metadata":{"name":"n"},"data":{"k":"W3JlZGFjdGVkXQ=="},"stringData":{"k":"[redacted]"},"type":"Opaque"}`, Secrets},
	{"Secret, backwards", `{"data":{"k":"eA==","l":"eQ=="},"kind":"Secret"}`, `{"data":{"k":"W3JlZGFjdGVkXQ==","l":"W3JlZGFjdGVkXQ=="},"kind":"Secret"}`, Secrets},
	{"ConfigMap", `{"data":{"k":"v","data":{"a":"b"}},"kind":"ConfigMap"}`, "", 0},
	{"SecretList", `{"kind":"SecretList","items":[{"data":{"k":"eA=="}}]}`, `{"kind":"SecretList","items":[{"data":{"k":"W3JlZGFjdGVkXQ=="}}]}`, Secrets},
	{"SecretList, backwards", `{"items":[{"data":{"k":"eA=="}}],"kind":"SecretList"}`, `{"items":[{"data":{"k":"W3JlZGFjdGVkXQ=="}}],"kind":"SecretList"}`, Secrets},
	{"List", `{"kind":"List","items":[{"data":{"k":"v"},"kind":"ConfigMap"},{"data":{"k":"v"},"kind":"Secret"}]}`,
		`{"kind":"List","items":[{"data":{"k":"v"},"kind":"ConfigMap"},{"data":{"k":"W3JlZGFjdGVkXQ=="},"kind":"Secret"}]}`, Secrets},
	{"data of something else", `{"kind":"PodList","items":[{"data":{"k":"v"}}],"x":{"data":{"k":"v"}}}`, "", 0},
	{"a reference", `{"certificateRefs":[{"kind":"Secret","name":"n"}]}`, "", 0},

	{"node", `{"node":{"id":"i","metadata":{"CLUSTER_ID":"c","LABELS":{"token":"x","my-secret":"y"},"MY_TOKEN":"a","TOKEN_PATH":"/p","credentialName":"c","PROXY_CONFIG":{"proxyMetadata":{"DB_PASSWORD":"b"}},"SECRETS":{"a":["b"]}}}}`,
		`{"node":{"id":"i","metadata":{"CLUSTER_ID":"c","LABELS":{"token":"[redacted]","my-secret":"y"},"MY_TOKEN":"[redacted]","TOKEN_PATH":"/p","credentialName":"c","PROXY_CONFIG":{"proxyMetadata":{"DB_PASSWORD":"[redacted]"}},"SECRETS":{"a":["[redacted]"]}}}}`, Tokens},
	{"clients", `{"clients":[{"metadata":{"A_SECRET":"s"}},{"metadata":{"A_SECRET":"s"}}],"metadata":{"A_SECRET":"s"}}`,
		`{"clients":[{"metadata":{"A_SECRET":"[redacted]"}},{"metadata":{"A_SECRET":"[redacted]"}}],"metadata":{"A_SECRET":"s"}}`, Tokens},
	{"ProxyConfig", `{"environmentVariables":{"API_TOKEN":"s","A":"b"}}`, `{"environmentVariables":{"API_TOKEN":"[redacted]","A":"b"}}`, Tokens},

	{"flags", `{"containers":[{"args":["run","--token=a=b c","-api-token","x","--db.password","p w","--port=80","--token-file=/t","--secret-name","n"],"command":["/bin/x","--apiKey=k"]}]}`,
		`{"containers":[{"args":["run","--token=[redacted]","-api-token","[redacted]","--db.password","[redacted]","--port=80","--token-file=/t","--secret-name","n"],"command":["/bin/x","--apiKey=[redacted]"]}]}`, Tokens},
	{"flags without a secret", `{"args":["--token","--verbose","--token","-v","--use-token=true","--password=$(DB_PASSWORD)","--token","${TOKEN}","--token=$TOKEN","-p","x","--token="],"token-args":["--token=a"]}`, "", 0},
	{"a token like a flag", `{"args":["--token","-x8Fq"]}`, `{"args":["--token","[redacted]"]}`, Tokens},
	{"Istio's own", `{"args":["proxy","sidecar","--domain","$(POD_NAMESPACE).svc.cluster.local","--proxyLogLevel=warning","--log_output_level=default:info","--stsPort=15463","--tokenManagerPlugin="]}`, "", 0},
	{"a script", `{"command":["sh","-c","export A=b DB_PASSWORD=x\\y\nexec app --token 'a b' --x=\"--secret=s\" --token \"c d\" http://h/?api_key=k Bearer abc\t--password -v"]}`,
		`{"command":["sh","-c","export A=b DB_PASSWORD=[redacted]\nexec app --token '[redacted]' --x=\"--secret=[redacted]\" --token \"[redacted]\" http://h/?api_key=[redacted] Bearer [redacted]\t--password -v"]}`, Tokens},
	{"a secret in a secret", `{"args":["-x --token Bearer abc y","--token=Bearer abc","a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- --token=b"]}`,
		`{"args":["-x --token [redacted] [redacted] y","--token=[redacted]","a [redacted] --token=[redacted]"]}`, PrivateKeys | Tokens},
	{"a packed key as a word", `{"args":["` + base64.StdEncoding.EncodeToString([]byte("-----BEGIN PRIVATE KEY-----\nMIIE")) + `"]}`, `{"args":["W3JlZGFjdGVkXQ=="]}`, PrivateKeys},
	{"a command that is no array", `{"command":"--token=a","args":{"token-x":"--token=a"}}`, "", 0},

	{"annotations", `{"metadata":{"annotations":{"example.com/api-token":"a","Example.com/DB-Password":"b","x/apiKey":"c","auth-secret":"default/basic-auth","tls-secret":"gw.cert-2024","x/secret":"550e8400-e29b-41d4","my-secret":"aB","client-secret":"name","use-token":"false","token-name":"n","a":"b"},"labels":{"x-token":"t","secret":"n"}}}`,
		`{"metadata":{"annotations":{"example.com/api-token":"[redacted]","Example.com/DB-Password":"[redacted]","x/apiKey":"[redacted]","auth-secret":"default/basic-auth","tls-secret":"gw.cert-2024","x/secret":"[redacted]","my-secret":"[redacted]","client-secret":"[redacted]","use-token":"false","token-name":"n","a":"b"},"labels":{"x-token":"[redacted]","secret":"n"}}}`, Tokens},
	{"annotations of a list", `{"kind":"PodList","items":[{"metadata":{"annotations":{"a-token":"x"}}},{"spec":{"template":{"metadata":{"labels":{"a-password":"x"}}}}}]}`,
		`{"kind":"PodList","items":[{"metadata":{"annotations":{"a-token":"[redacted]"}}},{"spec":{"template":{"metadata":{"labels":{"a-password":"[redacted]"}}}}}]}`, Tokens},
	{"behind annotations", `[{"annotations":{"a-token":"x"}},"y",["z"]]`, `[{"annotations":{"a-token":"[redacted]"}},"y",["z"]]`, Tokens},
	{"keys elsewhere", `{"x":{"a-token":"b"},"labels":{"a-token":["b",{"c":"d"}]}}`, "", 0},
}

func TestCases(t *testing.T) {
	for _, c := range cases {
		want := c.out
		if want == "" {
			want = c.in
		}
		if got, kinds := redacted(t, c.in); got != want || kinds != c.kinds {
			t.Errorf("%s: kinds %v, want %v\n got %s\nwant %s", c.name, kinds.Words(), c.kinds.Words(), got, want)
		}
		if again, _ := redacted(t, want); again != want {
			t.Errorf("%s, twice: %s", c.name, again)
		}
	}
}

func TestWords(t *testing.T) {
	all := PrivateKeys | Secrets | Passwords | Tokens | Environment | LastApplied
	if got := all.Words(); len(got) != 6 || !slices.Equal((PrivateKeys|Tokens).Words(), []string{"private keys", "tokens"}) {
		t.Error(got)
	}
}

// TestPieces reads every case a byte at a time, and so that the end comes with
// the last bytes.
func TestPieces(t *testing.T) {
	for _, c := range cases {
		want, _ := redacted(t, c.in)
		for name, src := range map[string]io.Reader{
			"a byte": iotest.OneByteReader(strings.NewReader(c.in)), "halves": iotest.HalfReader(strings.NewReader(c.in)),
			"data with the end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got, err := io.ReadAll(iotest.OneByteReader(NewReader(src)))
			if err != nil || string(got) != want {
				t.Errorf("%s, %s: %v\n got %s\nwant %s", c.name, name, err, got, want)
			}
		}
	}
	for cut := range cases[0].in {
		two := io.MultiReader(strings.NewReader(cases[0].in[:cut]), strings.NewReader(cases[0].in[cut:]))
		if got, err := io.ReadAll(NewReader(two)); err != nil || string(got) != cases[0].in {
			t.Errorf("cut at %d: %q %v", cut, got, err)
		}
	}
}

func TestNoJSON(t *testing.T) {
	for in, want := range map[string]string{
		``:                          "unexpected end of JSON",
		`{"a":`:                     "unexpected end of JSON",
		`{"a":"b`:                   "unexpected end of JSON",
		`{"a`:                       "unexpected end of JSON",
		`["a\`:                      "unexpected end of JSON",
		`{"a":1}{`:                  "more than one JSON value at byte 7",
		`{"a" 1}`:                   "no colon at byte 5",
		`{"a":1 "b":2}`:             "no comma at byte 7",
		`{a:1}`:                     "no name of a member at byte 1",
		`{"a":1,}`:                  "no name of a member at byte 7",
		`[1,]`:                      "no JSON value at byte 3",
		`[1}`:                       "no comma at byte 2",
		`upstream connect error`:    "no JSON value at byte 0",
		`[01]`:                      "no JSON value at byte 1",
		`{"a\x":1}`:                 "no name of a member at byte 1",
		strings.Repeat("[", 10_001): "nested too deeply at byte 10000",
	} {
		if _, err := io.ReadAll(NewReader(strings.NewReader(in))); err == nil || err.Error() != want {
			t.Errorf("%.40s: %v, want %s", in, err, want)
		}
	}
	broken := errors.New("the line is cut")
	for _, part := range []string{`{"token":"abc`, `{"a":`, `[1`} {
		out, err := io.ReadAll(NewReader(io.MultiReader(strings.NewReader(part), iotest.ErrReader(broken))))
		if !errors.Is(err, broken) || strings.Contains(string(out), "abc") {
			t.Errorf("%s: %q %v", part, out, err)
		}
	}
	if _, err := io.ReadAll(NewReader(stuck{})); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestLong reads strings that no window holds.
func TestLong(t *testing.T) {
	const window = 256
	pad := strings.Repeat(`x\"\\ y`, 100)
	for name, c := range map[string][2]string{
		"left alone":       {`{"a":"` + pad + `","` + pad + `":"` + pad + `"}`, ""},
		"taken out":        {`{"token":"` + pad + `","b":1}`, `{"token":"[redacted]","b":1}`},
		"too large a pair": {`{"value":"` + pad + `","b":1}`, `{"value":"[redacted]","b":1}`},
		"a key":            {`["` + pad + `-----BEGIN PRIVATE KEY-----` + pad + `",2]`, `["` + pad + `[redacted]",2]`},
		"a packed key": {`["` + base64.StdEncoding.EncodeToString([]byte("-----BEGIN PRIVATE KEY-----\n"+pad)) + `",2]`,
			`["W3JlZGFjdGVkXQ==",2]`},
		"a large argument":   {`{"args":["` + pad + `","a"]}`, `{"args":["[redacted]","a"]}`},
		"a large annotation": {`{"annotations":{"a-secret":"` + pad + `","b":"` + pad + `"}}`, `{"annotations":{"a-secret":"[redacted]","b":"` + pad + `"}}`},
		"a long token":       {`["Bearer ` + strings.Repeat("abc", 300) + `\"` + pad + `",2]`, `["Bearer [redacted]\"` + pad + `",2]`},
		"a token to the end": {`["` + pad + `Bearer ` + strings.Repeat("abc", 300) + `",2]`, `["` + pad + `Bearer [redacted]",2]`},
	} {
		want := c[1]
		if want == "" {
			want = c[0]
		}
		for _, src := range []io.Reader{strings.NewReader(c[0]), iotest.OneByteReader(strings.NewReader(c[0]))} {
			got, err := io.ReadAll(newReader(src, window))
			if err != nil || string(got) != want {
				t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, want)
			}
		}
	}
	for at := range 600 { // a token over every border of the windows
		in := `["` + strings.Repeat("z", at) + ` Bearer s3cr3t! ` + strings.Repeat("z", 700-at) + `"]`
		got, err := io.ReadAll(newReader(strings.NewReader(in), window))
		if want := strings.Replace(in, "s3cr3t", "[redacted]", 1); err != nil || string(got) != want {
			t.Fatalf("at %d: %v\n%s", at, err, got)
		}
	}
}

// TestHeld holds what can't be told yet no longer than it should.
func TestHeld(t *testing.T) {
	many := strings.Repeat(`,"a":"0123456789"`, 2*maxHeld/17)
	for name, c := range map[string][2]string{
		"a pair":   {`{"value":"x"` + many + `,"raw_value":"y","name":"other"}`, `{"value":"[redacted]"` + many + `,"raw_value":"W3JlZGFjdGVkXQ==","name":"other"}`},
		"a Secret": {`{"data":{"k":"x","n":{"l":1` + many + `}},"kind":"Secret"}`, `{"data":{"k":"W3JlZGFjdGVkXQ==","n":{"l":1` + strings.ReplaceAll(many, "0123456789", "W3JlZGFjdGVkXQ==") + `}},"kind":"Secret"}`},
	} {
		if got, _ := redacted(t, c[0]); got != c[1] {
			t.Errorf("%s: %.200s", name, got)
		}
	}
}

// same holds the output's tree against the input's, and gives the places where
// they differ, which are strings.
func same(t *testing.T, place string, in, out any) (differ []string) {
	t.Helper()
	switch in := in.(type) {
	case map[string]any:
		o, _ := out.(map[string]any)
		if len(o) != len(in) || o == nil {
			t.Fatalf("%s: not the same members", place)
		}
		for k, v := range in {
			w, ok := o[k]
			if !ok {
				t.Fatalf("%s: no %s", place, k)
			}
			differ = append(differ, same(t, place+"."+k, v, w)...)
		}
	case []any:
		o, _ := out.([]any)
		if len(o) != len(in) {
			t.Fatalf("%s: not as many elements", place)
		}
		for i := range in {
			differ = append(differ, same(t, place+"[]", in[i], o[i])...)
		}
	case string:
		o, ok := out.(string)
		switch {
		case !ok:
			t.Fatalf("%s: no string", place)
		case o != in && !strings.Contains(o, "[redacted]") && o != "W3JlZGFjdGVkXQ==":
			t.Fatalf("%s: %q became %q", place, in, o)
		case o != in:
			differ = append(differ, place)
		}
	default:
		if in != out {
			t.Fatalf("%s: %v became %v", place, in, out)
		}
	}
	return differ
}

func tree(t *testing.T, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // there are numbers that no float64 holds
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
	return v
}

// TestRecorded reads what a real mesh said: nothing but what is to be taken
// out may differ.
func TestRecorded(t *testing.T) {
	files := 0
	for _, root := range []string{"../testdata", "../../testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".json" {
				return err
			}
			in, err := os.ReadFile(path)
			if err != nil || !json.Valid(in) {
				return err
			}
			files++
			out, err := io.ReadAll(NewReader(bytes.NewReader(in)))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for _, place := range same(t, "", tree(t, in), tree(t, out)) {
				if !strings.HasSuffix(place, ".kubectl.kubernetes.io/last-applied-configuration") && !strings.HasSuffix(place, ".inline_bytes") {
					t.Errorf("%s: %s", path, place)
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Errorf("only %d files", files)
	}
}

// TestBounded reads far more than it may hold.
func TestBounded(t *testing.T) {
	const size = 64 << 20
	element := `{"name":"a","env":[{"name":"B","value":"c"}],"value":"x","private_key":{"inline_bytes":"eA=="}},` + "\n"
	body := io.MultiReader(strings.NewReader("["), io.LimitReader(&endless{text: element}, size/int64(len(element))*int64(len(element))), strings.NewReader("1]"))
	r := NewReader(body)
	n, err := io.Copy(io.Discard, r)
	if err != nil || n < size {
		t.Fatal(n, err)
	}
	if held := cap(r.win) + cap(r.out) + cap(r.stack) + cap(r.pending); held > 1<<20 {
		t.Errorf("%d bytes are held", held)
	}
}

type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		m := copy(p[n:], e.text[e.at:])
		n += m
		e.at = (e.at + m) % len(e.text)
	}
	return n, nil
}

func BenchmarkReader(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"configs":[`)
	for i := range 4000 {
		fmt.Fprintf(&body, `{"version_info":"2026-11-22T13:02:13Z/%d","cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"outbound|9080||svc-%d.default.svc.cluster.local","type":"EDS","connect_timeout":"10s","metadata":{"filter_metadata":{"istio":{"services":[{"host":"svc-%d","name":"svc-%d","namespace":"default"}]}}},"circuit_breakers":{"thresholds":[{"max_connections":4294967295}]}}},`, i, i, i, i)
	}
	body.WriteString(`1]}`)
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(bytes.NewReader(body.Bytes()))); err != nil {
			b.Fatal(err)
		}
	}
}
