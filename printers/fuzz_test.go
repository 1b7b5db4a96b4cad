package printers

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// FuzzPrintedIsTheValue checks that the output for any JSON value is the same
// value, in every layout and format.
func FuzzPrintedIsTheValue(f *testing.F) {
	text, err := os.ReadFile("testdata/values.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return
		}
		v = numbers(object.FromPlain(v))
		want, err := json.Marshal(object.ToPlain(v))
		if err != nil {
			return
		}
		for _, o := range []Options{{}, {Compact: true}, {Tab: true}, {ASCII: true}, {Indent: "0"}, {Format: "json"}, {Format: "json", Compact: true, ASCII: true}} {
			var back bytes.Buffer
			printed := render(t, o, v)
			if json.Compact(&back, []byte(printed)) != nil {
				t.Fatalf("%+v: not JSON: %s", o, printed)
			}
			if !sameJSON(back.Bytes(), want) {
				t.Fatalf("%+v: %s, want %s", o, back.Bytes(), want)
			}
		}
		if got := render(t, Options{Format: "json", Compact: true}, v); got != safelyWritten(t, string(want)+"\n") {
			t.Fatalf("-o json -c: %s, want %s", got, want)
		}
		theirs, err := yaml.Marshal(object.ToPlain(v))
		if err != nil || beyond64(v) {
			return
		}
		if hasUnsafeJSON(string(want)) || unsortedKeys.MatchString(string(want)) {
			sameYAML(t, v, want)
			return
		}
		if got := render(t, Options{Format: "yaml"}, v); got != string(theirs) {
			t.Fatalf("-o yaml: %q, want %q", got, theirs)
		}
	})
}

// unsortedKeys matches keys that YAML's library sorts at random. It puts 2 before
// 11, 11 before 1A and 1A before 2, so any of the three may come first.
var unsortedKeys = regexp.MustCompile(`\d\pL[^"]*":`)

// hasUnsafeJSON reports whether JSON contains an unsafe character that YAML's
// library prints unescaped.
func hasUnsafeJSON(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return safe.IsUnsafe(r) && r > ' ' }) || strings.Contains(text, `\r`) || strings.Contains(text, `\u202`)
}

// safelyWritten returns a text after it passed a safe.Writer.
func safelyWritten(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := safe.NewWriter(&b)
	w.Allow(safe.Allowed{Colors: true, Marks: "\x1e"})
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sameYAML checks that the YAML for a value contains no unsafe characters and
// decodes to the JSON want.
func sameYAML(t *testing.T, v any, want []byte) {
	t.Helper()
	for _, format := range []string{"yaml", "kyaml"} {
		got := render(t, Options{Format: format}, v)
		if strings.ContainsFunc(got, func(r rune) bool { return safe.IsUnsafe(r) && r != '\n' && r != '\t' }) {
			t.Fatalf("-o %s: %q", format, got)
		}
		if strings.Contains(string(want), `"\u003c\u003c":`) { // the library prints the key << without quotes, as kubectl does, but reads it as a merge
			continue
		}
		back, err := yaml.YAMLToJSON([]byte(got))
		if err != nil || !sameJSON(back, want) {
			t.Fatalf("-o %s: %q: %s %v, want %s", format, got, back, err, want)
		}
	}
}

// FuzzJSONPath checks that every template that client-go can execute has the
// same output here.
func FuzzJSONPath(f *testing.F) {
	for _, t := range []string{"{.a}", "{.a[0].b}", "{.a[1:2]}", "{.a[?(@.b==1)].c}", "{range .a[*]}{.b} {end}", "{['x','a']}", "{.a[0,1].b}", "{.x.y}text{.z}", "{.a[-1]}", "{.a[?(@.b)].b}", "{.x['y']}", "{range .a[*]}{range .c[*]}{.}{end}{end}", "{$.a}", "{@.x}", "{.a[::2].b}", "{.x.y}{\"\\n\"}", "{..}", "{..b}", "{['.']}", "{.x..}", "{range ..}{.}|{end}"} {
		f.Add(t)
	}
	const text = `{"a":[{"b":1,"c":[1,2]},{"b":2,"c":[]},{"b":"s"}],"x":{"y":"z"},"z":1.5,"n":true}`
	f.Fuzz(func(t *testing.T, template string) {
		if strings.Contains(template, "*") && !strings.Contains(template, "[*]") {
			return // client-go's order is that of a Go map
		}
		if strings.Contains(template, "?(") {
			return // client-go treats an error in a condition as true
		}
		if strings.Count(template, "range") != strings.Count(template, "{range ") || strings.Count(template, "end") != strings.Count(template, "{end}") {
			return // client-go's output isn't sensible if these keywords are not at the beginning of an action
		}
		var theirs bytes.Buffer
		j := jsonpath.New("x").AllowMissingKeys(true)
		if template == "" || j.Parse(template) != nil {
			return
		}
		if err := func() (err error) {
			defer func() {
				if recover() != nil {
					err = os.ErrInvalid
				}
			}()
			return j.Execute(&theirs, object.ToPlain(numbers(read(t, text, true))))
		}(); err != nil {
			return
		}
		got, err := try(Options{Format: "jsonpath", Template: template}, read(t, text, false))
		descends := strings.Contains(template, "..") || strings.Contains(template, "'.") // client-go puts a name after a period
		if descends && err == nil && sortedBytes(got) == sortedBytes(theirs.String()) {
			return // client-go's order is that of a Go map
		}
		if err != nil || got != theirs.String() {
			t.Fatalf("%s: %q %v, want %q", template, got, err, theirs.String())
		}
	})
}

func sortedBytes(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}
