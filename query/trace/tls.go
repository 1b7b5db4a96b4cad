package trace

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// downstreamTLS returns the configuration of the TLS that a filter chain
// terminates. The configuration has no fields if the chain accepts plain text.
// isTLS is also true for a configuration in the format of Envoy up to 1.13, whose
// fields may be unknown.
func downstreamTLS(r *document.Reader, chain any) (tls document.Message, isTLS bool) {
	if old := r.Get(chain, "tlsContext"); old != nil {
		return r.Message(old), true
	}
	socket := r.Get(chain, "transportSocket")
	config := r.Get(socket, "typedConfig")
	if hasType(r, config, "DownstreamTlsContext") {
		return r.Message(config), true
	}
	name := r.Text(socket, "name")
	return r.Message(object.New(0)), r.Err == nil && config == nil && (name == "tls" || name == "envoy.transport_sockets.tls")
}

// checkClientCertificate sets r.NoCertificate if the filter chain terminates TLS
// and has no validation context, because Envoy then doesn't request a certificate
// from the client. required reports whether the chain rejects clients without a
// certificate, and refused whether it rejects this client.
func checkClientCertificate(ctx context.Context, chain any, r *routing.Request) (refused, required bool, err error) {
	read := document.NewReader(ctx)
	tls, isTLS := downstreamTLS(read, chain)
	if !isTLS {
		return false, false, read.Err
	}
	if tls.Flag("requireClientCertificate") {
		return r.TLS && r.NoCertificate, true, read.Err
	}
	if common := tls.Sub("commonTlsContext"); common.Fields != nil && read.Err == nil {
		r.NoCertificate = r.NoCertificate || !common.Has("validationContext") && !common.Has("validationContextSdsSecretConfig") && !common.Has("combinedValidationContext")
	}
	return false, false, read.Err
}

// certificateSecrets returns the names of the secrets that hold the
// certificates of a TLS configuration, or none if the certificates are inline.
func certificateSecrets(tls document.Message) (names []string) {
	for _, c := range tls.Sub("commonTlsContext").List("tlsCertificateSdsSecretConfigs") {
		if name := c.Text("name"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// certificate is the state of a secret in Envoy.
type certificate struct {
	isListed bool
	isUsed   bool
	unused   string // the reason why Envoy doesn't use the secret
	invalid  string // the reason why clients refuse the certificate: it is expired, or not valid yet
}

// findCertificate searches for a secret by name among those that Envoy lists.
func findCertificate(r *document.Reader, secrets []any, name string) (c certificate) {
	for _, s := range secrets {
		if r.Text(s, "name") != name {
			continue
		}
		c.isListed = true
		if !inUse(r, s) {
			state := r.Text(s, "state")
			if c.unused = "the secret is " + state; state == "WARMING" {
				c.unused += ": Envoy waits for it"
			}
			continue
		}
		c.isUsed = true
		if r.Force(r.Get(s, "valid")) == false {
			c.invalid = "it is valid from " + r.Text(s, "notBefore") + " to " + r.Text(s, "notAfter") + ", so clients refuse it"
		}
		return c
	}
	return c
}
