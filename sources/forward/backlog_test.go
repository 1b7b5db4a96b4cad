package forward

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestBacklog reads and writes random amounts of data. The output of a
// backlog must equal its input, and it must not keep more pieces than the
// unread data needs.
func TestBacklog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b backlog
	var in, out []byte
	for len(in) < 4<<20 {
		room := b.room()
		n := r.IntN(len(room) + 1)
		for i := range room[:n] {
			room[i] = byte(r.Uint32())
		}
		in = append(in, room[:n]...)
		b.add(n)
		into := make([]byte, r.IntN(2*pieceSize))
		if r.IntN(100) == 0 { // sometimes the reader is slow, and gets a lot of data at once
			into = make([]byte, 1<<20)
		}
		held := b.room() // reading must not move this space, because a writer may be filling it
		n = b.read(into)
		out = append(out, into[:n]...)
		if again := b.room(); &again[0] != &held[0] || len(again) != len(held) {
			t.Fatal("the room has moved")
		}
		if b.size != len(in)-len(out) {
			t.Fatalf("%d bytes, want %d", b.size, len(in)-len(out))
		}
		if most := b.size/pieceSize + 2; len(b.pieces) > most {
			t.Fatalf("%d pieces for %d bytes", len(b.pieces), b.size)
		}
	}
	rest := make([]byte, b.size)
	out = append(out, rest[:b.read(rest)]...)
	if !bytes.Equal(in, out) {
		t.Error("other bytes came out")
	}
}
