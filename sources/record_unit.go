package sources

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A unit is what is asked of one speaker, one question after another: an Envoy
// is asked one thing at a time, and one that can't be reached is not asked
// again. Of Kubernetes each resource is a unit.
type unit struct {
	proxy bool // it is of a proxy itself
	wants []wanted
	done  chan struct{} // closed when what follows is there

	items  []*item
	faults []*mesh.Fault
	err    error // ctx's
}

// A wanted is a question, and what is done with its answer.
type wanted struct {
	question
	also string // what else to ask for, where there is no answer
	row  *row   // who is asked, of a proxy: wherever it can be
	file func(transport.Form) string
	lack mesh.Fault // that there is no answer
	kind string     // of the objects of a list of Kubernetes, with their group
}

// ask asks for all that a unit wants.
func (c *recorder) ask(ctx context.Context, u *unit) {
	for i, w := range u.wants {
		it, err := c.answer(ctx, w)
		if err != nil && w.of == kubernetes && c.realm.alive() && errors.Is(err, fs.ErrNotExist) && !c.realm.without(err) {
			it, err = emptyList(w), nil
		}
		if ctx.Err() != nil {
			u.err = context.Cause(ctx)
			return
		}
		c.tally.answered(it)
		switch {
		case err == nil:
			u.items = append(u.items, it)
		case !c.spare(w, err):
			f := w.lack
			f.Err = err
			u.faults = append(u.faults, &f)
			if !speaks(err) {
				for range u.wants[i+1:] {
					c.tally.answered(nil)
				}
				return
			}
		}
	}
}

// emptyList is the list of a resource that the cluster doesn't have: what is
// read back says then what the cluster said.
func emptyList(w wanted) *item {
	text := `{"apiVersion":"v1","items":[],"kind":"List"}` + "\n"
	return &item{
		name: w.file(transport.JSON), size: int64(len(text)), drop: func() {},
		body: &transport.Body{Bytes: strings.NewReader(text), Name: w.what, Form: transport.JSON},
	}
}

// size is how many bytes the answers have.
func (u *unit) size() (n int64) {
	for _, it := range u.items {
		n += it.body.Size()
	}
	return n
}

// spare tells what need not be there: what a snapshot doesn't hold, a resource
// that a cluster doesn't have, an endpoint that an older istiod doesn't.
func (c *recorder) spare(w wanted, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return !c.realm.alive() || w.of == kubernetes // a mesh of addresses has none
	}
	var no refused
	if w.of == aPilot && errors.As(err, &no) {
		code, _ := no.Status()
		return code == http.StatusNotFound
	}
	return false
}

// speaks tells whether who gave no answer may give one to another question.
func speaks(err error) bool {
	var no refused
	var odd *unfit
	return errors.As(err, &no) || errors.As(err, &odd)
}

// An unfit answer came, and can't be recorded.
type unfit struct{ error }

func (u *unfit) Unwrap() error { return u.error }

// answer asks a question and makes a file of what comes.
func (c *recorder) answer(ctx context.Context, w wanted) (*item, error) {
	body, err := c.whole(ctx, w)
	if err != nil {
		return nil, err
	}
	it := &item{body: body, form: transport.JSON, kind: w.kind, drop: c.dropping(w, body)}
	if body.Form == transport.Text {
		it.form = transport.Text
	}
	if it.name = w.file(it.form); it.name == "" {
		err = errors.New("a snapshot has no place for it")
	} else {
		err = it.look(ctx, c.policy)
	}
	if err != nil {
		it.drop()
		return nil, &unfit{err}
	}
	return it, nil
}

// whole gives an answer. What the outline was made of must be in the snapshot
// as it was then; all else is asked for anew, and kept nowhere.
func (c *recorder) whole(ctx context.Context, w wanted) (body *transport.Body, err error) {
	if c.outlined(w.question) {
		return c.Mesh.ask(ctx, w.question)
	}
	if w.row == nil {
		body, err = c.put(ctx, w.question, &answer{})
		if w.also != "" && errors.Is(err, fs.ErrNotExist) {
			w.what = w.also
			body, err = c.put(ctx, w.question, &answer{})
		}
		return body, err
	}
	for i, at := range w.row.where() {
		b, e := c.put(ctx, question{at.realm, aProxy, at.name, w.what}, &answer{})
		if e == nil || !errors.Is(e, fs.ErrNotExist) {
			return b, e
		}
		if i == 0 {
			err = e
		}
	}
	return nil, err
}

func (c *recorder) outlined(q question) bool {
	return q.of == aPilot && (q.what == "syncz" || q.what == "adsz") || q.of == kubernetes && q.what == "pods"
}

// dropping gives what gives an answer of a live mesh back. What the outline
// and lists were made of is still needed.
func (c *recorder) dropping(w wanted, body *transport.Body) func() {
	d, ok := body.Bytes.(interface{ Discard() })
	if !ok || !c.realm.alive() || w.of == kubernetes || c.outlined(w.question) {
		return func() {}
	}
	return d.Discard
}

// where gives the places where a proxy can be asked, or could if it were there.
func (r *row) where() []place {
	if r.places == nil {
		return []place{{r.home, r.id}}
	}
	return r.places
}
