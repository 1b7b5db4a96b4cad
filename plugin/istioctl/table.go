package istioctl

import (
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Spelling is a command of istioctl's and the query that stands for it.
type Spelling struct {
	Words   []string // its names, the first istioctl's own: "clusters", "cluster", "c"
	Query   string   // the query of ours; empty: it has commands below it, or there is none
	Short   string   // the query for -o short, where that is another
	kind    string   // what its words name, in front of them: svc
	Given   options.Arguments
	Columns []string // of its table, where istioctl's is another than the query's
	Pod     string   // the command that it is when proxies are named: diff
	Not     string   // why there is no such command here
	Below   []Spelling
}

// Spellings are the commands of istioctl's that are known here, by its names.
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
			{Words: []string{"log", "o"}, Not: "the log level of a ztunnel is neither read nor set here"},
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

// About says of the words what istioctl's command says they are.
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
