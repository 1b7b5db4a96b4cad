// Package forward connects to pods through the Kubernetes API server. It opens
// connections to their TCP ports (port-forward, without a local listener) and runs
// commands in them. It implements sessions and streams, and interprets the errors of
// the API server. It does not depend on what is sent over the connections, nor on
// anything about meshes or proxies.
//
// Each pod in use has one upgraded session, which carries any number of connections. A
// session uses a WebSocket, or SPDY if the server refuses WebSockets. SPDY as
// Kubernetes implements it has no flow control per connection. Received data is
// therefore buffered at once, and a slow reader never blocks the other connections of
// its session.
//
// Start with pool.go; session.go and conn.go show the life of a connection.
//
// # Hand-written
//
// mux.go and stream.go are our own SPDY client, which replaces
// k8s.io/streaming/pkg/httpstream/spdy. That library allocates 800 KB per session to
// compress headers, and a buffer for every frame. The following figures were measured
// in November 2026 with test/fleet (API server over TLS and WebSocket, dumps of 1 MB,
// 24 sessions, medians of three alternating runs). The first figure of each pair is the
// library's, the second is our client's:
//
//	1,000 proxies, clusters by name             CPU 2.6 s, 1.7 s   peak 162 MB, 137 MB
//	1,000 proxies, virtual hosts by a field     CPU 5.4 s, 3.9 s   peak 187 MB, 161 MB
//	  300 proxies, clusters by name             CPU 0.7 s, 0.5 s   peak 144 MB, 87 MB
package forward
