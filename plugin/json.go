package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/sources/decode"
)

// decodeText decodes one JSON value.
func decodeText(text string) (any, error) { return decode.Read(strings.NewReader(text), limits) }

// decodeAll decodes all JSON values of a stream.
func decodeAll(r io.Reader) ([]any, error) {
	s := decode.NewStream(r, limits)
	vs := []any{}
	for {
		v, err := s.Next()
		if errors.Is(err, io.EOF) {
			return vs, nil
		}
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
}

func decodeFile(f fs.File) ([]any, error) { return decodeAll(f) }

// writeJSON prints a value on one line, as jq -c does.
func writeJSON(w io.Writer, v any) {
	p, err := printers.New(printers.Options{Out: w, Compact: true, Join: true})
	if err == nil {
		v, err = p.Render(context.Background(), v)
	}
	if err == nil {
		err = p.Print(v)
	}
	if err != nil {
		fmt.Fprint(w, oneLine(err.Error()))
	}
}

// fact is an error without what the message around it says already: for a
// file, why it could not be read and not its name again.
func fact(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}
