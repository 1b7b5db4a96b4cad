package fleet

import (
	"bytes"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// resource answers a request for the elements of one list. They are written without their section, each with the type
// of its message. Like Envoy, it searches the sections it has for the list, and checks the mask only if the list has an
// element (addResourceToDump in source/server/admin/config_dump_handler.cc).
func (d *dump) resource(c selection, mask string) *dumpAnswer {
	for _, s := range d.sections {
		message := sectionMessage(s.kind)
		if message == nil || !c.includes(s) {
			continue
		}
		f := message.Fields().ByName(protoreflect.Name(c.resource))
		if f == nil {
			continue
		}
		if f.Cardinality() != protoreflect.Repeated {
			return refusal(http.StatusBadRequest, "%s is not a repeated field. Use ?mask=%[1]s to get only this field", c.resource)
		}
		text, ok, err := s.elements(c, f.Message())
		switch {
		case err != nil:
			return refusal(http.StatusInternalServerError, "%v\n", err)
		case !ok:
			return refusal(http.StatusBadRequest, "FieldMask %s could not be successfully used.", mask)
		}
		return &dumpAnswer{http.StatusOK, newTemplate(text)}
	}
	return refusal(http.StatusNotFound, "%s not found in config dump", c.resource)
}

// elements writes the selected elements of the list. ok is false if the mask doesn't fit one of them.
func (s *section) elements(c selection, of protoreflect.MessageDescriptor) (text []byte, ok bool, err error) {
	var b bytes.Buffer
	for _, f := range s.fields {
		if f.name != c.resource {
			continue
		}
		for _, e := range f.elements {
			if !c.matchesName(e) {
				continue
			}
			raw, fits, err := c.mask.trimElement(of, e.text)
			if err != nil || !fits {
				return nil, fits, err
			}
			all, err := members(raw)
			if err != nil {
				return nil, false, err
			}
			named := append([]member{{"@type", quote("type.googleapis.com/" + string(of.FullName()))}}, all...)
			out, err := indented(object(named), resourceDepth)
			if err != nil {
				return nil, false, err
			}
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "\n  %s", out)
		}
	}
	if b.Len() == 0 {
		return []byte("{}"), true, nil
	}
	return fmt.Appendf(nil, "{\n \"configs\": [%s\n ]\n}\n", b.Bytes()), true, nil
}
