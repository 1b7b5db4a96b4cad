package plugin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An admin is a server that sends recorded responses of a real Envoy's admin port.
type admin struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]struct {
		Status int
		Body   json.RawMessage
	}
	Request []string
}

func startAdmin(t *testing.T) *admin {
	t.Helper()
	a := &admin{}
	for _, path := range []string{"../sources/testdata/live/envoy-1.40.json", "../sources/testdata/live/excerpt-1.40.json"} {
		b, err := os.ReadFile(path)
		if err == nil {
			err = object.Unmarshal(b, &a.answers)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *admin) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	request := strings.TrimSuffix(strings.TrimPrefix(r.URL.RequestURI(), "/"), "?")
	if strings.Contains(request, "clusters") {
		a.Request = append(a.Request, request)
	}
	answer, ok := a.answers[request]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(answer.Status)
	w.Write(answer.Body) // the test notices if the response is incomplete
}

// ask runs a query over the simulated Envoy. out is the standard output, told the
// standard error.
func (a *admin) ask(t *testing.T, terminal bool, args ...string) (code int, out, told string) {
	t.Helper()
	a.Request = nil
	var stdout, stderr bytes.Buffer
	args = append([]string{"kubectl-meshq", "--envoy", a.URL}, args...)
	code = Main(&process.World{Args: args, In: strings.NewReader(""), Out: &stdout, OutTerminal: terminal, Err: &stderr, Now: time.Now})
	return code, stdout.String(), stderr.String()
}

const (
	allClusters  = "config_dump?mask=version_info,static_clusters,dynamic_active_clusters,dynamic_warming_clusters"
	restClusters = "config_dump?mask=static_clusters,dynamic_warming_clusters"
	someOfActive = "config_dump?resource=dynamic_active_clusters&mask="
)

// TestEnvoyIsAskedForWhatIsRead checks that the program requests only those fields
// from an Envoy that the query or the table reads.
func TestEnvoyIsAskedForWhatIsRead(t *testing.T) {
	a := startAdmin(t)
	const each = "last_updated,error_state"
	for _, c := range []struct {
		args    []string
		Request []string
	}{
		{[]string{`[.proxies[].clusters | length]`}, []string{restClusters, someOfActive + each}},
		{[]string{`[.proxies[].clusters[].name] | sort`}, []string{restClusters, someOfActive + "cluster.name," + each}},
		{[]string{`.proxies[].clusters[] | {name, lbPolicy}`, "-o", "json"}, []string{restClusters, someOfActive + "cluster.lb_policy,cluster.name," + each}},
		{[]string{`.proxies[].clusters[]`}, []string{restClusters, someOfActive + "cluster.cluster_type,cluster.metadata,cluster.name,cluster.type," + each}},
		{[]string{`.proxies[].clusters[]`, "-o", "json"}, []string{allClusters}},
		{[]string{`.proxies[].clusters[]`, "-o", "name"}, []string{allClusters}},
		{[]string{`any(.proxies[].clusters[]; .type == "EDS")`}, []string{restClusters, someOfActive + "cluster.name,cluster.type," + each}},
	} {
		code, out, told := a.ask(t, false, c.args...)
		if code != process.ExitOK || out == "" {
			t.Errorf("%q: exit %d: %s", c.args, code, told)
		}
		if !slices.Equal(a.Request, c.Request) {
			t.Errorf("%q asked for\n%s\nnot\n%s", c.args, strings.Join(a.Request, "\n"), strings.Join(c.Request, "\n"))
		}
	}
}

// TestChangedSectionIsFault checks that responses from different moments are not
// mixed. A query can read more of a section than the first request contained. If
// the section has changed when the program requests the rest, that is a fault of
// the proxy.
func TestChangedSectionIsFault(t *testing.T) {
	a := startAdmin(t)
	later := a.answers[allClusters]
	later.Body = bytes.Replace(later.Body, []byte(`"name": "BlackHoleCluster"`), []byte(`"name": "BlackishCluster"`), 1)
	a.answers[allClusters] = later
	const names = someOfActive + "cluster.name,last_updated,error_state"
	const query = `.proxies[].clusters | .[0].name, ([.[] | path(.name)] | length)` // path(.name) needs the whole value, so it causes a second request
	code, out, told := a.ask(t, false, query)
	if code != process.ExitPartial || !strings.Contains(out, "BlackHoleCluster") || strings.Contains(out, "7") ||
		!strings.Contains(told, "clusters: BlackHoleCluster has changed since it was first asked about") {
		t.Errorf("exit %d\n%s%s", code, out, told)
	}
	if want := []string{restClusters, names, allClusters}; !slices.Equal(a.Request, want) {
		t.Errorf("asked %q", a.Request)
	}
}
