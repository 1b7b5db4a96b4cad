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

// Message is an Envoy message as JSON, with the fields' original names.
type Message = map[string]any

// Config is the configuration of an Envoy. If Envoy rejects a listener, it still serves the others.
type Config struct {
	NodeID              string // "router~127.0.0.1~web.default~default.svc.cluster.local"
	Listeners, Clusters []Message
	Secrets             []Message

	// Lenient makes Envoy ignore unknown fields. An old Envoy needs this, since it doesn't have the newest fields.
	Lenient bool
}

// Envoy is a running Envoy with a folder of its own.
type Envoy struct {
	dir   string
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has exited
	admin *http.Client
}

// Start starts an Envoy and waits until its listeners are ready.
func Start(ctx context.Context, path string, c Config) (*Envoy, error) {
	dir, err := os.MkdirTemp("", "oracle.") // short, since the path of a Unix socket is limited and the admin port is one in this folder
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

// resources returns the content of a file that Envoy watches for resources.
func resources(kind string, all []Message) Message {
	out := make([]any, len(all))
	for i, m := range all {
		out[i] = with(m, "@type", "type.googleapis.com/envoy.config."+kind)
	}
	return Message{"resources": out}
}

// with returns a copy of a message with one field added or replaced.
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

// Dump returns the active configuration, from /config_dump.
func (e *Envoy) Dump(ctx context.Context) ([]byte, error) { return e.get(ctx, "/config_dump") }

// ErrUnread reports that Envoy loaded none of the listeners, since one of them is not a valid message.
var ErrUnread = errors.New("Envoy reads none of the listeners")

// Refused returns the listeners that Envoy rejected, with the reasons.
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

// Ended returns the end of Envoy's log if Envoy has exited by itself, or else "".
func (e *Envoy) Ended() string {
	select {
	case <-e.done:
		log, _ := os.ReadFile(e.file("log"))
		return fmt.Sprintf("%v; the end of its log:\n%s", e.cmd.ProcessState, log[max(0, len(log)-2000):])
	default:
		return ""
	}
}

// Stop kills the Envoy and removes its folder.
func (e *Envoy) Stop() error {
	if e.cmd != nil && e.cmd.Process != nil {
		e.cmd.Process.Kill()
		<-e.done
	}
	e.admin.CloseIdleConnections()
	return os.RemoveAll(e.dir)
}
