package xds

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// special returns the function that writes a message with a JSON form of its own, or
// nil for all other messages.
func special(name string) func(*writer, []byte) error {
	wrapper, ok := strings.CutPrefix(name, "google.protobuf.")
	if !ok {
		return nil
	}
	switch wrapper {
	case "Any":
		return (*writer).wrapped
	case "Duration":
		return (*writer).duration
	case "Timestamp":
		return (*writer).timestamp
	case "Struct":
		return (*writer).structure
	case "Value":
		return (*writer).dynamic
	case "ListValue":
		return (*writer).dynamicList
	case "BoolValue", "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "FloatValue", "DoubleValue", "StringValue", "BytesValue":
		return func(w *writer, body []byte) error { return w.wrapper(name, body) }
	}
	return nil
}

// wrapped writes an Any.
func (w *writer) wrapped(body []byte) error {
	var url string
	var content []byte
	err := eachField(body, func(n protowire.Number, v []byte) error {
		switch n {
		case 1:
			url = string(v)
		case 2:
			content = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.any(url, content)
}

// wrapper writes a message with one field, "value", as its value.
func (w *writer) wrapper(name string, body []byte) error {
	m, ok := w.table.message(name)
	if !ok {
		return fmt.Errorf("%s: no such message in the table", name)
	}
	var content value
	err := eachValue(body, func(_ protowire.Number, _ protowire.Type, v value) error {
		content = v
		return nil
	})
	if err != nil {
		return err
	}
	return w.value(m[1], content)
}

func (w *writer) duration(body []byte) error {
	seconds, nanos, err := instant(body)
	if err != nil {
		return err
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	w.out.Write(quoted(sign + strconv.FormatInt(seconds, 10) + fraction(nanos) + "s"))
	return nil
}

func (w *writer) timestamp(body []byte) error {
	seconds, nanos, err := instant(body)
	if err != nil {
		return err
	}
	w.out.Write(quoted(time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05") + fraction(nanos) + "Z"))
	return nil
}

// fraction returns nanoseconds as a decimal fraction of 3, 6 or 9 digits, or "" for 0.
func fraction(nanos int64) string {
	if nanos == 0 {
		return ""
	}
	s := strings.TrimSuffix(fmt.Sprintf(".%09d", nanos), "000")
	return strings.TrimSuffix(s, "000")
}

// instant reads the seconds and nanoseconds of a duration or a timestamp.
func instant(body []byte) (seconds, nanos int64, err error) {
	err = eachValue(body, func(n protowire.Number, _ protowire.Type, v value) error {
		switch n {
		case 1:
			seconds = int64(v.number)
		case 2:
			nanos = int64(int32(v.number))
		}
		return nil
	})
	return seconds, nanos, err
}

// structure writes a Struct as the object that it describes.
func (w *writer) structure(body []byte) error {
	const entries = 1
	var all []value
	err := eachField(body, func(n protowire.Number, v []byte) error {
		if n == entries {
			all = append(all, value{bytes: v})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.entries("google.protobuf.Struct.FieldsEntry", all)
}

// dynamic writes a Value as the JSON value that it describes.
func (w *writer) dynamic(body []byte) error {
	m, ok := w.table.message("google.protobuf.Value")
	if !ok {
		return fmt.Errorf("google.protobuf.Value: no such message in the table")
	}
	var of field
	var content value
	err := eachValue(body, func(n protowire.Number, _ protowire.Type, v value) error {
		of, content = m[int32(n)], v
		return nil
	})
	if err != nil {
		return err
	}
	if of.kind == 0 { // the Value has no field
		w.out.WriteString("null")
		return nil
	}
	return w.value(of, content)
}

// dynamicList writes a ListValue as an array.
func (w *writer) dynamicList(body []byte) error {
	const elements = 1
	w.out.WriteByte('[')
	first := true
	err := eachField(body, func(n protowire.Number, v []byte) error {
		if n != elements {
			return nil
		}
		if !first {
			w.out.WriteByte(',')
		}
		first = false
		return w.dynamic(v)
	})
	w.out.WriteByte(']')
	return err
}
