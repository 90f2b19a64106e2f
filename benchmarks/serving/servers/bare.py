"""A ceiling: the runtime behind a blocking socket, for one client and one kind of request.

It parses nothing but where a body begins and how long it is, checks nothing, and could not be used
for anything else: what it does not reach, sockets take. `python bare.py MODEL PORT ROW`.
"""

import socket
import sys
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

_RECEIVED = 1 << 16


def main(model: str, port: str, row: str) -> None:
    """Answer clients one after the other, for ever."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options)
    x = np.load(row)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            client, _ = listener.accept()
            with client:
                _answer(client, session, x)


def _answer(client: socket.socket, session: ort.InferenceSession, x: NDArray[Any]) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    into = x.reshape(-1).view(np.uint8).data
    while True:
        head = b""
        while b"\r\n\r\n" not in head:
            received = client.recv(_RECEIVED)
            if not received:
                return
            head += received
        begun = head.partition(b"\r\n\r\n")[2]
        into[: len(begun)] = begun
        size = len(begun)
        while size < len(into):
            size += client.recv_into(into[size:])
        (y,) = session.run(None, {"x": x})
        body = y.tobytes()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


if __name__ == "__main__":
    main(*sys.argv[1:])
