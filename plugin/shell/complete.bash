# Completion of kubectl meshq for bash. Source it behind kubectl's own:
#   source <(kubectl completion bash)
#   source <(kubectl meshq completion bash)

# __meshq_complete asks the program how the line may go on. $1: how many words
# are its name; $2: what bash will replace.
__meshq_complete() {
    local line=${COMP_LINE:0:COMP_POINT} options='' text end=$'\x1e'
    COMPREPLY=()
    [[ $(type -t compopt) == builtin ]] && compopt +o default
    while IFS= read -r -d "$end" text; do
        if [[ -z $options ]]; then
            options=" $text "
        else
            COMPREPLY+=("$text")
        fi
    done < <(kubectl-meshq __complete-line bash "$1" "$COMP_TYPE" "${COLUMNS:-0}" "$2" "$line" 2>/dev/null)
    [[ $(type -t compopt) == builtin ]] || return 0
    case $options in
    *' nospace '*) compopt -o nospace ;;
    *' files '*) compopt -o default ;;
    *' folders '*) compopt -o dirnames ;;
    esac
    return 0
}

__meshq() {
    __meshq_complete 1 "$2"
}
complete -o default -F __meshq kubectl-meshq

# __meshq_kubectl completes kubectl: "kubectl meshq …" here, the rest as before.
__meshq_kubectl() {
    if [[ ${COMP_WORDS[1]} == meshq && $COMP_CWORD -gt 1 ]]; then
        __meshq_complete 2 "$2"
        return
    fi
    if [[ -z $__meshq_before ]]; then # bash-completion loads it when it is needed
        if declare -F _comp_load >/dev/null; then
            _comp_load kubectl
        elif declare -F _completion_loader >/dev/null; then
            _completion_loader kubectl
        fi
        __meshq_before=$(__meshq_completer kubectl)
        complete -o default -F __meshq_kubectl kubectl
    fi
    [[ -n $__meshq_before ]] && "$__meshq_before" "$@"
}

# __meshq_completer gives the function that completes a command.
__meshq_completer() {
    local spec
    spec=$(complete -p "$1" 2>/dev/null) || return 0
    [[ $spec =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != __meshq_kubectl ]] && echo "${BASH_REMATCH[1]}"
    return 0
}

# __meshq_wrap puts __meshq_kubectl in front of what completes kubectl, also
# under the names that it was given besides.
__meshq_wrap() {
    local spec name before
    before=$(__meshq_completer kubectl)
    if [[ -n $before ]]; then
        __meshq_before=$before
        while IFS= read -r spec; do
            [[ $spec == *" -F $before "* ]] || continue
            name=${spec##* }
            complete -o default -F __meshq_kubectl "$name"
        done < <(complete -p)
    fi
    complete -o default -F __meshq_kubectl kubectl
}
__meshq_wrap
