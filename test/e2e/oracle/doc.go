// Package oracle finds out what a real Envoy does with requests and connections. The plugin's answers are compared with
// the results. The package starts one Envoy with many listeners, each with its own configuration. All clusters lead to
// a listener of the same Envoy that answers every request; headers of the response report what Envoy chose. The package
// also reduces configurations, by removing one part at a time. It is independent of the plugin.
package oracle
