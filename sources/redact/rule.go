package redact

import (
	"bytes"
	"strings"
)

// A role is what a member's name says of its value.
type role uint8

const (
	plain      role = iota
	secret          // a string is one; below an object, what is given inline is
	inlined         // below it, what is given inline is a secret
	inline          // bytes or text given inline
	pairKey         // names what the value beside it is of
	pairValue       // the value beside such a name
	exact           // what a header must be
	matcher         // of a header's value: exact is in it
	env             // the environment of a container
	variables       // an object of environment variables
	applied         // the annotation of what kubectl applied
	kind            // of a Kubernetes object
	data            // of a Kubernetes Secret
	items           // of a Kubernetes list
	node            // of an Envoy
	clients         // of an istiod
	metadata        // of a node, or of an object
	labels          // in the metadata of a node: they are labels of a pod
	credential      // API keys and whose they are
	command         // the words of one, in an array
	tags            // labels and annotations of an object
)

// A rule is what is done about a member.
type rule struct {
	role  role
	kinds Kinds // of what is taken out
	bytes bool  // base64 is expected
}

// rules are the names that mean something, in the spellings of Envoy (snake
// case) and of what is written as protobuf's JSON (camel case).
var rules = newRules()

func newRules() map[string]rule {
	m := map[string]rule{}
	add := func(r rule, names ...string) {
		for _, n := range names {
			m[n] = r
			m[camel(n)] = r
		}
	}
	add(rule{role: secret, kinds: PrivateKeys}, "private_key", "json_key")
	add(rule{role: inlined, kinds: PrivateKeys}, "pkcs12")
	add(rule{role: inlined, kinds: Secrets}, "generic_secret", "session_ticket_keys")
	add(rule{role: inlined, kinds: Passwords}, "users") // of basic authentication, a file's lines
	add(rule{role: secret, kinds: Passwords}, "password", "auth_password")
	add(rule{role: secret, kinds: Tokens}, "token", "access_token", "id_token", "refresh_token", "google_refresh_token", "session_token",
		"authorization_token", "client_secret", "secret_access_key", "api_key", "apikey", "token_secret", "hmac_secret")
	add(rule{role: credential}, "credentials")
	add(rule{role: inline, bytes: true}, "inline_bytes")
	add(rule{role: inline}, "inline_string")
	add(rule{role: pairKey, kinds: Tokens}, "key")
	add(rule{role: pairKey}, "name", "header", "header_name")
	add(rule{role: pairValue, kinds: Tokens}, "value", "exact_match")
	add(rule{role: pairValue, kinds: Tokens, bytes: true}, "raw_value")
	add(rule{role: exact, kinds: Tokens}, "exact")
	add(rule{role: matcher}, "string_match")
	add(rule{role: env}, "env")
	add(rule{role: variables}, "proxy_metadata", "environment_variables", "key_values")
	add(rule{role: applied, kinds: LastApplied}, "kubectl.kubernetes.io/last-applied-configuration")
	add(rule{role: kind}, "kind")
	add(rule{role: data, kinds: Secrets, bytes: true}, "data")
	add(rule{role: data, kinds: Secrets}, "stringData")
	add(rule{role: items}, "items")
	add(rule{role: node}, "node")
	add(rule{role: clients}, "clients")
	add(rule{role: metadata}, "metadata")
	add(rule{role: labels}, "LABELS", "ANNOTATIONS")
	add(rule{role: tags}, "labels", "annotations")
	add(rule{role: command}, "command", "args")
	return m
}

// headers are those whose values are secrets, in lower case.
var headers = map[string]bool{
	"authorization": true, "proxy-authorization": true, "x-api-key": true, "api-key": true,
	"x-auth-token": true, "x-access-token": true, "x-amz-security-token": true,
}

// ruleOf gives what is done about a member of that name.
func ruleOf(name []byte) rule {
	if r, ok := rules[string(name)]; ok {
		return r
	}
	if isHeader(name) {
		return rule{role: secret, kinds: Tokens}
	}
	return rule{}
}

// isHeader tells whether a name is that of such a header.
func isHeader(name []byte) bool {
	var lower [len("x-amz-security-token")]byte
	if len(name) == 0 || len(name) > len(lower) {
		return false
	}
	if c := name[0] | 0x20; c != 'a' && c != 'p' && c != 'x' {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	return headers[string(lower[:len(name)])]
}

// camel gives a name as protobuf's JSON has it.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
	}
	return strings.Join(words, "")
}

// isSensitive tells whether a variable of that name holds a secret. Names that
// end in what a secret never is are names of things, places and settings:
// credentialName, TOKEN_PATH.
func isSensitive(name []byte) bool {
	n := bytes.ToLower(name)
	hot := false
	for _, word := range []string{"token", "password", "passwd", "secret", "apikey", "api_key", "api-key"} {
		hot = hot || bytes.Contains(n, []byte(word))
	}
	if !hot {
		return false
	}
	n = bytes.TrimSuffix(n, []byte("s"))
	for _, end := range []string{
		"name", "path", "file", "dir", "config", "ttl", "type", "audience", "issuer", "provider", "policy", "ratio", "period", "duration",
		"interval", "enabled", "disabled", "url", "uri", "namespace",
	} {
		if bytes.HasSuffix(n, []byte(end)) {
			return false
		}
	}
	return true
}
