// Package oracle asks a real Envoy what it does with requests and connections:
// the answers that the plugin's are held against. It starts one Envoy with many
// listeners, each with a configuration of its own, whose clusters all lead to
// a listener of the same Envoy that answers everything; what was chosen is said
// in headers of the response. It also makes configurations smaller, one part at
// a time. It knows nothing of the plugin.
package oracle
