# skew: proxies whose Istio is not of the version of their Pilot.
# Istio supports proxies one minor version behind. What is further apart, or ahead, is a warning, less is told for information.
#
# severity: info
# next: restart the workload, so that its proxy is injected anew
# example: skew

def minor: [scan("[0-9]+") | tonumber] | if length < 2 then null else . end;

# The versions of the Pilots that proxies are connected to: what is not known of one is said once, not for each of its proxies.
([.proxies[] | select(.connected != false) | .pilot | values] | unique) as $used
| ([.pilots[] | .name] | unique) as $pilots
| ([.pilots[]
    | .name as $name
    | select($used | bsearch($name) >= 0)
    | _apart({($name): (.version | if . == null then _unknown("pilots"; "the version of \($name) is not known") else . end)})]
   | add // {}) as $versions
| .proxies[]
| select(.connected != false)
| _apart(
    if .pilot == null then _unknown("pilot"; "which istiod it is connected to is not known") else . end
    | .pilot as $pilot
    | if $pilots | bsearch($pilot) < 0 then _unknown("pilot"; "nothing was read of \($pilot)") else . end
    | select($versions | has($pilot))
    | if .version == null then _unknown("version"; "its version is not known") else . end
    | (.version | minor) as $mine
    | ($versions[$pilot] | minor) as $its
    | if $mine == null or $its == null then _unknown("version"; "\(.version) and \($versions[$pilot]) can't be compared") else . end
    | select($mine[:3] != $its[:3])
    | {proxy: .id, message: "Istio \(.version), its Pilot \($versions[$pilot])"}
      + if $mine[0] == $its[0] and $mine[1] <= $its[1] and $mine[1] >= $its[1] - 1 then {} else {severity: "warning"} end)
