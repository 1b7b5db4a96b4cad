package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// A threat is a party whose data or services a run uses. It describes what the
// party is trusted with, the worst that the party can do, and the tests that check
// that it can do no more.
type threat struct {
	party   string
	trusted string
	worst   string
	tests   []string
}

// threats returns all parties that are involved in a run, from the most to the
// least trusted.
func threats() []threat {
	return []threat{
		{
			"your kubeconfig and your environment",
			"everything, as by kubectl: a kubeconfig names servers and programs that give credentials, KUBECTL_EXTERNAL_DIFF a program, KUBECONFIG and MESHQ_LIBRARY_PATH files",
			"they run programs as you. Nothing else that is read does. The folders that an external diff gets hold configuration as it is, for you alone, and are removed",
			[]string{"TestNamedPipesEndWithTheRun", "TestSignalsLeaveNothing", "TestStuckRunsEnd"},
		},
		{
			"the API server",
			"your credentials, and to say which pods there are and to lead to them",
			"it gives a false picture, is slow, or sends much: the answer to a request has deadlines, a lowest rate and a largest size, a redirect is not followed, and temporary files have a bound (--spool)",
			[]string{"TestDeadlines", "TestTricklingAnswersEnd", "TestWholeAnswersHaveADeadline", "TestQuotaBoundsDepotsTogether"},
		},
		{
			"istiod",
			"to say what it knows of its proxies and would send to them",
			"as the API server; it gets no credentials of yours",
			[]string{"TestWholeAnswersHaveADeadline", "TestNonsense"},
		},
		{
			"the istiod binary that whatif runs",
			"to run as you, on what was read of the mesh",
			"it is a program that you chose, like kubectl: it can do what you can. It gets no credentials and no environment of yours, its kubeconfig leads to an API server in memory that needs a token, its proxy refuses all connections, and it ends with the run",
			[]string{"TestEndsWithParent", "TestOnlyWithToken", "TestProxyRefuses", "TestWritesAreForgotten"},
		},
		{
			"tenants of the mesh: whoever runs a pod with a proxy, or names objects",
			"to say what their own proxy holds",
			"their proxy's part of the document is false, missing or late: it costs one deadline, other proxies answer, and the exit code says that a part is missing. Names and messages move no cursor, begin no line and run nothing in your shell",
			[]string{"TestTricklingAnswersEnd", "TestSilent", "TestBrokenDumpsGiveOneMessage", "TestNothingUnsafeIsPrinted", "TestWriterIgnoresHowTextIsCut"},
		},
		{
			"authors of snapshots, bug reports and config dumps",
			"nothing but the picture that they give",
			"the picture is false. Reading one writes no file but a nameless temporary one, reads nothing outside of its folder, and ends at bounds of size, depth, number of files, memory and disk",
			[]string{"TestBadArchivesAreRefused", "TestHostileEntries", "TestLimits", "TestLinksLeadNowhereElse", "TestABombCostsNoMemory", "TestOpenKeepsTheQuota", "FuzzOpen", "FuzzDecode"},
		},
		{
			"authors of queries, of .meshq folders and of modules",
			"to compute and to print",
			"the result is false, or takes all of --timeout and --memory. A query runs no program, writes no file, opens no connection that the document doesn't stand for, and sees no environment without --env. One that hides yours says so",
			[]string{"TestProjectHidesOwn", "TestSavedLinksStayInside", "TestBuiltinsKeepTheBudget", "TestBuiltinsEndAtTheDeadline", "FuzzNoPanic"},
		},
		{
			"whoever gets a snapshot from you",
			"the configuration of the mesh, without its secrets",
			"they read names, hosts, addresses, routes and policies; what is no structure is digested or left out",
			[]string{"TestPlanted", "TestRedactedAnswers", "TestDocumentShowsNoSecrets", "TestNoSecretInTheDocument", "TestManifestHasNoWordsOfServers"},
		},
		{
			"other users of your machine",
			"nothing",
			"they see your command line while it runs, as every program's: give tokens by the kubeconfig. Snapshots and temporary files have mode 0600, folders 0700; what is half written is removed, however a run ends",
			[]string{"TestSignalsLeaveNothing", "TestSpools"},
		},
		{
			"a release",
			"to be what this source makes",
			"it isn't: archives are made twice and compared, signed by the workflow's identity, and what they are made of is published beside them; actions are pinned by commit",
			[]string{"TestReleasePublishesWhatDistBuilds", "TestActionsArePinned"},
		},
	}
}

const threatsIntro = `
The threat model: each party of a run, what it is trusted with, the worst that it can do, and the tests that check this.

`

const endingText = `
Ctrl-C, SIGTERM, SIGHUP and SIGQUIT end a run in order, and so does --timeout, whatever the run waits for. After 3 s, or at a second
signal, it is ended at once. Nothing is left behind. A response must bring 40 KiB in every 40 s and be complete after 10 minutes;
else its proxy is skipped. --request-timeout replaces these limits. Temporary files have no name, and hold up to 4 GiB
together, or half of the free space, or --spool.
`

// printSafetyPage prints the help page on safety: what the plugin does, and
// what it never does.
func printSafetyPage(w io.Writer) {
	fmt.Fprint(w, safetyPage, endingText, threatsIntro)
	for _, t := range threats() {
		fmt.Fprintf(w, "%s\n", wrapped(capital(t.party)+". Trusted: "+t.trusted+". At worst: "+t.worst+".", 124))
		fmt.Fprintf(w, "\n%s\n\n", process.Indent(strings.Split(wrapped(strings.Join(t.tests, ", "), 120), "\n")))
	}
}

// wrapped breaks a text into lines of at most width bytes.
func wrapped(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
