package decode

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// Contains reports whether one of the words appears anywhere in the bytes [off,
// end). It searches the bytes in small pieces and doesn't decode them. A word must
// have at most a few hundred bytes. A returned error is the context's or a read
// error.
func (d *Document) Contains(ctx context.Context, off, end int64, words ...string) (bool, error) {
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	window := make([]byte, 64<<10)
	kept := 0 // number of bytes kept from the previous window, since a word may begin in them
	for off < end {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := d.Bytes.ReadAt(window[kept:min(int64(len(window)), int64(kept)+end-off)], off)
		if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
			return false, err
		}
		off += int64(n)
		for _, w := range words {
			if bytes.Contains(window[:kept+n], []byte(w)) {
				return true, nil
			}
		}
		from := max(0, kept+n-longest)
		kept = copy(window, window[from:kept+n])
	}
	return false, nil
}
