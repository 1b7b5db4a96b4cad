// Package saved finds and reads the queries that people save: files in the
// folders of the user, of projects, and of MESHQ_LIBRARY_PATH.
//
// It doesn't run, write or remove them; package plugin does. Read [Folders]
// first, then [Find].
package saved
