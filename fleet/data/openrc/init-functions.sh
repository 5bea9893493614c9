# Functions for scripts of services, as LSB and Debian have them (lsb-base 11.6).

start_daemon () {
    pidfile=/dev/null nice=0
    OPTIND=1
    while getopts fn:p: opt; do
        case $opt in
            n) nice=$OPTARG ;;
            p) pidfile=$OPTARG ;;
        esac
    done
    shift $((OPTIND - 1))
    exec=$1
    shift
    start-stop-daemon --start --nicelevel "$nice" --quiet --oknodo --exec "$exec" --pidfile "$pidfile" -- "$@"
}

pidofproc () {
    pidfile=
    OPTIND=1
    while getopts p: opt; do
        case $opt in p) pidfile=$OPTARG ;; esac
    done
    shift $((OPTIND - 1))
    if [ $# -ne 1 ]; then
        echo "$0: invalid arguments" >&2
        return 4
    fi
    [ -n "$pidfile" ] || pidfile=/var/run/${1##*/}.pid
    [ -e "$pidfile" ] || return 3
    [ -r "$pidfile" ] || return 4
    read -r pid < "$pidfile" || :
    [ -n "$pid" ] || return 4
    if kill -0 "$pid" 2>/dev/null || ps -p "$pid" >/dev/null 2>&1; then
        echo "$pid"
        return 0
    fi
    return 1
}

killproc () {
    pidfile=
    OPTIND=1
    while getopts p: opt; do
        case $opt in p) pidfile=$OPTARG ;; esac
    done
    shift $((OPTIND - 1))
    [ -n "$pidfile" ] || pidfile=/var/run/${1##*/}.pid
    start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile "$pidfile"
}

status_of_proc () {
    pidfile=
    OPTIND=1
    while getopts p: opt; do
        case $opt in p) pidfile=$OPTARG ;; esac
    done
    shift $((OPTIND - 1))
    status=0
    pidofproc ${pidfile:+-p "$pidfile"} "$1" >/dev/null || status=$?
    case $status in
        0) log_success_msg "$2 is running" ;;
        4) log_failure_msg "could not access PID file for $2" ;;
        *) log_failure_msg "$2 is not running" ;;
    esac
    return $status
}

log_begin_msg () { printf %s "$*"; }
log_daemon_msg () {
    if [ -n "${2:-}" ]; then printf '%s: %s' "$1" "$2"; else printf '%s:' "$1"; fi
}
log_progress_msg () { [ -z "${1:-}" ] || printf ' %s' "$*"; }
log_action_msg () { echo "$*."; }
log_end_msg () {
    case ${1:-} in
        '') return 1 ;;
        0) echo . ;;
        255) echo ' (warning).' ;;
        *) echo ' failed!' ;;
    esac
    return "$1"
}
log_success_msg () {
    [ -z "${1:-}" ] || log_begin_msg "$@"
    log_end_msg 0
}
log_failure_msg () {
    [ -z "${1:-}" ] || log_begin_msg "$@" ...
    log_end_msg 1 || true
}
log_warning_msg () {
    [ -z "${1:-}" ] || log_begin_msg "$@" ...
    log_end_msg 255 || true
}
