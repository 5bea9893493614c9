# from: hook
# user: lab
trap 'echo bye' EXIT
( sleep 0.2; echo late ) &
echo early
wait
sleep 5 &
pid=$!
kill -0 $pid && echo alive
kill $pid
wait $pid; echo "status $?"
kill -0 $pid 2>/dev/null || echo gone
( exit 4 ) & wait $!; echo "status $?"
timeout 1 sleep 5; echo "status $?"
timeout -k 0.3 0.2 sh -c 'trap "" TERM; sleep 1; sleep 1'; echo "status $?"
timeout 5 true; echo "status $?"
timeout 1 nosuch; echo "status $?"
exit 3
