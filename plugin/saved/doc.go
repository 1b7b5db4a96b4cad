// Package saved finds and reads saved queries. They are files in the folders of the
// user, of projects, and of MESHQ_LIBRARY_PATH.
//
// The package doesn't run, write or remove saved queries; package plugin does that.
// Read [Folders] first, then [Find].
package saved
