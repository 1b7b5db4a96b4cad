package transport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// countedFile counts the bytes that are read from a file.
type countedFile struct {
	*strings.Reader
	mu   sync.Mutex
	read int
}

func (c *countedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(b, off)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read += n
	return n, err
}

func TestKeptFileIsReadOnce(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	in := &countedFile{Reader: strings.NewReader(text)}
	f := (&keeper{}).file(in)
	if err := iotest.TestReader(io.NewSectionReader(f, 0, f.Size()), []byte(text)); err != nil {
		t.Error(err)
	}
	var work sync.WaitGroup
	for i := range 20 {
		work.Go(func() {
			b := make([]byte, 100)
			if n, err := f.ReadAt(b, int64(i*10)); n != 100 || err != nil || !bytes.Equal(b, []byte(text[i*10:i*10+100])) {
				t.Error(n, err)
			}
		})
	}
	work.Wait()
	if n, err := f.ReadAt(make([]byte, 10), f.Size()-3); n != 3 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 10), f.Size()+3); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	if in.read != len(text) {
		t.Errorf("%d bytes were read of a file of %d", in.read, len(text))
	}
}

func TestKeptFilesAreLimited(t *testing.T) {
	k := &keeper{}
	text := strings.Repeat("x", keptMost/3)
	for range 10 {
		f := k.file(&countedFile{Reader: strings.NewReader(text)})
		for range 2 {
			if n, err := f.ReadAt(make([]byte, 5), 7); n != 5 || err != nil {
				t.Error(n, err)
			}
		}
		if k.held > keptMost || len(k.files) > 3 {
			t.Errorf("%d bytes of %d files are in memory", k.held, len(k.files))
		}
	}
	if _, kept := k.file(&countedFile{Reader: strings.NewReader(text + text + text + text)}).(*keptFile); kept {
		t.Error("a file larger than the limit is kept")
	}
}

// A cutShort is a file that has become shorter than its reported size.
type cutShort struct{ *strings.Reader }

func (c cutShort) Size() int64 { return c.Reader.Size() + 10 }

func TestKeptFileHasTheErrorsOfItsReads(t *testing.T) {
	f := (&keeper{}).file(cutShort{strings.NewReader("0123456789")})
	if n, err := f.ReadAt(make([]byte, 4), 2); n != 4 || err != nil {
		t.Errorf("before the cut: %d, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 4), 8); n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("over the cut: %d, %v", n, err)
	}
}
