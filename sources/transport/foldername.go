package transport

import (
	"net/url"
	"strings"
)

// folderName returns the name of the folder in which a snapshot stores a proxy. An
// id of the form pod.namespace is used unchanged. Other ids may be a path or contain
// a port; their characters that a file system could refuse are escaped as in a URL
// ("%2F").
func folderName(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		letter := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
		edge := i == 0 || i == len(id)-1 // at the start a dot hides a folder, and at the end Windows drops it
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

// folderID returns the id from which folderName made this name. Any other name is
// itself the id.
func folderID(name string) string {
	if id, err := url.PathUnescape(name); err == nil && folderName(id) == name {
		return id
	}
	return name
}
