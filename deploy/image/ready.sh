#!/bin/bash
# Exit status 0 when the process of this container says that it is ready on the port given. In bash: the image has no curl, and
# a second Node each time would cost more than most requests.
exec 3<>"/dev/tcp/127.0.0.1/${1:?a port}" || exit 1
printf 'GET /ready HTTP/1.0\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 -u 3 _ status _
[ "$status" = 200 ]
