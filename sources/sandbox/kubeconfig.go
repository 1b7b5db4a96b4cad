package sandbox

import (
	"errors"
	"fmt"
	"os"
)

// A kubeconfig is a file that names the in-memory API server. The server's URL contains
// its token.
type kubeconfig struct {
	path   string   // the path from which istiod opens the file
	passed *os.File // the open file that istiod inherits; nil if istiod opens the file by its name
	name   string   // the name of the file; empty if the file was already deleted
}

// inherited is the path of the first file that a child process inherits after
// its standard streams.
const inherited = "/dev/fd/3"

// writeKubeconfig writes the kubeconfig. Where an inherited file can be opened again
// by its number (see reopens), the file is deleted at once, so that nothing is left
// even if this process is killed. Elsewhere, remove deletes it when istiod is ready.
func writeKubeconfig(o Options) (k kubeconfig, err error) {
	f, err := os.CreateTemp(o.TempDir, "meshq-whatif-*.yaml") // os.CreateTemp creates the file with mode 0600
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

// remove closes the file, and deletes it unless it was already deleted.
func (k *kubeconfig) remove() error {
	err := k.passed.Close()
	if k.name != "" {
		err = errors.Join(err, os.Remove(k.name))
	}
	return err
}
