// Package transport is where answers come from: what istiod, the proxies and
// the API server said, as whole bodies, unread. Today the answers are recorded
// ones: a snapshot (folder or archive), an istioctl bug report, a lone config
// dump. A [Source] over live connections answers the same questions, with the
// same [Body].
//
// This room knows where a body lies and how to get at its bytes without
// holding them: as a part of a file, of an archive's frame, or of a nameless
// temporary file that an archive was unpacked into. It knows the names of
// requests and files. It does not know what a body says: the rooms of the
// speakers read that. It is the one room under the plugin that opens files;
// it writes none but its temporary one.
//
// # What is lost
//
// An archive that is cut short or damaged stays a source: files that were read
// whole before the damage are served, the file that was hit and all after it
// are lost. Entries that no snapshot has any use for (names that lead outside,
// links, devices) are left out. Both are told by [Source.Faults], and a run
// over such a source must say so. Limits ([OpenOptions]) end the opening: what
// unpacks to more than it should is not to be trusted in part either.
package transport
