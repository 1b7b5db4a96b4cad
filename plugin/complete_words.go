package plugin

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd/api"
)

// traceName is the name of the command trace.
const traceName = "trace"

const noFiles = cobra.ShellCompDirectiveNoFileComp

// words completes the words of a command. The first word is a query, the name of
// one, or a file. The other words are proxies.
func (c completion) words(cmd *cobra.Command, args []string, begun string) (out []string, _ cobra.ShellCompDirective) {
	given := len(c.Files) > 0 || c.Query != "" || c.named != nil || cmd.Name() == options.DiffName || cmd.Name() == traceName
	switch {
	case len(args) == 0 && cmd.Name() == "snapshot":
		return nil, cobra.ShellCompDirectiveDefault // the file that snapshot writes
	case len(args) == 0 && !given && (c.Plain() || begun != "" && !saved.Name.MatchString(begun)):
		return c.queries(cmd, begun)
	case c.Plain():
		return nil, noFiles
	case len(args) == 0 && !given:
		return c.names(cmd, begun), noFiles
	case cmd.Name() == traceName && len(args) == 1:
		return c.urls(cmd, begun)
	case cmd.Name() == traceName && len(args) > 1:
		return nil, noFiles
	case c.named != nil && c.named.Words != "" && !strings.Contains(c.named.Words, "POD") && !strings.Contains(c.named.Words, "PROXY"):
		return nil, noFiles
	}
	if kind, _, ok := strings.Cut(begun, "/"); ok && c.named != nil && c.named.Name == "describe" {
		return begunWith(begun, c.described(cmd, kind)), noFiles
	}
	for _, id := range c.proxies(cmd) {
		if strings.HasPrefix(id, begun) && !slices.Contains(args, id) {
			out = append(out, id)
		}
	}
	return out, noFiles
}

// described returns the objects of a kind that the query describe takes, each as
// kind/name.namespace.
func (c completion) described(cmd *cobra.Command, kind string) (out []string) {
	var names []string
	switch kind {
	case "svc", "service", "services":
		names = c.objects(cmd, "services")
	case "vs", "virtualservice":
		names = c.objects(cmd, "virtualServices")
	case "gw", "gateway":
		names = c.objects(cmd, "gateways")
	case "pod", "pods", "po":
		names = c.proxies(cmd)
	}
	for _, name := range names {
		out = append(out, kind+"/"+name)
	}
	return out
}

// names returns the names of the subcommands. cobra completes them itself unless a
// flag precedes them.
func (c completion) names(cmd *cobra.Command, begun string) (out []string) {
	if cmd.Flags().NFlag() == 0 {
		return nil
	}
	for _, sub := range cmd.Commands() {
		if strings.HasPrefix(sub.Name(), begun) && sub.IsAvailableCommand() {
			out = append(out, sub.Name()+"\t"+sub.Short)
		}
	}
	return out
}

// urls returns the URLs that a request can have: one for each port of each Service.
func (c completion) urls(cmd *cobra.Command, begun string) (out []string, _ cobra.ShellCompDirective) {
	if !strings.Contains(begun, "://") {
		for _, scheme := range []string{"http://", "https://", "tcp://", "tls://"} {
			if strings.HasPrefix(scheme, begun) {
				out = append(out, scheme)
			}
		}
		return out, noFiles | cobra.ShellCompDirectiveNoSpace
	}
	scheme, _, _ := strings.Cut(begun, "://")
	for _, s := range c.services(cmd) {
		url := scheme + "://" + s
		if strings.HasPrefix(scheme, "http") {
			url += "/"
		}
		if strings.HasPrefix(url, begun) {
			out = append(out, url)
		}
	}
	return out, noFiles | cobra.ShellCompDirectiveNoSpace
}

// onTopics completes the topics of the command help.
func onTopics(root *rootCommand, help *cobra.Command) *cobra.Command {
	help.ValidArgsFunction = func(_ *cobra.Command, words []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(words) > 0 {
			return nil, noFiles
		}
		return begunWith(begun, root.topics()), noFiles
	}
	return help
}

func begunWith(begun string, all []string) (out []string) {
	for _, s := range all {
		if strings.HasPrefix(s, begun) {
			out = append(out, s)
		}
	}
	return out
}

// topics returns the names of all topics on which help has a page.
func (r *rootCommand) topics() []string {
	all := help.Topics()
	for _, f := range library.Functions() {
		all = append(all, f.Name)
	}
	for _, k := range sources.Kinds() {
		all = append(all, k.Name)
	}
	for _, cmd := range r.Commands() {
		if cmd.IsAvailableCommand() {
			all = append(all, cmd.Name())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// values returns candidates for the value of a named query's argument: its choices,
// the names of checks, or values from the mesh.
func (c completion) values(cmd *cobra.Command, arg shipped.Argument) []string {
	if arg.Choices != nil {
		return arg.Choices
	}
	if c.named.Name == "check" && (arg.Name == "only" || arg.Name == "skip") {
		var names []string
		for _, q := range shipped.Checks() {
			names = append(names, q.Name)
		}
		return names
	}
	what, ok := map[string]string{
		"clusters.fqdn": ".clusters[].fqdn", "clusters.port": ".clusters[].port | values | tostring", "clusters.subset": ".clusters[].subset",
		"listeners.name": ".listeners[].name", "listeners.port": ".listeners[].port | values | tostring", "listeners.address": ".listeners[].host",
		"routes.name": ".routes[].name", "endpoints.cluster": ".endpoints[].cluster", "endpoints.address": ".endpoints[].ip", "endpoints.port": ".endpoints[].port | values | tostring",
		"secrets.name": ".secrets[].name",
	}[c.named.Name+"."+arg.Name]
	switch arg.Name { // of the queries about ztunnels
	case "node", "workload-node":
		if len(c.Snapshots) == 0 { // of a live mesh, only names are read
			return c.known(cmd, "nodes", nodeNames)
		}
		what, ok = `select(.type == "ztunnel") | .node`, true
	case "workload-namespace", "service-namespace", "policy-namespace":
		return c.namespaces(cmd, "")
	}
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	c.look(cmd, ".proxies[] | "+what+" | strings | debug | empty", func(v any) bool {
		if s, ok := v.(string); ok && s != "" {
			seen[s] = true
		}
		return len(seen) < mostValues
	})
	return slices.Sorted(maps.Keys(seen))
}

// mostValues is the maximum number of candidates for the value of a flag.
const mostValues = 500

func (c completion) formats(*cobra.Command, string) (out []string) {
	for _, f := range printers.Formats() {
		if f.Takes != "" {
			f.Name += "="
		}
		out = append(out, f.Name)
	}
	return out
}

// kubeconfig returns the kubeconfig. It stops at the time limit for a completion.
func (c completion) kubeconfig(ctx context.Context) (api.Config, error) {
	ctx, stop := context.WithTimeout(ctx, liveTime)
	defer stop()
	return process.Await(ctx, c.Kube.ToRawKubeConfigLoader().RawConfig)
}

func (c completion) contextNames(cmd *cobra.Command, _ string) []string {
	config, err := c.kubeconfig(cmd.Context())
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.Contexts))
}

func (c completion) clusterNames(cmd *cobra.Command, _ string) []string {
	config, err := c.kubeconfig(cmd.Context())
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.Clusters))
}

func (c completion) userNames(cmd *cobra.Command, _ string) []string {
	config, err := c.kubeconfig(cmd.Context())
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.AuthInfos))
}
