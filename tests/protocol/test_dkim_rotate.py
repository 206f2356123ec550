"""A key is changed while mail goes on: every message has a signature that the DNS knows."""
import re

import pytest
from dns_server import DnsServer

from server import DOMAIN, Server, wait_until
from smtp_sink import Sink
from test_filter import signatures, verifies
from test_remote import ALICE, ELSEWHERE, relay_to, submit, wait_accepted

OFF = {'ENABLE_RSPAMD': '1', 'ENABLE_OPENDKIM': '0'}


def published(line):
    """The text of a zone line."""
    return ''.join(re.findall(r'"([^"]*)"', line))


def selector_of(message):
    return re.search(rb'\bs=(\w+);', message).group(1).decode()


@pytest.mark.parametrize('layout', ['opendkim', 'rspamd'])
def test_mail_is_signed_with_the_new_key_from_then_on(layout):
    with Sink() as sink, DnsServer({DOMAIN: []}) as dns:
        env = relay_to(sink, POSTHORN_DNS=dns.address, POSTHORN_DNS_DNSSEC='off',
                       DMS_CONFIG_POLL='100ms', **(OFF if layout == 'rspamd' else {}))
        with Server(accounts=[ALICE], env=env) as server:
            made = server.setup('config', 'dkim', 'domain', DOMAIN)
            text = re.search(r'v=DKIM1;[^\n]*', made.stdout + made.stderr).group(0)
            records = {'mail': text}

            def send_until(selector):
                """Mail goes out until it is signed so; all of it can be verified."""
                def last():
                    submit(server, ELSEWHERE, f'From: {ALICE}\r\n\r\nHow are you?\r\n')
                    send_until.count += 1
                    message = wait_accepted(sink, send_until.count)[-1].data
                    if not signatures(message):     # the first key was not there yet
                        return False
                    assert verifies(message, records)
                    return selector_of(message) == selector
                wait_until(last, what=f'a signature with {selector}')
            send_until.count = 0
            send_until('mail')
            rotate = ['config', 'dkim', 'rotate', 'domain', DOMAIN]
            begun = server.setup(*rotate, 'selector', 'next', 'keytype', 'rsa')
            assert begun.returncode == 0
            assert server.setup(*rotate).returncode == 1
            send_until('mail')
            records['next'] = published(begun.stdout)
            dns.set_zone(DOMAIN, [begun.stdout.strip().replace('\t', ' ')])
            assert server.setup(*rotate).returncode == 0
            send_until('next')
