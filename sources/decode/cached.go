package decode

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync"
)

// A cachedValue is a value that was decoded completely, together with its bytes. If
// another document contains the same bytes, they needn't be decoded again. This pays
// off because most of the configuration is the same in all proxies of a mesh.
type cachedValue struct {
	text  []byte
	shape Shape
	value any // the decoded value, which is in the table of shared values
}

const costCached = 128 // memory in bytes of an entry, without the cached bytes

// cached returns the value that was decoded earlier from the same bytes with the
// same shape.
func (t *Twins) cached(sum uint64, text []byte, s Shape) (v any, ok bool) {
	shard := &t.shards[sum%twinShards]
	shard.mu.Lock()
	x := shard.cached[sum]
	shard.mu.Unlock()
	if x == nil || x.shape != s || !bytes.Equal(x.text, text) {
		return nil, false
	}
	return x.value, true
}

// cache stores which value the bytes were decoded to. The value must be in the
// table.
func (t *Twins) cache(sum uint64, text []byte, s Shape, v any) {
	shard := &t.shards[sum%twinShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.cached[sum] != nil || t.Full() {
		return
	}
	if shard.cached == nil {
		shard.cached = map[uint64]*cachedValue{}
	}
	shard.cached[sum] = &cachedValue{bytes.Clone(text), s, v}
	cost := costCached + int64(len(text))
	t.cost.Add(cost)
	t.unreported.Add(cost)
}

// texts is a pool of buffers, each large enough for the longest cacheable
// value.
var texts = sync.Pool{New: func() any { return new([twinsMost]byte) }}

// whole decodes the value in [off, end) with everything inside it. A value of at most
// twinsMost bytes may already be in the table of shared values, if the same bytes were
// decoded before.
func (d *Document) whole(ctx context.Context, off, end int64, s Shape) (v any, b usage, err error) {
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
		// the bytes could not be read completely, so d.read will return the
		// error
		return d.read(ctx, off, end, s, wholeNode, nil)
	}
	sum := maphash.Bytes(seed, text)
	if v, ok := twins.cached(sum, text, s); ok {
		return v, b, nil
	}
	dec := d.ahead(ctx, off, end)
	defer dec.release()
	dec.texts.from(twins)
	if v, err = dec.document(wholeNode, s); err == nil && dec.sum != 0 {
		twins.cache(sum, text, s, v)
	}
	return v, dec.takeUsage(), err
}

// twins returns the document's table of shared values, or nil if it has none.
func (d *Document) twins() *Twins {
	if d.Twins == nil {
		return nil
	}
	return d.Twins()
}
