package printers

import (
	"bytes"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestRunsShareAHeader repeats a query, as --watch does. It checks that the
// rows of later runs are printed below the header of the first one, in its
// column widths, until a run needs another column.
func TestRunsShareAHeader(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	proxy := func(id, rds, nds string) *object.Object {
		return object.Of("kind", "Proxy", "id", id, "cds", "SYNCED", "lds", "SYNCED", "eds", "SYNCED", "rds", rds, "nds", nds, "pilot", "istiod", "version", "1.31.0", "connectedAt", "2026-11-22T12:00:00Z")
	}
	for _, c := range []struct {
		name   string
		o      Options
		rounds [][]any
		want   []string
	}{
		{"a table", Options{}, [][]any{{proxy("reviews-v1.default", "SYNCED", "IGNORED"), proxy("a.b", "SYNCED", "IGNORED")}, {}, {proxy("a.b", "STALE", "IGNORED")}, {proxy("a.b", "STALE", "SYNCED")}}, []string{
			"NAME                 CDS      LDS      EDS      RDS      PILOT    VERSION\n" +
				"reviews-v1.default   SYNCED   SYNCED   SYNCED   SYNCED   istiod   1.31.0\n" +
				"a.b                  SYNCED   SYNCED   SYNCED   SYNCED   istiod   1.31.0\n",
			"",
			"a.b                  SYNCED   SYNCED   SYNCED   STALE    istiod   1.31.0\n",
			"\nNAME   CDS      LDS      EDS      RDS     NDS      PILOT    VERSION\n" +
				"a.b    SYNCED   SYNCED   SYNCED   STALE   SYNCED   istiod   1.31.0\n",
		}},
		{"columns", Options{Format: "custom-columns=ID:.id,RDS:.rds"}, [][]any{{proxy("reviews-v1.default", "SYNCED", "")}, {}, {proxy("a.b", "STALE", "")}}, []string{
			"ID                   RDS\nreviews-v1.default   SYNCED\n", "", "a.b                  STALE\n",
		}},
		{"a stream", Options{}, [][]any{{1.0}, {"a"}}, []string{"1\n", "\"a\"\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			c.o.Out = &b
			p, err := New(c.o)
			if err != nil {
				t.Fatal(err)
			}
			for i, round := range c.rounds {
				b.Reset()
				p.(Lasting).Begin(now)
				for _, v := range round {
					rendered, err := p.Render(t.Context(), v)
					if err == nil {
						err = p.Print(rendered)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := p.(Lasting).Flush(); err != nil {
					t.Fatal(err)
				}
				if b.String() != c.want[i] {
					t.Errorf("round %d:\n%s\nwant:\n%s", i, b.String(), c.want[i])
				}
			}
			b.Reset()
			if err := p.Close(); err != nil || b.Len() > 0 {
				t.Errorf("at the end: %v %s", err, b.String())
			}
		})
	}
}

// TestAgelessTablesIgnoreTheTime checks that the text of a row depends on the
// time only if Ageless is not set.
func TestAgelessTablesIgnoreTheTime(t *testing.T) {
	v := object.Of("kind", "Proxy", "id", "a.b", "cds", "SYNCED", "connectedAt", "2026-11-22T12:00:00Z", "sync", object.Of("cds", object.Of("age", 60.0)))
	show := func(ageless bool, hour int) string {
		var b bytes.Buffer
		p, err := New(Options{Out: &b, Format: "wide", Ageless: ageless})
		if err != nil {
			t.Fatal(err)
		}
		p.(Lasting).Begin(time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC))
		v.Get("sync").(*object.Object).Get("cds").(*object.Object).Set("age", float64(hour))
		rendered, err := p.Render(t.Context(), v)
		if err == nil {
			err = p.Print(rendered)
		}
		if err == nil {
			err = p.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if a, b := show(true, 13), show(true, 14); a != b {
		t.Errorf("%s is not %s", a, b)
	}
	if a, b := show(false, 13), show(false, 14); a == b {
		t.Errorf("no age in %s", a)
	}
}
