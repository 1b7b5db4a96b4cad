package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Message is one of Envoy's messages as JSON, with its fields' own names.
type Message = map[string]any

// Config is what an Envoy is started with. A listener that Envoy refuses is
// left out, and the others are served.
type Config struct {
	NodeID              string // "router~127.0.0.1~web.default~default.svc.cluster.local"
	Listeners, Clusters []Message
	Secrets             []Message

	// Lenient makes Envoy ignore fields that it doesn't know, as an old one does
	// not know the newest.
	Lenient bool
}

// Envoy is one that runs, in a folder of its own.
type Envoy struct {
	dir   string
	cmd   *exec.Cmd
	done  chan struct{} // closed when it has ended
	admin *http.Client
}

// Start starts an Envoy and waits until its listeners listen.
func Start(ctx context.Context, path string, c Config) (*Envoy, error) {
	dir, err := os.MkdirTemp("", "oracle.") // short: the admin port is a socket in it
	if err != nil {
		return nil, err
	}
	e := &Envoy{dir: dir, done: make(chan struct{})}
	e.admin = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", e.file("admin"))
	}}}
	if err := errors.Join(e.write("bootstrap.json", e.bootstrap(c)), e.write("listeners.json", resources("listener.v3.Listener", c.Listeners))); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	args := []string{"--config-path", e.file("bootstrap.json"), "--concurrency", "1", "--disable-hot-restart",
		"--log-level", "warning", "--file-flush-interval-msec", "10", "--log-path", e.file("log")}
	if c.Lenient {
		args = append(args, "--ignore-unknown-dynamic-fields")
	}
	e.cmd = exec.Command(path, args...)
	if err := e.cmd.Start(); err != nil {
		close(e.done)
		return nil, errors.Join(err, e.Stop())
	}
	go func() {
		e.cmd.Wait()
		close(e.done)
	}()
	if err := e.ready(ctx); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	return e, nil
}

func (e *Envoy) file(name string) string { return filepath.Join(e.dir, name) }

func (e *Envoy) write(name string, m Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(e.file(name), b, 0o600)
}

func (e *Envoy) bootstrap(c Config) Message {
	return Message{
		"node":              Message{"id": c.NodeID, "cluster": "oracle"},
		"admin":             Message{"address": Message{"pipe": Message{"path": e.file("admin")}}},
		"dynamic_resources": Message{"lds_config": Message{"path_config_source": Message{"path": e.file("listeners.json")}}},
		"static_resources":  Message{"clusters": c.Clusters, "secrets": c.Secrets},
		"layered_runtime": Message{"layers": []any{Message{"name": "deprecated", "static_layer": Message{
			"envoy.features.enable_all_deprecated_features": true,
		}}}},
	}
}

// resources are those of a file that Envoy watches.
func resources(kind string, all []Message) Message {
	out := make([]any, len(all))
	for i, m := range all {
		out[i] = with(m, "@type", "type.googleapis.com/envoy.config."+kind)
	}
	return Message{"resources": out}
}

// with gives a copy of a message with one more field.
func with(m Message, key string, v any) Message {
	out := Message{key: v}
	for k, w := range m {
		if k != key {
			out[k] = w
		}
	}
	return out
}

func (e *Envoy) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := e.get(ctx, "/ready")
		if err == nil {
			return nil
		}
		select {
		case <-e.done:
			return fmt.Errorf("Envoy ended before it was ready: %s", e.Ended())
		case <-ctx.Done():
			return fmt.Errorf("Envoy is not ready: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (e *Envoy) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://admin"+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := e.admin.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, res.Status, b)
	}
	return b, err
}

// Dump gives the configuration in force, as /config_dump says it.
func (e *Envoy) Dump(ctx context.Context) ([]byte, error) { return e.get(ctx, "/config_dump") }

// ErrUnread is that Envoy didn't read the listeners, as one of them is no such
// message.
var ErrUnread = errors.New("Envoy reads none of the listeners")

// Refused gives the listeners that Envoy refused, and why.
func (e *Envoy) Refused(ctx context.Context) (map[string]string, error) {
	b, err := e.get(ctx, "/config_dump?resource=dynamic_listeners&mask=name,error_state.details")
	if err != nil {
		return nil, err
	}
	var all struct {
		Configs []struct {
			Name  string `json:"name"`
			Error *struct {
				Details string `json:"details"`
			} `json:"error_state"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	if len(all.Configs) == 0 {
		log, err := os.ReadFile(e.file("log"))
		return nil, errors.Join(ErrUnread, fmt.Errorf("the end of its log:\n%s", log[max(0, len(log)-2000):]), err)
	}
	refused := map[string]string{}
	for _, l := range all.Configs {
		if l.Error != nil {
			refused[l.Name] = l.Error.Details
		}
	}
	return refused, nil
}

// Ended gives the end of an Envoy's log, where it has ended by itself.
func (e *Envoy) Ended() string {
	select {
	case <-e.done:
		log, _ := os.ReadFile(e.file("log"))
		return fmt.Sprintf("%v; the end of its log:\n%s", e.cmd.ProcessState, log[max(0, len(log)-2000):])
	default:
		return ""
	}
}

// Stop ends the Envoy and removes its folder.
func (e *Envoy) Stop() error {
	if e.cmd != nil && e.cmd.Process != nil {
		e.cmd.Process.Kill()
		<-e.done
	}
	e.admin.CloseIdleConnections()
	return os.RemoveAll(e.dir)
}
