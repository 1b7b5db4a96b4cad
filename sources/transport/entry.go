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

// maxName is the longest name of an archive's file, in bytes. The longest name in a
// snapshot, that of a Pilot's config_dump of a proxy, has less than 700 bytes.
const maxName = 1024

// entryName returns the cleaned name of an archive's entry, or an error if the name
// is refused.
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

// entryKind reports whether a tar entry is a file to read. refused is set for an
// entry that isn't allowed. Folders and similar entries are neither.
func entryKind(h *tar.Header) (file bool, refused error) {
	switch h.Typeflag {
	case tar.TypeReg: // includes the regular files of old archives, since the tar reader converts their type
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

// printable returns a name that is safe to print on a terminal: shortened, and
// quoted if necessary.
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

// maxRefused is the number of refused entries that are reported one by one.
const maxRefused = 20

// add records a fault about a file, or about the source as a whole if file is "".
func (l *ledger) add(file string, err error) {
	l.faults = append(l.faults, &mesh.Fault{Subject: l.source, Section: file, Err: err})
}

// refuse records an entry that was left out.
func (l *ledger) refuse(name string, err error) {
	if l.refused++; l.refused <= maxRefused {
		l.add(printable(name), err)
	}
}

// reason adds the first fault to the error for an input that isn't a source, because
// that fault may be the reason.
func (l *ledger) reason(err error) error {
	if len(l.faults) == 0 {
		return err
	}
	f := l.faults[0]
	return fmt.Errorf("%w (%w)", err, &mesh.Fault{Section: f.Section, Err: f.Err})
}

// finish reports the number of refused entries that weren't reported one by one.
func (l *ledger) finish() {
	if n := l.refused - maxRefused; n > 0 {
		l.add("", fmt.Errorf("%d more entries refused", n))
	}
}
