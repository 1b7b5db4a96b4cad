package report

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/query/graph"
	"github.com/meshq/kubectl-meshq/query/shipped"
)

//go:embed facts.jq
var facts string

// query returns the query of the report: the state of the proxies, their
// certificates, the findings of all checks, and the facts of the graph.
func query() (shipped.Query, bool) {
	check, ok := shipped.Find("check", shipped.All())
	text := "def _findings:\n" + check.Program() + "\n;\ndef _graph:\n" + graph.Facts + "\n;\n" + facts
	return shipped.Query{Name: "report", Args: check.Args, AllParts: true, Text: text}, ok
}

// A proxyRow is the state of one proxy.
type proxyRow struct {
	ID, Name, Namespace, Type, Workload, Version, Revision, Pilot, Node, IP, ClusterID, Behind string

	Connected                     *bool
	CDS, LDS, EDS, RDS, SDS, ECDS string
	Errors                        []string

	Certificates []certificate `json:"-"`
	Findings     []finding     `json:"-"` // those about this proxy
}

// A certificate is a certificate of a proxy.
type certificate struct {
	Name, Type, State, SerialNumber string

	Valid    *bool
	NotAfter *time.Time

	Proxies []string `json:"-"` // the proxies that have it
}

// A finding is a finding of a check.
type finding struct {
	Check, Severity, Proxy, Subject, Message, Next string

	Proxies []string
}

// A pilot is an istiod.
type pilot struct {
	Name, Namespace, Version, Revision string

	Proxies *int
}

// data is all that the report shows.
type data struct {
	TakenAt  string
	Contexts []string
	Pilots   []pilot
	Proxies  []*proxyRow
	Findings []finding
	Certs    []*certificate // by expiry
	Graph    *graph.Graph
	Unread   []string // what could not be read
	Program  string   // how the user calls the plugin

	builder     graph.Builder
	byID        map[string]*proxyRow
	certificate map[string]*certificate
}

func newData() *data {
	return &data{byID: map[string]*proxyRow{}, certificate: map[string]*certificate{}}
}

// add adds a result of the query.
func (d *data) add(row []byte) error {
	var r struct {
		Mesh *struct {
			TakenAt  *string
			Contexts []string
			Pilots   []pilot
		}
		Proxy        *proxyRow
		Certificates *struct {
			Proxy string
			Of    []certificate
		}
		Finding *finding
		Graph   json.RawMessage
	}
	if err := json.Unmarshal(withoutLineEnds(row), &r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	switch {
	case r.Mesh != nil:
		d.Contexts, d.Pilots = r.Mesh.Contexts, r.Mesh.Pilots
		if r.Mesh.TakenAt != nil {
			d.TakenAt = *r.Mesh.TakenAt
		}
	case r.Proxy != nil:
		d.Proxies = append(d.Proxies, r.Proxy)
		d.byID[r.Proxy.ID] = r.Proxy
	case r.Certificates != nil:
		d.addCertificates(r.Certificates.Proxy, r.Certificates.Of)
	case r.Finding != nil:
		d.Findings = append(d.Findings, *r.Finding)
	case len(r.Graph) > 0:
		return d.builder.Add(r.Graph)
	}
	return nil
}

// withoutLineEnds replaces the line ends in the strings of a JSON text by spaces. A
// browser shows them alike, and in a terminal a line end in a name would begin a line
// that looks like one of the report.
func withoutLineEnds(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\\' || i+1 == len(text):
			out = append(out, text[i])
			continue
		case text[i+1] == 'n' || text[i+1] == 'r':
			out = append(out, ' ')
		default:
			out = append(out, text[i], text[i+1])
		}
		i++
	}
	return out
}

func (d *data) addCertificates(proxy string, all []certificate) {
	if p := d.byID[proxy]; p != nil {
		p.Certificates = all
	}
	for _, c := range all {
		key := strings.Join([]string{c.Name, c.Type, c.SerialNumber, c.State}, "\x00")
		known := d.certificate[key]
		if known == nil {
			known = &c
			d.certificate[key] = known
			d.Certs = append(d.Certs, known)
		}
		known.Proxies = append(known.Proxies, proxy)
	}
}

// end completes the data. unread is what could not be read, as lines.
func (d *data) end(unread []string) {
	d.Unread = unread
	d.Graph = d.builder.Graph()
	for _, f := range d.Findings {
		of := f.Proxies
		if f.Proxy != "" && d.byID[f.Proxy] != nil && !slices.Contains(of, f.Proxy) {
			of = append(slices.Clone(of), f.Proxy)
		}
		for _, id := range of {
			if p := d.byID[id]; p != nil {
				p.Findings = append(p.Findings, f)
			}
		}
	}
	slices.SortStableFunc(d.Certs, func(a, b *certificate) int {
		switch {
		case a.NotAfter == nil || b.NotAfter == nil: // one that has not arrived comes first
			return cmp.Compare(boolToInt(a.NotAfter != nil), boolToInt(b.NotAfter != nil))
		}
		return a.NotAfter.Compare(*b.NotAfter)
	})
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// types are the columns of the fleet, in order.
func types() []string { return []string{"CDS", "LDS", "EDS", "RDS", "SDS", "ECDS"} }

// States returns the sync states of a proxy, in the order of the columns.
func (p *proxyRow) States() []string {
	return []string{p.CDS, p.LDS, p.EDS, p.RDS, p.SDS, p.ECDS}
}

// Worst returns the worst state of a proxy, as one word: "ok" if it is in sync.
func (p *proxyRow) Worst() string {
	worst := "ok"
	switch all := p.States(); {
	case p.Connected != nil && !*p.Connected:
		worst = "disconnected"
	case slices.Contains(all, "ERROR"):
		worst = "error"
	case slices.Contains(all, "STALE"):
		worst = "stale"
	case p.Connected == nil || slices.Contains(all[:4], "UNKNOWN"):
		worst = "unknown"
	}
	return worst
}

// count returns how many proxies are in each of the worst states.
func (d *data) count() map[string]int {
	n := map[string]int{}
	for _, p := range d.Proxies {
		n[p.Worst()]++
	}
	return n
}

// severities returns how many findings there are of each severity.
func (d *data) severities() map[string]int {
	n := map[string]int{}
	for _, f := range d.Findings {
		n[f.Severity]++
	}
	return n
}

// at returns the time of the report's data, or the zero time.
func (d *data) at() time.Time {
	t, _ := time.Parse(time.RFC3339, d.TakenAt)
	return t
}
