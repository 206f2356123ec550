"""AUTH for smtp_sink: each mechanism as its RFC has it, for one user."""
import base64
import hashlib
import hmac
import os


class Wrong(Exception):
    """The client did not say what it should."""


class Auth:
    """One user. `mechanisms` is what is offered."""

    def __init__(self, mechanism, user, password):
        self.mechanisms, self.user, self.password = [mechanism], user, password
        self.wrong_signature = False
        self.trouble = None

    def serve(self, session, argument):
        name, *initial = argument.split(' ', 1)
        method = {'PLAIN': self.plain, 'LOGIN': self.login, 'CRAM-MD5': self.cram,
                  'SCRAM-SHA-256': self.scram, 'SCRAM-SHA-256-PLUS': self.scram_plus,
                  'XOAUTH2': self.xoauth2}.get(name.upper())
        if not method or name.upper() not in self.mechanisms:
            return session.say('504 5.5.4 unknown'), 504
        try:
            method(session, self.decode(initial[0]) if initial else None)
        except Wrong as e:
            self.trouble = str(e)
            return session.say('535 5.7.8 authentication failed'), 535
        session.trace.user = self.user
        return session.say('235 2.7.0 welcome'), 235

    @staticmethod
    def decode(text):
        return b'' if text == '=' else base64.b64decode(text, validate=True)

    def ask(self, session, challenge):
        session.say('334 ' + base64.b64encode(challenge).decode())
        line = session.line().decode().rstrip('\r\n')
        session.trace.lines.append(line)
        if line == '*':
            raise Wrong('cancelled')
        return self.decode(line)

    def plain(self, session, initial):
        message = self.ask(session, b'') if initial is None else initial
        if message != f'\0{self.user}\0{self.password}'.encode():
            raise Wrong(repr(message))

    def login(self, session, initial):
        user = self.ask(session, b'Username:') if initial is None else initial
        if (user.decode(), self.ask(session, b'Password:').decode()) != (self.user, self.password):
            raise Wrong('login')

    def cram(self, session, _):
        challenge = b'<1896.697170952@sink>'
        digest = hmac.new(self.password.encode(), challenge, 'md5').hexdigest()
        if self.ask(session, challenge).decode() != f'{self.user} {digest}':
            raise Wrong('cram')

    def xoauth2(self, session, initial):
        if initial != f'user={self.user}\1auth=Bearer {self.password}\1\1'.encode():
            self.ask(session, b'{"status":"401"}')
            raise Wrong(repr(initial))

    def scram_plus(self, session, initial):
        # Python has no tls-exporter: the value is taken as it comes, everything else is checked.
        self.scram(session, initial, plus=True)

    def scram(self, session, initial, plus=False):
        text = initial.decode()
        flag, authzid, bare = text.split(',', 2)
        if authzid or (flag != ('p=tls-exporter' if plus else 'y') and flag != 'n'):
            raise Wrong(f'gs2 header {flag}')
        if plus == (flag == 'n') and plus:
            raise Wrong('no binding')
        fields = dict(f.split('=', 1) for f in bare.split(','))
        if fields['n'].replace('=2C', ',').replace('=3D', '=') != self.user:
            raise Wrong('name')
        salt, count = os.urandom(12), 4096
        nonce = fields['r'] + 'sink'
        first = f'r={nonce},s={base64.b64encode(salt).decode()},i={count}'
        final = self.ask(session, first.encode()).decode()
        without, proof = final.rsplit(',p=', 1)
        channel, echoed = without.split(',')
        binding = base64.b64decode(channel[2:])
        header = text[:len(text) - len(bare)].encode()
        if not binding.startswith(header) or (len(binding) > len(header)) != plus:
            raise Wrong('channel binding')
        if echoed != f'r={nonce}':
            raise Wrong('nonce')
        salted = hashlib.pbkdf2_hmac('sha256', self.password.encode(), salt, count)
        key = hmac.digest(salted, b'Client Key', 'sha256')
        message = f'{bare},{first},{without}'.encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), message, 'sha256')
        if bytes(a ^ b for a, b in zip(key, signature)) != base64.b64decode(proof):
            raise Wrong('proof')
        server = hmac.digest(hmac.digest(salted, b'Server Key', 'sha256'), message, 'sha256')
        if self.wrong_signature:
            server = server[::-1]
        self.ask(session, b'v=' + base64.b64encode(server))
