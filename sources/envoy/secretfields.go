package envoy

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// SecretFields are the names of fields of text and of bytes that are tokens and
// passwords, although the API doesn't mark them as sensitive.
const SecretFields = "access_token bearer_token backend_token authorization_token refresh_token google_refresh_token id_token session_token" +
	" secret_access_key access_key_id json_key token password client_secret token_secret hmac_secret secret_data auth_password" +
	" downstream_auth_password private_key oauth_hmac code_verifier"

// SecretMembers are fields of Envoy's messages that are secret with everything
// inside them.
const SecretMembers = "TlsCertificate:private_key TlsCertificate:password TlsCertificate:pkcs12 TlsSessionTicketKeys:keys Secret:generic_secret" +
	" Secret:session_ticket_keys PrivateKeyProvider:config PrivateKeyProvider:typed_config SslCredentials:private_key GoogleGrpc:call_credentials"

// EnvironmentMembers are fields of Envoy's messages that hold the environment
// of a program.
const EnvironmentMembers = "EnvironmentVariables:key_values"

// isSecret reports whether a field of any message is a token or a password.
func isSecret(name string) bool { return hasWord(SecretFields, name) }

// isSecretMember reports whether a message's field is secret with everything
// inside it.
func isSecretMember(message, name string) bool {
	return hasWord(SecretMembers+" "+EnvironmentMembers, message+":"+name)
}

func hasWord(list, word string) bool { return strings.Contains(" "+list+" ", " "+word+" ") }

// structNames are the names under which data without a schema holds secrets:
// those of the messages, and Istio's names for the environment of a proxy. They
// are in lower case, without separators between words.
var structNames = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(SecretFields + " pkcs12 generic_secret session_ticket_keys proxy_metadata environment_variables") {
		names[strings.ReplaceAll(name, "_", "")] = true
	}
	return names
}()

// namesSecret reports whether a member of data without a schema is secret by
// its name, in any spelling: "accessToken", "access_token", "Access-Token".
func namesSecret(key []byte) bool {
	var word [28]byte // longer than any of the names
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

// structShape is the shape of data without a schema: a Struct, or a message of
// an unknown type. Its names stay as they are.
type structShape struct{}

// StructShape returns the shape of data without a schema: everything stays as
// it is, except what is secret by its name.
func StructShape() decode.Shape { return structShape{} }

func (s structShape) Member(key []byte) (string, decode.Shape) {
	if namesSecret(key) {
		return "", decode.Veiled{}
	}
	return "", s
}

func (structShape) Typed([]byte) (decode.Shape, bool) { return nil, false }

// Unordered implements [decode.Unordered].
func (structShape) Unordered() {}
