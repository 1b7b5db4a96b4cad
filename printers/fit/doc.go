// Package fit lays out tables that are wider than a terminal. It shortens
// names, cuts long cells and leaves out the columns of least worth, in this
// order and only as far as needed, or it prints each row as a block of wrapped
// lines.
//
// It knows only texts: neither the objects of the rows, nor the terminal. What
// it measures is the number of characters. Read [New] first.
package fit
