"""How many connections are kept, and what becomes of one that says nothing."""

import asyncio

import own_loop
import pytest
from web_demo.connections import Connections, Guarded


class Kept(asyncio.Protocol):
    """Answers every complete header."""

    def connection_made(self, transport):
        self.transport, self.seen = transport, b""

    def data_received(self, data):
        self.seen += data
        if self.seen.endswith(b"\r\n\r\n"):
            self.transport.write(b"answer\n")
            self.seen = b""


def served(connections, client):
    """What `client(connect)` returns, beside a server with these bounds."""

    async def run():
        server = await asyncio.get_running_loop().create_server(lambda: Guarded(Kept, connections), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await client(lambda: asyncio.open_connection("127.0.0.1", port))

    return own_loop.run(run())


async def asked(connection, text=b"GET / HTTP/1.1\r\n\r\n") -> bytes:
    reader, writer = connection
    writer.write(text)
    try:
        return await asyncio.wait_for(reader.readline(), 10)
    except ConnectionError:
        return b""


def test_a_connection_is_served_again_and_again():
    async def client(connect):
        connection = await connect()
        return [await asked(connection), await asked(connection)]

    assert served(Connections(), client) == [b"answer\n"] * 2


def test_one_connection_too_many_is_closed_and_a_place_is_free_when_another_ends():
    connections = Connections(most=2)

    async def client(connect):
        first, second = await connect(), await connect()
        before = [await asked(first), await asked(second)]
        third = await asked(await connect())
        first[1].close()
        await first[1].wait_closed()
        while connections.open.total() > 1:
            await asyncio.sleep(0)
        return before, third, await asked(await connect())

    assert served(connections, client) == ([b"answer\n"] * 2, b"", b"answer\n")


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a", b"GET"])
def test_a_header_that_does_not_come_ends_the_connection(said):
    async def client(connect):
        connection = await connect()
        return await asked(connection, said)

    assert served(Connections(header_seconds=0.05), client) == b""


def test_the_header_may_come_in_pieces_and_what_follows_may_take_its_time():
    async def client(connect):
        reader, writer = await connect()
        for piece in (b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"\r", b"\n"):
            writer.write(piece)
            await writer.drain()
        first = await reader.readline()
        await asyncio.sleep(0.3)
        return first, await asked((reader, writer))

    assert served(Connections(header_seconds=0.2), client) == (b"answer\n", b"answer\n")


def test_an_address_of_the_network_has_fewer_than_all():
    connections = Connections(most=5, most_per_address=2)
    for _ in range(2):
        assert connections.admits("10.0.0.1")
        connections.begin("10.0.0.1")
    assert not connections.admits("10.0.0.1") and connections.admits("10.0.0.2")
    assert connections.admits("127.0.0.1")
    for _ in range(3):
        connections.begin("127.0.0.1")
    assert not connections.admits("127.0.0.1")
    connections.end("10.0.0.1")
    assert connections.admits("10.0.0.1")
    assert connections.open == {"10.0.0.1": 1, "127.0.0.1": 3}
