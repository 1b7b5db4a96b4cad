package mesh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// A Request is a request to an Envoy's admin port, from Envoy's access log.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Agent  string `json:"agent"`
	Code   int    `json:"code"`
	Bytes  int    `json:"bytes"`
	Start  string `json:"start"`
	Took   int    `json:"took"` // milliseconds
}

// Began returns the time at which the first byte of the request arrived.
func (r Request) Began() time.Time {
	t, _ := time.Parse("2006-01-02T15:04:05.000000Z", r.Start)
	return t
}

// Ended returns the time at which the last byte of the answer was sent, in whole milliseconds after Began.
func (r Request) Ended() time.Time { return r.Began().Add(time.Duration(r.Took) * time.Millisecond) }

// accessLog configures Envoy to log each request as one line of JSON that decodes to a Request.
func accessLog(path string) []object {
	return []object{{"name": "envoy.access_loggers.file", "typed_config": object{
		"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
		"path":  path,
		"log_format": object{"json_format": object{
			"method": "%REQ(:METHOD)%", "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "agent": "%REQ(USER-AGENT)%",
			"code": "%RESPONSE_CODE%", "bytes": "%BYTES_SENT%",
			"start": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%", "took": "%DURATION%",
		}},
	}}}
}

// userAgent is the user agent of this package's own requests.
const userAgent = "meshq-e2e"

var marks atomic.Int64

// Requests returns all requests that the proxy's admin port has answered so far, except those of this package. It
// includes requests whose connection was closed during the answer.
func (p *Proxy) Requests(ctx context.Context) ([]Request, error) {
	// Envoy writes the log with a delay, so wait until it contains a request of this package.
	mark := fmt.Sprintf("/ready?mark=%d", marks.Add(1))
	if _, err := get(ctx, p.URL()+mark); err != nil {
		return nil, err
	}
	for {
		all, marked, err := p.readRequests(mark)
		if err != nil || marked {
			return all, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *Proxy) readRequests(mark string) (all []Request, marked bool, err error) {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return nil, false, err
	}
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var r Request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, false, fmt.Errorf("%s: %q: %w", p.log, line, err)
		}
		marked = marked || r.Path == mark
		if r.Agent != userAgent {
			all = append(all, r)
		}
	}
	return all, marked, nil
}

// Stat returns one counter or gauge of the Envoy.
func (p *Proxy) Stat(ctx context.Context, name string) (int, error) {
	var stats struct {
		Stats []struct {
			Name  string `json:"name"`
			Value int    `json:"value"`
		} `json:"stats"`
	}
	if err := getJSON(ctx, p.URL()+"/stats?format=json&type=All&filter=^"+name+"$", &stats); err != nil {
		return 0, err
	}
	for _, s := range stats.Stats {
		if s.Name == name {
			return s.Value, nil
		}
	}
	return 0, fmt.Errorf("%s: no stat %s", p.ID(), name)
}

// Get decodes a JSON answer of the admin port.
func (p *Proxy) Get(ctx context.Context, path string, into any) error {
	return getJSON(ctx, p.URL()+path, into)
}
