package library

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// standIns look at what the Go functions look at, and what tells the kind of
// its input apart while it runs. Of a listener's own routes the words of a query
// say nothing; what Pilot would send stands under a name that no proxy has.
const standIns = `
def _kind: .kind;
def _named: .id, .name, .workload, .clusterID, .context;
def _proxy($name): (.proxies, arrays) | .[] | objects | select([_named] == $name);
def _proxies($name): _proxy($name);
def _in($section): .proxies[][$section], .[$section], (arrays | ., [.[]], (.[] | objects | .[$section]));
def _list: arrays;
def _routable: .kind, (arrays | .[0].kind) | not;
def _words: [.sync[].status];
def _desired: .desired;
def _outline: if type == "object" then {OUTLINE} else . end;
def _shadows: .[] | .match, .virtualService;
def _unknown($section; $message): .id;
def _time: not;
def _duration: not;
def _cidr($block): not;
def _semver($range): not;
`

// StandIns gives definitions, in the words of the language, for the functions
// that aren't written in it: they look at what these look at.
func StandIns() (*syntax.Program, error) {
	var outline []string
	k, _ := mesh.KindOf("Proxy")
	for _, f := range k.Fields {
		if f.Cost == mesh.InOutline {
			outline = append(outline, f.Name)
		}
	}
	return syntax.Parse("library", strings.Replace(standIns, "OUTLINE", strings.Join(outline, ", "), 1))
}
