package transport

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// A File is a file, a device or a pipe that is open for reading. A read ends when
// the context with which the File was opened ends, because the writer of a pipe
// may never write.
type File struct {
	*os.File
	info fs.FileInfo
	in   io.Reader
}

// OpenFile opens a path for reading. If ctx ends first, OpenFile returns the cause
// of the context: opening a named pipe without a writer, or a file on a network
// file system that doesn't respond, would never return. A file that opens later is
// closed.
func OpenFile(ctx context.Context, path string) (*File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened)
	go func() {
		file, err := os.Open(path)
		select {
		case done <- opened{file, err}:
		case <-ctx.Done():
			file.Close() // if file is nil, Close only returns an error
		}
	}()
	var o opened
	select {
	case o = <-done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if o.err != nil {
		return nil, cause(o.err)
	}
	info, err := o.file.Stat()
	if err != nil {
		o.file.Close()
		return nil, cause(err)
	}
	f := &File{File: o.file, info: info, in: unlessEnded{ctx, o.file}}
	if !info.Mode().IsRegular() {
		f.in = newPatient(ctx, o.file)
	}
	return f, nil
}

// Info returns the file information at the time when the file was opened.
func (f *File) Info() fs.FileInfo { return f.info }

// Read reads the next bytes.
func (f *File) Read(b []byte) (int, error) { return f.in.Read(b) }

// WriteTo is defined so that io.Copy doesn't use the WriteTo of os.File, which
// would bypass Read.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f})
}

// An unlessEnded is a reader that returns an error when the context has ended.
type unlessEnded struct {
	ctx context.Context
	io.Reader
}

func (u unlessEnded) Read(b []byte) (int, error) {
	if err := context.Cause(u.ctx); err != nil {
		return 0, err
	}
	return u.Reader.Read(b)
}
