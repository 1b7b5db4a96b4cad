package options

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Arguments are the values of a named query's arguments that the command line sets.
// The keys are the names of the query's variables.
type Arguments map[string]any

// Bind adds the flags that every query has to s, and a flag for each argument of q.
// An argument may have the name of a flag in Lendable; s then gets only the
// argument's flag.
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

// Lendable are the names of kubeconfig flags that an argument of a query may use as
// its own name.
var Lendable = []string{"cluster"}

// Reserved reports whether an argument has the name of a flag that every query has.
func Reserved(arg shipped.Argument) bool {
	s := pflag.NewFlagSet("", pflag.ContinueOnError)
	NewFlags().Bind(s)
	return s.Lookup(arg.Name) != nil || arg.Name == "help" || arg.Short == "h" || arg.Short != "" && s.ShorthandLookup(arg.Short) != nil
}

// An argument implements pflag's Value for the flag of a query's argument.
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
	if names, ok := v.([]any); ok { // the flag may be repeated, so its values are collected
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

// A QueryFile is the query file that -f names. It is read before the flags are
// parsed, because its header declares flags.
type QueryFile struct {
	shipped.Query
	Path string // the path of the file; "-" is standard input
	Args Arguments
	Err  error // the error from reading the file
}

// Add adds a flag for each argument of q to s. It omits an argument whose name is
// already a flag of s: the user can set it with --arg.
func (a Arguments) Add(s *pflag.FlagSet, q shipped.Query) {
	for _, arg := range q.Args {
		if s.Lookup(arg.Name) == nil {
			a.bindOne(s, arg)
		}
	}
}
