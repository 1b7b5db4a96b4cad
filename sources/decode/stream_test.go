package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// drain returns the values of a stream and the error that ended it, or nil for
// io.EOF.
func drain(s *Stream) (vs []any, err error) {
	for {
		v, err := s.Next()
		if err == io.EOF {
			return vs, nil
		}
		if err != nil {
			return vs, err
		}
		vs = append(vs, v)
	}
}

var streams = []string{
	"", " \n", "1", "1 2", "1\n2\n", "[1][2]", `{}{"a":[1]}`, `"a""b"`, "1[2]", `1"a"`, "null[1]", "true{}", `[1]2"x"{}true`, "\uFEFF1 2", "1\n\n\n[\n]\n",
	"truefalse", "1true", "true1", "nulltrue", "1 2 [", "1 }", "1,2", `{"a":1} x`, "[1]]", "1-2", "1.5.5", "nul", `"a" "b`,
}

// TestStreamsAsJq checks that streams yield the same values and errors as jq.
func TestStreamsAsJq(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip(err)
	}
	for _, in := range streams {
		cmd := exec.Command(jq, "-c", ".")
		cmd.Stdin = strings.NewReader(in)
		out, refused := cmd.Output()
		var want []any
		for line := range bytes.Lines(out) {
			v, err := standard(line)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, v)
		}
		for _, window := range []int{1, windowSize} {
			got, err := drain(newStream(iotest.OneByteReader(strings.NewReader(in)), Limits{}, window))
			if !object.Equal(got, want) || (err == nil) != (refused == nil) {
				t.Errorf("%q: %v %v, jq has %v %v", in, got, err, want, refused)
			}
		}
	}
}

// TestStreamsAsStandard checks that a stream with white space between its
// values yields the same values as encoding/json.
func TestStreamsAsStandard(t *testing.T) {
	for _, in := range append(seeds, streams...) {
		if in == "+1" || in == ".5" { // only jq accepts these numbers; TestStreamsAcceptJqNumbers covers them
			continue
		}
		in = "[1] " + in + "\n{} "
		dec := json.NewDecoder(strings.NewReader(in))
		dec.UseNumber()
		var want []any
		var refused error
		for {
			var v any
			if refused = dec.Decode(&v); refused != nil {
				break
			}
			want = append(want, ints(object.FromPlain(v)))
		}
		got, err := drain(NewStream(strings.NewReader(in), Limits{}))
		if strings.Contains(in, "\uFEFF") || strings.Contains(fmt.Sprint(err), "white space after a number or a word") {
			continue // encoding/json rejects byte order marks, and requires no space after words
		}
		if !object.Equal(got, want) || errors.Is(refused, io.EOF) != (err == nil) {
			t.Errorf("%q: %v %v, encoding/json has %v %v", in, got, err, want, refused)
		}
	}
}

func TestStreamAfterAnError(t *testing.T) {
	broken := errors.New("connection reset")
	s := NewStream(io.MultiReader(strings.NewReader("[1] 12"), iotest.ErrReader(broken)), Limits{})
	vs, err := drain(s)
	if fmt.Sprint(vs) != "[[1]]" || err != broken {
		t.Errorf("%v %v: the number may not be all of it", vs, err)
	}
	if _, err = s.Next(); err != broken {
		t.Error(err)
	}
	s = NewStream(strings.NewReader("1"), Limits{})
	if _, err = drain(s); err != nil {
		t.Error(err)
	}
	if _, err = s.Next(); err != io.EOF {
		t.Error(err)
	}
}

// TestStreamTotal checks that the limit on the total size applies to each value
// of a stream separately.
func TestStreamTotal(t *testing.T) {
	one := "[" + strings.Repeat("1,", 400) + "1]\n"
	for _, window := range []int{1, 100, windowSize} {
		vs, err := drain(newStream(strings.NewReader(strings.Repeat(one, 50)), Limits{Total: 900}, window))
		if len(vs) != 50 || err != nil {
			t.Errorf("%d values, %v", len(vs), err)
		}
	}
	vs, err := drain(newStream(strings.NewReader(one+"["+strings.Repeat(one+",", 500)+"1]"), Limits{Total: 900}, 100))
	var limit *LimitError
	if len(vs) != 1 || !errors.As(err, &limit) {
		t.Errorf("%d values, %v", len(vs), err)
	}
}

// TestStreamLine checks the line number of each value against those of jq 1.6 and
// 1.8.
func TestStreamLine(t *testing.T) {
	for text, want := range map[string]string{
		"1\n2\n": "1 2", "{}\n{}\n": "1 2", "1 2\n3": "1 1 1", "[1,\n2]\n\n\n5\n": "2 5", `"a"`: "0", "\n\n1": "2",
		strings.Repeat("1\n", 5): "1 2 3 4 5",
	} {
		for _, window := range []int{64, 0} {
			s := newStream(strings.NewReader(text), Limits{}, window)
			var got []string
			for {
				if _, err := s.Next(); err != nil {
					break
				}
				got = append(got, strconv.Itoa(s.Line()))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%q: %v, want %s", text, got, want)
			}
		}
	}
	s := NewStream(strings.NewReader(strings.Repeat("{\"a\":1}\n", 100_000)), Limits{})
	for n := 1; n <= 100_000; n++ {
		if _, err := s.Next(); err != nil || s.Line() != n {
			t.Fatalf("value %d is in line %d: %v", n, s.Line(), err)
		}
	}
	if len(s.lines.ahead) > 1<<16 {
		t.Errorf("%d lines are remembered", len(s.lines.ahead))
	}
}
