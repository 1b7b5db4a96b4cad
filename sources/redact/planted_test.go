package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// A gardener makes random documents, and plants secrets in them.
type gardener struct {
	*rand.Rand
	planted []string // what must not survive
	places  int      // how many strings hold one
}

// An ordered object is written as it is: members come in any order.
type member struct {
	name  string
	value any
}

func (g *gardener) secret() string {
	s := fmt.Sprintf("s3cr3t%d", len(g.planted))
	g.planted = append(g.planted, s)
	g.places++
	return s
}

func (g *gardener) packed() string {
	s := base64.StdEncoding.EncodeToString([]byte("12" + g.secret()))
	g.planted = append(g.planted, s)
	return s
}

func (g *gardener) pick(all ...string) string { return all[g.IntN(len(all))] }

// secretly gives something with a secret in it.
func (g *gardener) secretly() any {
	var o []member
	switch g.IntN(15) {
	case 0:
		o = []member{{g.pick("token", "access_token", "idToken", "client_secret", "authorization", "X-Api-Key", "apiKey", "password"), g.secret()}}
	case 1:
		o = []member{{g.pick("private_key", "privateKey", "password", "pkcs12"), []member{{"inline_bytes", g.packed()}}}}
	case 2:
		o = []member{{g.pick("generic_secret", "sessionTicketKeys"), []any{g.leaf(), []member{{"x", g.leaf()}, {"inlineString", g.secret()}}}}}
	case 3:
		o = []member{{g.pick("key", "header", "name"), g.pick("authorization", "X-API-KEY", "Proxy-Authorization")}, {"value", g.secret()}, {"x", g.value(2)}}
	case 4:
		o = []member{{"env", []any{[]member{{"name", "A"}, {"value", g.secret()}}, []member{{"name", "B"}, {"valueFrom", g.value(1)}}}}}
	case 5:
		o = []member{{"kubectl.kubernetes.io/last-applied-configuration", `{"a":"` + g.secret() + `"}`}}
	case 6:
		o = []member{{"items", []any{[]member{{"kind", "Secret"}, {"data", []member{{"a", g.packed()}}}, {"stringData", []member{{"b", g.secret()}}}}}}}
	case 7:
		o = []member{{"node", []member{{"id", "x"}, {"metadata", []member{{"LABELS", []member{{"a", "b"}}}, {"THE_PASSWORD", g.secret()}}}}}}
	case 8:
		o = []member{{"name", "authorization"}, {g.pick("exact_match", "value"), g.secret()}}
	case 11:
		flag := g.pick("--api-token", "-password", "--db.secret", "--apiKey")
		o = []member{{g.pick("args", "command"), []any{g.leaf(), flag + "=" + g.secret(), flag, g.secret(), "--" + g.leaf(), flag, "--last"}}}
	case 12:
		script := g.leaf() + " " + g.pick("A_TOKEN=", "x --password ", "--token=", "x --token '", `--secret="`, "--token\n", "curl h?apikey=") + g.secret() + g.pick("", " and so on", "\n", `"`, "'")
		o = []member{{"command", []any{"sh", "-c", script}}}
	case 13:
		key := g.pick("a/api-token", "Password", "x/client-secret", "example.com/apikey", "x.api-key")
		o = []member{{"metadata", []member{{g.pick("annotations", "labels"), []member{{"a", "b"}, {key, g.secret()}, {"my-secret", "a/name"}}}}}}
	case 9:
		return g.leaf() + "Bearer " + g.secret() + g.pick("", " and so on", "\n", `"`)
	case 10:
		return g.leaf() + "-----BEGIN PRIVATE KEY-----\n" + g.secret() + "\n" + g.pick("", "-----END PRIVATE KEY-----\n")
	default:
		return base64.StdEncoding.EncodeToString([]byte("-----BEGIN RSA PRIVATE KEY-----\n" + g.packed()))
	}
	g.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
	return o
}

func (g *gardener) leaf() string {
	s := g.pick("", "a", "outbound|9080||reviews.default.svc.cluster.local", "é\"\\\n\x01", "<&>", "eyJ", "kind", "a b c ", "-----BEGIN ", "\U0001F512")
	if g.IntN(40) == 0 {
		s = strings.Repeat(s+"~", 1+g.IntN(300))
	}
	return s
}

func (g *gardener) value(depth int) any {
	if depth > 0 && g.IntN(8) == 0 {
		return g.secretly()
	}
	switch n := g.IntN(10); {
	case n < 3 && depth > 0:
		var o []member
		for i := range g.IntN(5) {
			o = append(o, member{fmt.Sprintf("%s%d", g.pick("m", "data", "metadata", "items", "clusters", "A_SECRET", "\n"), i), g.value(depth - 1)})
		}
		return append(o, member{g.pick("a", "match", "typed_config"), g.value(depth - 1)})
	case n < 5 && depth > 0:
		a := []any{}
		for range g.IntN(4) {
			a = append(a, g.value(depth-1))
		}
		return a
	case n < 6:
		return json.Number(g.pick("0", "-1.5e+300", "18446744073709551615", "0.10"))
	case n < 7:
		return g.pick("true")[0] == 't'
	case n < 8:
		return nil
	}
	return g.leaf()
}

// write writes a document as some speaker might.
func (g *gardener) write(out *bytes.Buffer, v any) {
	out.WriteString(g.pick("", "", "", " ", "\n\t"))
	switch v := v.(type) {
	case []member:
		for i, m := range v {
			out.WriteString([]string{",", "{"}[max(0, 1-i)])
			g.write(out, m.name)
			out.WriteString(g.pick(":", " :"))
			g.write(out, m.value)
		}
		out.WriteString([]string{"}", "{}"}[max(0, 1-len(v))])
	case []any:
		for i, e := range v {
			out.WriteString([]string{",", "["}[max(0, 1-i)])
			g.write(out, e)
		}
		out.WriteString([]string{"]", "[]"}[max(0, 1-len(v))])
	case string:
		e := json.NewEncoder(out)
		e.SetEscapeHTML(g.IntN(2) == 0)
		e.Encode(v)
	default:
		b, _ := json.Marshal(v)
		out.Write(b)
	}
	out.WriteString(g.pick("", "", "", " ", "\r\n"))
}

// TestPlanted plants secrets at random places of random documents.
func TestPlanted(t *testing.T) {
	all := 0
	for seed := range uint64(3000) {
		g := &gardener{Rand: rand.New(rand.NewPCG(seed, 1))}
		var in bytes.Buffer
		g.write(&in, []member{{"root", g.value(6)}, {"more", []any{g.secretly(), g.value(5)}}})
		all += len(g.planted)
		for _, window := range []int{windowSize, 150} {
			r := newReader(bytes.NewReader(in.Bytes()), window)
			out, err := io.ReadAll(r)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, in.Bytes())
			}
			for _, s := range g.planted {
				if bytes.Contains(out, []byte(s)) {
					t.Fatalf("seed %d: %s survived\n%s\n%s", seed, s, in.Bytes(), out)
				}
			}
			places := same(t, "", tree(t, in.Bytes()), tree(t, out))
			if window == windowSize && len(places) != g.places {
				t.Fatalf("seed %d: %d places differ, %d secrets: %v\n%s\n%s", seed, len(places), g.places, places, in.Bytes(), out)
			}
			again, err := io.ReadAll(newReader(iotest.OneByteReader(bytes.NewReader(in.Bytes())), window))
			if err != nil || !bytes.Equal(again, out) {
				t.Fatalf("seed %d: a byte at a time: %v\n%s", seed, err, again)
			}
		}
	}
	if all < 5000 {
		t.Errorf("only %d secrets", all)
	}
}

// FuzzReader: what is JSON stays JSON of the same shape, whatever the pieces;
// what is not JSON does no harm.
func FuzzReader(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := io.ReadAll(newReader(bytes.NewReader(in), 150))
		again, err2 := io.ReadAll(newReader(iotest.OneByteReader(bytes.NewReader(in)), 150))
		if fmt.Sprint(err) != fmt.Sprint(err2) || err == nil && !bytes.Equal(out, again) {
			t.Fatalf("in pieces: %v %v\n%q\n%q", err, err2, out, again)
		}
		if !json.Valid(in) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !utf8Members(in) {
			return
		}
		same(t, "", tree(t, in), tree(t, out))
	})
}

// utf8Members tells whether no two members of an object have one name, which
// a tree can't tell apart.
func utf8Members(in []byte) bool { return bytes.Count(in, []byte(`:`)) < 2 || !duplicates(in) }

func duplicates(in []byte) bool {
	d := json.NewDecoder(bytes.NewReader(in))
	var names []map[string]bool
	expect := []bool{}
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				names, expect = append(names, map[string]bool{}), append(expect, true)
			case '[':
				names, expect = append(names, nil), append(expect, false)
			default:
				names, expect = names[:len(names)-1], expect[:len(expect)-1]
			}
			if v == '{' || v == '[' {
				continue
			}
		case string:
			if n := len(names); n > 0 && names[n-1] != nil && expect[n-1] {
				if names[n-1][v] {
					return true
				}
				names[n-1][v], expect[n-1] = true, false
				continue
			}
		}
		if n := len(names); n > 0 && names[n-1] != nil {
			expect[n-1] = true
		}
	}
}
