package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
)

// Options configure a mesh.
type Options struct {
	Programs Programs
	Log      io.Writer // receives one line of text for each step
	Ambient  bool      // start an ambient mesh: one sidecar, a waypoint and stand-ins of two ztunnels
}

// A Mesh is a running mesh. Only one goroutine at a time may break or repair it.
type Mesh struct {
	Dir        string // the directory with all files of the mesh; Down removes it
	Kubeconfig string // the path of an administrator's kubeconfig
	Proxies    []*Proxy
	ZTunnels   []*ZTunnel // of an ambient mesh
	Istiods    []*Istiod  // Up starts only the first one; tests start the others with StartIstiod

	programs    Programs
	ambient     bool
	log         io.Writer
	logs        string
	ports       *ports
	port        struct{ etcd, etcdPeer, apiserver, kubelet, sds int }
	credentials *credentials
	kube        *kubernetes.Clientset
	objects     *dynamic.DynamicClient
	mapper      *restmapper.DeferredDiscoveryRESTMapper
	apiserver   *process
	pods        map[*Proxy]*corev1.Pod
	samples     string
	withheld    bool

	mu        sync.Mutex
	processes []*process
	downs     []func()
}

// Up starts a mesh: an API server, one istiod, and seven proxies, all synced. If it fails, it stops everything, and the
// error names the folder with the logs.
func Up(ctx context.Context, o Options) (*Mesh, error) {
	dir, err := os.MkdirTemp("", "meshq-e2e.")
	if err != nil {
		return nil, err
	}
	m := &Mesh{
		Dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig"), programs: o.Programs, log: o.Log, ambient: o.Ambient,
		logs: filepath.Join(dir, "logs"), ports: newPorts(), pods: map[*Proxy]*corev1.Pod{},
		samples: filepath.Join(o.Programs.Istio, "samples/bookinfo"),
	}
	if err := m.up(ctx); err != nil {
		kept, _ := m.KeepLogs()
		return nil, errors.Join(fmt.Errorf("%w\nlogs: %s", err, kept), m.Down())
	}
	return m, nil
}

func (m *Mesh) up(ctx context.Context) error {
	start := time.Now()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"certificates", m.prepare},
		{"etcd", m.startEtcd},
		{"kube-apiserver", m.startAPIServer},
		{"cluster", m.createCluster},
		{"kwok", m.startKwok},
		{"istiod", func(ctx context.Context) error { return m.startIstiod(ctx, m.Istiods[0]) }},
		{"sds", m.startSDS},
		{"proxies", m.startProxies},
		{"ztunnels", m.startZTunnels},
		{"synced", m.awaitStart},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(m.log, "%5.1fs %s\n", time.Since(start).Seconds(), step.name)
	}
	return nil
}

func (m *Mesh) prepare(context.Context) (err error) {
	if err := os.Mkdir(m.logs, 0o700); err != nil {
		return err
	}
	if err := m.ports.fill(&m.port.etcd, &m.port.etcdPeer, &m.port.apiserver, &m.port.kubelet, &m.port.sds); err != nil {
		return err
	}
	if m.credentials, err = newCredentials(m.Dir); err != nil {
		return err
	}
	if m.Proxies, err = newProxies(m.ports); err != nil {
		return err
	}
	if m.Istiods, err = newIstiods(m.ports); err != nil {
		return err
	}
	if m.ambient {
		if err := m.newAmbient(); err != nil {
			return err
		}
	}
	if err := m.newClients(); err != nil {
		return err
	}
	return m.writeKubeconfig(m.Kubeconfig, m.administrator())
}

// createCluster creates the initial objects in the API server: Istio's types, Bookinfo's workloads and Bookinfo's
// configuration.
func (m *Mesh) createCluster(ctx context.Context) error {
	if err := m.apply(ctx, "", []byte("{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}")); err != nil {
		return err
	}
	if err := m.applyFile(ctx, filepath.Join(m.programs.Istio, "manifests/charts/base/files/crd-all.gen.yaml")); err != nil {
		return err
	}
	if err := m.createNodes(ctx); err != nil {
		return err
	}
	if m.ambient {
		if err := m.createAmbient(ctx); err != nil {
			return err
		}
	}
	if err := m.createWorkloads(ctx, m.samples); err != nil {
		return err
	}
	return m.await(ctx, m.configure) // retry until the API server serves Istio's types
}

// configure applies Bookinfo's Istio configuration.
func (m *Mesh) configure(ctx context.Context) error {
	for _, f := range []string{"bookinfo-gateway.yaml", "destination-rule-all.yaml", "virtual-service-all-v1.yaml"} {
		if err := m.applyFile(ctx, filepath.Join(m.samples, "networking", f)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mesh) applyFile(ctx context.Context, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return m.apply(ctx, "default", b)
}

func (m *Mesh) startProxies(ctx context.Context) (err error) {
	for _, p := range m.Proxies {
		if p.relay, err = newRelay(p.xds); err != nil {
			return err
		}
		m.onDown(p.relay.close)
		p.connect(m.Istiods[0])
		if err := m.startEnvoy(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mesh) awaitStart(ctx context.Context) error {
	if m.ambient {
		return m.AwaitAmbient(ctx)
	}
	return m.AwaitSynced(ctx)
}

// AwaitSynced waits until every proxy is connected and has acknowledged its configuration.
func (m *Mesh) AwaitSynced(ctx context.Context) error { return m.await(ctx, m.Synced) }

func (m *Mesh) await(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// start starts one of the mesh's processes.
func (m *Mesh) start(c command) (*process, error) {
	if c.dir == "" {
		c.dir = m.Dir
	}
	p, err := c.start(m.logs)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.processes = append(m.processes, p)
	return p, nil
}

func (m *Mesh) onDown(f func()) { m.downs = append(m.downs, f) }

// Down stops all processes and removes all files.
func (m *Mesh) Down() error {
	m.mu.Lock()
	processes := m.processes
	m.processes = nil
	m.mu.Unlock()
	stopAll(processes, 2*time.Second)
	for _, f := range m.downs {
		f()
	}
	return os.RemoveAll(m.Dir)
}

// KeepLogs copies the logs to a folder that Down doesn't remove, and returns its path.
func (m *Mesh) KeepLogs() (string, error) {
	dir, err := os.MkdirTemp("", "meshq-e2e-logs.")
	if err != nil {
		return "", err
	}
	return dir, os.CopyFS(dir, os.DirFS(m.logs))
}
