"""What tests look at beside the page: the processes of visitors and their ports, and waiting for something."""

import os
import time
from pathlib import Path


def listening_ports(process: int) -> list[int]:
    """Ports on which a process waits for connections, on this computer only; AssertionError if for others too."""
    ports = []
    for line in _sockets(process, state="0A"):
        address, port = line[1].split(":")
        assert address == "0100007F", "not 127.0.0.1"
        ports.append(int(port, 16))
    return ports


def has_page(process: int) -> bool:
    """Whether a visitor's process is connected with a page."""
    ports = listening_ports(process)
    return any(int(line[1].split(":")[1], 16) in ports for line in _sockets(process, state="01"))


def _sockets(process: int, state: str) -> list[list[str]]:
    try:
        links = {os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()}
    except FileNotFoundError:
        return []
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [line for line in lines if line[3] == state and f"socket:[{line[9]}]" in links]


def until(condition, seconds: float, otherwise: str) -> None:
    """Ask again and again; AssertionError when it is not so within the time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)
