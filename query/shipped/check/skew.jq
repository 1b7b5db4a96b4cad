# skew: proxies whose Istio is not of the version of their Pilot.
# Istio supports proxies one minor version behind. What is further apart, or ahead, is a warning, less is told for information.
#
# severity: info
# next: restart the workload, so that its proxy is injected anew
# example: skew

def minor: [scan("[0-9]+") | tonumber] | if length < 2 then null else . end;

(.pilots | map({(.name): .version}) | add // {}) as $pilots
| .proxies[]
| select(.version != null and .pilot != null and $pilots[.pilot] != null)
| $pilots[.pilot] as $pilot
| (.version | minor) as $mine
| ($pilot | minor) as $its
| select($mine != null and $its != null and $mine[:3] != $its[:3])
| {proxy: .id, message: "Istio \(.version), its Pilot \($pilot)"}
  + if $mine[0] == $its[0] and $mine[1] <= $its[1] and $mine[1] >= $its[1] - 1 then {} else {severity: "warning"} end
