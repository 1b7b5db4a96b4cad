package decode

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync"
)

// A said is a value that was decoded whole, and the bytes that it was decoded
// from. Who finds the same bytes again needn't read them: proxies of one mesh
// say most of what they say in the same words.
type said struct {
	text  []byte
	shape Shape
	value any // in the table of twins
}

const costSaid = 128 // beside the bytes

// said gives what the same bytes of the same shape became.
func (t *Twins) said(sum uint64, text []byte, s Shape) (v any, ok bool) {
	shard := &t.shards[sum%twinShards]
	shard.mu.Lock()
	x := shard.said[sum]
	shard.mu.Unlock()
	if x == nil || x.shape != s || !bytes.Equal(x.text, text) {
		return nil, false
	}
	return x.value, true
}

// heard takes note of what bytes became. The value is in the table.
func (t *Twins) heard(sum uint64, text []byte, s Shape, v any) {
	shard := &t.shards[sum%twinShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.said[sum] != nil || t.Full() {
		return
	}
	if shard.said == nil {
		shard.said = map[uint64]*said{}
	}
	shard.said[sum] = &said{bytes.Clone(text), s, v}
	cost := costSaid + int64(len(text))
	t.cost.Add(cost)
	t.untold.Add(cost)
}

// texts are between two uses.
var texts = sync.Pool{New: func() any { return new([twinsMost]byte) }}

// whole decodes the value in [off, end), of up to twinsMost bytes, with all that
// is in it; unless somebody said the same before.
func (d *Document) whole(ctx context.Context, off, end int64, s Shape) (v any, b bill, err error) {
	twins := d.twins()
	if twins == nil || end-off > twinsMost || d.Limits != (Limits{}) {
		return d.read(ctx, off, end, s, wholeNode, nil)
	}
	if err := ctx.Err(); err != nil {
		return nil, b, err
	}
	room := texts.Get().(*[twinsMost]byte)
	defer texts.Put(room)
	text := room[:end-off]
	if n, _ := d.Bytes.ReadAt(text, off); n < len(text) {
		return d.read(ctx, off, end, s, wholeNode, nil) // which says why
	}
	sum := maphash.Bytes(seed, text)
	if v, ok := twins.said(sum, text, s); ok {
		return v, b, nil
	}
	dec := d.ahead(ctx, off, end)
	defer dec.release()
	dec.texts.from(twins)
	if v, err = dec.document(wholeNode, s); err == nil && dec.sum != 0 {
		twins.heard(sum, text, s, v)
	}
	return v, dec.bill(), err
}

// twins gives the table; nil for none.
func (d *Document) twins() *Twins {
	if d.Twins == nil {
		return nil
	}
	return d.Twins()
}
