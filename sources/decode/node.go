package decode

// A Node says what is wanted of a value and of what lies inside it. A nil Node
// wants nothing: the value is skipped. A Node is never changed once it is in
// use, and may be shared by passes and by places of a tree.
//
// Scalars are built as they are under every node but Walk. What a node leaves
// open (an array under Fields alone, a container under an empty Node) is kept
// as a [*Value], so that a document of an unexpected form loses nothing.
type Node struct {
	// All: built whole.
	All bool
	// Shallow: built one level; the containers inside are [*Value]s (an empty
	// one is there as it is).
	Shallow bool
	// Raw: a container is a [*Value].
	Raw bool
	// Walk: nothing is built; the value is only looked through, by Fields and
	// Elem.
	Walk bool
	// Place: an object is a [*Place], which knows the members of Fields.
	Place bool

	// Fields: an object is built from these members only. Beside All or
	// Shallow they say what is different for these members. A member whose
	// Node is nil, or one of Walk, is left out.
	Fields []Field
	// Elem is for each element of an array and, where there are no Fields, for
	// each member of an object. The elements of an array that are skipped or
	// only walked through are left out.
	Elem *Node

	// Visit, if not 0, is the tag under which the value, or nil under Walk, is
	// handed to the visit function of the pass.
	Visit int
}

// A Field is the wish for one member of an object.
type Field struct {
	Name string // in the document: camelCase where there is a shape
	Node *Node
}

// The nodes that stand for what is inside All and Shallow.
var (
	wholeNode   = &Node{All: true}
	shallowNode = &Node{Shallow: true}
	insideNode  = &Node{Raw: true}
)

// member gives the node of a member by its name in the document: key where the
// shape gave no other.
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

// element gives the node of an array's elements.
func (n *Node) element() *Node {
	if n.Elem != nil {
		return n.Elem
	}
	return n.rest()
}

// rest is the node of what Fields and Elem don't name.
func (n *Node) rest() *Node {
	switch {
	case n.All:
		return wholeNode
	case n.Shallow:
		return insideNode
	}
	return nil
}

// builds tells whether a value under the node becomes a part of what it lies
// in.
func (n *Node) builds() bool { return n != nil && !n.Walk }

// keeps tells whether a container is kept as a Value under the node.
func (n *Node) keeps(object bool) bool {
	switch {
	case n.All || n.Shallow || n.Walk:
		return false
	case n.Raw:
		return true
	}
	return n.Elem == nil && (!object || len(n.Fields) == 0)
}

// blind tells whether nothing inside a container is looked at.
func (n *Node) blind() bool { return n.Walk && len(n.Fields) == 0 && n.Elem == nil }
