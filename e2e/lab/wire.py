"""A wire that takes its time, for cable.ts: Node has no sockets for frames, and the kernel may lack netem.

wire.py relay A B DELAY_MS JITTER_MS  prints "ready", then carries frames between interfaces A and B until it is killed
wire.py offload on|off INTERFACE      whether the kernel may leave checksums and segments of what it sends there to hardware
"""

import array
import collections
import errno
import fcntl
import random
import select
import socket
import struct
import sys
import time

# linux/if_ether.h, linux/if_packet.h, asm-generic/socket.h, linux/sockios.h
ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
SIOCETHTOOL = 0x8946
# linux/ethtool.h: ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, each needing those before it
OFFLOADS = (0x17, 0x19, 0x1F, 0x24)

# What a frame meets when an end is down or full: it is lost, as on any wire.
LOST = {errno.ENETDOWN, errno.ENOBUFS, errno.EAGAIN, errno.EMSGSIZE}
MOST_FRAMES = 20000
BATCH = 64


class Way:
    """One direction. Frames leave in the order in which they came."""

    def __init__(self, source, sink, delay, jitter):
        self.source, self.sink, self.delay, self.jitter = source, sink, delay, jitter
        self.frames = collections.deque()
        self.last = 0.0

    def take(self):
        for _ in range(BATCH):
            try:
                frame = self.source.recv(65536)
            except OSError as error:
                if error.errno in LOST:
                    return
                raise
            if len(self.frames) < MOST_FRAMES:
                self.last = max(self.last, time.monotonic() + self.delay + random.uniform(0, self.jitter))
                self.frames.append((self.last, frame))

    def give(self):
        while self.frames and self.frames[0][0] <= time.monotonic():
            frame = self.frames.popleft()[1]
            try:
                self.sink.send(frame)
            except OSError as error:
                if error.errno not in LOST:
                    raise


def relay(first, second, delay, jitter):
    a, b = (open_interface(name) for name in (first, second))
    ways = (Way(a, b, delay, jitter), Way(b, a, delay, jitter))
    print("ready", flush=True)
    while True:
        due = min((way.frames[0][0] for way in ways if way.frames), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        readable = select.select((a, b), (), (), wait)[0]
        for way in ways:
            if way.source in readable:
                way.take()
            way.give()


def open_interface(name):
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    frames.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    frames.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    frames.bind((name, 0))
    frames.setblocking(False)
    return frames


def offload(state, name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in OFFLOADS if state == "on" else reversed(OFFLOADS):
            value = array.array("I", (command, int(state == "on")))
            # struct ifreq: a name and a pointer to the value.
            fcntl.ioctl(any_socket, SIOCETHTOOL, struct.pack("16sP16x", name.encode(), value.buffer_info()[0]))


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        relay(sys.argv[2], sys.argv[3], float(sys.argv[4]) / 1000, float(sys.argv[5]) / 1000)
    else:
        offload(sys.argv[2], sys.argv[3])
