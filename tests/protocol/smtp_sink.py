"""An SMTP or LMTP server for tests that does what the test tells it to, however wrong.

    with Sink() as sink:                         # takes everything
        ...
        sink.messages[0].data
    with Sink(replies={'RCPT': ['450 4.2.0 later']}) as sink: ...

`replies` names the answers of a verb in the order in which they are wanted; the last one holds from
then on. An answer is a line or a list of them (a reply of several lines, complete with code), None
for what the sink would say otherwise, a function of the argument that returns one of these, or an
Act. The verbs are those of SMTP, and GREETING, END (of the data) and BDAT.
"""
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field


class Act:
    """What is no reply. Each returns False when the connection is over."""

    def __call__(self, session):
        raise NotImplementedError


class Close(Act):
    """Hang up, in the middle of what is going on."""

    def __call__(self, session):
        return False


class Reset(Close):
    """The same with a RST."""

    def __call__(self, session):
        session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        return False


class Raw(Act):
    """These bytes, one piece at a time."""

    def __init__(self, *pieces, pause=0.02, starts_tls=False):
        self.pieces, self.pause, self.starts_tls = pieces, pause, starts_tls

    def __call__(self, session):
        for piece in self.pieces:
            session.socket.sendall(piece)
            time.sleep(self.pause)
        if self.starts_tls:
            session.start_tls()
        return True


class Late(Act):
    """A reply after so many seconds."""

    def __init__(self, seconds, reply):
        self.seconds, self.reply = seconds, reply

    def __call__(self, session):
        time.sleep(self.seconds)
        return session.say(self.reply)


class Tarpit(Act):
    """A reply of which one byte comes after the other, for as long as the client waits."""

    def __init__(self, pause=0.05):
        self.pause = pause

    def __call__(self, session):
        for byte in b'250-' + b'x' * 100000:
            session.socket.sendall(bytes([byte]))
            time.sleep(self.pause)
        return False


@dataclass
class Message:
    """What was accepted, or was on its way when the sink refused it."""
    mail: str
    recipients: list
    data: bytes = b''
    accepted: bool = False
    tls: bool = False
    session: int = 0


@dataclass
class Trace:
    """One connection."""
    number: int
    lines: list = field(default_factory=list)
    tls: str = ''           # version
    server_name: str = None
    user: str = None
    password: str = None


EHLO = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES', 'CHUNKING',
        'SIZE 50000000']


class Sink:
    """Listens on 127.0.0.1, or `address`, which may be a path; `port` is free when it is 0."""

    def __init__(self, port=0, address='127.0.0.1', ehlo=None, replies=None, lmtp=False,
                 tls=None, implicit_tls=False, auth=None, greeting='220 sink ESMTP'):
        self.ehlo = EHLO if ehlo is None else ehlo
        self.ehlo_tls = None
        self.lmtp, self.tls, self.implicit_tls, self.auth = lmtp, tls, implicit_tls, auth
        self.replies = {k: list(v) for k, v in (replies or {}).items()}
        self.replies.setdefault('GREETING', [greeting])
        self.messages, self.sessions, self.errors = [], [], []
        self.lock = threading.Lock()
        self.address, self.port = address, port
        if address.startswith('/'):
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(address)
        else:
            self.listener = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, port))
            self.address, self.port = self.listener.getsockname()[:2]
        self.listener.listen(100)
        self.open = set()
        self.closed = False
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.closed = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.hang_up()
        self.thread.join(5)
        if kind is None:
            assert not self.errors, self.errors

    def hang_up(self):
        """End every connection, as a restart of the server does."""
        with self.lock:
            for s in self.open:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @property
    def accepted(self):
        return [m for m in self.messages if m.accepted]

    def commands(self, session=0):
        """The verbs of one connection."""
        return [line.split()[0].upper() for line in self.sessions[session].lines if line.split()]

    def next_reply(self, verb):
        with self.lock:
            wanted = self.replies.get(verb)
            if not wanted:
                return None
            return wanted.pop(0) if len(wanted) > 1 else wanted[0]

    def _accept(self):
        while not self.closed:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(s)
                trace = Trace(len(self.sessions))
                self.sessions.append(trace)
            threading.Thread(target=self._serve, args=(s, trace), daemon=True).start()

    def _serve(self, s, trace):
        session = Session(self, s, trace)
        try:
            session.run()
        except (OSError, ssl.SSLError, EOFError):
            pass
        except Exception as e:      # noqa: BLE001: a mistake of the sink's fails the test
            self.errors.append(e)
        finally:
            with self.lock:
                self.open.discard(s)
            for each in {session.socket, s}:
                try:
                    each.close()
                except OSError:
                    pass


class Session:
    """One connection being served."""

    def __init__(self, sink, s, trace):
        self.sink, self.socket, self.trace = sink, s, trace
        if s.family != socket.AF_UNIX:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''
        self.message = None
        self.chunks = b''

    def read(self, n):
        while len(self.buffer) < n:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        piece, self.buffer = self.buffer[:n], self.buffer[n:]
        return piece

    def line(self):
        while b'\n' not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line + b'\n'

    def say(self, reply):
        """Send a reply; False when that ended the connection."""
        if isinstance(reply, Act):
            return reply(self)
        lines = reply if isinstance(reply, list) else [reply]
        self.socket.sendall(''.join(line + '\r\n' for line in lines).encode('latin-1'))
        return not lines[-1].startswith('421')

    def answer(self, verb, usual, argument='', before=lambda code: None):
        """Say what the test wants, or the usual. (goes on, the code); `before` it is sent."""
        wanted = self.sink.next_reply(verb)
        if callable(wanted) and not isinstance(wanted, Act):
            wanted = wanted(argument)
        reply = usual if wanted is None else wanted
        code = 0
        if not isinstance(reply, Act):
            code = int((reply if isinstance(reply, str) else reply[-1])[:3])
        before(code)
        return self.say(reply), code

    def start_tls(self):
        context, names = self.sink.tls, self.trace

        def remember(_, name, __):
            names.server_name = name
        context.sni_callback = remember
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.buffer = b''
        self.trace.tls = self.socket.version()

    def run(self):
        if self.sink.implicit_tls:
            self.start_tls()
        if not self.answer('GREETING', '220 sink')[0]:
            return
        while True:
            line = self.line()
            text = line.decode('utf-8', 'replace').rstrip('\r\n')
            if not line.endswith(b'\r\n') and text.isprintable():
                self.sink.errors.append(f'bare LF in a command: {line!r}')
            self.trace.lines.append(text)
            verb = text.split(' ')[0].split(':')[0].upper() if text else ''
            handler = getattr(self, 'do_' + verb.lower(), None)
            if not handler:
                if not self.answer(verb, '500 5.5.1 what?')[0]:
                    return
            elif not handler(text[len(verb):].strip()):
                return

    def do_ehlo(self, argument):
        offers = self.sink.ehlo
        if self.trace.tls and self.sink.ehlo_tls is not None:
            offers = self.sink.ehlo_tls
        offers = list(offers)
        if self.sink.tls and not self.trace.tls:
            offers.append('STARTTLS')
        if self.sink.auth:
            offers.append('AUTH ' + ' '.join(self.sink.auth.mechanisms))
        lines = ['sink greets you', *offers]
        usual = [f'250-{x}' for x in lines[:-1]] + [f'250 {lines[-1]}']
        return self.answer('EHLO', usual, argument)[0]

    def do_lhlo(self, argument):
        return self.do_ehlo(argument)

    def do_helo(self, argument):
        return self.answer('HELO', '250 sink', argument)[0]

    def do_starttls(self, argument):
        goes_on, code = self.answer('STARTTLS', '220 2.0.0 go ahead', argument)
        if goes_on and code == 220:
            self.start_tls()
        return goes_on

    def do_auth(self, argument):
        goes_on, code = True, 0
        wanted = self.sink.next_reply('AUTH')
        if wanted is not None:
            return self.say(wanted)
        goes_on, code = self.sink.auth.serve(self, argument)
        return goes_on and code != 421

    def do_mail(self, argument):
        goes_on, code = self.answer('MAIL', '250 2.1.0 ok', argument)
        if code == 250:
            self.message = Message(argument, [], tls=bool(self.trace.tls),
                                   session=self.trace.number)
            self.chunks = b''
        return goes_on

    def do_rcpt(self, argument):
        if not self.message:
            return self.say('503 5.5.1 MAIL first')
        goes_on, code = self.answer('RCPT', '250 2.1.5 ok', argument)
        if code // 100 == 2:
            self.message.recipients.append(argument)
        return goes_on

    def do_data(self, argument):
        if not self.message or not self.message.recipients:
            return self.answer('DATA', '503 5.5.1 RCPT first', argument)[0]
        goes_on, code = self.answer('DATA', '354 go ahead', argument)
        if not goes_on or code != 354:
            return goes_on
        mid = self.sink.next_reply('BODY')
        data = []
        while (line := self.line()) != b'.\r\n':
            data.append(line[1:] if line.startswith(b'.') else line)
            if mid is not None and sum(map(len, data)) > 100000:
                return self.say(mid)
        self.message.data = b''.join(data)
        return self.finish()

    def do_bdat(self, argument):
        size, *last = argument.split()
        self.chunks += self.read(int(size))
        if not self.message or not self.message.recipients:
            return self.answer('BDAT', '503 5.5.1 RCPT first', argument)[0]
        if not last:
            return self.answer('BDAT', '250 2.0.0 more', argument)[0]
        self.message.data = self.chunks
        return self.finish()

    def finish(self):
        message, self.message = self.message, None
        with self.sink.lock:
            self.sink.messages.append(message)
        def note(code):
            message.accepted |= code // 100 == 2
        count = len(message.recipients) if self.sink.lmtp else 1
        for i in range(count):
            if not self.answer('END', '250 2.0.0 queued as SINK', message.recipients[i], note)[0]:
                return False
        return True

    def do_rset(self, argument):
        self.message = None
        return self.answer('RSET', '250 2.0.0 ok', argument)[0]

    def do_noop(self, argument):
        return self.answer('NOOP', '250 2.0.0 ok', argument)[0]

    def do_quit(self, argument):
        self.answer('QUIT', '221 2.0.0 bye', argument)
        return False
