package transport

import (
	"errors"
	"io"
	"sort"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A joined is a body that consists of parts of other bodies. It doesn't copy their
// bytes.
type joined struct {
	parts []part
	size  int64
}

type part struct {
	bytes io.ReaderAt
	off   int64 // the offset of the part in the body that it comes from
	end   int64 // the offset of the part's end in the joined body
}

func (j *joined) add(b decode.Bytes, off, end int64) {
	if end > off {
		j.size += end - off
		j.parts = append(j.parts, part{b, off, j.size})
	}
}

func (j *joined) addText(text string) { j.add(strings.NewReader(text), 0, int64(len(text))) }

// Size returns the total size of all parts.
func (j *joined) Size() int64 { return j.size }

// ReadAt reads bytes of the joined body, which may come from several parts.
func (j *joined) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	i := sort.Search(len(j.parts), func(i int) bool { return j.parts[i].end > off })
	done := 0
	for ; done < len(b); i++ {
		if i == len(j.parts) {
			return done, io.EOF
		}
		p, start := j.parts[i], int64(0)
		if i > 0 {
			start = j.parts[i-1].end
		}
		want := b[done:min(int64(len(b)), int64(done)+p.end-off)]
		n, err := p.bytes.ReadAt(want, p.off+off-start)
		done += n
		off += int64(n)
		if n < len(want) {
			return done, err
		}
	}
	return done, nil
}
