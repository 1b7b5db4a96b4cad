# remote-clusters: the clusters that each istiod watches, and whether it has read them.
#
# output: table
# columns: NAME, SECRET, STATUS, ISTIOD, REVISION
# example: remote-clusters

.pilots[]
| .name as $istiod
| .revision as $revision
| .remoteClusters[]
| {name: .id, secret: .secretName, status: .syncStatus, $istiod, $revision}
