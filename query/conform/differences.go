package conform

// Differences returns all deliberate differences.
func Differences() []Difference {
	return []Difference{
		{
			Reason: "Integers stay exact beyond 2^53: jq computes with floating-point numbers.",
			JQ:     []string{"jq.test:2211", "jq.test:2215", "jq.test:2219", "jq.test:2241", "man.test:25"},
		},
		{
			Reason: "Regular expressions are RE2's, which take time in proportion to the text: no lookahead, lookbehind or references back; \\w, \\d, \\s and \\b know ASCII only; $ is the end of the text, not that of a line before it.",
			JQ:     []string{"onig.test:32", "onig.test:128"},
		},
		{
			Reason: "$ENV and env are empty without --env: a query that somebody else wrote doesn't see the environment.",
			JQ:     []string{"man.test:686", "man.test:690"},
		},
		{
			Reason: "A value that is nested deeper than 10,000 is an error where jq prints a text with \"<skipped: too deep>\" in it.",
			JQ:     []string{"jq.test:2568"},
		},
		{
			Reason: "A number that is not computed with is printed as it was written: 1e2, where jq prints 1E+2, and gojq 100.",
			JQ:     []string{"man.test:21"},
			Gojq:   []string{"number query", "large number literal", "tonumber function"},
		},
		{
			Reason: "A number is no index of a string, as in jq; gojq gives the character.",
			Gojq: []string{
				"string indexing",
				"getpath function against string",
				"getpath function against string in a container",
				"getpath function against string round trip with path function",
				"getpath function against string round trip in a container",
			},
		},
		{
			Reason: "gamma is jq's, the logarithm of the gamma function; gojq gives the function itself. tgamma is that.",
			Gojq:   []string{"gamma, tgamma, lgamma functions"},
		},
		{
			Reason: "fromdate reads 2006-01-02T15:04:05Z, as jq; gojq takes any offset from UTC. strptime takes it with %z.",
			Gojq:   []string{"strptime, fromdate functions"},
		},
		{
			Reason: "The words of an error are jq's, which a query may catch and compare.",
			Gojq: []string{
				"min, max, sort, unique functions error",
				"range function error",
				"toboolean function error",
				"tonumber function error",
				"indices, index, rindex functions type error",
				"startswith function error",
				"endswith function error",
				"ltrimstr function error",
				"rtrimstr function error",
				"trimstr function error",
				"ltrim function error",
				"rtrim function error",
				"trim function error",
				"implode function error",
				"split/1 function error",
				"join function error item",
				"join function error input",
				"join function non-string separator",
				"zero division",
				"zero modulo",
				"zero division and modulo for large number",
				"multiply strings error",
				"try catch",
				"try catch with function declaration",
				"setpath to getpath",
				"date functions with non-finite or out of range epoch timestamps",
				"date functions with out of range numbers in the array",
				"strftime function with out of range datetime",
			},
		},
	}
}
