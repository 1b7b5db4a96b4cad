package istioctl

import (
	"errors"
	"slices"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/spf13/pflag"
)

// istioctlNames maps flags of istioctl to the plugin's flags, where their names
// differ.
var istioctlNames = map[string]string{
	"istioNamespace":     "istio-namespace",
	"kubeclient-timeout": "request-timeout",
}

// BindIstioctl adds the plugin's flags to an istioctl command. It leaves out the
// short forms that mean something else in istioctl: there, -f is a config dump, -r
// the revision and -c the kubeconfig. The flags that only the istioctl command has
// are added first.
func BindIstioctl(s, ours *pflag.FlagSet, theirs []*pflag.Flag) {
	s.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if ours := istioctlNames[name]; ours != "" {
			name = ours
		}
		return pflag.NormalizedName(name)
	})
	for _, flag := range theirs {
		s.AddFlag(flag)
	}
	ours.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "filename" || flag.Name == "query" || s.Lookup(flag.Name) != nil {
			return
		}
		own := *flag
		if slices.Contains([]string{"c", "r", "v"}, own.Shorthand) {
			own.Shorthand = ""
		}
		if short := istioctlShort[own.Name]; short != "" && s.ShorthandLookup(short) == nil {
			own.Shorthand = short
		}
		s.AddFlag(&own)
	})
	if s.Lookup("file") == nil {
		file := *ours.Lookup("snapshot")
		file.Name, file.Shorthand, file.Usage = "file", "f", "a config dump, instead of asking an Envoy"
		s.AddFlag(&file)
	}
}

// istioctlShort maps flags of the plugin to their short forms in istioctl.
var istioctlShort = map[string]string{"kubeconfig": "c", "revision": "r", "reset": "r"}

// Foreign returns the flags of this istioctl command that the plugin doesn't
// have.
func (s Spelling) Foreign(dumpFile *string) (out []*pflag.Flag) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Int("vklog", 0, "accepted")
	if s.Pod == options.DiffName {
		set.StringVarP(dumpFile, "file", "f", "", "a config dump of the proxy that is named, instead of asking its Envoy")
		set.IntP("verbosity", "v", 0, "accepted: the states are always shown")
		for _, name := range []string{"authority", "cert-dir", "xds-address", "xds-label", "xds-port"} {
			set.Var(refusal(byDebugPort), name, "not here")
		}
		for _, name := range []string{"insecure", "plaintext"} {
			set.VarPF(refusal(byDebugPort), name, "", "not here").NoOptDefVal = "true"
		}
	}
	if s.Query == "all" || s.Query == "ambient" {
		set.Bool("with-headers", false, "accepted: each table says what it is")
	}
	set.VisitAll(func(flag *pflag.Flag) { out = append(out, flag) })
	return out
}

const byDebugPort = "istiod is asked at its debug port, not over xDS: by way of the API server, or where --pilot http://HOST:15014 says; --revision chooses one"

// A refusal is the value of a flag that isn't supported. Setting the flag fails with
// the text of the refusal.
type refusal string

func (r refusal) Set(string) error { return errors.New(string(r)) }
func (r refusal) String() string   { return "" }
func (r refusal) Type() string     { return "string" }
