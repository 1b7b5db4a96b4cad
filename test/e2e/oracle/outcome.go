package oracle

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// An Outcome is what an Envoy did with a connection or the request in it, from its access log.
type Outcome struct {
	Mark     int    `json:"mark"` // the source port of the connection
	Cluster  string `json:"cluster"`
	Chain    string `json:"chain"`
	Route    string `json:"route"`
	Status   int    `json:"status"` // 0 if the connection is not HTTP
	Details  string `json:"details"`
	End      string `json:"end"` // the reason why the connection was closed
	Location string `json:"location"`
}

// A Call is a connection to a listener, with the addresses that its PROXY protocol header has and the bytes to send.
type Call struct {
	Listener            string // the bound listener to connect to
	Source, Destination string
	Mark, Port          int         // Mark is the source port, unique to this call
	TLS                 *tls.Config // nil means plain text
	Bytes               []byte      // the bytes to send
}

// accessLog configures Envoy to log each connection or request as one line of JSON that decodes to an Outcome.
func (r *Replica) accessLog() []any {
	return []any{Message{"name": "envoy.access_loggers.file", "typed_config": Message{
		"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": r.log,
		"log_format": Message{"json_format": Message{
			"mark": "%DOWNSTREAM_REMOTE_PORT%", "cluster": "%UPSTREAM_CLUSTER%", "chain": "%FILTER_CHAIN_NAME%", "route": "%ROUTE_NAME%",
			"status": "%RESPONSE_CODE%", "end": "%CONNECTION_TERMINATION_DETAILS%", "details": "%RESPONSE_CODE_DETAILS%", "location": "%RESP(LOCATION)%",
		}},
	}}}
}

// Run starts the replica. The caller must call Stop.
func (r *Replica) Run(ctx context.Context, path string, c Config) (err error) {
	if r.envoy, err = Start(ctx, path, c); err != nil {
		return err
	}
	refused, err := r.envoy.Refused(ctx)
	for name, why := range refused {
		err = errors.Join(err, fmt.Errorf("%s: %s", name, why))
	}
	if err != nil {
		return errors.Join(err, r.envoy.Stop())
	}
	return nil
}

// Stop stops the replica.
func (r *Replica) Stop() error { return r.envoy.Stop() }

// Make makes a call, and reports whether Envoy sent anything before it closed the connection.
func (r *Replica) Make(ctx context.Context, c Call) (answered bool, err error) {
	at := r.bound[c.Listener]
	if at == "" { // the replica has no such listener
		return false, nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, err
	}
	if _, err := conn.Write(ProxyHeader(c.Source, c.Destination, c.Mark, c.Port)); err != nil {
		return false, nil // Envoy has closed the connection; the log has the reason
	}
	if c.TLS != nil {
		secure := tls.Client(conn, c.TLS)
		if secure.HandshakeContext(ctx) != nil { // the handshake fails if the filter chain doesn't speak TLS
			return false, nil
		}
		conn = secure
	}
	if _, err := conn.Write(c.Bytes); err != nil {
		return false, nil
	}
	n, err := conn.Read(make([]byte, 4096))
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return false, fmt.Errorf("%s: neither answers nor closes", c.Listener)
	}
	return n > 0, nil
}

// Outcomes returns the results of the calls, by their marks. A call without a result was closed before any filter ran.
// Outcomes waits until there are as many results as wanted, and then a moment for more.
func (r *Replica) Outcomes(ctx context.Context, want int) (map[int]Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for {
		outcomes, err := r.read()
		enough := len(outcomes) >= want
		if err != nil || ctx.Err() != nil {
			return outcomes, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		if enough {
			return r.read()
		}
	}
}

func (r *Replica) read() (map[int]Outcome, error) {
	b, err := os.ReadFile(r.log)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	outcomes := map[int]Outcome{}
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var w Outcome
		if err := json.Unmarshal(line, &w); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		outcomes[w.Mark] = w
	}
	return outcomes, err
}
