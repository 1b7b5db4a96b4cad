package run

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/plugin/input"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Variables binds the variables of --arg and similar flags. If several flags
// set the same name, the last one is used.
func (r *Run) Variables(ctx context.Context) error {
	named := object.New(0)
	for _, b := range r.Argv.Bindings {
		v, err := bound(ctx, b)
		if err != nil {
			return err
		}
		named.Set(b.Name, v)
		if !slices.Contains(r.names, "$"+b.Name) {
			r.names = append(r.names, "$"+b.Name)
		}
	}
	positional := make([]any, len(r.Argv.Positional))
	for i, word := range r.Argv.Positional {
		positional[i] = word
		if r.Argv.JSON[i] {
			v, err := input.DecodeText(word)
			if err != nil {
				return process.Usagef("--jsonargs: %s: %s", word, process.Fact(err))
			}
			positional[i] = v
		}
	}
	if err := declared(r, named); err != nil {
		return err
	}
	if s := sessionOf(ctx); s != nil {
		names, values := s.Variables()
		for i, name := range names {
			bindVariable(r, named, name[1:], values[i])
		}
	}
	for _, n := range r.names {
		r.Values = append(r.Values, named.Get(n[1:]))
	}
	if !slices.Contains(r.names, "$ARGS") {
		r.names = append(r.names, "$ARGS")
		r.Values = append(r.Values, object.Of("named", named, "positional", positional))
	}
	return nil
}

// declared binds the arguments that the header of the query declares. The value
// of an argument comes from its flag, otherwise from --arg, otherwise from its
// default.
func declared(r *Run, named *object.Object) error {
	if r.Request.named == nil {
		return nil
	}
	for _, arg := range r.Request.named.Args {
		name := arg.Variable()
		v, given := named.Lookup(name)
		text, isText := v.(string)
		switch flag, ok := r.Request.arguments[name]; {
		case ok:
			v = flag
		case !given:
			v = arg.Unset()
		case isText:
			var err error
			if v, err = arg.Value(text); err != nil {
				return process.Usagef("--arg %s: %s", name, process.Fact(err))
			}
		}
		bindVariable(r, named, name, v)
	}
	if r.Request.named.Words != "" {
		words := make([]any, len(r.Request.words))
		for i, word := range r.Request.words {
			words[i] = word
		}
		bindVariable(r, named, "words", words)
	}
	return nil
}

func bindVariable(r *Run, named *object.Object, name string, v any) {
	named.Set(name, v)
	if !slices.Contains(r.names, "$"+name) {
		r.names = append(r.names, "$"+name)
	}
}

func bound(ctx context.Context, b options.Binding) (any, error) {
	switch b.Flag {
	case "--argjson":
		v, err := input.DecodeText(b.Value)
		if err != nil {
			return nil, process.Usagef("--argjson %s: %s", b.Name, process.Fact(err))
		}
		return v, nil
	case "--rawfile":
		text, err := process.ReadWhole(ctx, b.Value)
		if err != nil {
			return nil, unread(ctx, b, err)
		}
		return string(text), nil
	case "--slurpfile":
		f, err := process.OpenFile(ctx, b.Value)
		if err != nil {
			return nil, unread(ctx, b, err)
		}
		defer f.Close()
		vs, err := input.DecodeAll(f)
		if err != nil {
			return nil, unread(ctx, b, err)
		}
		return vs, nil
	}
	return b.Value, nil
}

// unread returns the error to report if the file of a flag could not be read. If
// ctx has ended in the meantime, that is the reason why the run ended.
func unread(ctx context.Context, b options.Binding, err error) error {
	if ctx.Err() != nil {
		return process.Exit(process.ExitRun, ctx.Err())
	}
	return process.Usagef("%s %s: %s: %s", b.Flag, b.Name, b.Value, process.Fact(err))
}
