package transport

import (
	"net/url"
	"strings"
)

// folderName gives the name of the folder in which a snapshot has a proxy. An
// id that is pod.namespace is its own folder's name; in any other one, which
// may be a path or have a port, what a file system could refuse is written as
// in a URL ("%2F").
func folderName(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		letter := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
		edge := i == 0 || i == len(id)-1 // a hidden folder; one that Windows would call otherwise
		if letter || strings.IndexByte("-_~@+,=", c) >= 0 || c == '.' && !edge {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789ABCDEF"[c>>4])
		b.WriteByte("0123456789ABCDEF"[c&15])
	}
	return b.String()
}

// folderID gives the id that folderName has made this name of. Any other name
// is the id itself.
func folderID(name string) string {
	if id, err := url.PathUnescape(name); err == nil && folderName(id) == name {
		return id
	}
	return name
}
