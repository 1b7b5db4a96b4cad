#compdef kubectl-meshq
# Completion of kubectl meshq for zsh. Source it behind kubectl's own:
#   source <(kubectl completion zsh)
#   source <(kubectl meshq completion zsh)

# _meshq_complete asks the program how the line may go on. $1: how many words
# are its name.
_meshq_complete() {
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX" options item
    local -a records texts shown
    records=("${(@ps:\x1e:)$(kubectl-meshq __complete-line zsh "$1" "" "${COLUMNS:-0}" "$IPREFIX$PREFIX" "$line" 2>/dev/null)}")
    options=" $records[1] "
    case $options in
    *' files '*) _files; return ;;
    *' folders '*) _files -/; return ;;
    esac
    for item in "${(@)records[2,-1]}"; do
        [[ -n $item ]] || continue
        texts+=("${item%%$'\t'*}")
        shown+=("${item#*$'\t'}")
    done
    (( $#texts )) || return 1
    local -a how
    [[ $options == *' nospace '* ]] && how=(-S '')
    compadd -U -Q -l -V meshq "${how[@]}" -d shown -a texts
}

_meshq() {
    _meshq_complete 1
}

# _meshq_kubectl completes kubectl: "kubectl meshq …" here, the rest as before.
_meshq_kubectl() {
    if [[ $words[2] == meshq ]] && (( CURRENT > 2 )); then
        _meshq_complete 2
        return
    fi
    [[ -n $_meshq_before ]] && $_meshq_before "$@"
}

if (( ! $+functions[compdef] )); then
    print -u2 'kubectl-meshq: zsh completes nothing yet: put "autoload -Uz compinit; compinit" in front'
else
    compdef _meshq kubectl-meshq
    if [[ -n ${_comps[kubectl]} && ${_comps[kubectl]} != _meshq_kubectl ]]; then
        typeset -g _meshq_before=${_comps[kubectl]}
        for _meshq_name in ${(k)_comps[(R)$_meshq_before]}; do
            compdef _meshq_kubectl $_meshq_name
        done
        unset _meshq_name
    else
        compdef _meshq_kubectl kubectl
    fi
fi
