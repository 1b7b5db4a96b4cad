// Package transport provides the answers of istiod, the proxies and the API server,
// as whole bodies that aren't parsed. The sources in this package are recorded: a
// snapshot (folder or archive), an istioctl bug report, or a single config dump. A
// [Source] over live connections has the same methods and returns the same [Body].
//
// The package knows where a body is stored and how to read its bytes without holding
// them in memory: as a part of a file, of an archive's frame, or of a nameless
// temporary file into which an archive was unpacked. It knows the names of requests
// and files. It does not know the content of a body: the packages istiod, envoy,
// ztunnel and kube do. No other package under the plugin opens files, and this one
// writes only its temporary file.
//
// # Damaged archives
//
// An archive that is cut short or damaged can still be used: files that were read
// completely before the damage are returned, and the damaged file and all later ones
// are missing. Entries that don't belong in a snapshot (names outside of the
// archive, links, devices) are left out. [Source.Faults] reports both, and a query
// over such a source must show it. Exceeding a limit of [OpenOptions] is an error
// instead: if an archive unpacks to more than it should, no part of it can be
// trusted.
package transport
