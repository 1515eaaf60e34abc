package cloudwatch

import (
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// fields are the members of a structure in a request. Wrong is set when one is not of the type that is asked for.
type fields struct {
	all   cbor.Map
	wrong bool
}

func asMap(v cbor.Value) (m cbor.Map, wrong bool) {
	m, ok := v.(cbor.Map)
	return m, !ok
}

// get returns a member, nil when it is not there.
func (f *fields) get(name string) cbor.Value {
	v := f.all[name]
	if _, null := v.(*cbor.Nil); null {
		return nil
	}
	return v
}

// text returns a string, empty when it is not there.
func (f *fields) text(name string) string {
	v := f.get(name)
	s, ok := v.(cbor.String)
	f.wrong = f.wrong || v != nil && !ok
	return string(s)
}

// number returns an integer; ok is false when it is not there.
func (f *fields) number(name string) (n int64, ok bool) {
	v := f.get(name)
	if v == nil {
		return 0, false
	}
	n, err := cbor.AsInt64(v)
	f.wrong = f.wrong || err != nil
	return n, err == nil
}

// yes returns a flag, or otherwise when it is not there.
func (f *fields) yes(name string, otherwise bool) bool {
	v := f.get(name)
	if v == nil {
		return otherwise
	}
	b, ok := v.(cbor.Bool)
	f.wrong = f.wrong || !ok
	return bool(b)
}

// time returns a time, zero when it is not there.
func (f *fields) time(name string) time.Time {
	v := f.get(name)
	if v == nil {
		return time.Time{}
	}
	tag, ok := v.(*cbor.Tag)
	if !ok {
		f.wrong = true
		return time.Time{}
	}
	t, err := cbor.AsTime(tag)
	f.wrong = f.wrong || err != nil
	return t.UTC()
}

// within calls do with the members of a structure if it is there.
func (f *fields) within(name string, do func(*fields)) {
	v := f.get(name)
	if v == nil {
		return
	}
	inner := &fields{}
	inner.all, inner.wrong = asMap(v)
	do(inner)
	f.wrong = f.wrong || inner.wrong
}

// each calls do with the members of each structure of a list.
func (f *fields) each(name string, do func(*fields)) {
	v := f.get(name)
	list, ok := v.(cbor.List)
	f.wrong = f.wrong || v != nil && !ok
	for _, item := range list {
		inner := &fields{}
		inner.all, inner.wrong = asMap(item)
		do(inner)
		f.wrong = f.wrong || inner.wrong
	}
}
