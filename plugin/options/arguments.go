package options

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Arguments are the arguments of a named query that were given, by the names
// of their variables.
type Arguments map[string]any

// Bind adds the flags of a query, and those of its own arguments. An argument
// may replace a lendable flag.
func (a Arguments) Bind(f *Flags, s *pflag.FlagSet, q shipped.Query) {
	base := pflag.NewFlagSet(q.Name, pflag.ContinueOnError)
	f.Bind(base)
	own := map[string]bool{}
	for _, arg := range q.Args {
		own[arg.Name] = true
	}
	f.normalize(s)
	base.VisitAll(func(flag *pflag.Flag) {
		if !own[flag.Name] || !slices.Contains(Lendable, flag.Name) {
			s.AddFlag(flag)
		}
	})
	for _, arg := range q.Args {
		a.bindOne(s, arg)
	}
}

func (a Arguments) bindOne(s *pflag.FlagSet, arg shipped.Argument) {
	flag := s.VarPF(&argument{arg, a}, arg.Name, arg.Short, arg.Doc)
	if arg.Type == shipped.Switch {
		flag.NoOptDefVal = "true"
	}
}

// Lendable are the kubeconfig flags whose names an argument of a query may
// take.
var Lendable = []string{"cluster"}

// Reserved reports whether an argument would take the name of a flag that
// every query has.
func Reserved(arg shipped.Argument) bool {
	s := pflag.NewFlagSet("", pflag.ContinueOnError)
	NewFlags().Bind(s)
	return s.Lookup(arg.Name) != nil || arg.Name == "help" || arg.Short == "h" || arg.Short != "" && s.ShorthandLookup(arg.Short) != nil
}

// An argument is the flag of an argument of a query.
type argument struct {
	shipped.Argument
	given Arguments
}

func (a *argument) Set(text string) error {
	v, err := a.Value(text)
	var none *shipped.NameError
	if errors.As(err, &none) {
		if near := syntax.Nearest(none.Choices, none.Name); near != "" {
			return fmt.Errorf("no check named %s; did you mean %s?", none.Name, near)
		}
	}
	if err != nil {
		return err
	}
	if names, ok := v.([]any); ok { // the flag may be repeated
		before, _ := a.given[a.Variable()].([]any)
		v = slices.Concat(before, names)
	}
	a.given[a.Variable()] = v
	return nil
}

func (a *argument) String() string { return a.Default }

func (a *argument) Type() string {
	if a.Argument.Type == shipped.Switch {
		return "bool"
	}
	return a.Takes
}

// A QueryFile is the file of -f. It is read before the flags are parsed, since
// its header declares flags.
type QueryFile struct {
	shipped.Query
	Path string // "-" is standard input
	Args Arguments
	Err  error // of reading it
}

// Add adds the arguments of a query to a flag set, except those whose flag it
// already has: they are given with --arg.
func (a Arguments) Add(s *pflag.FlagSet, q shipped.Query) {
	for _, arg := range q.Args {
		if s.Lookup(arg.Name) == nil {
			a.bindOne(s, arg)
		}
	}
}
