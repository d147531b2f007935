"""A host of its own in front of a port of this machine, which may vanish as if its power were cut."""

import ctypes
import os
import secrets
import socket
import subprocess
import threading
from contextlib import ExitStack, suppress

NEW_NETWORK = 0x40000000  # CLONE_NEWNET of setns(2)


class Host:
    """A network namespace. What arrives at its port is forwarded; while it is `vanished`, packets are dropped."""

    def __init__(self, port: int) -> None:
        self.is_over = False
        self.target, self.name = port, f"crm{secrets.token_hex(3)}"
        network = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        self.address = (f"{network}.2", 5432)
        ip("netns", "add", self.name)
        ip("link", "add", f"{self.name}a", "type", "veth", "peer", "name", f"{self.name}b")
        ip("link", "set", f"{self.name}b", "netns", self.name)
        ip("addr", "add", f"{network}.1/30", "dev", f"{self.name}a")
        ip("link", "set", f"{self.name}a", "up")
        ip("-n", self.name, "addr", "add", f"{network}.2/30", "dev", f"{self.name}b")
        self.come_back()
        listening = threading.Thread(target=self.listen)
        listening.start()
        listening.join()
        self.serving = threading.Thread(target=self.serve, daemon=True)
        self.serving.start()

    def vanish(self) -> None:
        ip("-n", self.name, "link", "set", f"{self.name}b", "down")

    def come_back(self) -> None:
        ip("-n", self.name, "link", "set", f"{self.name}b", "up")

    def destroy(self) -> None:
        self.come_back()
        self.is_over = True
        socket.create_connection(self.address).close()
        self.serving.join()
        ip("netns", "delete", self.name)

    def listen(self) -> None:
        """In a thread that ends afterwards: a socket stays in the network of the thread that made it."""
        namespace = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(namespace, NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(namespace)
        self.listener = socket.create_server(self.address)

    def serve(self) -> None:
        with self.listener, ExitStack() as connections:
            while True:
                client = connections.enter_context(self.listener.accept()[0])
                if self.is_over:
                    return
                server = connections.enter_context(socket.create_connection(("127.0.0.1", self.target)))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=forward, args=(source, sink), daemon=True).start()


def forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
