package envoy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestNoSecretInTheDocument checks that no secret gets into the document. It
// puts a marker into every field of every message that the schema marks as a
// private key, a token or a password, and reads the message whole and in parts.
// The marker must be absent, and the fields beside it must be unchanged.
func TestNoSecretInTheDocument(t *testing.T) {
	const planted = "Pl4nt3d"
	count := 0
	for line := range FieldLines() {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(rest, "# ") {
			continue
		}
		for word := range strings.FieldsSeq(rest) {
			field, mark := word, ""
			if i := strings.IndexAny(word, "![#=@*?%"); i >= 0 {
				field, mark = word[:i], word[i:]
			}
			field = strings.TrimPrefix(field, "-")
			source := strings.HasSuffix(mark, "DataSource")
			if !strings.HasPrefix(mark, "!") && !(isSecret(field) && (mark == "" || source)) {
				continue
			}
			count++
			value := `"` + planted + `"`
			if source {
				value = `{"inline_string":"` + planted + `","inline_bytes":"` + planted + `","filename":"/there"}`
			} else if mark != "" && mark != "!" {
				value = `{"a":["` + planted + `",{"b":"` + planted + `"}],"@type":"type.googleapis.com/envoy.config.core.v3.DataSource"}`
			}
			body := `{"configs":[{"@type":"type.googleapis.com/` + name + `","` + field + `":` + value + `,"zz":"beside"}]}`
			doc := &decode.Document{Bytes: strings.NewReader(body)}
			for _, n := range []*decode.Node{{All: true}, {Shallow: true}} {
				v, err := doc.Pass(t.Context(), 0, -1, ShapeOf("envoy.admin.v3.ConfigDump"), n, nil)
				if err != nil {
					t.Fatal(err)
				}
				if lazy, ok := v.(*object.Object).Get("configs").(*decode.Value); ok {
					if v, err = lazy.Deep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				out, _ := json.Marshal(v)
				if bytes.Contains(out, []byte(planted)) || !bytes.Contains(out, []byte("redacted")) && !bytes.Contains(out, []byte("W3JlZGFjdGVkXQ==")) ||
					source && !bytes.Contains(out, []byte("/there")) || !bytes.Contains(out, []byte("beside")) {
					t.Errorf("%s: %s: %s", name, field, out)
				}
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d fields", count)
	}
}
