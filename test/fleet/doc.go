// Package fleet simulates a mesh of thousands of proxies on one machine, for benchmarks and demos. One process
// simulates an API server that lists pods and forwards ports, some istiods, and an Envoy for each proxy. All ports are
// on loopback.
//
// The package implements the HTTP interfaces of Envoy's admin port, istiod's debug port and the API server. The answers
// come from a small recorded mesh, which is repeated under other names until a config dump has the wanted size. They
// depend on the options alone, so that two runs serve the same mesh. The fleet does not proxy, balance or configure
// anything, and it is independent of the client.
//
// Proxies can be made stale or broken: one never answers, refuses connections, cuts off its answers, answers 503, or
// writes slowly. Every request is counted.
package fleet
