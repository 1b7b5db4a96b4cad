// Package forward reaches into pods through the Kubernetes API server: it dials
// their TCP ports (port-forward, without a local listener) and runs commands in
// them. It knows sessions, streams, and the errors of the API server. It does not
// know what is sent over the connections, nor anything about meshes or proxies.
//
// Each pod in use has one upgraded session, which carries any number of
// connections: over a WebSocket, or over SPDY where WebSockets are refused. SPDY
// as Kubernetes speaks it has no flow control per connection, so received data is
// buffered at once, and a slow reader never blocks the others of its session.
//
// Start with pool.go; session.go and conn.go follow a connection.
//
// # Hand-written
//
// mux.go and stream.go are a SPDY client of our own, in place of
// k8s.io/streaming/pkg/httpstream/spdy. That one allocates 800 KB for the
// compression of headers in every session, and a buffer for every frame. Measured
// in November 2026 with test/fleet (API server over TLS and WebSocket, dumps of 1
// MB, 24 sessions, medians of three runs in turns), the library costs:
//
//	1,000 proxies, clusters by name             CPU 2.6 s for 1.7   peak 162 MB for 137
//	1,000 proxies, virtual hosts by a field     CPU 5.4 s for 3.9   peak 187 MB for 161
//	  300 proxies, clusters by name             CPU 0.7 s for 0.5   peak 144 MB for 87
package forward
