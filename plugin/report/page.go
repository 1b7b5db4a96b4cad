package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

//go:embed page.html
var pageSource string

// mostCertificates is how many certificates the page's table has: those that
// expire first.
const mostCertificates = 100

// mostTreeBytes is the largest size of the graph as text. A longer one is cut.
const mostTreeBytes = 150_000

// A page is the data of the report with what only the HTML needs.
type page struct {
	*data
	Cards        []card
	FleetColumns []string
	SVG          template.HTML
	LeftOut      int
	Tree         string
	CertRows     []certRow
	CertsLeft    int
}

// A card is a number at the top of the page.
type card struct {
	N     int
	What  string
	Class string
}

type certRow struct{ Expires, In, Class, Name, Type, State, Who string }

// writePage writes the report as HTML.
func (d *data) writePage(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"stateClass": stateClass, "stateText": stateText, "severityClass": severityClass, "worstClass": worstClass,
	}).Parse(pageSource)
	if err != nil {
		return err
	}
	p := page{data: d, FleetColumns: append(append([]string{"Proxy"}, types()...), "Type", "Version"), Cards: d.cards()}
	picture := newPicture(d.Graph)
	p.SVG, p.LeftOut = template.HTML(picture.svg()), picture.left // every text in it is escaped
	var tree strings.Builder
	if err := d.Graph.WriteTree(&tree, 0, nil); err != nil {
		return err
	}
	p.Tree = tree.String()
	if len(p.Tree) > mostTreeBytes {
		p.Tree = p.Tree[:strings.LastIndexByte(p.Tree[:mostTreeBytes], '\n')+1] + "and more: " + d.Program + " graph\n"
	}
	for i, c := range d.Certs {
		if i == mostCertificates {
			p.CertsLeft = len(d.Certs) - i
			break
		}
		p.CertRows = append(p.CertRows, c.row(d.at()))
	}
	return t.Execute(w, p)
}

func (d *data) cards() []card {
	states, severities := d.count(), d.severities()
	all := []card{
		{states["ok"], "in sync", "ok"}, {states["stale"], "stale", "warn"}, {states["error"], "with an error", "bad"}, {states["disconnected"], "not connected", "bad"}, {states["unknown"], "unknown", "warn"},
		{severities["error"], "findings: error", "bad"}, {severities["warning"], "findings: warning", "warn"}, {severities["unknown"], "checks unknown", "warn"}, {len(d.Unread), "parts not read", "warn"},
	}
	var out []card
	for i, c := range all {
		if c.N > 0 || i == 0 {
			out = append(out, c)
		}
	}
	return out
}

// row returns a certificate's row at a time. A certificate of which a fifth of a
// day or less is left is urgent.
func (c *certificate) row(now time.Time) certRow {
	r := certRow{Name: c.Name, Type: c.Type, State: c.State, Who: c.Proxies[0], Class: "none", Expires: "unknown", In: "unknown"}
	if n := len(c.Proxies); n > 1 {
		r.Who = fmt.Sprintf("%s and %d more", c.Proxies[0], n-1)
	}
	switch {
	case c.NotAfter == nil && c.State == "WARMING":
		r.Expires, r.In, r.Class = "not received", "waiting", "warn"
	case c.NotAfter != nil:
		r.Expires = c.NotAfter.Format("2006-01-02 15:04")
		left := c.NotAfter.Sub(now)
		r.In = duration.HumanDuration(left)
		switch {
		case now.IsZero():
			r.In = "unknown"
		case left < 0:
			r.In, r.Class = "expired", "bad"
		case left < 5*time.Hour:
			r.Class = "warn"
		default:
			r.Class = "ok"
		}
	}
	return r
}

func stateClass(state string) string {
	switch state {
	case "SYNCED":
		return "ok"
	case "ERROR":
		return "bad"
	case "STALE", "UNKNOWN":
		return "warn"
	}
	return "none"
}

// stateText returns a state as it is shown: a type without a subscription is a
// dash.
func stateText(state string) string {
	switch state {
	case "IGNORED", "":
		return "–"
	}
	return state
}

func severityClass(severity string) string {
	switch severity {
	case "error":
		return "bad"
	case "warning", "unknown":
		return "warn"
	}
	return "none"
}

func worstClass(worst string) string {
	switch worst {
	case "ok":
		return "ok"
	case "unknown", "stale":
		return "warn"
	}
	return "bad"
}
