#!/bin/sh
# No daemon is started by its installation: tests start their own.
exit 101
