package istioctl

import (
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Spelling is a command of istioctl together with the query that the plugin runs
// for it.
type Spelling struct {
	Words   []string // the command's names, beginning with istioctl's main name, as in "clusters", "cluster", "c"
	Query   string   // the name of the query; empty if the command has only subcommands or isn't supported
	Short   string   // the name of the query for -o short, if that is a different query
	kind    string   // a prefix for the command's arguments that states their kind, such as svc
	Given   options.Arguments
	Columns []string // the table's columns, if they differ from the query's
	Pod     string   // the command that is run instead if the user names proxies, such as diff
	Not     string   // the reason why the plugin doesn't support the command; empty if it does
	Below   []Spelling
}

// Spellings returns the commands of istioctl that the plugin supports or explicitly
// rejects.
func Spellings() []Spelling {
	ofZtunnels := options.Arguments{"of": mesh.ZTunnel}
	return []Spelling{
		{Words: []string{"proxy-status", "ps"}, Query: run.StatusName, Pod: options.DiffName},
		{Words: []string{"proxy-config", "pc"}, Below: []Spelling{
			{Words: []string{"all", "a"}, Query: "all"},
			{Words: []string{"bootstrap", "b"}, Query: "bootstrap", Short: "versions"},
			{Words: []string{"clusters", "cluster", "c"}, Query: "clusters"},
			{Words: []string{"ecds", "ec"}, Query: "extensions"},
			{Words: []string{"eds"}, Query: "endpoints", Columns: []string{"PROXY", "ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"}},
			{Words: []string{"endpoints", "endpoint", "ep"}, Query: "endpoints"},
			{Words: []string{"listeners", "listener", "l"}, Query: "listeners"},
			{Words: []string{"log", "o"}, Query: run.LogName},
			{Words: []string{"rootca-compare", "rc"}, Query: "rootca"},
			{Words: []string{"routes", "route", "r"}, Query: "routes"},
			{Words: []string{"secrets", "secret", "s"}, Query: "secrets"},
		}},
		{Words: []string{"ztunnel-config", "zc"}, Below: []Spelling{
			{Words: []string{"all"}, Query: "ambient"},
			{Words: []string{"certificates", "certificate", "certs", "cert"}, Query: "secrets", Given: ofZtunnels},
			{Words: []string{"connections", "connection", "cons"}, Query: "connections"},
			{Words: []string{"log", "o"}, Query: run.LogName, Given: ofZtunnels},
			{Words: []string{"policies", "policy", "p", "pol"}, Query: "policies"},
			{Words: []string{"services", "service", "svc", "s"}, Query: "services"},
			{Words: []string{"workloads", "workload", "w"}, Query: "workloads"},
		}},
		{Words: []string{"experimental", "x"}, Below: []Spelling{
			{Words: []string{"describe", "des"}, Below: []Spelling{
				{Words: []string{"pod", "po"}, Query: "describe", kind: "pod"},
				{Words: []string{"service", "svc"}, Query: "describe", kind: "svc"},
			}},
			{Words: []string{"envoy-stats", "es"}, Query: "stats"},
		}},
	}
}

// About returns the words of the command's arguments. If the arguments have a
// known kind, its prefix is added.
func (s Spelling) About(words []string) []string {
	if s.kind == "" {
		return words
	}
	var out []string
	for _, word := range words {
		out = append(out, s.kind+"/"+word)
	}
	return out
}
