"""Mounts a folder (its name comes on stdin) whose storage never answers, until this process is killed.

Speaks just enough of the kernel's FUSE protocol: says hello, tells what the folder itself is, and
lets everybody else wait.
"""

import ctypes
import os
import stat
import struct
import sys

GETATTR, INIT = 3, 26
HEADER = struct.Struct("<IIQQIIII")

folder = os.fsencode(sys.stdin.readline())
device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"hang", folder, b"fuse.hang", 0, options) != 0:
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")


def answer(unique, body):
    os.write(device, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)


while True:
    request = os.read(device, 1 << 17)
    _, operation, unique, *_ = HEADER.unpack_from(request)
    if operation == INIT:
        answer(unique, struct.pack("<IIIIHHII", 7, 31, 0, 0, 1, 1, 4096, 1) + bytes(36))
        print("mounted", flush=True)
    elif operation == GETATTR:
        folder_itself = struct.pack("<IIII", stat.S_IFDIR | 0o755, 2, 0, 0)
        attributes = struct.pack("<QQQQQQIII", 1, 0, 0, 0, 0, 0, 0, 0, 0) + folder_itself
        answer(unique, struct.pack("<QII", 1, 0, 0) + attributes + bytes(12))
