package syntax

import (
	"slices"
	"testing"
)

func TestDoubts(t *testing.T) {
	for src, want := range map[string][]int{ // the values are the columns for which a warning is expected
		`.proxies[] | select(.rds="STALE")`:                        {25},
		`.proxies[] | select(.rds == "STALE")`:                     nil,
		`.proxies[].select(.rds = "STALE")`:                        {24},
		`select((.a = 1) and .b)`:                                  {12},
		`select(.a == 1 and (.b = 2 | not))`:                       {24},
		`select(.b or (.c or (.a = 1)))`:                           {25},
		`any(.[]; .a = 1), all(.a = 1)`:                            {13, 26},
		`if .a = 1 then 2 elif .b = 2 then 3 else 4 end`:           {7, 26},
		`[.[] | until(.a = 1; .b = 2)]`:                            {17},
		`.a = 1 | select(.b | .a = 1 | .c)`:                        nil,
		`map(.a = 1), with_entries(.value = 1), (.a = select(.b))`: nil,
		`select(.a |= 1), select(.a += 1)`:                         nil,
		`def f: select(.a = 1); f`:                                 {18},
	} {
		p, err := Parse("", src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		var got []int
		for _, d := range p.Doubts() {
			_, col := lineCol(d.Src, d.Start)
			got = append(got, col)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: in doubt at %v, want %v", src, got, want)
		}
	}
}
