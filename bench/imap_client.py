"""Clients that cost little: they send, read until the end of the answer, and parse nothing."""
import os
import pickle
import socket
import ssl
import time

TIMEOUT = 300
PIECE = 1 << 20


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


class Client:
    """IMAP. `size` is how long the last answer was."""

    def __init__(self, system, user=None, tls=None, password='correct horse'):
        self.socket = socket.create_connection(
            ('127.0.0.1', system.port('imaps' if tls else 'imap')), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self.buffer, self.count, self.size = bytearray(PIECE), 0, 0
        self.tail = b''
        self.read_line()
        if user:
            self.do(f'LOGIN {user} "{password}"')

    def read_line(self):
        line = b''
        while not line.endswith(b'\n'):
            piece = self.socket.recv(4096)
            if not piece:
                raise EOFError('the server closed the connection')
            line += piece
        return line

    def do(self, text, literal=b''):
        """One command; the end of its answer is returned: the tagged line, and what was before."""
        self.count += 1
        tag = b'a%d ' % self.count
        self.socket.sendall(tag + text.encode() + literal + b'\r\n')
        tail, self.size = b'', 0
        while True:
            n = self.socket.recv_into(self.buffer)
            if n == 0:
                raise EOFError(f'{text[:80]}: the server closed the connection')
            self.size += n
            tail = (tail + bytes(self.buffer[:n][-4096:]))[-4096:]
            if tail.endswith(b'\r\n'):
                last = tail.rfind(b'\r\n', 0, -2) + 2 if tail.count(b'\r\n') > 1 else 0
                if tail.startswith(tag, last):
                    break
        if not tail.startswith(tag + b'OK', last):
            raise RuntimeError(f'{text[:80]}: {tail[last:]!r}')
        self.tail = tail
        return tail

    def timed(self, text, literal=b''):
        begin = time.perf_counter()
        self.do(text, literal)
        return time.perf_counter() - begin

    def append(self, box, data):
        return self.do(f'APPEND {box} {{{len(data)}+}}\r\n', data)

    def idle(self):
        self.socket.sendall(b'i IDLE\r\n')
        while not self.read_line().startswith(b'+'):
            pass

    def end_idle(self):
        self.socket.sendall(b'DONE\r\n')
        tail = b''
        while b'i OK' not in tail:
            piece = self.socket.recv(4096)
            if not piece:
                raise EOFError('an idle session was closed')
            tail += piece

    def close(self):
        self.socket.close()


class Pop3:
    def __init__(self, system, user, password='correct horse'):
        self.socket = socket.create_connection(('127.0.0.1', system.port('pop3')), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(PIECE)
        self.socket.recv(4096)
        for line in (f'USER {user}', f'PASS {password}'):
            self.socket.sendall(line.encode() + b'\r\n')
            answer = self.socket.recv(4096)
            if not answer.startswith(b'+OK'):
                raise RuntimeError(f'{line}: {answer!r}')

    def retr(self, numbers, at_once=1):
        """Messages, so many requests before the first answer is awaited. Returns the seconds."""
        groups = [numbers[i:i + at_once] for i in range(0, len(numbers), at_once)]
        requests = [b''.join(b'RETR %d\r\n' % n for n in group) for group in groups]
        begin = time.perf_counter()
        for group, request in zip(groups, requests):
            self.socket.sendall(request)
            left, rest = len(group), b''
            while left:
                n = self.socket.recv_into(self.buffer)
                if n == 0:
                    raise EOFError('POP3: closed')
                rest += self.buffer[:n]
                left -= rest.count(b'\r\n.\r\n')
                rest = rest[-4:] if not rest.endswith(b'\r\n.\r\n') else b''
        return time.perf_counter() - begin

    def noop(self, count):
        begin = time.perf_counter()
        for _ in range(count):
            self.socket.sendall(b'NOOP\r\n')
            if not self.socket.recv(4096).startswith(b'+OK'):
                raise RuntimeError('NOOP failed')
        return time.perf_counter() - begin


def together(count, work):
    """Run work(n) in so many processes. Returns the seconds from when all were ready, and what they
    returned. work(n) is a generator: what comes before its first yield is not measured."""
    ready, go = os.pipe(), os.pipe()
    children = []
    for n in range(count):
        out = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                job = work(n)
                next(job)
                os.write(ready[1], b'r')
                os.read(go[0], 1)
                result = list(job)
                os.write(out[1], pickle.dumps(result[-1] if result else None))
                status = 0
            except Exception as e:      # pylint: disable=broad-except
                os.write(2, f'client {n}: {type(e).__name__}: {e}\n'.encode())
                os.write(ready[1], b'x')
            os._exit(status)
        os.close(out[1])
        children.append((pid, out[0]))
    got = b''
    while len(got) < count:
        got += os.read(ready[0], count)
    begin = time.perf_counter()
    os.write(go[1], b'g' * count)
    results = []
    failed = b'x' in got
    for pid, out in children:
        data = b''
        while piece := os.read(out, 65536):
            data += piece
        os.close(out)
        failed |= os.waitpid(pid, 0)[1] != 0
        results.append(pickle.loads(data) if data else None)
    seconds = time.perf_counter() - begin
    for fd in (*ready, *go):
        os.close(fd)
    if failed:
        raise RuntimeError('a client failed')
    return seconds, results
