package decode

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync"
)

// A said is a value that was decoded whole, together with the bytes that it was
// decoded from. If another document contains the same bytes, they needn't be decoded
// again. The proxies of one mesh have mostly the same bytes.
type said struct {
	text  []byte
	shape Shape
	value any // the decoded value, which is in the table of Twins
}

const costSaid = 128 // memory of an entry without the bytes

// said returns the value that was decoded from the same bytes with the same shape.
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

// heard remembers which value the bytes were decoded to. The value must be in the
// table.
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

// texts is a pool of buffers.
var texts = sync.Pool{New: func() any { return new([twinsMost]byte) }}

// whole decodes the value in [off, end) with everything inside it. If the value has
// at most twinsMost bytes, the table may already have it for the same bytes.
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
		return d.read(ctx, off, end, s, wholeNode, nil) // read reports why the bytes can't be read
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

// twins returns the document's table, nil if it has none.
func (d *Document) twins() *Twins {
	if d.Twins == nil {
		return nil
	}
	return d.Twins()
}
