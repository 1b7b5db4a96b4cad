package printers

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// unsafeText contains a character of each unsafe kind.
const unsafeText = "a\x1b[31mE\x1b]0;T\x07\u009b41m\u202eB\u2067I\x00N\rC\bR\x7f\nFAKE\u2028\u200e\u061c\ufeff\U000e0041z"

// TestNothingUnsafeIsPrinted prints an object full of unsafe characters in
// every format. The output contains no unsafe characters except those of the
// format's layout, and no value starts a new line.
func TestNothingUnsafeIsPrinted(t *testing.T) {
	v := object.Of(
		"kind", "Cluster", "name", unsafeText, unsafeText, unsafeText, "labels", object.Of(unsafeText, unsafeText), "list", []any{unsafeText, object.Of("x", unsafeText)},
		"apiVersion", "v1", "metadata", object.Of("name", unsafeText, "namespace", unsafeText, "labels", object.Of(unsafeText, unsafeText)),
	)
	ours := object.Of("kind", "Proxy", "id", unsafeText, "name", unsafeText, "version", unsafeText, "labels", object.Of(unsafeText, unsafeText))
	for _, o := range []Options{
		{}, {Compact: true}, {Tab: true}, {ASCII: true}, {Seq: true}, {Format: "table"}, {Format: "wide"}, {Format: "name"}, {Format: "json"}, {Format: "ndjson"}, {Format: "yaml"}, {Format: "kyaml"},
		{Format: "jsonpath={.name}{\"\\n\"}{.labels}{\"\\n\"}{.list[*]}"}, {Format: "jsonpath-as-json={.name}"}, {Format: "jsonpath={range .list[*]}{@}{\"\\n\"}{end}"},
		{Format: "go-template={{.name}}{{range $k, $v := .labels}}{{$k}}={{$v}}{{end}}{{.}}\n"},
		{Format: "custom-columns=A:.name,B:.labels,C:.list"}, {ShowLabels: true, ShowKind: true}, {Format: "wide", ShowLabels: true, Color: true}, {Color: true},
	} {
		for _, values := range [][]any{{v}, {ours}, {v, v}, {unsafeText}, {[]any{ours, ours}}, {ours, v, unsafeText}} {
			printed, err := try(o, values...)
			if err != nil {
				continue // -o name fails for an object without a kind
			}
			for _, sequence := range []string{"\n", "\x1b[31m", "\x1b[0m", "\x1b[0;39m", "\x1b[0;32m", "\x1b[1;39m", "\x1b[34;1m", "\x1b[1;34m", "\x1b[0;90m", "\x1b[32m", "\x1b[39m", "\x1b[90m", "\x1e"} {
				if o.Color || sequence == "\n" || o.Seq && sequence == "\x1e" {
					printed = strings.ReplaceAll(printed, sequence, "")
				}
			}
			if at := strings.IndexFunc(printed, func(r rune) bool { return safe.IsUnsafe(r) && (r != '\t' || !o.Tab) }); at >= 0 || !utf8.ValidString(printed) {
				t.Errorf("%+v: unsafe at %d: %.200q", o, at, printed[max(0, at):])
			}
		}
		printed, _ := try(o, v)
		for _, line := range strings.Split(printed, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "FAKE") {
				t.Errorf("%+v: a forged line: %q", o, printed)
			}
		}
	}
}
