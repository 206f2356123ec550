"""A DNS for tests: zones as Python data, on a free port of the loopback, UDP and TCP.

    zones = {'example.org': ['@ MX 10 mx', 'mx A 192.0.2.1', 'alias 60 CNAME mx.example.net.']}
    with DnsServer(zones, signed=['example.org']) as dns:
        env = {'POSTHORN_DNS': dns.address, 'POSTHORN_DNS_TRUST_ANCHOR': dns.trust_anchor(path)}

Lines are those of a zone file; SOA and NS come by themselves, the TTL is 300. The server answers as
a recursive one would that knows nothing else: aliases are followed through all zones, and for a
name that is in none it says NXDOMAIN without an SOA. `dns.misbehave('mx.example.org', 'drop')`
changes how questions for a name are answered, see MISBEHAVIOURS; `'*'` is all names.
`dns.questions` holds what was asked, as (name, type).

Signed zones (ECDSA P-256, one key, NSEC) are answered with signatures and proofs where the question
has DO. A zone that lies below another signed one gets its DS there if it is signed itself.
"""
import datetime
import select
import socket
import struct
import threading
import time
from pathlib import Path

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

IN = dns.rdataclass.IN
T = dns.rdatatype
TTL = 300
ALIASES_MAX = 12

# What misbehave() knows. Those with a number in brackets take it as an argument.
MISBEHAVIOURS = {
    'slow': 'answer after so many seconds [seconds]',
    'drop': 'never answer',
    'drop-udp': 'answer over TCP only',
    'servfail': 'SERVFAIL',
    'refused': 'REFUSED',
    'formerr': 'FORMERR',
    'truncate': 'over UDP nothing but the TC bit',
    'wrong-id': 'an answer to another question number',
    'wrong-name': 'an answer to a question for another name',
    'garbage': 'bytes that are no DNS message',
    'lame': 'NOERROR and nothing else, as a server does that does not know the zone',
    'strip': 'no signatures, as a forwarder does that knows nothing of DNSSEC',
    'bad-signature': 'signatures that do not fit',
    'expired': 'signatures of last year',
}


class SignedZone:
    """The key of a zone, and its signatures, made when they are asked for."""

    def __init__(self, zone):
        self.zone = zone
        self.origin = zone.origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.key = dns.dnssec.make_dnskey(self.private.public_key(),
                                          dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
        self.made = {}

    def ds(self):
        return dns.dnssec.make_ds(self.origin, self.key, 'SHA256')

    def sign(self, rrset, mode=None):
        at = (rrset.name, rrset.rdtype, mode, rrset.ttl, tuple(sorted(map(str, rrset))))
        if at not in self.made:
            self.made[at] = self._sign(rrset, mode)
        return self.made[at]

    def _sign(self, rrset, mode):
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        end = now + (-300 if mode == 'expired' else 7) * day
        signature = dns.dnssec.sign(rrset, self.private, self.origin, self.key,
                                    inception=end - 14 * day, expiration=end)
        if mode == 'bad-signature':
            signature = signature.replace(signature=signature.signature[::-1])
        return dns.rrset.from_rdata(rrset.name, rrset.ttl, signature)


class Zones:
    def __init__(self):
        self.zones, self.signed = {}, {}

    def put(self, name, lines, signed=False):
        origin = dns.name.from_text(name)
        text = '\n'.join([f'$TTL {TTL}', '@ SOA ns hostmaster 1 3600 600 86400 60', '@ NS ns',
                          *lines, ''])
        zone = dns.zone.from_text(text, origin, relativize=False, check_origin=False)
        self.zones[origin] = zone
        if signed:
            if origin in self.signed:
                self.signed[origin].zone = zone
            else:
                self.signed[origin] = SignedZone(zone)
            self._put(zone, origin, self.signed[origin].key)
        else:
            self.signed.pop(origin, None)
        self._delegate()

    @staticmethod
    def _put(zone, name, rdata):
        rdataset = zone.find_rdataset(name, rdata.rdtype, create=True)
        rdataset.add(rdata, TTL)

    def _delegate(self):
        """Parents say which zones are below them, and with which key."""
        for origin in self.zones:
            parent = self.zone_of(origin.parent()) if origin != dns.name.root else None
            if parent is None:
                continue
            self._put(parent, origin, dns.rdata.from_text(IN, T.NS, f'ns.{origin}'))
            parent.delete_rdataset(origin, T.DS)
            if origin in self.signed:
                self._put(parent, origin, self.signed[origin].ds())

    def zone_of(self, name):
        while True:
            if name in self.zones:
                return self.zones[name]
            if name == dns.name.root:
                return None
            name = name.parent()

    def names(self, zone):
        """The names of a zone in the order of DNSSEC, without those below a delegation."""
        below = [o for o in self.zones if o != zone.origin and o.is_subdomain(zone.origin)]
        return sorted(n for n in zone.nodes
                      if not any(n.is_subdomain(o) and n != o for o in below))

    def nsec(self, zone, name, exact):
        """The NSEC record of a name, or the one that covers it."""
        names = self.names(zone)
        at = names.index(name) if exact else max(
            (i for i, n in enumerate(names) if n < name), default=len(names) - 1)
        owner, following = names[at], names[(at + 1) % len(names)]
        types = {r.rdtype for r in zone.nodes[owner].rdatasets} | {T.RRSIG, T.NSEC}
        if owner != zone.origin and owner in self.zones:
            types &= {T.NS, T.DS, T.RRSIG, T.NSEC}
        text = ' '.join(T.to_text(t) for t in sorted(types))
        return dns.rrset.from_text(owner, 60, IN, T.NSEC, f'{following} {text}')


class Answer:
    """The answer to one question."""

    def __init__(self, zones, query, mode):
        self.zones, self.mode = zones, mode
        self.response = dns.message.make_response(query, recursion_available=True)
        self.signatures = bool(query.ednsflags & dns.flags.DO) and mode != 'strip'
        question = query.question[0]
        self.name, self.type = question.name, question.rdtype
        if mode in ('servfail', 'refused', 'formerr'):
            self.response.set_rcode(dns.rcode.from_text(mode))
        elif mode != 'lame':
            self.follow()

    def add(self, section, zone, rrset):
        section.append(rrset)
        signed = self.zones.signed.get(zone.origin)
        if signed and self.signatures and not (rrset.rdtype == T.NS and
                                               rrset.name != zone.origin):
            section.append(signed.sign(rrset, self.mode))

    def follow(self):
        for _ in range(ALIASES_MAX):
            zone = self.zones.zone_of(self.name)
            if self.type == T.DS and zone is not None and zone.origin == self.name:
                zone = self.zones.zone_of(self.name.parent()) or zone
            if zone is None:
                self.response.set_rcode(dns.rcode.NXDOMAIN)
                return
            target = self.look(zone)
            if target is None:
                return
            self.name = target

    def look(self, zone):
        """Put in what the zone has; the target when that is an alias."""
        node = zone.get_node(self.name)
        found = node and node.get_rdataset(IN, self.type)
        alias = node and node.get_rdataset(IN, T.CNAME)
        if self.type == T.DNSKEY and self.mode == 'strip':
            found = None
        if found:
            self.add(self.response.answer, zone, dns.rrset.from_rdata_list(
                self.name, found.ttl, found))
            return None
        if alias:
            self.add(self.response.answer, zone, dns.rrset.from_rdata_list(
                self.name, alias.ttl, alias))
            return alias[0].target
        self.say_nothing(zone, bool(node) or any(
            n.is_subdomain(self.name) for n in zone.nodes))
        return None

    def say_nothing(self, zone, exists):
        authority = self.response.authority
        if not exists:
            self.response.set_rcode(dns.rcode.NXDOMAIN)
        soa = zone.find_rdataset(zone.origin, T.SOA)
        self.add(authority, zone, dns.rrset.from_rdata_list(zone.origin, 60, soa))
        if zone.origin not in self.zones.signed or not self.signatures:
            return
        proofs = [self.zones.nsec(zone, self.name, self.name in zone.nodes)]
        if not exists:
            closest = self.name.parent()
            while not any(n.is_subdomain(closest) for n in zone.nodes):
                closest = closest.parent()
            proofs.append(self.zones.nsec(zone, dns.name.Name((b'*',)) + closest, False))
        for i, proof in enumerate(proofs):
            if proof not in proofs[:i]:
                self.add(authority, zone, proof)


class DnsServer:
    def __init__(self, zones=(), signed=(), port=0, host='127.0.0.1', authoritative=False):
        self.host, self.authoritative = host, authoritative
        self.zones = Zones()
        self.modes = {}
        self.questions = []
        self.transports = []    # of the same questions: 'udp' or 'tcp'
        self.lock = threading.Lock()
        for name, lines in dict(zones).items():
            self.zones.put(name, lines, name in signed)
        self.udp, self.tcp = self._bind(port)
        self.port = self.udp.getsockname()[1]
        self.address = f'{host}:{self.port}'
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._serve_udp, daemon=True),
                        threading.Thread(target=self._serve_tcp, daemon=True)]

    def _bind(self, port):
        """The same number for UDP and TCP."""
        for _ in range(50):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            tcp = socket.socket()
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((self.host, port))
                tcp.bind((self.host, udp.getsockname()[1]))
                tcp.listen(50)
                return udp, tcp
            except OSError:
                udp.close()
                tcp.close()
                if port:
                    raise
        raise RuntimeError('no free port')

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()

    def set_zone(self, name, lines, signed=False):
        """A zone, in the place of what it was; a signed one keeps its key."""
        with self.lock:
            self.zones.put(name, lines, signed)

    def misbehave(self, name, mode, argument=0):
        """From now on; mode None is good behaviour."""
        assert mode is None or mode in MISBEHAVIOURS, mode
        with self.lock:
            self.modes[name.lower()] = (mode, argument)

    def trust_anchor(self, path):
        """Write the keys of the signed zones that lie below no other; the path as text."""
        tops = [z for o, z in self.zones.signed.items()
                if o == dns.name.root or self.zones.zone_of(o.parent()) is None]
        Path(path).write_text(''.join(f'{z.origin} IN DS {z.ds()}\n' for z in tops),
                              encoding='ascii')
        return str(path)

    def count(self, name, kind):
        """How often a question was asked."""
        return self.questions.count((name.lower(), kind))

    def forget(self):
        with self.lock:
            self.questions.clear()
            self.transports.clear()

    def _respond(self, wire, transport):
        """(bytes of the answer or None, how long it takes)."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None, 0
        name = question.name.to_text(omit_final_dot=True).lower()
        with self.lock:
            self.questions.append((name, T.to_text(question.rdtype)))
            self.transports.append(transport)
            mode, argument = self.modes.get(name) or self.modes.get('*') or (None, 0)
            response = Answer(self.zones, query, mode).response
        if self.authoritative:      # for all of its zones: there are no referrals
            response.flags = response.flags & ~dns.flags.RA | dns.flags.AA
        if mode == 'drop' or (mode == 'drop-udp' and transport == 'udp'):
            return None, 0
        if mode == 'garbage':
            return wire[:2] + b'\xff' * 40, 0
        if mode == 'wrong-id':
            response.id ^= 0x5555
        if mode == 'wrong-name':
            response.question[0] = dns.rrset.RRset(
                dns.name.from_text('wrong.example'), IN, question.rdtype)
        return self._to_wire(query, response, transport, mode), argument if mode == 'slow' else 0

    @staticmethod
    def _to_wire(query, response, transport, mode):
        try:
            bytes_ = response.to_wire(max_size=65535)
        except dns.exception.TooBig:
            bytes_ = None
        room = (query.payload if query.edns >= 0 else 512) if transport == 'udp' else 65535
        if bytes_ is None or len(bytes_) > max(room, 512) or \
                (mode == 'truncate' and transport == 'udp'):
            for section in (response.answer, response.authority, response.additional):
                section.clear()
            response.flags |= dns.flags.TC
            bytes_ = response.to_wire()
        return bytes_

    def _serve_udp(self):
        while not self.ended.is_set():
            if not select.select([self.udp], [], [], 0.05)[0]:
                continue
            wire, peer = self.udp.recvfrom(65535)
            answer, after = self._respond(wire, 'udp')
            if answer is None:
                continue
            if after:
                timer = threading.Timer(after, self._send_late, (answer, peer))
                timer.daemon = True
                timer.start()
            else:
                self.udp.sendto(answer, peer)

    def _send_late(self, answer, peer):
        try:
            self.udp.sendto(answer, peer)
        except OSError:     # the server has ended meanwhile
            pass

    def _serve_tcp(self):
        while not self.ended.is_set():
            if select.select([self.tcp], [], [], 0.05)[0]:
                client, _ = self.tcp.accept()
                threading.Thread(target=self._serve_client, args=(client,), daemon=True).start()

    def _serve_client(self, client):
        client.settimeout(10)
        with client:
            try:
                while not self.ended.is_set():
                    size = self._read(client, 2)
                    if size is None:
                        return
                    wire = self._read(client, struct.unpack('>H', size)[0])
                    answer, after = self._respond(wire, 'tcp')
                    if answer is None:
                        return
                    time.sleep(after)
                    client.sendall(struct.pack('>H', len(answer)) + answer)
            except OSError:
                pass

    @staticmethod
    def _read(client, n):
        found = b''
        while len(found) < n:
            more = client.recv(n - len(found))
            if not more:
                return None
            found += more
        return found
