"""A proxy between a mail client and a server that writes down what both say.

It takes part in STARTTLS on both sides and unpacks COMPRESS=DEFLATE, so that what is written
down is the conversation. What passes is passed on unchanged.
"""
import select
import socket
import ssl
import threading
import time
import zlib

from wire import insecure_tls


class Record:
    """What was said: (seconds, connection, who, bytes), who is C for the client, S for the
    server, E for the end of a connection, # for a remark and ! for what others do."""

    def __init__(self):
        self.entries, self.connections = [], 0
        self.start = self.last = time.monotonic()
        self._lock = threading.Lock()

    def add(self, connection, who, data):
        with self._lock:
            self.last = time.monotonic()
            self.entries.append((round(self.last - self.start, 3), connection, who, data))

    def remark(self, text):
        self.add('', '#', text.encode())

    def new_connection(self, service):
        with self._lock:
            self.connections += 1
            return f'{service}-{self.connections}'

    def wait_quiet(self, quiet=1.0, most=30):
        """Until nobody has said anything for a while."""
        begin = time.monotonic()
        while time.monotonic() < begin + most:
            if time.monotonic() - max(self.last, begin) > quiet:
                return
            time.sleep(0.05)


class Recorder:
    """Listens on a port of its own for one service of the server."""

    def __init__(self, record, service, server_port, certificate):
        self.record, self.service, self.server_port = record, service, server_port
        self.context = certificate.context()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        name = self.record.new_connection(self.service)
        server = socket.create_connection(('127.0.0.1', self.server_port))
        try:
            Conversation(self, name, client, server).run()
        except (OSError, ssl.SSLError):
            pass
        finally:
            self.record.add(name, 'E', b'')
            client.close()
            server.close()


class Conversation:
    """One connection. Who asks for STARTTLS or COMPRESS waits for the answer, so that a packet
    is never half the one and half the other."""

    def __init__(self, recorder, name, client, server):
        self.recorder, self.name = recorder, name
        self.client, self.server = client, server
        self.unpack = {}
        self.asked, self.tls = b'', False

    def run(self):
        while True:
            ready = [s for s in (self.client, self.server) if self.tls and s.pending()]
            if not ready:
                ready, _, _ = select.select([self.client, self.server], [], [])
            for source in ready:
                who, other = ('C', self.server) if source is self.client else ('S', self.client)
                data = source.recv(65536)
                if not data:
                    return
                self._passed(who, data, other)

    def _passed(self, who, data, other):
        text = self.unpack[who].decompress(data) if self.unpack else data
        # Written down before it is passed on: the order of the log is what caused what.
        if text:
            self.recorder.record.add(self.name, who, text)
        other.sendall(data)
        last = text.upper().split()
        if who == 'C' and last:
            self.asked = b' '.join(last[-2:])
        elif who == 'S' and self._agreed(last):
            if self.asked.endswith(b'STARTTLS'):
                self.client = self.recorder.context.wrap_socket(self.client, server_side=True)
                self.server = insecure_tls().wrap_socket(self.server)
                self.tls = True
            elif self.asked == b'COMPRESS DEFLATE':
                self.unpack = {w: zlib.decompressobj(-15) for w in 'CS'}
            self.asked = b''

    @staticmethod
    def _agreed(words):
        return words[:1] == [b'220'] or words[1:2] == [b'OK']
