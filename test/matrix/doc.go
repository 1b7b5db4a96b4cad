// Package matrix removes one part of a snapshot at a time and checks that no answer then looks complete. It defines
// what a part of a snapshot is and how answers may differ. It is independent of what the checks and queries do.
package matrix
