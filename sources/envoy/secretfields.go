package envoy

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// SecretFields are the fields of texts and of data that are tokens and
// passwords by their names, where the API doesn't mark them as sensitive.
const SecretFields = "access_token bearer_token backend_token authorization_token refresh_token google_refresh_token id_token session_token" +
	" secret_access_key access_key_id json_key token password client_secret token_secret hmac_secret secret_data auth_password" +
	" downstream_auth_password private_key oauth_hmac code_verifier"

// SecretMembers are the fields of messages of Envoy's all of which is a key or
// a secret, whatever the fields below are called.
const SecretMembers = "TlsCertificate:private_key TlsCertificate:password TlsCertificate:pkcs12 TlsSessionTicketKeys:keys Secret:generic_secret" +
	" Secret:session_ticket_keys PrivateKeyProvider:config PrivateKeyProvider:typed_config SslCredentials:private_key GoogleGrpc:call_credentials"

// EnvironmentMembers are the fields of messages of Envoy's that are the
// environment of a program.
const EnvironmentMembers = "EnvironmentVariables:key_values"

// isSecret tells whether a field of any message is a token or a password.
func isSecret(name string) bool { return hasWord(SecretFields, name) }

// isSecretMember tells whether all of a message's field is secret.
func isSecretMember(message, name string) bool {
	return hasWord(SecretMembers+" "+EnvironmentMembers, message+":"+name)
}

func hasWord(list, word string) bool { return strings.Contains(" "+list+" ", " "+word+" ") }

// structNames are the names under which what has no schema holds secrets: those
// of the messages, and what Istio calls the environment of a proxy. They are in
// lower case, without what is between words.
var structNames = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(SecretFields + " pkcs12 generic_secret session_ticket_keys proxy_metadata environment_variables") {
		names[strings.ReplaceAll(name, "_", "")] = true
	}
	return names
}()

// namesSecret tells whether a member of what has no schema is secret by its
// name, however that is spelled: "accessToken", "access_token", "Access-Token".
func namesSecret(key []byte) bool {
	var word [28]byte // none of the names is longer
	if len(key) > len(word) {
		return false
	}
	n := 0
	for _, c := range key {
		if c == '_' || c == '-' {
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		word[n] = c
		n++
	}
	return structNames[string(word[:n])]
}

// structShape is that of what has no schema: a Struct, and a message of a type
// that nobody knows. Its names stay as they are.
type structShape struct{}

// StructShape is the shape of what has no schema: all stays as it is, but for
// what is secret by its name.
func StructShape() decode.Shape { return structShape{} }

func (s structShape) Member(key []byte) (string, decode.Shape) {
	if namesSecret(key) {
		return "", decode.Veiled{}
	}
	return "", s
}

func (structShape) Typed([]byte) (decode.Shape, bool) { return nil, false }

// Unordered is that of [decode.Unordered].
func (structShape) Unordered() {}
