package sandbox

import (
	"errors"
	"fmt"
	"os"
)

// A kubeconfig is a file that names the API server in memory, with its token in the path.
type kubeconfig struct {
	path   string   // the path by which istiod opens the file
	passed *os.File // the file that istiod inherits; nil if it opens a path of the file system
	name   string   // the path of the file; empty if it was already removed
}

// inherited is the path of the first file that a process inherits besides its
// standard streams.
const inherited = "/dev/fd/3"

// writeKubeconfig writes the kubeconfig. Where an inherited file can be opened again
// by its number, the file is removed at once, so that nothing is left even if this
// process is killed. Elsewhere, remove deletes it when istiod is ready.
func writeKubeconfig(o Options) (k kubeconfig, err error) {
	f, err := os.CreateTemp(o.TempDir, "meshq-whatif-*.yaml") // with mode 0600
	if err != nil {
		return k, err
	}
	k.path, k.name, k.passed = f.Name(), f.Name(), f
	_, err = fmt.Fprintf(f, "apiVersion: v1\nkind: Config\ncurrent-context: whatif\nclusters: [{name: whatif, cluster: {server: %q}}]\n"+
		"users: [{name: whatif, user: {}}]\ncontexts: [{name: whatif, context: {cluster: whatif, user: whatif}}]\n",
		o.Server.URL())
	if err == nil && reopens {
		err = os.Remove(k.name)
		k.path, k.name = inherited, ""
	}
	if err != nil {
		k.remove()
		return kubeconfig{}, err
	}
	return k, nil
}

// remove closes the file, and deletes it if it still has a name.
func (k *kubeconfig) remove() error {
	err := k.passed.Close()
	if k.name != "" {
		err = errors.Join(err, os.Remove(k.name))
	}
	return err
}
