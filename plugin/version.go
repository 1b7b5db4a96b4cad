package plugin

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/jsontext"
	"github.com/spf13/cobra"
)

// version returns the version of the module. If there is none, it returns the
// commit from which the plugin was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func printVersion(w *process.World) error {
	_, err := fmt.Fprintf(w.Out, "kubectl-meshq %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// printBuild prints how the plugin was built, and which limits and libraries affect
// the results of queries.
func printBuild(w *process.World) error {
	_, err := fmt.Fprintf(w.Out, "kubectl-meshq %s %s %s/%s jq=1.8.2 regex=RE2 integers=exact depth=%d\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, jsontext.MaxDepth)
	return err
}

func versionCommand(w *process.World) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return printVersion(w) },
	}
}
