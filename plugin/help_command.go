package plugin

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/istioctl"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/spf13/cobra"
)

// manualCommand returns the command "docs DIR", which writes the pages of the
// manual to a folder.
func manualCommand(w *process.World, root *rootCommand) *cobra.Command {
	var man bool
	cmd := &cobra.Command{
		Use:    "docs DIR",
		Short:  "Write the pages of the manual into a folder",
		Hidden: true,
		Args:   one("docs: the folder to write to"),
		RunE: func(_ *cobra.Command, words []string) error {
			if err := os.MkdirAll(words[0], 0o755); err != nil {
				return process.Usagef("%s: %s", words[0], process.Fact(err))
			}
			for name, text := range help.Manual(root.Command, root.isQuery, man) {
				if err := os.WriteFile(filepath.Join(words[0], name), []byte(text), 0o644); err != nil {
					return process.Usagef("%s: %s", name, process.Fact(err))
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&man, "man", false, "as man pages, not as Markdown")
	return cmd
}

// helpCommand returns the command "help [TOPIC]". A topic is a command, a function,
// a kind of object in the document, or a page of help.
func helpCommand(w *process.World, root *rootCommand) *cobra.Command {
	root.AddCommand(manualCommand(w, root))
	return &cobra.Command{
		Use:   "help [TOPIC]",
		Short: "Help about " + strings.Join(help.Topics(), ", ") + ", a command, a function or a kind",
		Long:  help.HelpLong(),
		RunE: func(_ *cobra.Command, words []string) error {
			if len(words) == 0 {
				return help.PrintOverview(w.Out, process.CalledAs(w.Args[0]), root.Command)
			}
			return helpOn(w, root, words)
		},
	}
}

func helpOn(w *process.World, root *rootCommand, words []string) error {
	topic := strings.Join(words, "-") // several words, as in "help exit codes", name one topic
	for _, p := range help.Pages() {
		if p.Name == topic {
			p.Print(w.Out)
			return nil
		}
	}
	if topic == "istioctl" {
		istioctl.PrintSpellings(w.Out, process.CalledAs(w.Args[0]))
		return nil
	}
	if topic == "options" {
		return help.PrintOptions(w.Out, root.Flags())
	}
	if s, ok := help.FindSymptom(topic); ok {
		help.PrintSymptom(w.Out, s, process.CalledAs(w.Args[0]))
		return nil
	}
	if cmd, rest, err := root.Find(words); err == nil && cmd != root.Command && len(rest) == 0 {
		return cmd.Help()
	}
	found := false
	for _, f := range library.Functions() {
		if f.Name == topic {
			help.PrintFunction(w.Out, f)
			found = true
		}
	}
	for _, k := range sources.Kinds() {
		if k.Name == topic {
			help.PrintKind(w.Out, k)
			found = true
		}
	}
	if !found {
		return process.Usagef("no help on %s; topics are %s, and every function and kind", topic, strings.Join(help.Topics(), ", "))
	}
	return nil
}
