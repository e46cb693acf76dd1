"""Mounts a folder (its name comes on stdin) whose storage never answers, until this process is
killed.

Speaks just enough of the kernel's FUSE protocol to be mounted, and then nothing any more.
"""

import ctypes
import os
import signal
import struct
import sys

HEADER = struct.Struct("<IIQQIIII")

folder = os.fsencode(sys.stdin.readline())
device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"hang", folder, b"fuse.hang", 0, options) != 0:
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")

_, _, unique, *_ = HEADER.unpack_from(os.read(device, 1 << 17))
hello = struct.pack("<IIIIHHII", 7, 31, 0, 0, 1, 1, 4096, 1) + bytes(36)
os.write(device, struct.pack("<IiQ", 16 + len(hello), 0, unique) + hello)
print("mounted", flush=True)
signal.pause()
