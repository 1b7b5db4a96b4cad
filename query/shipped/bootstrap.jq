# bootstrap: what each proxy started with.
# Its versions alone: versions.
#
# aliases: b
# example: bootstrap reviews-v1
# example: bootstrap reviews-v1 -o yaml

.proxies[].bootstrap
