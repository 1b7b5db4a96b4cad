package transport

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// keptMost is the maximum number of bytes that a source keeps in memory of its
// files.
const keptMost = 32 << 20

// A keeper caches the content of files in memory. It is used in runs that read files
// completely, because a document is decoded part by part with a separate read for
// each. Without a cache, printing a dump of 13.5 MB took 20,000 reads of three times
// the size in total, and an eighth more CPU time. A run that reads only a few fields
// uses no keeper: caching would cost more than these reads (57 instead of 48 ms for
// two fields of each cluster).
type keeper struct {
	mu    sync.Mutex
	held  int64
	files []*keptFile // the files that are in memory, in the order in which they were loaded
}

// file returns the content of a file, b, as bytes that are cached from the first
// read on. A nil keeper returns b itself.
func (k *keeper) file(b decode.Bytes) decode.Bytes {
	if k == nil || b.Size() > keptMost {
		return b
	}
	return &keptFile{Bytes: b, keeper: k}
}

// A keptFile is a file whose content may be in memory.
type keptFile struct {
	decode.Bytes
	keeper *keeper
	text   atomic.Pointer[[]byte] // the content; nil while it isn't in memory
}

// ReadAt implements [io.ReaderAt].
func (f *keptFile) ReadAt(b []byte, off int64) (int, error) {
	text := f.text.Load()
	if text == nil {
		text = f.load()
	}
	if text == nil || len(b) == 0 {
		return f.Bytes.ReadAt(b, off)
	}
	if off >= int64(len(*text)) {
		return 0, io.EOF
	}
	n := copy(b, (*text)[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// load reads the content of the file into memory. If there is no room, it removes other
// files from memory. It returns nil if the file can't be read. The caller's own read
// then returns the error.
func (f *keptFile) load() *[]byte {
	k := f.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if text := f.text.Load(); text != nil { // another goroutine has loaded the file in the meantime
		return text
	}
	for k.held+f.Size() > keptMost {
		k.files[0].unload()
		k.files = k.files[1:]
	}
	text := make([]byte, f.Size())
	if n, _ := f.Bytes.ReadAt(text, 0); n < len(text) {
		return nil
	}
	f.text.Store(&text)
	k.held += f.Size()
	k.files = append(k.files, f)
	return &text
}

// unload removes the content from memory. The caller must hold the keeper's mu.
func (f *keptFile) unload() {
	f.text.Store(nil)
	f.keeper.held -= f.Size()
}
