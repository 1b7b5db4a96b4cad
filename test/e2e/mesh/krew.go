package mesh

import (
	"context"
	"io"
	"path/filepath"
)

// FindKrew returns the paths of krew and of the program that validates manifests for krew's index. It builds them if
// they are not in the cache (a minute on two cores).
func FindKrew(ctx context.Context, root string, log io.Writer) (krew, validate string, err error) {
	b, err := newBuilder(root, log)
	if err != nil {
		return "", "", err
	}
	dir, err := b.build(ctx, "programs/krew", []string{"sigs.k8s.io/krew/cmd/krew", "sigs.k8s.io/krew/cmd/validate-krew-manifest"})
	return filepath.Join(dir, "krew"), filepath.Join(dir, "validate-krew-manifest"), err
}
