package section

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// A LevelSetter is a source that can set the log level of an Envoy's logger, or of all its loggers if logger is empty.
// For a ztunnel, an empty level restores the default levels. Recorded sources can't set levels.
type LevelSetter interface {
	SetLevel(ctx context.Context, proxy, logger, level string) (*transport.Body, error)
}

// SetLevel sets the log level of a logger of a live proxy. No other method
// changes a proxy. Loggers that were loaded before keep their old level in the
// document. A returned error is a fault of the proxy.
func (p *Proxy) SetLevel(ctx context.Context, logger, level string) error {
	if err := p.setLevel(ctx, logger, level); err != nil {
		return p.loader.client.Fail(ctx, &mesh.Fault{Proxy: p.ID, Section: string(mesh.Loggers), Err: err})
	}
	return nil
}

// setLevel tries the sources of each cluster through which the proxy can be
// reached, until one has set the level.
func (p *Proxy) setLevel(ctx context.Context, logger, level string) error {
	ctx, release, err := p.loader.store.Slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	var first error
	for _, at := range p.AllPlaces() {
		for _, s := range at.Cluster.Sources {
			l, ok := s.(LevelSetter)
			if !ok {
				continue
			}
			body, err := l.SetLevel(ctx, at.Name, logger, level)
			if err == nil {
				return checkLevelSet(body)
			}
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return errors.New("it is not live")
	}
	return first
}

// checkLevelSet returns an error unless the answer is a list of loggers, which
// Envoy and ztunnel return when they have set a level.
func checkLevelSet(body *transport.Body) error {
	text := make([]byte, min(body.Size(), 200))
	if _, err := body.ReadAt(text, 0); err != nil && int64(len(text)) < body.Size() {
		return err
	}
	if !strings.HasPrefix(string(text), "active loggers:") && !strings.HasPrefix(string(text), ztunnel.LevelPrefix) {
		return fmt.Errorf("unexpected answer %q", text)
	}
	return nil
}
