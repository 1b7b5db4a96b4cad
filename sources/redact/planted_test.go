package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/envoy"
)

// A planter sets every text of every message to a different word.
type planter struct {
	schema *schema
	places int
	where  map[string]string // maps each planted word to its field, as message.field
}

// maxDeep is the nesting depth down to which a planter fills messages.
const maxDeep = 3

func (p *planter) word(at string) string {
	p.places++
	w := fmt.Sprintf("Pl4nt3d-s3cr3t-v4lu3-%06d", p.places) // the word looks like a secret and is too long to be kept in a matcher
	p.where[w] = at
	return w
}

// object returns a message with all of its fields, in the order of the schema.
func (p *planter) object(name string, deep int) string {
	line := p.schema.lines[name]
	if own, ok := envoy.FieldLine(name); ok {
		line += " " + own
	}
	var out strings.Builder
	seen := map[string]bool{}
	for word := range strings.FieldsSeq(line) {
		field, mark := word, ""
		if i := strings.IndexAny(word, "![#=@*?%"); i >= 0 {
			field, mark = word[:i], word[i:]
		}
		field = strings.TrimPrefix(field, "-")
		field, _, _ = strings.Cut(field, "|")
		if field == "~" {
			field = "anything"
		}
		if seen[field] {
			continue
		}
		seen[field] = true
		value := p.value(name, field, strings.TrimPrefix(mark, "!"), deep)
		if value == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", field, value)
	}
	return "{" + out.String() + "}"
}

func (p *planter) value(of, field, mark string, deep int) string {
	at := of[strings.LastIndexByte(of, '.')+1:] + "." + field
	if rest, ok := strings.CutPrefix(mark, "[]"); ok {
		if v := p.value(of, field, rest, deep); v != "" {
			return "[" + v + "]"
		}
		return ""
	}
	if rest, ok := strings.CutPrefix(mark, "%"); ok {
		if v := p.value(of, field, strings.TrimPrefix(rest, "[]"), deep); v != "" {
			return `{"a":` + v + `}`
		}
		return ""
	}
	switch {
	case mark == "":
		return fmt.Sprintf("%q", p.word(at))
	case mark[0] == '#':
		return ""
	case mark[0] == '=':
		if deep == 0 {
			return ""
		}
		return p.object(absolute(mark[1:], of), deep-1)
	case mark[0] == '@':
		return fmt.Sprintf(`{"@type":"type.googleapis.com/nobody.knows.This","name":%q,"value":%q}`, p.word(at+"@name"), p.word(at+"@value"))
	}
	return fmt.Sprintf(`{"name":%q,"x":[{"value":%q},12345678]}`, p.word(at+"*name"), p.word(at+"*value"))
}

// survivors returns the fields whose planted words occur in the text.
func (p *planter) survivors(text []byte) []string {
	found := map[string]bool{}
	for rest := text; ; {
		at := bytes.Index(rest, []byte("Pl4nt3d"))
		if at < 0 {
			break
		}
		word := rest[at:min(len(rest), at+len("Pl4nt3d-s3cr3t-v4lu3-000000"))]
		found[p.where[string(word)]] = true
		rest = rest[at+7:]
	}
	return slices.Sorted(maps.Keys(found))
}

func filter(t *testing.T, p *Policy, root, in string) string {
	t.Helper()
	out, err := io.ReadAll(p.newReader(strings.NewReader(in), root, windowSize))
	if err != nil {
		t.Fatalf("%v\n%.300s", err, in)
	}
	if !json.Valid(out) {
		t.Fatalf("no JSON: %.300s", out)
	}
	return string(out)
}

func policy(t *testing.T, o Options) *Policy {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// allMessages returns the names of the messages of all schemas, without
// enumerations.
func allMessages(s *schema) []string {
	names := map[string]bool{}
	for name := range s.lines {
		names[name] = true
	}
	for line := range envoy.FieldLines() {
		if name, fields, _ := strings.Cut(strings.TrimSpace(line), " "); !strings.HasPrefix(fields, "# ") {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// TestPlanted plants a word in every text of every message in the schemas. It checks
// that only those words remain whose fields a row of the table keeps.
func TestPlanted(t *testing.T) {
	p := policy(t, Options{})
	plant := &planter{schema: p.schema, where: map[string]string{}}
	kept := map[string]bool{}
	for _, name := range allMessages(p.schema) {
		in := plant.object(name, maxDeep)
		if strings.HasPrefix(name, "envoy.") || strings.HasPrefix(name, "xds.") || strings.HasPrefix(name, "udpa.") { // wrap the message as in a dump
			in = fmt.Sprintf(`{"configs":[{"@type":"type.googleapis.com/%s",%s]}`, name, strings.TrimPrefix(in, "{"))
			in = strings.Replace(in, ",}]}", "}]}", 1)
			for _, at := range plant.survivors([]byte(filter(t, p, "answers.Bodies", in))) {
				kept[at] = true
			}
			continue
		}
		for _, at := range plant.survivors([]byte(filter(t, p, name, in))) {
			kept[at] = true
		}
	}
	if plant.places < 10_000 {
		t.Errorf("only %d places", plant.places)
	}
	for at := range kept {
		message, name, _ := strings.Cut(at, ".")
		if strings.ContainsAny(name, "*@") {
			t.Errorf("%s survived: nothing is known of it", at)
			continue
		}
		if !p.keeps(message, name) {
			t.Errorf("%s survived, and no row keeps it", at)
		}
	}
	t.Logf("%d places, %d fields survive", plant.places, len(kept))
}

// keeps reports whether a row of the table keeps a field.
func (p *Policy) keeps(message, name string) bool {
	for of, c := range p.schema.rows {
		m, f, qualified := strings.Cut(of, ":")
		if !qualified {
			m, f = "", of
		}
		if (f == camel(name) || f == name || name == "anything" && f == "~") && (m == "" || m == message || strings.HasSuffix(m, "."+message) || strings.HasPrefix(message, m)) {
			switch c {
			case Kept, URL, Naming, Owning, Label:
				return true
			}
		}
	}
	return false
}
