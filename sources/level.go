package sources

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Leveler is a source that can set how much a logger of a proxy's Envoy says;
// an empty logger is all of them. Recorded sources can't.
type Leveler interface {
	SetLevel(ctx context.Context, proxy, logger, level string) (*transport.Body, error)
}

// SetLevel sets how much a logger of a live proxy says. It changes the proxy:
// the only method here that does. What the proxy's loggers were before, where
// that was loaded, stays in the document. The error is a fault of the proxy's.
func (m *Mesh) SetLevel(ctx context.Context, proxy *mesh.Object, logger, level string) error {
	out, err := m.outline.Get(ctx)
	if err != nil {
		return err
	}
	r := out.rows[proxy]
	if r == nil {
		return errors.New("not a proxy of this mesh")
	}
	if err = r.setLevel(ctx, logger, level); err != nil {
		return m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: string(mesh.Loggers), Err: err})
	}
	return nil
}

// setLevel asks the sources where the proxy can be asked, until one does it.
func (r *row) setLevel(ctx context.Context, logger, level string) error {
	if r.kind() == mesh.ZTunnel {
		return errors.New("the loggers of a ztunnel are not set here")
	}
	release, err := r.m.store.Slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	var errs []error
	for _, at := range r.where() {
		for _, s := range at.realm.sources {
			l, ok := s.(Leveler)
			if !ok {
				continue
			}
			body, err := l.SetLevel(ctx, at.name, logger, level)
			if err == nil {
				return taken(body)
			}
			errs = append(errs, err)
		}
	}
	if errs == nil {
		return errors.New("it is not live")
	}
	return errs[0]
}

// taken tells from the answer whether the levels were set: Envoy lists
// its loggers where they were.
func taken(body *transport.Body) error {
	text := make([]byte, min(body.Size(), 200))
	if _, err := body.ReadAt(text, 0); err != nil && int64(len(text)) < body.Size() {
		return err
	}
	const sign = "active loggers:"
	if len(text) >= len(sign) && string(text[:len(sign)]) == sign {
		return nil
	}
	return fmt.Errorf("unexpected answer %q", text)
}
