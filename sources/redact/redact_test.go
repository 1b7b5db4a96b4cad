package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

const envoyDump = "answers.Bodies"

// typed returns a message wrapped as in a dump.
func typed(name, fields string) string {
	return `{"configs":[{"@type":"type.googleapis.com/` + name + `",` + fields + `}]}`
}

// d is the placeholder that maskDigests puts in place of every digest, so that
// test cases don't depend on the key.
const d = "redacted:DDDDDDDDDDDDDDDD"

// maskDigests replaces every digest in a text with the placeholder d.
func maskDigests(s string) string {
	for at := 0; ; {
		i := strings.Index(s[at:], mesh.DigestMark)
		if i < 0 {
			return s
		}
		at += i + len(mesh.DigestMark)
		if len(s) >= at+16 && isReplacement([]byte(s[at-len(mesh.DigestMark):at+16])) {
			s = s[:at] + "DDDDDDDDDDDDDDDD" + s[at+16:]
		}
	}
}

const pemKey = `-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n`

var cases = []struct{ name, root, in, out string }{
	{"nothing is known", "", `{"a":"b","c":["d",{"e":12,"f":12345678,"g":true,"h":1.5,"i":""}]}`, `{"a":"` + d + `","c":["` + d + `",{"e":12,"f":"` + d + `","g":true,"h":1.5,"i":""}]}`},
	{"a header added", envoyDump, typed("envoy.config.core.v3.HeaderValueOption", `"header":{"key":"dd-api-key","value":"x"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"`),
		typed("envoy.config.core.v3.HeaderValueOption", `"header":{"key":"dd-api-key","value":"`+d+`"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"`)},
	{"a header in capitals", envoyDump, typed("envoy.config.route.v3.HeaderMatcher", `"name":"AUTHORIZATION","string_match":{"exact":"x"}`),
		typed("envoy.config.route.v3.HeaderMatcher", `"name":"AUTHORIZATION","string_match":{"exact":"`+d+`"}`)},
	{"a header of words", envoyDump, typed("envoy.config.route.v3.HeaderMatcher", `"name":"end-user","string_match":{"exact":"jason"}`), ""},
	{"a header of no words", envoyDump, typed("envoy.config.route.v3.HeaderMatcher", `"name":"end-user","string_match":{"exact":"a8f5f167f44f4964e6c998dee827110c"}`),
		typed("envoy.config.route.v3.HeaderMatcher", `"name":"end-user","string_match":{"exact":"`+d+`"}`)},
	{"a name that comes late", envoyDump, `{"configs":[{"@type":"type.googleapis.com/envoy.config.route.v3.RouteMatch","headers":[{"exact_match":"x","string_match":{"exact":"\u0079"},"name":"end-user"},{"exact_match":"x","name":"Authorization"},{"exact_match":"x"}]}]}`,
		`{"configs":[{"@type":"type.googleapis.com/envoy.config.route.v3.RouteMatch","headers":[{"exact_match":"x","string_match":{"exact":"\u0079"},"name":"end-user"},{"exact_match":"` + d + `","name":"Authorization"},{"exact_match":"` + d + `"}]}]}`},
	{"a name behind the message's type", envoyDump, typed("envoy.config.route.v3.HeaderMatcher", `"exact_match":"x","name":"end-user"`),
		typed("envoy.config.route.v3.HeaderMatcher", `"exact_match":"`+d+`","name":"end-user"`)},
	{"a NetworkPolicy, which checks read", aList + "object/NetworkPolicy.networking.k8s.io", `{"items":[{"kind":"NetworkPolicy","spec":{"podSelector":{"matchLabels":{"app":"cart"}},"policyTypes":["Ingress"],"ingress":[{"ports":[{"protocol":"TCP","port":8080},{"port":"http"}],"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}]}]}}]}`,
		`{"items":[{"kind":"NetworkPolicy","spec":{"podSelector":{"matchLabels":{"app":"cart"}},"policyTypes":["Ingress"],"ingress":[{"ports":[{"protocol":"TCP","port":8080},{"port":"http"}],"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}]}]}}]}`},
	{"a pod in the order of the alphabet", aList + "object/Pod.", `{"items":[{"kind":"Pod","spec":{"containers":[{"args":["{\"name\":\"x\"}"],"env":[{"value":"true","name":"PILOT_X"},{"value":"y","name":"PILOT_TOKEN"},{"value":"z","name":"A"}],"image":"i","name":"discovery"},{"env":[{"value":"true","name":"PILOT_X"}],"name":"app"}]}}]}`,
		`{"items":[{"kind":"Pod","spec":{"containers":[{"args":["` + d + `"],"env":[{"value":"true","name":"PILOT_X"},{"value":"[redacted]","name":"PILOT_TOKEN"},{"value":"[redacted]","name":"A"}],"image":"i","name":"discovery"},{"env":[{"value":"[redacted]","name":"PILOT_X"}],"name":"app"}]}}]}`},
	{"a host", envoyDump, typed("envoy.config.route.v3.HeaderMatcher", `"name":":authority","string_match":{"exact":"a8f5f167f44f4964e6c998.elb.example.com"}`), ""},
	{"a path with a query", envoyDump, typed("envoy.config.route.v3.RedirectAction", `"path_redirect":"/a?token=x"`), typed("envoy.config.route.v3.RedirectAction", `"path_redirect":"/a?`+d+`"`)},
	{"a user in a URL", envoyDump, typed("envoy.config.core.v3.HttpUri", `"uri":"https://u:p@h/x","cluster":"c"`), typed("envoy.config.core.v3.HttpUri", `"uri":"https://`+d+`@h/x","cluster":"c"`)},
	{"a type that nobody knows", envoyDump, typed("nobody.knows.It", `"name":"x","stat_prefix":"y"`), typed("nobody.knows.It", `"name":"`+d+`","stat_prefix":"`+d+`"`)},
	{"a type that comes late", envoyDump, `{"configs":[{"name":"x","@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","alt_stat_name":"y"}]}`,
		`{"configs":[{"name":"` + d + `","@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","alt_stat_name":"y"}]}`},
	{"a Struct", envoyDump, typed("udpa.type.v1.TypedStruct", `"type_url":"t","value":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"x"}`),
		typed("udpa.type.v1.TypedStruct", `"type_url":"t","value":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"`+d+`"}`)},
	{"a private key", envoyDump, typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"private_key":{"inline_bytes":"QQ==","filename":"/a"},"password":{"inline_string":"x"}`),
		typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"private_key":{"inline_bytes":"W3JlZGFjdGVkXQ==","filename":"/a"},"password":{"inline_string":"[redacted]"}`)},
	{"no certificate", envoyDump, typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"certificate_chain":{"inline_string":"`+pemKey+`"}`),
		typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"certificate_chain":{"inline_string":"`+d+`"}`)},
	{"keys in a name", envoyDump, typed("envoy.config.cluster.v3.Cluster", `"name":"`+pemKey+`","alt_stat_name":"Bearer abcdef"`), typed("envoy.config.cluster.v3.Cluster", `"name":"`+d+`","alt_stat_name":"`+d+`"`)},
	{"a command of a format", envoyDump, typed("envoy.config.core.v3.SubstitutionFormatString", `"text_format_source":{"inline_string":"%REQ(USER-AGENT)%"},"json_format":{"a":"%CODE% x"}`),
		typed("envoy.config.core.v3.SubstitutionFormatString", `"text_format_source":{"inline_string":"%REQ(USER-AGENT)%"},"json_format":{"a":"`+d+`"}`)},

	{"a pod", aList + "object/Pod.", `{"kind":"PodList","items":[{"metadata":{"name":"p","labels":{"app":"a","my-token":"x"},"annotations":{"a/b":"c","sidecar.istio.io/inject":"true"}},` +
		`"spec":{"containers":[{"name":"discovery","env":[{"name":"PILOT_X","value":"true"},{"name":"PILOT_TOKEN","value":"y"},{"name":"A","value":"z"}],"args":["--x","y"]},{"name":"app","env":[{"name":"PILOT_X","value":"true"}]}]}}]}`,
		`{"kind":"PodList","items":[{"metadata":{"name":"p","labels":{"app":"a","my-token":"` + d + `"},"annotations":{"a/b":"` + d + `","sidecar.istio.io/inject":"true"}},` +
			`"spec":{"containers":[{"name":"discovery","env":[{"name":"PILOT_X","value":"true"},{"name":"PILOT_TOKEN","value":"[redacted]"},{"name":"A","value":"[redacted]"}],"args":["` + d + `","` + d + `"]},{"name":"app","env":[{"name":"PILOT_X","value":"[redacted]"}]}]}}]}`},
	{"a Secret among pods", aList + "object/Pod.", `{"items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"k":"eA=="},"stringData":{"k":"x"},"type":"Opaque"}]}`,
		`{"items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"k":"W3JlZGFjdGVkXQ=="},"stringData":{"k":"[redacted]"},"type":"Opaque"}]}`},
	{"a ConfigMap", aList + "object/Pod.", `{"items":[{"apiVersion":"v1","data":{"k":"x"},"kind":"ConfigMap"}]}`, `{"items":[{"apiVersion":"v1","data":{"k":"` + d + `"},"kind":"ConfigMap"}]}`},
	{"a VirtualService", anObject, `[{"kind":"VirtualService","apiVersion":"networking.istio.io/v1","spec":{"hosts":["h"],"http":[{"match":[{"headers":{"Cookie":{"exact":"x"},"end-user":{"exact":"y"}},"uri":{"prefix":"/z"}}],"headers":{"request":{"set":{"a":"b"}}}}]}}]`,
		`[{"kind":"VirtualService","apiVersion":"networking.istio.io/v1","spec":{"hosts":["h"],"http":[{"match":[{"headers":{"Cookie":{"exact":"` + d + `"},"end-user":{"exact":"y"}},"uri":{"prefix":"/z"}}],"headers":{"request":{"set":{"a":"` + d + `"}}}}]}}]`},
	{"what a policy is about", anObject, `[{"kind":"AuthorizationPolicy","apiVersion":"security.istio.io/v1","spec":{"rules":[{"when":[{"values":["x"],"key":"request.headers[authorization]"},{"key":"request.headers[X-Api-Key]","values":["x"],"notValues":["y"]},{"key":"request.headers[end-user]","values":["jason"]}],"to":[{"operation":{"paths":["/a?t=x"]}}]}]}}]`,
		`[{"kind":"AuthorizationPolicy","apiVersion":"security.istio.io/v1","spec":{"rules":[{"when":[{"values":["` + d + `"],"key":"request.headers[authorization]"},{"key":"request.headers[X-Api-Key]","values":["` + d + `"],"notValues":["` + d + `"]},{"key":"request.headers[end-user]","values":["jason"]}],"to":[{"operation":{"paths":["/a?` + d + `"]}}]}]}}]`},
	{"a path that is matched with its query", envoyDump, typed("envoy.config.rbac.v3.Permission", `"url_path":{"path":{"exact":"/a?k=x"}}`), typed("envoy.config.rbac.v3.Permission", `"url_path":{"path":{"exact":"/a?`+d+`"}}`)},
	{"a cookie that is matched", envoyDump, typed("envoy.config.route.v3.RouteMatch", `"cookies":[{"name":"sid","string_match":{"exact":"x"}}],"path":"/a?b"`), typed("envoy.config.route.v3.RouteMatch", `"cookies":[{"name":"sid","string_match":{"exact":"`+d+`"}}],"path":"/a?`+d+`"`)},
	{"what stands for a text", "", `["redacted:0123456789abcdef","[redacted]","W3JlZGFjdGVkXQ=="]`, ""},
	{"a key of a Struct", "", `{"a8f5f167f44f4964e6c998dee827110c":1,"aNameOfAFieldThatIsLong":2}`, `{"` + d + `":1,"aNameOfAFieldThatIsLong":2}`},
}

func TestCases(t *testing.T) {
	p := policy(t, Options{})
	for _, c := range cases {
		want := c.out
		if want == "" {
			want = c.in
		}
		got := filter(t, p, c.root, c.in)
		if maskDigests(got) != maskDigests(want) {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, want)
		}
		if again := filter(t, policy(t, Options{}), c.root, got); again != got {
			t.Errorf("%s, twice: %s", c.name, again)
		}
		if as := filter(t, policy(t, Options{AsGiven: true}), c.root, c.in); as != c.in {
			t.Errorf("%s, as given: %s", c.name, as)
		}
	}
}

// TestResultIsIndependentOfPieces checks that the output is the same if the input
// arrives one byte at a time, in halves, or with io.EOF along with the last bytes.
func TestResultIsIndependentOfPieces(t *testing.T) {
	p := policy(t, Options{})
	for _, c := range cases {
		want := filter(t, p, c.root, c.in)
		for name, src := range map[string]io.Reader{
			"a byte": iotest.OneByteReader(strings.NewReader(c.in)), "halves": iotest.HalfReader(strings.NewReader(c.in)),
			"data with the end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got, err := io.ReadAll(iotest.OneByteReader(p.newReader(src, c.root, windowSize)))
			if err != nil || string(got) != want {
				t.Errorf("%s, %s: %v\n got %s\nwant %s", c.name, name, err, got, want)
			}
		}
	}
}

func TestBodiesThatAreNotJSON(t *testing.T) {
	p := policy(t, Options{})
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
		`["a\x"]`:                   "no JSON value at byte 1",
		strings.Repeat("[", 10_001): "nested too deeply at byte 10000",
	} {
		if _, err := io.ReadAll(p.newReader(strings.NewReader(in), "", windowSize)); err == nil || err.Error() != want {
			t.Errorf("%.40s: %v, want %s", in, err, want)
		}
	}
	broken := errors.New("the line is cut")
	for _, part := range []string{`{"token":"abc`, `{"a":`, `[1`} {
		out, err := io.ReadAll(p.newReader(io.MultiReader(strings.NewReader(part), iotest.ErrReader(broken)), "", windowSize))
		if !errors.Is(err, broken) || strings.Contains(string(out), "abc") {
			t.Errorf("%s: %q %v", part, out, err)
		}
	}
	if _, err := io.ReadAll(p.newReader(stuck{}, "", windowSize)); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestLongStringsAreDigestedWhole reads strings that are longer than the window.
// Their digest must be that of the whole string, regardless of the pieces in
// which it was read.
func TestLongStringsAreDigestedWhole(t *testing.T) {
	p := policy(t, Options{})
	for _, unit := range []string{`x\"\\ y`, `é`, `\ud83d\ude00`, `\ud83d`, `\u00e9z`} {
		for cut := range 12 {
			raw := strings.Repeat("a", cut) + strings.Repeat(unit, 200)
			var s string
			if err := json.Unmarshal([]byte(`"`+raw+`"`), &s); err != nil {
				t.Fatal(err)
			}
			want := `{"a":"` + Digest(p.key, s) + `","` + Digest(p.key, s) + `":1}`
			out, err := io.ReadAll(p.newReader(iotest.OneByteReader(strings.NewReader(`{"a":"`+raw+`","`+raw+`":1}`)), "", 128))
			if err != nil || string(out) != want {
				t.Fatalf("%s %d: %v\n got %s\nwant %s", unit, cut, err, out, want)
			}
		}
	}
	key := typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"private_key":{"inline_bytes":"`+strings.Repeat("QUJD", 1<<20)+`"}`)
	if got := filter(t, p, envoyDump, key); got != typed("envoy.extensions.transport_sockets.tls.v3.TlsCertificate", `"private_key":{"inline_bytes":"W3JlZGFjdGVkXQ=="}`) {
		t.Errorf("%.200s", got)
	}
}

// TestLineReaderRedactsValues checks how the lines of Envoy's text answers, such as
// stats and loggers, are redacted.
func TestLineReaderRedactsValues(t *testing.T) {
	p := policy(t, Options{})
	in := "LIVE\nactive loggers:\n  admin: warning\noutbound|80||h::10.0.0.1:80::cx_active::1\na.b: 12\nh: P0(nan,1) P25(1,2.5)\nt: \"a secret text\"\nhttps://u:p@h/\nBearer abcdef ghi\nsome free text\nx: Pl4nt3d-s3cr3t-v4lu3-000001\n  api_key: hunter2\n  jwt: debug\nab12cd34ef56ab12cd34ef56ab12cd34ef56ab12/1.31.0/Clean\n1.31.0-9uHdMikGCxuvsZZTsBTrvGMUBhkTkepJ-Clean\npassword=x\na::10.0.0.1:80::token::hunter2\na::10.0.0.1:80::hostname::x9uHdMikGCxuvsZZTsBTrvGM.elb.example\n"
	want := "LIVE\nactive loggers:\n  admin: warning\noutbound|80||h::10.0.0.1:80::cx_active::1\na.b: 12\nh: P0(nan,1) P25(1,2.5)\nt: " + d + "\n" + d + "\n" + d + "\n" + d + "\nx: " + d + "\n" +
		"  api_key: " + d + "\n  jwt: debug\nab12cd34ef56ab12cd34ef56ab12cd34ef56ab12/1.31.0/Clean\n" + d + "\n" + d + "\na::10.0.0.1:80::token::" + d + "\na::10.0.0.1:80::hostname::x9uHdMikGCxuvsZZTsBTrvGM.elb.example\n"
	out, err := io.ReadAll(p.NewLineReader(iotest.OneByteReader(strings.NewReader(in))))
	if err != nil || maskDigests(string(out)) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAttackLeaksNoSecret redacts the input of ../shared/cases/attack.
func TestAttackLeaksNoSecret(t *testing.T) {
	in, err := os.ReadFile("testdata/redaction.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := filter(t, policy(t, Options{}), envoyDump, string(in)); strings.Contains(got, "SECRET-") {
		t.Error(got)
	}
}

// TestRowsAreConsistent checks the table of classes: each field is in one row only,
// each row has a reason, and all fields exist in a schema.
func TestRowsAreConsistent(t *testing.T) {
	s := theSchema()
	seen := map[string]Class{}
	for _, r := range Rows() {
		if r.Reason == "" {
			t.Errorf("%s: no reason", r.Of)
		}
		for word := range strings.FieldsSeq(r.Of) {
			if _, again := seen[normal(word)]; again {
				t.Errorf("%s is in two rows", word)
			}
			seen[normal(word)] = r.Class
			of, name, ok := strings.Cut(word, ":")
			if !ok {
				of, name = "", word
			}
			if !strings.HasPrefix(word, "annotation/") && !s.has(of, name) && !s.has(of, camel(name)) {
				t.Errorf("%s: no schema has it", word)
			}
		}
	}
}

// same compares the output with the input. Only strings and long numbers may differ.
func same(t *testing.T, in, out any) {
	t.Helper()
	switch in := in.(type) {
	case map[string]any:
		if o, ok := out.(map[string]any); !ok || len(o) != len(in) {
			t.Fatalf("%v became %v", in, out)
		}
	case []any:
		o, ok := out.([]any)
		if !ok || len(o) != len(in) {
			t.Fatalf("%v became %v", in, out)
		}
		for i := range in {
			same(t, in[i], o[i])
		}
	case bool, nil:
		if in != out {
			t.Fatalf("%v became %v", in, out)
		}
	}
}

// FuzzReader checks that redacted JSON is still JSON with the same structure,
// regardless of the pieces in which it is read. Input that isn't JSON must not cause
// a panic.
func FuzzReader(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.in), c.root)
	}
	p, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte, root string) {
		if p.schema.lines[root] == "" && root != anObject {
			root = envoyDump
		}
		out, err := io.ReadAll(p.newReader(bytes.NewReader(in), root, 150))
		again, err2 := io.ReadAll(p.newReader(iotest.OneByteReader(bytes.NewReader(in)), root, 150))
		if fmt.Sprint(err) != fmt.Sprint(err2) || err == nil && !bytes.Equal(out, again) {
			t.Fatalf("in pieces: %v %v\n%q\n%q", err, err2, out, again)
		}
		if !json.Valid(in) {
			return
		}
		if err != nil && strings.HasPrefix(err.Error(), tooLong) {
			return
		}
		if err != nil || !json.Valid(out) {
			t.Fatalf("%v: %q", err, out)
		}
		var a, b any
		if json.Unmarshal(in, &a) == nil && json.Unmarshal(out, &b) == nil && bytes.Count(in, []byte(`:`)) < 2 {
			same(t, a, b)
		}
	})
}

// BenchmarkReader redacts a dump and a list of pods.
func BenchmarkReader(b *testing.B) {
	for name, c := range map[string][3]string{
		"dump": {"../testdata/*/proxies/istio-ingressgateway*/config_dump.json", "config_dump.json", ""}, "pods": {"../testdata/*/kubernetes/pods.json", "kubernetes/pods.json", "Pod."},
	} {
		found, _ := filepath.Glob(c[0])
		if len(found) == 0 {
			b.Fatal(c[0])
		}
		one, err := os.ReadFile(found[0])
		if err != nil {
			b.Fatal(err)
		}
		p, err := New(Options{})
		if err != nil {
			b.Fatal(err)
		}
		const copies = 20 // makes the input as large as a usual dump
		one = []byte("[" + strings.Repeat(string(one)+",", copies-1) + string(one) + "]")
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(one)))
			for range b.N {
				if _, err := io.Copy(io.Discard, p.NewReader(bytes.NewReader(one), c[1], c[2])); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
