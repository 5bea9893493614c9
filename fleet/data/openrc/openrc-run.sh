#!/bin/sh
# What openrc-run runs a script of a service by: settings first, then the script, then what is asked of it.
# $1 the script, $2 `start`, `stop`, `status`, `describe`, `depend`, or what the script adds.

ebegin() { printf ' * %s ...' "$*"; }
eend() {
    _status=${1:-0}
    [ $# -eq 0 ] || shift
    if [ "$_status" = 0 ]; then
        echo ' [ ok ]'
    else
        [ -z "$*" ] || printf '\n * %s\n' "$*" >&2
        printf '%61s[ !! ]\n' '' >&2
    fi
    return "$_status"
}
ewend() { eend "$@"; }
einfo() { printf ' * %s\n' "$*"; }
einfon() { printf ' * %s' "$*"; }
ewarn() { printf ' * %s\n' "$*" >&2; }
eerror() { printf ' * %s\n' "$*" >&2; }
veinfo() { :; }
vebegin() { :; }
veend() { return "${1:-0}"; }
yesno() {
    case $1 in
        [Yy][Ee][Ss]|[Tt][Rr][Uu][Ee]|[Oo][Nn]|1) return 0 ;;
        *) return 1 ;;
    esac
}
service_started() { [ -e "/run/openrc/started/${1:-$RC_SVCNAME}" ]; }
service_stopped() { ! service_started "$@"; }
checkpath() {
    _kind= _mode= _owner=
    while [ $# -gt 0 ]; do
        case $1 in
            -d|--directory) _kind=d ;;
            -D|--directory-truncate) _kind=D ;;
            -f|--file) _kind=f ;;
            -F|--file-truncate) _kind=F ;;
            -m|--mode) _mode=$2; shift ;;
            -o|--owner) _owner=$2; shift ;;
            -q|--quiet|-W|--writable) ;;
            *)
                case $_kind in
                    d) mkdir -p "$1" ;;
                    D) rm -rf "$1"; mkdir -p "$1" ;;
                    f) [ -e "$1" ] || : > "$1" ;;
                    F) : > "$1" ;;
                esac || return 1
                [ -z "$_mode" ] || chmod "$_mode" "$1" || return 1
                [ -z "$_owner" ] || chown "$_owner" "$1" || return 1
                ;;
        esac
        shift
    done
}

for _word in config need use want before after provide keyword; do
    eval "$_word() { [ -z \"\$*\" ] || echo \"$_word \$*\"; }"
done

describe() {
    if [ -n "$description" ]; then einfo "$description"; else ewarn "No description for $RC_SVCNAME"; fi
    description_cgroup_cleanup='Kill all processes in the cgroup'
    for _command in $extra_commands $extra_started_commands $extra_stopped_commands cgroup_cleanup healthcheck unhealthy; do
        eval _text=\$description_$_command
        if [ -n "$_text" ]; then einfo "$_command: $_text"; else ewarn "$_command: no description"; fi
    done
}
default_start() {
    if [ -z "$command" ]; then
        ewarn "The command variable is undefined."
        ewarn "There is nothing for ${name:-$RC_SVCNAME} to start."
        ewarn "If this is what you intend, please write a start function."
        ewarn "This will become a failure in a future release."
        return 0
    fi
    ebegin "Starting ${name:-$RC_SVCNAME}"
    _background=
    if yesno "$command_background"; then
        if [ -z "$pidfile" ]; then
            eend 1 "command_background option used but no pidfile specified"
            return 1
        fi
        _background='--background --make-pidfile'
    fi
    eval start-stop-daemon --start --exec "$command" \
        ${directory:+--chdir "$directory"} ${procname:+--name "$procname"} ${pidfile:+--pidfile "$pidfile"} \
        ${command_user:+--chuid "$command_user"} ${umask:+--umask "$umask"} \
        $_background $start_stop_daemon_args -- $command_args $command_args_background
    eend $? "Failed to start ${name:-$RC_SVCNAME}"
}
default_stop() {
    [ -n "$command$procname$pidfile" ] || return 0
    ebegin "Stopping ${name:-$RC_SVCNAME}"
    start-stop-daemon --stop ${retry:+--retry "$retry"} ${command:+--exec "$command"} \
        ${procname:+--name "$procname"} ${pidfile:+--pidfile "$pidfile"} ${stopsig:+--signal "$stopsig"}
    eend $? "Failed to stop ${name:-$RC_SVCNAME}"
}
default_status() {
    if service_started; then
        einfo "status: started"
        return 0
    fi
    einfo "status: stopped"
    return 3
}
start() { default_start; }
stop() { default_stop; }
status() { default_status; }

_script=$1
_asked=$2
_settings=${_script%/*}/../conf.d
[ ! -e /etc/rc.conf ] || . /etc/rc.conf
for _file in "$_settings/${RC_SVCNAME%%.*}" "$_settings/$RC_SVCNAME" "$_settings/$RC_SVCNAME.$RC_RUNLEVEL"; do
    [ ! -e "$_file" ] || . "$_file"
done
. "$_script"

if [ "$_asked" = depend ]; then
    [ "$(command -v depend)" != depend ] || depend
    exit 0
fi
for _command in describe start stop status $extra_commands $extra_started_commands $extra_stopped_commands; do
    [ "$_command" = "$_asked" ] || continue
    case " $extra_started_commands " in
        *" $_asked "*)
            if ! service_started; then
                eerror "$RC_SVCNAME: cannot \`$_asked' as it has not been started"
                exit 1
            fi
            ;;
    esac
    if [ "$(command -v "${_asked}_pre")" = "${_asked}_pre" ]; then "${_asked}_pre" || exit $?; fi
    "$_asked" || exit $?
    if [ "$(command -v "${_asked}_post")" = "${_asked}_post" ]; then "${_asked}_post" || exit $?; fi
    exit 0
done
eerror "$RC_SVCNAME: unknown function \`$_asked'"
exit 1
