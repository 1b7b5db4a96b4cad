package transport

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// maxName is the maximum length of a file's name in an archive, in bytes. The
// longest name in a snapshot has less than 700 bytes: that of istiod's config_dump
// for a proxy.
const maxName = 1024

// entryName returns the cleaned name of an archive's entry. It returns an error if
// the name isn't allowed.
func entryName(name string) (string, error) {
	switch {
	case strings.ContainsRune(name, 0):
		return "", errors.New("refused: a NUL in the name")
	case strings.Contains(name, `\`):
		return "", errors.New("refused: a backslash in the name")
	case len(name) > maxName:
		return "", fmt.Errorf("refused: a name of %d bytes", len(name))
	case strings.HasPrefix(name, "/"), len(name) > 1 && name[1] == ':':
		return "", errors.New("refused: an absolute name")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("refused: the name leads outside")
		}
	}
	return path.Clean(name), nil
}

// entryKind reports whether a tar entry is a regular file. refused is an error
// for an entry whose type isn't allowed. For a folder or another harmless type,
// file is false and refused is nil.
func entryKind(h *tar.Header) (file bool, refused error) {
	switch h.Typeflag {
	case tar.TypeReg: // the tar reader converts the type of old archives' regular files to TypeReg
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return false, nil
	case tar.TypeSymlink:
		return false, fmt.Errorf("refused: a symbolic link to %s", printable(h.Linkname))
	case tar.TypeLink:
		return false, fmt.Errorf("refused: a hard link to %s", printable(h.Linkname))
	case tar.TypeChar, tar.TypeBlock:
		return false, errors.New("refused: a device")
	case tar.TypeFifo:
		return false, errors.New("refused: a named pipe")
	case tar.TypeGNUSparse:
		return false, errors.New("refused: a sparse file")
	default:
		return false, fmt.Errorf("refused: an entry of type %s", strconv.QuoteToASCII(string(h.Typeflag)))
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return false, errors.New("refused: a sparse file")
		}
	}
	return !strings.HasSuffix(h.Name, "/"), nil
}

func memberTooLarge(size, limit int64) error {
	return fmt.Errorf("refused: %s, more than %s", byteCount(size), byteCount(limit))
}

// printable returns a form of a name that is safe to print on a terminal. It
// shortens the name, and quotes it if necessary.
func printable(name string) string {
	const most = 100
	if len(name) > most {
		name = strings.TrimRightFunc(name[:most], func(r rune) bool { return r == utf8.RuneError }) + "…"
	}
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToGraphic(name)
	}
	return name
}

// A ledger collects the faults of one source.
type ledger struct {
	source  string
	faults  []*mesh.Fault
	refused int
}

// maxRefused is the maximum number of refused entries that are reported
// separately.
const maxRefused = 20

// add records a fault of a file. If file is "", the fault is about the whole
// source.
func (l *ledger) add(file string, err error) {
	l.faults = append(l.faults, &mesh.Fault{Subject: l.source, Section: file, Err: err})
}

// refuse records an entry that was skipped because it isn't allowed.
func (l *ledger) refuse(name string, err error) {
	if l.refused++; l.refused <= maxRefused {
		l.add(printable(name), err)
	}
}

// reason adds the first fault to the error that an input isn't a source,
// because the fault may be the cause.
func (l *ledger) reason(err error) error {
	if len(l.faults) == 0 {
		return err
	}
	f := l.faults[0]
	return fmt.Errorf("%w (%w)", err, &mesh.Fault{Section: f.Section, Err: f.Err})
}

// finish adds one fault for all refused entries that were not reported
// separately. It contains their number.
func (l *ledger) finish() {
	if n := l.refused - maxRefused; n > 0 {
		l.add("", fmt.Errorf("%d more entries refused", n))
	}
}
