# The functions, over shapes: what a function gives is what it may give, all at once; what it looks at, it looks at
# with the input that it really has. A comma stands for "or". Behind each stands what it does.

# jq's: which values go on
def select(condition): (condition | empty), .; # what the condition is true of
def empty: [] | .[]; # nothing
def error: empty; # ends with the input as the error
def error(message): message | empty; # ends with this error
def values: .; # what is not null
def not: true; # true of false and null
def isempty(results): (results | empty), true; # true where there is no result
def first: .[0]; # the first element
def first(results): results; # the first result
def last: .[0]; # the last element
def last(results): results; # the last result
def nth($n): .[0]; # the element of that number
def nth($n; results): results; # the result of that number
def limit($n; results): results; # the first n results
def skip($n; results): results; # all results but the first n
def until(condition; next): (condition | empty), ., next, (next | next); # goes on until the condition is true
def while(condition; next): (condition | empty), ., next, (next | next); # goes on as long as the condition is true
def repeat(next): ., next, (next | next); # goes on and on
def range($upto): 0; # the numbers from 0 to below this one
def range($from; $upto): 0; # the numbers from the first to below the second
def range($from; $upto; $by): 0; # the same in steps
def all: true; # true where every element is
def all(condition): (.[] | condition | empty), true; # true where the condition is of every element
def all(results; condition): (results | condition | empty), true; # true where the condition is of every result
def any: true; # true where some element is
def any(condition): (.[] | condition | empty), true; # true where the condition is of some element
def any(results; condition): (results | condition | empty), true; # true where the condition is of some result
def IN(these): (these | empty), true; # true where the input is one of these
def IN(those; these): (those, these | empty), true; # true where one of those is one of these
def in(container): (container | empty), true; # true where the container has this key
def has($key): true; # true where there is such a key, or an element of that number
def recurse: ., _any; # the value and all that is in it
def recurse(next): ., next, (next | next), (next | next | next); # the value, what comes of it, what comes of that, and so on
def recurse(next; condition): ., next, (next | condition | empty), (next | next); # the same, as long as the condition is true
def env: _any; # the environment
def input: _any; # the next input
def inputs: _any; # all inputs that are left
def debug: .; # the input, also on stderr
def debug(message): (message | empty), .; # the input, and the message on stderr
def stderr: .; # the input, also on stderr, as it is
def halt: empty; # ends the program
def halt_error: empty; # ends the program with the input as the error
def halt_error($code): empty; # the same, with an exit code
def input_filename: _text; # the name of the file that is read
def input_line_number: 0; # always 0
def get_search_list: [_text]; # the folders of modules
def builtins: [_text]; # all functions of jq, as name/arity
def modulemeta: _any; # what a module says of itself
def have_decnum: true; # whether numbers are decimal
def have_literal_numbers: true; # whether numbers stay as they are written

# jq's: arrays and objects
def map(change): [.[] | change]; # an array of what comes of each element
def map_values(change): (arrays | [.[] | change]), (objects | _map(.[] | change)); # each value changed
def length: 0; # how many elements, members or characters
def keys_unsorted: keys; # the names of the members
def to_entries: [{key: (keys | .[]), value: .[]}]; # [{key, value}]
def from_entries: _map(.[] | .value, .v, .Value); # an object of [{key, value}]
def with_entries(change): to_entries | map(change) | from_entries; # each member changed, as {key, value}
def add: .[]; # the sum of the elements
def add(results): results; # the sum of the results
def sort: .; # sorted
def sort_by(what): (.[] | what | empty), .; # sorted by this
def group_by(what): (.[] | what | empty), [.]; # arrays of those in which this is the same
def unique: .; # sorted, each once
def unique_by(what): (.[] | what | empty), .; # sorted by this, one of each
def min: .[]; # the least element
def max: .[]; # the greatest element
def min_by(what): (.[] | what | empty), .[]; # the element in which this is least
def max_by(what): (.[] | what | empty), .[]; # the element in which this is greatest
def reverse: .; # the other way round
def flatten: [.[] | (arrays | .[]), objects, scalars]; # the arrays in it opened
def flatten($depth): [.[] | (arrays | .[]), objects, scalars]; # the arrays in it opened, so deep
def transpose: [[.[][]]]; # rows for columns
def combinations: [.[][]]; # one of each array
def combinations($n): [.[]]; # n elements, in every way
def contains($part): true; # true where all of this is in the input
def inside($whole): true; # true where the input is in this
def index($what): 0; # where this is first
def rindex($what): 0; # where this is last
def indices($what): [0]; # everywhere where this is
def bsearch($what): 0; # where this is in a sorted array
def INDEX(name): _map(.[] | (name | empty), .); # an object of the elements, by name
def INDEX(results; name): _map(results | (name | empty), .); # an object of the results, by name
def JOIN($index; name): [[(.[] | (name | empty), .), ($index | .[])]]; # [element, what the index has for it]
def JOIN($index; results; name): [(results | (name | empty), .), ($index | .[])]; # the same of results
def JOIN($index; results; name; change): [(results | (name | empty), .), ($index | .[])] | change; # the same, changed
def del(places): (places | empty), .; # without what is at these places
def delpaths($paths): .; # without what is at these paths
def path(places): (places | empty), [_text]; # the path of a place
def paths: [_text]; # the paths of all that is in it
def paths(condition): (.., .[] | condition | empty), [_text]; # the paths of all that this is true of
def pick(places): (places | empty), .; # only what is at these places
def getpath($path): _any; # what is at a path
def setpath($path; $value): .; # with this at a path
def walk(change): (., _any | change | empty), .; # all that is in it changed
def tostream: _any; # [path, value] of all that is in it
def fromstream(events): (events | empty), _any; # values of [path, value]
def truncate_stream(events): (events | empty), _any; # [path, value] with shorter paths

# jq's: strings
def type: "null", "boolean", "number", "string", "array", "object"; # the name of its type
def tostring: _text; # a string
def tonumber: 0; # a number
def toboolean: true; # true or false
def tojson: _text; # as JSON
def fromjson: _any; # from JSON
def test($regex): true; # true where the regular expression matches
def test($regex; $flags): true; # the same; flags: g i x s n l
def match($regex; $flags): {offset: 0, length: 0, string: _text, captures: [{offset: 0, length: 0, string: _text, name: _text}]}; # what the regular expression matches
def capture($regex): _map(_text); # an object of the named groups
def capture($regex; $flags): _map(_text); # the same; flags: g i x s n l
def scan($regex): _text; # all that matches
def scan($regex; $flags): _text; # the same; flags: g i x s n l
def split($separator): [_text]; # the parts between
def split($regex; $flags): [_text]; # the parts between what matches
def splits($regex): _text; # the parts between what matches, one by one
def splits($regex; $flags): _text; # the same; flags: g i x s n l
def sub($regex; text): (_map(_text) | text | empty), _text; # the first match replaced; .name is a named group
def sub($regex; text; $flags): (_map(_text) | text | empty), _text; # the same; flags: g i x s n l
def gsub($regex; text): (_map(_text) | text | empty), _text; # every match replaced; .name is a named group
def gsub($regex; text; $flags): (_map(_text) | text | empty), _text; # the same; flags: i x s n l
def startswith($text): true; # true where it begins so
def endswith($text): true; # true where it ends so
def ltrimstr($text): _text; # without this at the beginning
def rtrimstr($text): _text; # without this at the end
def trimstr($text): _text; # without this at both ends
def ltrim: _text; # without white space at the beginning
def rtrim: _text; # without white space at the end
def trim: _text; # without white space at both ends
def join($separator): _text; # one string of all
def ascii_downcase: _text; # small letters
def ascii_upcase: _text; # capitals
def explode: [0]; # the numbers of its characters
def implode: _text; # a string of such numbers
def utf8bytelength: 0; # its length in bytes
def format($name): _text; # as @name does

# jq's: times
def now: 0; # the document's time, in seconds since 1970
def todate: _text; # seconds as 2006-01-02T15:04:05Z
def fromdate: 0; # seconds of such a time
def todateiso8601: _text; # seconds as 2006-01-02T15:04:05Z
def fromdateiso8601: 0; # seconds of such a time
def gmtime: [0]; # seconds taken apart
def localtime: [0]; # seconds taken apart
def mktime: 0; # seconds of a time taken apart
def strftime($layout): _text; # a time written so
def strflocaltime($layout): _text; # a time written so
def strptime($layout): [0]; # a time read so, taken apart

# jq's: numbers
def abs: .; # without its sign
def floor: 0; # the next whole number below
def ceil: 0; # the next whole number above
def round: 0; # the nearest whole number
def rint: 0; # the nearest whole number, even of two
def nearbyint: 0; # the nearest whole number, even of two
def trunc: 0; # without what is behind the point
def sqrt: 0; # the square root
def cbrt: 0; # the cube root
def pow($base; $exponent): 0; # the power
def log: 0; # the natural logarithm
def log2: 0; # the logarithm to 2
def log10: 0; # the logarithm to 10
def log1p: 0; # the natural logarithm of one more
def logb: 0; # the exponent of 2 in it
def exp: 0; # e to the power
def exp2: 0; # 2 to the power
def exp10: 0; # 10 to the power
def expm1: 0; # e to the power, less one
def fabs: 0; # without its sign
def significand: 0; # what is left without the power of 2
def gamma: 0; # the logarithm of the gamma function
def lgamma: 0; # the logarithm of the gamma function
def lgamma_r: [0]; # the same, and its sign
def tgamma: 0; # the gamma function
def frexp: [0]; # taken apart: fraction and exponent of 2
def modf: [0]; # taken apart: behind and before the point
def ldexp($x; $n): 0; # x times 2 to the n
def scalb($x; $n): 0; # x times 2 to the n
def scalbln($x; $n): 0; # x times 2 to the n
def fma($x; $y; $z): 0; # x times y plus z
def fmax($x; $y): 0; # the greater one
def fmin($x; $y): 0; # the lesser one
def fdim($x; $y): 0; # how much x is greater
def fmod($x; $y): 0; # the remainder
def drem($x; $y): 0; # the remainder to the nearest multiple
def remainder($x; $y): 0; # the remainder to the nearest multiple
def hypot($x; $y): 0; # the root of the sum of the squares
def copysign($x; $y): 0; # x with the sign of y
def nextafter($x; $y): 0; # the next number from x towards y
def nexttoward($x; $y): 0; # the next number from x towards y
def atan2($y; $x): 0; # the angle of a point
def infinite: 0; # a number beyond all others
def nan: 0; # no number
def isinfinite: true; # true of infinite
def isnan: true; # true of nan
def isnormal: true; # true of a normal number
def isfinite: true; # true of a number that is neither infinite nor nan
def finites: .; # numbers that are neither infinite nor nan
def normals: .; # normal numbers
def sin: 0; # the sine
def cos: 0; # the cosine
def tan: 0; # the tangent
def asin: 0; # the inverse of the sine
def acos: 0; # the inverse of the cosine
def atan: 0; # the inverse of the tangent
def sinh: 0; # the hyperbolic sine
def cosh: 0; # the hyperbolic cosine
def tanh: 0; # the hyperbolic tangent
def asinh: 0; # the inverse of the hyperbolic sine
def acosh: 0; # the inverse of the hyperbolic cosine
def atanh: 0; # the inverse of the hyperbolic tangent
def erf: 0; # the error function
def erfc: 0; # one less the error function
def j0: 0; # a Bessel function
def j1: 0; # a Bessel function
def jn($n; $x): 0; # a Bessel function
def y0: 0; # a Bessel function
def y1: 0; # a Bessel function
def yn($n; $x): 0; # a Bessel function

# The library's: these say of themselves what they do.
def _holders: _of("Proxy", "Desired", "Mesh"), (arrays | .[] | _of("Proxy", "Desired"));
def _held: _of("Proxy", "Desired"), (_of("Mesh") | .proxies[]), (arrays | .[] | _of("Proxy", "Desired"));
def proxy($name): (_of("Mesh") | .proxies[]), (arrays | .[] | _of("Proxy"));
def proxies($name): (_of("Mesh") | .proxies[]), (arrays | .[] | _of("Proxy"));
def cluster($name): (_held | .clusters[]), (arrays | .[] | _of("Cluster"));
def listener($name): (_held | .listeners[]), (arrays | .[] | _of("Listener"));
def route($name): (_held | .routes[]), (arrays | .[] | _of("RouteConfiguration"));
def virtualHost($name): (_held | .routes[] | .virtualHosts[]), (_of("RouteConfiguration") | .virtualHosts[]), (arrays | .[] | _of("VirtualHost"), (_of("RouteConfiguration") | .virtualHosts[]));
def endpoint($name): (_held | .endpoints[]), (arrays | .[] | _of("Endpoint"));
def secret($name): (_held | .secrets[]), (arrays | .[] | _of("Secret"));
def extension($name): (_held | .extensions[]), (arrays | .[] | _of("ExtensionConfig"));
def _routing: _of("RouteConfiguration", "VirtualHost", "Listener"), (arrays | .[] | _of("RouteConfiguration", "VirtualHost", "Listener"));
def match($request): (_routing | _kind("RouteMatch")), (strings | match($request; ""));
def trace($request): _held | _kind("Trace");
def traceFrom($name; $request): (_of("Mesh"), arrays) | _kind("Trace");
def workload($name): (_of("Mesh") | .proxies[].workloads[]), (arrays | .[] | _of("Proxy") | .workloads[]);
def unreachable: _held | _kind("UnreachableRoute");
def routesTo($name): (_held | .routes[] | .virtualHosts[] | .routes[]), (_held | .listeners[]) | ., {proxy: _text};
def desired: _of("Proxy") | _kind("Desired");
def diff: _of("Proxy") | _kind("Difference");
def diff($a; $b): ($b | empty), ($a | objects, arrays | _kind("Difference"));
def jsonPatch($a; $b): ($a | empty), ($b | empty), [{op: _text, path: _text, value: _any}];
def outline: _of("Proxy"), (arrays | [.[] | _of("Proxy")]);
def synced: _of("Proxy") | true;
def stale: _of("Proxy") | true;
def age: strings | 0;
def within($duration): strings | true;
def cidr($block): strings | true;
def semver($range): strings | true;
