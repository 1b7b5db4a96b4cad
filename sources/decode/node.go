package decode

// A Node selects parts of a value. A nil Node selects nothing: the value is skipped.
// A Node must not be changed after its first use. Passes may share it, and it may
// appear several times in a tree.
//
// Scalars are decoded under every node except one with Walk. A part of the value that
// the node doesn't describe (an array under a node with only Fields, a container
// under an empty Node) is kept as a [*Value]. So nothing is lost if a document has an
// unexpected form.
type Node struct {
	// All decodes the value and everything inside it.
	All bool
	// Shallow decodes one level of the value. Containers inside it become [*Value]s,
	// except for empty ones, which are decoded.
	Shallow bool
	// Raw keeps a container undecoded, as a [*Value].
	Raw bool
	// Walk decodes nothing. The value is only searched for the parts that Fields
	// and Elem select.
	Walk bool
	// Place keeps an object undecoded, as a [*Place] with the decoded members that
	// Fields selects.
	Place bool

	// Fields are the only members of an object that are decoded. Together with All or
	// Shallow they are instead the members that are treated differently from the
	// others. A member is left out if its Node is nil or has Walk.
	Fields []Field
	// Elem applies to each element of an array and, if there are no Fields, to each
	// member of an object. Array elements that are skipped or walked are left out.
	Elem *Node

	// Visit is the tag with which the value is passed to the visit function of the
	// pass. If Visit is 0, the value isn't passed. Under Walk the function gets nil
	// as the value.
	Visit int
}

// A Field selects one member of an object.
type Field struct {
	Name string // the member's name in the document; in camelCase if there is a shape
	Node *Node
}

// These nodes apply to the content of values under All and Shallow.
var (
	wholeNode   = &Node{All: true}
	shallowNode = &Node{Shallow: true}
	insideNode  = &Node{Raw: true}
)

// member returns the node for a member. name is the member's name in the
// document. If the shape doesn't change the name, name is empty and key is used.
func (n *Node) member(name string, key []byte) *Node {
	if n == wholeNode {
		return n
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		if f.Name == name || name == "" && f.Name == string(key) {
			return f.Node
		}
	}
	if n.Elem != nil && len(n.Fields) == 0 {
		return n.Elem
	}
	return n.rest()
}

// element returns the node for the elements of an array.
func (n *Node) element() *Node {
	if n.Elem != nil {
		return n.Elem
	}
	return n.rest()
}

// rest returns the node for the members and elements that neither Fields nor
// Elem selects.
func (n *Node) rest() *Node {
	switch {
	case n.All:
		return wholeNode
	case n.Shallow:
		return insideNode
	}
	return nil
}

// builds reports whether a value under the node becomes a part of its parent.
func (n *Node) builds() bool { return n != nil && !n.Walk }

// keeps reports whether a container under the node is kept undecoded, as a
// Value.
func (n *Node) keeps(object bool) bool {
	switch {
	case n.All || n.Shallow || n.Walk:
		return false
	case n.Raw:
		return true
	}
	return n.Elem == nil && (!object || len(n.Fields) == 0)
}

// ignoresContent reports whether the node skips everything inside a container.
func (n *Node) ignoresContent() bool { return n.Walk && len(n.Fields) == 0 && n.Elem == nil }
