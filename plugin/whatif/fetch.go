package whatif

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/change"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/spf13/cobra"
)

const fetchLong = `Put istiod's binary into the cache, ~/.kube/cache/meshq/istiod-VERSION, from which whatif takes it. The version and the image are
those of the mesh's istiod, unless --version and --image name others.

  --from pod      copy it out of the istiod's pod with kubectl exec. This runs cat in the pod, and needs the right to create
                  pods/exec there. A distroless image has no cat: use the image or the source then
  --from image    pull the istiod's image with docker or podman, and copy the binary out of a container that is never started
  --from source   build it with go install istio.io/istio/pilot/cmd/pilot-discovery@VERSION, which downloads some 500 MB and takes
                  ten minutes. This is the way on macOS, where the binaries of pod and image, which are for Linux, can't run

--from source was tried. --from image was tried with a script in place of docker only, and --from pod is untested.`

// binaryPath is where istiod's image has its binary.
const binaryPath = "/usr/local/bin/pilot-discovery"

// sourcePackage is the Go package of istiod's binary.
const sourcePackage = "istio.io/istio/pilot/cmd/pilot-discovery"

// A fetch holds the flags of the command fetch-istiod.
type fetch struct {
	from, version, image string
	force                bool
}

// fetchCommand returns the command "whatif fetch-istiod".
func fetchCommand(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	q := &fetch{}
	cmd := &cobra.Command{
		Use:   "fetch-istiod --from pod|image|source",
		Short: "Put istiod's binary into the cache for whatif",
		Long:  fetchLong,
		Example: process.Indent([]string{
			name + " whatif fetch-istiod --from image",
			name + " whatif fetch-istiod --from source --version 1.30.2",
		}),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return q.run(cmd.Context(), w, f, cmd) },
	}
	set := cmd.Flags()
	f.BindMesh(set)
	set.StringVar(&q.from, "from", "", "where to get it: pod, image or source")
	set.StringVar(&q.version, "version", "", "the version, such as 1.30.2 (default: that of the mesh's istiod)")
	set.StringVar(&q.image, "image", "", "the image (default: that of the mesh's istiod)")
	set.BoolVar(&q.force, "force", false, "replace the binary in the cache")
	return cmd
}

// plainVersion is what a version may consist of, because it becomes the name of a file
// and an argument of programs.
var plainVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

func (q *fetch) run(ctx context.Context, w *process.World, f *options.Flags, cmd *cobra.Command) (err error) {
	ctx, stop := w.WithTimeout(ctx, f.Timeout)
	defer stop()
	if !slices.Contains([]string{"pod", "image", "source"}, q.from) {
		return process.Usagef("--from %s: it is one of pod, image, source", q.from)
	}
	if q.from == "pod" && len(f.Snapshots) > 0 {
		return process.Usagef("--from pod: a snapshot has no pods to copy from")
	}
	who := istiodOf{image: q.image, version: q.version}
	if who.version == "" || who.image == "" && q.from == "image" || q.from == "pod" {
		r := &run.Run{World: w, Flags: f, Argv: &options.CommandLine{}, Request: &run.Request{Query: "."}, Changed: cmd.Flags().Changed}
		r.OpenOutput()
		if err := who.read(ctx, r); err != nil {
			return err
		}
	}
	path := change.CachedBinary(w, who.version)
	switch {
	case who.version == "":
		return process.Usagef("the version of the mesh's istiod is not known: name it with --version")
	case !plainVersion.MatchString(who.version) || path == "":
		return process.Usagef("--version %s: not a version that can be cached", who.version)
	}
	if _, err := os.Stat(path); err == nil && !q.force {
		return process.Usagef("%s is there: replace it with --force", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".fetch-")
	if err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	to := filepath.Join(dir, "pilot-discovery")
	switch q.from {
	case "pod":
		err = fromPod(ctx, w, f, who, to)
	case "image":
		err = fromImage(ctx, w, who.image, to)
	case "source":
		err = fromSource(ctx, w, who.version, dir)
	}
	if err == nil {
		err = os.Chmod(to, 0o755)
	}
	if err == nil {
		err = os.Rename(to, path)
	}
	if err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	fmt.Fprintln(w.Err, process.OneLine(path))
	return nil
}

// istiodOf describes the istiod of a mesh.
type istiodOf struct {
	pod, namespace string
	version, image string
}

// read reads from the mesh what the flags don't say.
func (i *istiodOf) read(ctx context.Context, r *run.Run) (err error) {
	answers, err := r.OpenPresent(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, answers)) }()
	all, _, err := run.Collect(ctx, r, &run.Request{File: "istiod", Ours: true, Query: `.pods as $pods | .pilots[] | . as $p
  | {name, namespace, version, image: first(($pods[] | select(.metadata.name == $p.name and .metadata.namespace == $p.namespace) | .spec.containers[] | select(.name == "discovery") | .image), null)}`}, answers)
	if err != nil {
		return run.Unplaced(err)
	}
	if len(all) == 0 {
		return process.Usagef("the mesh has no istiod")
	}
	m, _ := all[0].(map[string]any)
	text := func(field string) string { s, _ := m[field].(string); return s }
	i.pod, i.namespace = text("name"), text("namespace")
	if i.image == "" {
		i.image = text("image")
	}
	if i.version == "" {
		i.version = text("version")
	}
	return nil
}

// program runs a program and writes its output to out. Its messages are printed. The
// error contains the command line.
func program(ctx context.Context, w *process.World, out io.Writer, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(slices.Clone(w.Environ), env...)
	cmd.Stdout, cmd.Stderr = out, w.Err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

func fromPod(ctx context.Context, w *process.World, f *options.Flags, who istiodOf, to string) (err error) {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	args := []string{"exec", "--namespace", who.namespace, who.pod, "--container", "discovery"}
	for flag, value := range map[string]*string{"--context": f.Kube.Context, "--kubeconfig": f.Kube.KubeConfig} {
		if value != nil && *value != "" {
			args = append(args, flag, *value)
		}
	}
	err = program(ctx, w, out, nil, "kubectl", append(args, "--", "cat", binaryPath)...)
	return errors.Join(err, out.Close())
}

// fromImage copies the binary out of a container that is created and never started.
func fromImage(ctx context.Context, w *process.World, image, to string) (err error) {
	if image == "" {
		return errors.New("the image of the mesh's istiod is not known: name it with --image")
	}
	engine := "docker"
	if _, err := exec.LookPath(engine); err != nil {
		if engine = "podman"; !found(engine) {
			return errors.New("neither docker nor podman is installed")
		}
	}
	var id strings.Builder
	if err := program(ctx, w, &id, nil, engine, "create", image); err != nil {
		return err
	}
	container := strings.TrimSpace(id.String())
	defer func() {
		err = errors.Join(err, program(context.WithoutCancel(ctx), w, io.Discard, nil, engine, "rm", container))
	}()
	return program(ctx, w, io.Discard, nil, engine, "cp", container+":"+binaryPath, to)
}

func found(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// fromSource builds the binary. Its version is set as Istio's own build sets it.
func fromSource(ctx context.Context, w *process.World, version, dir string) error {
	if !found("go") {
		return errors.New("go is not installed")
	}
	set := "-X istio.io/istio/pkg/version.buildVersion=" + version + " -X istio.io/istio/pkg/version.buildGitRevision=source -X istio.io/istio/pkg/version.buildStatus=Clean"
	return program(ctx, w, w.Err, []string{"GOBIN=" + dir, "CGO_ENABLED=0", "GOFLAGS=-mod=mod"}, "go", "install", "-trimpath", "-ldflags=-s -w "+set, sourcePackage+"@"+version)
}
