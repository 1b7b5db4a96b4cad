package syntax

import "strings"

// nearest gives the key that was probably meant by name/arity, or nothing:
// the fewest slips of the pen, then the same number of arguments, then the
// first in order. Keys are sorted.
func nearest(keys []string, name string, arity int) string {
	best, least := "", 2*allowed(len(name))+2
	same := Key("", arity)
	for _, k := range keys {
		other, _, _ := strings.Cut(k, "/")
		score := 2 * distance(other, name)
		if k[len(other):] != same {
			score++
		}
		if score < least {
			best, least = k, score
		}
	}
	return best
}

// Nearest gives the one of some names that was probably meant by another; empty
// where none is near. Of those as near the first is given.
func Nearest(names []string, name string) string {
	best, least := "", allowed(len(name))+1
	for _, other := range names {
		if d := distance(other, name); d < least {
			best, least = other, d
		}
	}
	return best
}

// nearestName suggests one of the variables "$x", or of the labels "break $x",
// that was probably meant: the fewest slips, then the first in order.
func nearestName(others []string, prefix, name string) string {
	best, least := "", allowed(len(name)-1)+1
	for _, other := range others {
		other, ok := strings.CutPrefix(other, prefix)
		if !ok || !strings.HasPrefix(other, "$") {
			continue
		}
		if d := distance(other, name); d < least || d == least && best != "" && other < best {
			best, least = other, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// allowed is how many slips a name of n letters may have and still be known.
func allowed(n int) int {
	if n < 3 {
		return 0
	}
	return min((n+1)/3, 3)
}

// distance counts the slips between two words: a letter missing, added, wrong,
// or swapped with its neighbour. Capitals are the same letters; words whose
// lengths are too far apart are not looked at.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 3 || d < -3 {
		return max(d, -d)
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			d := last[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
