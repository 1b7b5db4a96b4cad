// Package transport provides the responses of istiod, the proxies and the API
// server as whole bodies, without parsing them. The sources in this package are
// recorded: a snapshot (folder or archive), an istioctl bug report, or a single
// config dump. Package live has a [Source] over live connections, with the same
// methods and the same [Body].
//
// The package reads bodies without loading them into memory. A body is stored in a
// part of a file, in a frame of an archive, or in the temporary file into which an
// archive was unpacked. The package also maps requests to the names of files. It
// does not parse bodies; the packages istiod, envoy, ztunnel and kube do that. No
// other package under the plugin opens files, and this package writes only its
// temporary file.
//
// # Damaged archives
//
// An archive that is cut short or damaged can still be used. Files before the
// damage can be read, and the damaged file and all later files are missing.
// Entries that a snapshot must not contain (names outside of the archive, links,
// devices) are skipped. [Source.Faults] reports both, and a query over such a
// source must show the faults. Exceeding a limit of [OpenOptions] is an error
// instead, because nothing in an archive that unpacks to an excessive size can be
// trusted.
package transport
