# missing-secrets: certificates that a proxy waits for, and nobody sent: a listener that needs one does not answer.
#
# input: proxy
# severity: warning
# next: is there a Secret of that name beside the gateway, with tls.crt and tls.key?
# example: missing-secrets

select(.type != "agentgateway")
| .secrets[]
| select(.state == "WARMING" and .type == null)
| {subject: .name, message: "Envoy waits for it"}
