package istioctl

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// PrintSpellings prints the help page on the supported commands of istioctl. name is
// the name of the plugin.
func PrintSpellings(out io.Writer, name string) {
	fmt.Fprintf(out, istioctlPage, name)
	tab := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	fmt.Fprintf(tab, "  ISTIOCTL\tHERE\tTHE QUERY\n")
	for _, s := range Spellings() {
		printSpelling(tab, s, "istioctl", name)
	}
	tab.Flush() // write errors are ignored when help is printed
}

func printSpelling(tab io.Writer, s Spelling, before, name string) {
	before += " " + strings.Join(s.Words, "|")
	for _, below := range s.Below {
		printSpelling(tab, below, before, name)
	}
	if s.Query != "" {
		fmt.Fprintf(tab, "  %[1]s\t%[2]s %[3]s\t%[2]s show %[3]s\n", before, name, s.Query)
	}
	if s.Pod != "" {
		fmt.Fprintf(tab, "  %s POD\t%s %s POD\t.proxies[] | %s\n", before, name, s.Pod, s.Pod)
	}
}

const istioctlPage = `%[1]s has the views of istioctl, for any number of proxies, and accepts istioctl's own commands:
"%[1]s pc clusters POD" is "%[1]s clusters POD". With these commands, short flags have istioctl's meaning; with all others,
kubectl's and jq's:

  -f, --file FILE       a config dump ("-": standard input), no query's file; of "ps POD" what that proxy holds
  -r, --revision REV    the revision, not --raw-output; of "pc log" it is --reset
  -c, --kubeconfig      the kubeconfig, not --compact-output
  -v, --verbosity       of "ps": the states are always shown
  -o short, -o table    the table; of bootstrap, its versions
  -o json, -o yaml      kubectl's form: one value bare, several as a List
  --istioNamespace, --kubeclient-timeout    --istio-namespace and --request-timeout

A proxy is POD.NAMESPACE, a pod with or without -n, deploy/NAME, or the beginning of a name that only one proxy has. Without
a name, all proxies are shown; "ps POD" is a diff, which exits with 1 if there is a difference. Only "pc log --level" and
"--reset" change a proxy, and require its name.

`
