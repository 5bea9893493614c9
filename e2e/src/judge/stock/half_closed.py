"""Asks for `/_ping` over TLS, closes its own half of the connection, and prints what still comes."""

import socket
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing, server_hostname="mke.example.com")
stream = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)


def until_done(step):
    """Carries out a step of TLS; returns nothing at the end of the stream."""
    while True:
        try:
            done = step()
        except ssl.SSLWantReadError:
            done = None
        if outgoing.pending:
            stream.sendall(outgoing.read())
        if done is not None:
            return done
        received = stream.recv(1 << 16)
        if not received:
            return b""
        incoming.write(received)


until_done(lambda: tls.do_handshake() or True)
until_done(lambda: tls.write(b"GET /_ping HTTP/1.1\r\nHost: mke.example.com\r\nConnection: close\r\n\r\n"))
stream.shutdown(socket.SHUT_WR)
answer = b""
while piece := until_done(lambda: tls.read(1 << 16)):
    answer += piece
sys.stdout.write(answer.decode())
