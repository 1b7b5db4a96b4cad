package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
)

// Options describe an istiod.
type Options struct {
	Binary string            // the path of the pilot-discovery binary
	Server *apiserver.Server // the API server from which istiod reads

	Namespace string // istiod's own namespace, the root namespace of its mesh
	Revision  string // istiod's revision; if empty, "default"
	ClusterID string // the cluster ID that istiod uses; if empty, "Kubernetes"
	Domain    string // the DNS domain of the cluster; if empty, "cluster.local"

	// Env are environment variables for istiod, each as "NAME=value". They
	// override those that this package sets.
	Env []string

	// Sleep waits for a duration, or until ctx ends; in the second case, it returns
	// the error of ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	// TempDir is the directory for the kubeconfig. If it is empty, the system's
	// temporary directory is used.
	TempDir string
}

// An Istiod is a running istiod process.
type Istiod struct {
	XDS     string // the address of istiod's plain-text ADS port
	Version string // the version that istiod logs; empty if the binary was built without a version
	http    string // the address of istiod's port for readiness and admission

	child *child
	log   *record
}

// Start starts an istiod and waits until it is ready to serve proxies, or until ctx
// ends. The error contains the last error that istiod logged.
func Start(ctx context.Context, o Options) (*Istiod, error) {
	config, err := writeKubeconfig(o)
	if err != nil {
		return nil, err
	}
	defer config.remove()
	i := &Istiod{log: &record{}}
	cmd := exec.Command(o.Binary, arguments(o, config.path)...)
	cmd.Env = environment(o)
	cmd.Dir = "/" // istiod reads files such as ./etc/istio from its working directory, and must not find any
	cmd.Stdout, cmd.Stderr = i.log, i.log
	if config.passed != nil {
		cmd.ExtraFiles = []*os.File{config.passed}
	}
	if i.child, err = startChild(cmd); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Binary, err)
	}
	if err := i.ready(ctx, o.Sleep); err != nil {
		i.Stop()
		if said := i.log.last(); said != "" {
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
		return nil, fmt.Errorf("%s: %w", o.Binary, err)
	}
	return i, nil
}

// Stop ends the process and waits for its end.
func (i *Istiod) Stop() { i.child.stop() }

const loopback = "127.0.0.1:0" // port 0 makes the system choose a free port

func arguments(o Options, kubeconfig string) []string {
	args := []string{
		"discovery", "--kubeconfig=" + kubeconfig, "--httpAddr=" + loopback, "--httpsAddr=", "--grpcAddr=" + loopback, "--secureGRPCAddr=",
		"--monitoringAddr=" + loopback, "--ctrlz_address=127.0.0.1", "--ctrlz_port=0",
		// the API server runs in this process, so requests to it need no rate
		// limit
		"--kubernetesApiQPS=10000", "--kubernetesApiBurst=10000",
	}
	if o.Domain != "" {
		args = append(args, "--domain="+o.Domain)
	}
	return args
}

// environment returns istiod's environment variables. The user's variables are not
// passed on, because they may contain credentials. The caller's variables come last
// and override the others, except for the HTTP proxy, which the caller must not
// change.
func environment(o Options) []string {
	text := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	proxy := o.Server.Proxy()
	return slices.Concat([]string{
		"HOME=/nonexistent", "POD_NAME=istiod-whatif", "POD_NAMESPACE=" + text(o.Namespace, "istio-system"),
		"CLUSTER_ID=" + text(o.ClusterID, "Kubernetes"), "REVISION=" + text(o.Revision, "default"),
		// These features would write webhook configurations and Deployments of gateways to the in-memory API server,
		// where nothing reads them.
		"INJECTION_WEBHOOK_CONFIG_NAME=", "VALIDATION_WEBHOOK_CONFIG_NAME=", "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER=false",
		"PILOT_DEBOUNCE_AFTER=10ms",
	}, o.Env, []string{"HTTP_PROXY=" + proxy, "HTTPS_PROXY=" + proxy, "http_proxy=" + proxy, "https_proxy=" + proxy, "NO_PROXY=", "no_proxy="})
}

// These are the log lines in which istiod reports its version and the addresses on
// which it listens.
var (
	httpLine    = regexp.MustCompile(`starting HTTP service at (127\.0\.0\.1:\d+)`)
	versionLine = regexp.MustCompile(`info\s+version: (\S+)`)
	grpcLine    = regexp.MustCompile(`starting gRPC discovery service at (127\.0\.0\.1:\d+)`)
)

// pause is the time between two checks whether istiod is ready.
const pause = 10 * time.Millisecond

// ready waits until istiod has logged its addresses and its readiness endpoint
// reports that it is ready.
func (i *Istiod) ready(ctx context.Context, sleep func(context.Context, time.Duration) error) error {
	for {
		text := i.log.begin()
		if m := httpLine.FindSubmatch(text); m != nil {
			i.http = string(m[1])
		}
		if m := grpcLine.FindSubmatch(text); m != nil {
			i.XDS = string(m[1])
		}
		if i.http != "" && i.XDS != "" {
			if _, status, err := i.request(ctx, http.MethodGet, "/ready", nil); err == nil && status == http.StatusOK {
				if m := versionLine.FindSubmatch(text); m != nil {
					i.Version = string(m[1])
				}
				return nil
			}
		}
		select {
		case <-i.child.ended:
			return errors.New("it ended before it was ready")
		default:
		}
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("it is not ready: %w", err)
		}
	}
}

// A record keeps the beginning and the end of istiod's log in memory.
type record struct {
	mu    sync.Mutex
	first []byte
	tail  []byte
}

const (
	longestFirst = 1 << 20  // istiod logs its addresses within the first 100 kB
	longestTail  = 64 << 10 // enough to show why istiod has ended
)

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if room := longestFirst - len(r.first); room > 0 {
		r.first = append(r.first, p[:min(room, len(p))]...)
	}
	r.tail = append(r.tail, p...)
	if n := len(r.tail) - longestTail; n > 0 {
		r.tail = append(r.tail[:0], r.tail[n:]...)
	}
	return len(p), nil
}

// begin returns the beginning of the log.
func (r *record) begin() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.first)
}

// last returns the last error that was logged. If there is none, it returns the
// last line.
func (r *record) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(r.tail)), "\n")
	for _, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "Error:") || strings.Contains(l, "\tfatal\t") || strings.Contains(l, "\terror\t") {
			return l
		}
	}
	return lines[len(lines)-1]
}
