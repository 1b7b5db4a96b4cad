# disconnected: proxies that no Pilot knows: they get no configuration any more.
#
# severity: error
# next: does the pod reach istiod, and is it of this revision? kubectl logs -c istio-proxy says
# example: disconnected

(.faults[]
 | select(.section == "pods")
 | _unknown("pods"; "\(.subject): \(.message): a pod that no Pilot knows would not be seen")),
(.proxies[]
 | if .connected == null then _unknown("connected"; "no istiod was read that would say whether it is connected")
   elif .connected then empty
   else {proxy: .id, message: "no Pilot is connected to it"} end)
