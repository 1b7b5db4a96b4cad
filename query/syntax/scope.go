package syntax

// scope is the set of names that a place of the tree sees: "f/1" functions,
// "$x" variables, "break $x" labels. Names are added on the way down and
// taken back on the way up.
type scope struct {
	count map[string]int
	names []string // in the order they were added
}

func newScope() *scope { return &scope{count: map[string]int{}} }

func (s *scope) has(name string) bool { return s.count[name] > 0 }

func (s *scope) add(name string) {
	s.count[name]++
	s.names = append(s.names, name)
}

// mark remembers what is in the scope, for release to go back to it.
func (s *scope) mark() int { return len(s.names) }

func (s *scope) release(mark int) {
	for _, name := range s.names[mark:] {
		if s.count[name]--; s.count[name] == 0 {
			delete(s.count, name)
		}
	}
	s.names = s.names[:mark]
}
