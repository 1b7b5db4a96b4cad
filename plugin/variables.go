package plugin

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// variables gathers what --arg and the like bind; the last of a name wins.
func (r *run) variables(ctx context.Context) error {
	named := object.New(0)
	for _, b := range r.argv.bindings {
		v, err := b.bound(ctx)
		if err != nil {
			return err
		}
		named.Set(b.name, v)
		if !slices.Contains(r.names, "$"+b.name) {
			r.names = append(r.names, "$"+b.name)
		}
	}
	positional := make([]any, len(r.argv.positional))
	for i, word := range r.argv.positional {
		positional[i] = word
		if r.argv.json[i] {
			v, err := decodeText(word)
			if err != nil {
				return usage("--jsonargs: %s: %s", word, fact(err))
			}
			positional[i] = v
		}
	}
	if err := r.declared(named); err != nil {
		return err
	}
	for _, n := range r.names {
		r.values = append(r.values, named.Get(n[1:]))
	}
	if !slices.Contains(r.names, "$ARGS") {
		r.names = append(r.names, "$ARGS")
		r.values = append(r.values, object.Of("named", named, "positional", positional))
	}
	return nil
}

// declared adds the arguments that the query's header declares: as they were
// given by their flags or by --arg, else what they are when they are not.
func (r *run) declared(named *object.Object) error {
	if r.asked.named == nil {
		return nil
	}
	for _, arg := range r.asked.named.Args {
		name := arg.Variable()
		v, given := named.Lookup(name)
		text, isText := v.(string)
		switch flag, ok := r.asked.arguments[name]; {
		case ok:
			v = flag
		case !given:
			v = arg.Unset()
		case isText:
			var err error
			if v, err = arg.Value(text); err != nil {
				return usage("--arg %s: %s", name, fact(err))
			}
		}
		r.bindVariable(named, name, v)
	}
	if r.asked.named.Words != "" {
		words := make([]any, len(r.asked.words))
		for i, word := range r.asked.words {
			words[i] = word
		}
		r.bindVariable(named, "words", words)
	}
	return nil
}

func (r *run) bindVariable(named *object.Object, name string, v any) {
	named.Set(name, v)
	if !slices.Contains(r.names, "$"+name) {
		r.names = append(r.names, "$"+name)
	}
}

func (b binding) bound(ctx context.Context) (any, error) {
	switch b.flag {
	case "--argjson":
		v, err := decodeText(b.value)
		if err != nil {
			return nil, usage("--argjson %s: %s", b.name, fact(err))
		}
		return v, nil
	case "--rawfile":
		text, err := readWhole(ctx, b.value)
		if err != nil {
			return nil, b.unread(ctx, err)
		}
		return string(text), nil
	case "--slurpfile":
		f, err := openFile(ctx, b.value)
		if err != nil {
			return nil, b.unread(ctx, err)
		}
		defer f.Close()
		vs, err := decodeAll(f)
		if err != nil {
			return nil, b.unread(ctx, err)
		}
		return vs, nil
	}
	return b.value, nil
}

// unread is the error of a file that could not be read, or of a run that ended
// meanwhile.
func (b binding) unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exitError{exitRun, ctx.Err()}
	}
	return usage("%s %s: %s: %s", b.flag, b.name, b.value, fact(err))
}

var limits = decode.Limits{Depth: 10_000, String: 1 << 30, Total: 1 << 40}
