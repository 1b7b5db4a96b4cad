package envoy

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// SecretFields are the names of text and bytes fields that contain tokens or
// passwords, although the API doesn't mark them as sensitive.
const SecretFields = "access_token bearer_token backend_token authorization_token refresh_token google_refresh_token id_token session_token" +
	" secret_access_key access_key_id json_key token password client_secret token_secret hmac_secret secret_data auth_password" +
	" downstream_auth_password private_key oauth_hmac code_verifier"

// SecretMembers are fields of Envoy's messages that are secret, including
// everything inside them.
const SecretMembers = "TlsCertificate:private_key TlsCertificate:password TlsCertificate:pkcs12 TlsSessionTicketKeys:keys Secret:generic_secret" +
	" Secret:session_ticket_keys PrivateKeyProvider:config PrivateKeyProvider:typed_config SslCredentials:private_key GoogleGrpc:call_credentials"

// EnvironmentMembers are fields of Envoy's messages that contain the
// environment variables of a program.
const EnvironmentMembers = "EnvironmentVariables:key_values"

// isSecret reports whether fields with this name are tokens or passwords, in
// any message.
func isSecret(name string) bool { return hasWord(SecretFields, name) }

// isSecretMember reports whether a field of a message, with everything inside
// it, is secret.
func isSecretMember(message, name string) bool {
	return hasWord(SecretMembers+" "+EnvironmentMembers, message+":"+name)
}

func hasWord(list, word string) bool { return strings.Contains(" "+list+" ", " "+word+" ") }

// structNames are the names that secrets have in data without a schema. These
// are the names of secret fields in Envoy's messages, and the names that Istio
// gives to a proxy's environment. They are in lower case, without separators
// between words.
var structNames = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(SecretFields + " pkcs12 generic_secret session_ticket_keys proxy_metadata environment_variables") {
		names[strings.ReplaceAll(name, "_", "")] = true
	}
	return names
}()

// namesSecret reports whether the name of a member in data without a schema
// means that it is secret. The spelling may be any of "accessToken",
// "access_token" and "Access-Token".
func namesSecret(key []byte) bool {
	var word [28]byte // longer than any of the secret names
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

// A structShape is the shape of data without a schema: a Struct, or a message
// of an unknown type. The names inside it stay unchanged.
type structShape struct{}

// StructShape returns the shape of data without a schema. Everything stays
// unchanged, except for members whose names mean that they are secret.
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
