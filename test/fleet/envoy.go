package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// An image holds the answers of the fleet's Envoys. They are the same for all proxies, except for the placeholders in
// them.
type image struct {
	dump  *dump
	names []string             // the names of the clusters with endpoints
	plain map[string]*template // answers other than config dumps, by path and query
	kinds map[string]string    // content types of answers that are not JSON, by path and query

	mu    sync.Mutex
	known map[string]func() *dumpAnswer // rendered config dumps, by query
}

// A dumpAnswer is an answer with placeholders, which any proxy can fill in.
type dumpAnswer struct {
	status int
	text   *template
}

// mostKnown is the maximum number of rendered config dumps that are cached. They are large, and a client that selects
// by name selects other names each time.
const mostKnown = 32

func newImage(c *capture, o Options) (*image, error) {
	g, err := newGrower(c, o.Seed)
	if err != nil {
		return nil, err
	}
	if err := g.grow(o.Bytes); err != nil {
		return nil, err
	}
	m := &image{dump: g.dump, names: g.names, plain: map[string]*template{}, kinds: map[string]string{}, known: map[string]func() *dumpAnswer{}}
	entries, err := indented(fmt.Appendf(nil, `{"cluster_statuses":[%s]}`, strings.Join(g.entries, ",")), 0)
	if err != nil {
		return nil, err
	}
	m.plain["/clusters?format=json"] = newTemplate(entries)
	for path, file := range map[string]string{
		"/server_info": "server_info.json", "/stats?format=json": "stats.json", "/listeners?format=json": "listeners.json",
		"/certs": "certs.json", "/ready": "ready.txt", "/logging": "logging.txt",
	} {
		if err := m.addRecorded(c, path, file); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// addRecorded adds a recorded answer to the image.
func (m *image) addRecorded(c *capture, path, file string) error {
	text, err := c.proxy(file)
	if err != nil {
		return err
	}
	out := []byte(c.tokenize(text))
	if strings.HasSuffix(file, ".json") {
		if out, err = indented(out, 0); err != nil {
			return err
		}
	} else {
		m.kinds[path] = "text/plain; charset=UTF-8"
	}
	m.plain[path] = newTemplate(out)
	return nil
}

// answer returns the answer of a proxy's Envoy to a request.
func (m *image) answer(p *Proxy, r *http.Request) (status int, kind string, b body) {
	method := http.MethodGet
	if r.URL.Path == "/logging" {
		method = http.MethodPost
	}
	if r.Method != method {
		return http.StatusMethodNotAllowed, "text/plain", text("Method Not Allowed")
	}
	if r.URL.Path == "/config_dump" {
		s := m.configDump(r.URL.RawQuery)
		kind = "application/json"
		if s.status != http.StatusOK {
			kind = "text/plain"
		}
		return s.status, kind, body{{s.text, p}}
	}
	// A filter selects stats, and clusters from Envoy 1.38 on. The simulator answers with all of them.
	path, _, _ := strings.Cut(r.URL.RequestURI(), "&filter=")
	if t := m.plain[path]; t != nil {
		if kind = m.kinds[r.URL.Path]; kind == "" {
			kind = "application/json"
		}
		return http.StatusOK, kind, body{{t, p}}
	}
	return http.StatusNotFound, "text/plain", text("invalid path. admin commands are:\n")
}

// configDump returns the answer to a /config_dump request with this query string. Concurrent requests with the same
// query string render it once.
func (m *image) configDump(query string) *dumpAnswer {
	m.mu.Lock()
	answer := m.known[query]
	if answer == nil {
		answer = sync.OnceValue(func() *dumpAnswer { return m.renderDump(query) })
		if len(m.known) < mostKnown {
			m.known[query] = answer
		}
	}
	m.mu.Unlock()
	return answer()
}

// renderDump parses the query string of a /config_dump request as Envoy does, and renders the dump that it selects.
func (m *image) renderDump(query string) *dumpAnswer {
	values, err := url.ParseQuery(query)
	if err != nil {
		return refusal(http.StatusBadRequest, "%v\n", err)
	}
	c := selection{resource: values.Get("resource"), mask: newMask(values.Get("mask")), endpoints: values.Has("include_eds")}
	if values.Has("name_regex") {
		if c.names, err = regexp.Compile("^(?:" + values.Get("name_regex") + ")$"); err != nil {
			return refusal(http.StatusBadRequest, "INVALID_ARGUMENT: Error while parsing name_regex from %s: %v", values.Get("name_regex"), err)
		}
	}
	if c.resource != "" {
		return m.dump.resource(c, values.Get("mask"))
	}
	text, err := m.dump.render(c)
	switch {
	case err != nil:
		return refusal(http.StatusInternalServerError, "%v\n", err)
	case text == nil:
		return refusal(http.StatusBadRequest, "FieldMask %s could not be successfully applied to any configs.", values.Get("mask"))
	}
	return &dumpAnswer{http.StatusOK, newTemplate(text)}
}

func refusal(status int, text string, args ...any) *dumpAnswer {
	return &dumpAnswer{status, fixed(fmt.Sprintf(text, args...))}
}

// compact writes JSON without spaces.
func compact(raw json.RawMessage) (string, error) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.String(), err
}
