# These builtins are defined in jq, because they are not written in Go. A
# definition is compiled when a query calls it. Each definition begins at the
# start of a line.

# ends of arrays
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; results): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; results)) end;

# numbers
def abs: if . < 0 then -. else . end;
def finites: select(isfinite);
def normals: select(isnormal);

# membership
def in(container): . as $key | container | has($key);
def IN(these): any(these == .; .);
def IN(those; these): any(those == these; .);

# parts of values
def map_values(change): .[] |= change;
def recurse(next; condition): recurse(next | select(condition));
def pick(places):
  . as $whole
  | reduce path(places) as $place (null; setpath($place; $whole | getpath($place)));
def combinations:
  if length == 0 then [] else .[0][] as $one | [$one] + (.[1:] | combinations) end;
def combinations(times): [limit(times; repeat(.))] | combinations;

# times
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def todateiso8601: todate;
def fromdate: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def fromdateiso8601: fromdate;

# streams of events: [path, leaf] and, after the last leaf of a container, [path]
def tostream:
  def events($at):
    if type == "array" or type == "object" then
      if length > 0 then
        (keys_unsorted[] as $key | .[$key] | events($at + [$key])),
        [$at + [keys_unsorted[-1]]]
      else [$at, .] end
    else [$at, .] end;
  events([]);
def fromstream(events):
  foreach events as $event (null;
    if .e then null end
    | $event as [$at, $leaf]
    | if $event | length == 2
      then setpath(["v"] + $at; $leaf) | setpath(["e"]; $at | length == 0)
      else setpath(["e"]; $at | length == 1) end;
    select(.e) | .v);
def truncate_stream(events):
  . as $depth
  | null
  | events
  | select(.[0] | length > $depth)
  | .[0] |= .[$depth:];

# tables in the manner of SQL
def INDEX(name): INDEX(.[]; name);
def JOIN($index; name): [JOIN($index; .[]; name)];
def JOIN($index; rows; name): rows | [., $index[name]];
def JOIN($index; rows; name; combine): JOIN($index; rows; name) | combine;
