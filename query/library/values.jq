# Times, addresses and versions.

# age: the number of seconds since a time, measured from the time of the document.
#   [.proxies[] | .connectedAt | age] | max > 0
def age: if . == null then null else (now - _time) | floor end;

# within(duration): true if a time is at most that long before or after now. A duration is "90s", "15m", "72h", "7d" or a number of seconds.
#   [.proxies[].secrets[] | select(.notAfter | within("72h"))] | length
def within($duration): if . == null then false else (now - _time | abs) <= ($duration | _duration) end;

# cidr(block): true if an IP address is in the block.
#   [.proxies[] | select(.ip | cidr("10.244.0.0/16"))] | length
def cidr($block): _cidr($block);

# semver(range): true if a version is in the range: "1.31.0", ">=1.20", ">=1.20 <1.31", "1.31.x". A missing part counts as 0; a pre-release comes before its release.
#   [.proxies[] | select(.version | semver(">=1.30 <1.32"))] | length
def semver($range): _semver($range);
