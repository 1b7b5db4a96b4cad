package transport

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// keptMost limits the bytes of its files that a source keeps in memory.
const keptMost = 32 << 20

// A keeper keeps the content of files in memory for a run that reads them completely.
// A document is decoded part by part, and each part is a read of its own: printing a
// dump of 13.5 MB took 20,000 reads of three times its bytes, and an eighth more CPU
// time than from memory. A run that reads a few fields is faster without: its reads
// cost less than the memory (57 instead of 48 ms for two fields of each cluster).
type keeper struct {
	mu    sync.Mutex
	held  int64
	files []*keptFile // the files in memory, in the order in which they were loaded
}

// file returns b, the content of a file, as bytes that are kept in memory from the
// first read on. A nil keeper keeps nothing.
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

// load reads the content of the file. If there is no room, other files leave memory. It
// returns nil if the file can't be read; then the caller's own read has the error.
func (f *keptFile) load() *[]byte {
	k := f.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if text := f.text.Load(); text != nil { // another goroutine has loaded it meanwhile
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

// unload drops the content. The caller must hold the keeper's mu.
func (f *keptFile) unload() {
	f.text.Store(nil)
	f.keeper.held -= f.Size()
}
