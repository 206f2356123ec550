"""Configuration files of the peers, after what docker-mailserver generates: postscreen, smtpd with
its restrictions, cleanup, qmgr, LMTP over a Unix socket to Dovecot with Sieve and quota, Maildir.

Left out, to their advantage: DNS lookups, content filters, fail2ban, rsyslog (postlogd instead).
"""
import os
import subprocess

MASTER = '''\
{smtp_lines}
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
'''

DMS_SMTP = '''\
127.0.0.1:{port} inet n - n - 1 postscreen
smtpd     pass  - - n - - smtpd
tlsproxy  unix  - - n - 0 tlsproxy
dnsblog   unix  - - n - 0 dnsblog'''

LEAN_SMTP = '127.0.0.1:{port} inet n - n - - smtpd'

MAIN = '''\
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
myhostname = {hostname}
mydestination = localhost
mynetworks =
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
smtpd_banner = $myhostname ESMTP
biff = no
append_dot_mydomain = no
message_size_limit = 10240000
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{root}/vmailbox
virtual_alias_maps = texthash:{root}/virtual regexp:{root}/regexp
virtual_transport = lmtp:unix:{root}/dovecot/lmtp
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_tls_cert_file = {root}/cert.pem
smtpd_tls_key_file = {root}/key.pem
smtpd_tls_security_level = may
smtpd_helo_required = yes
smtpd_delay_reject = yes
strict_rfc821_envelopes = yes
disable_vrfy_command = yes
smtpd_forbid_unauth_pipelining = no
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname, permit
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated,
    reject_unauth_destination, reject_unauth_pipelining
smtpd_sender_restrictions = permit_mynetworks, permit_sasl_authenticated
smtpd_recipient_restrictions = {recipient_restrictions}
header_checks = regexp:{root}/header_checks
postscreen_access_list = permit_mynetworks
postscreen_greet_action = enforce
postscreen_dnsbl_action = ignore
postscreen_bare_newline_action = ignore
postscreen_cache_map = btree:$data_directory/postscreen_cache
'''

DMS_RECIPIENT = '''permit_sasl_authenticated, permit_mynetworks, reject_unauth_destination,
    reject_unauth_pipelining, reject_invalid_helo_hostname, reject_non_fqdn_recipient,
    check_policy_service inet:127.0.0.1:{quota_port}'''
LEAN_RECIPIENT = 'reject_unauth_destination'

DOVECOT = '''\
base_dir = {root}/dovecot
state_dir = {root}/dovecot-state
listen = 127.0.0.1
protocols = imap lmtp
log_path = {root}/dovecot.log
mail_location = maildir:{mail}/%d/%n
mail_uid = 5000
mail_gid = 5000
first_valid_uid = 5000
mail_plugins = {mail_plugins}
ssl = yes
ssl_min_protocol = TLSv1.2
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_max_userip_connections = 10000
mail_max_lock_timeout = 30 s
hostname = {hostname}
postmaster_address = postmaster@{domain}
passdb {{
  driver = passwd-file
  args = scheme=SHA512-CRYPT username_format=%u {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
}}
namespace inbox {{
  inbox = yes
  separator = .
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
service imap-login {{
  process_limit = 4000
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 4000
}}
service anvil {{
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
service stats {{
  client_limit = 20000
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
protocol imap {{
  mail_plugins = {mail_plugins} {imap_plugins}
}}
protocol lmtp {{
  mail_plugins = {mail_plugins} {lmtp_plugins}
}}
'''

DMS_DOVECOT = '''\
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 10%%
  quota_rule = *:storage=0M
  quota_rule2 = Trash:storage=+50M
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = "552 5.2.2 Mailbox is full"
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_after = {root}/spam-to-junk.sieve
}}
service quota-status {{
  executable = quota-status -p postfix
  client_limit = 1
  inet_listener {{
    port = {quota_port}
  }}
}}
'''

SIEVE = '''\
require ["fileinto"];
if anyof (header :contains "X-Spam-Flag" "YES", header :contains "X-Spam" "Yes") {
    fileinto "Junk";
}
'''


def _values(system):
    from systems import DOMAIN, HOSTNAME
    return {'root': system.root, 'mail': system.mail, 'hostname': HOSTNAME, 'domain': DOMAIN,
            'port': system.port('smtp'), 'imap_port': system.port('imap'),
            'imaps_port': system.port('imaps'), 'quota_port': system.port('pop3')}


def write_postfix(system):
    from systems import USERS, user
    values, root, lean = _values(system), system.root, system.lean
    config = root / 'postfix'
    for path in (config, root / 'spool', root / 'data'):
        path.mkdir()
    subprocess.run(['chown', 'postfix', root / 'data'], check=True)
    recipient = (LEAN_RECIPIENT if lean else DMS_RECIPIENT).format(**values)
    (config / 'main.cf').write_text(MAIN.format(recipient_restrictions=recipient, **values))
    lines = (LEAN_SMTP if lean else DMS_SMTP).format(**values)
    (config / 'master.cf').write_text(MASTER.format(smtp_lines=lines))
    (root / 'vmailbox').write_text(''.join(f'{user(n)} {user(n)}\n' for n in range(USERS)))
    (root / 'virtual').write_text('')
    (root / 'regexp').write_text('')
    (root / 'header_checks').write_text('/^X-Nothing-Has-This:/ IGNORE\n')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj',
                    f'/CN={values["hostname"]}', '-keyout', root / 'key.pem', '-out',
                    root / 'cert.pem'], check=True, capture_output=True)


def change_postfix(system, text):
    """Other values for some of main.cf. One that stands there twice is warned of by every process,
    and postlogd, which is one of them, can then wait for itself for ever."""
    path = system.root / 'postfix/main.cf'
    changed = {line.split(' =')[0] for line in text.splitlines() if line[:1].strip()}
    kept, keep = [], True
    for line in path.read_text().splitlines():
        if line[:1].strip():
            keep = line.split(' =')[0] not in changed
        if keep:
            kept.append(line)
    path.write_text('\n'.join(kept) + '\n' + text)


def write_dovecot(system):
    values, root = _values(system), system.root
    plugins = {'mail_plugins': '', 'imap_plugins': '', 'lmtp_plugins': ''} if system.lean else \
        {'mail_plugins': 'quota', 'imap_plugins': 'imap_quota', 'lmtp_plugins': 'sieve'}
    text = DOVECOT.format(**values, **plugins)
    if not system.lean:
        text += DMS_DOVECOT.format(**values)
        (root / 'spam-to-junk.sieve').write_text(SIEVE)
        subprocess.run(['sievec', root / 'spam-to-junk.sieve'], check=True)
    (root / 'dovecot.conf').write_text(text)
    os.chmod(root / 'dovecot.conf', 0o644)


# For the comparison of IMAP alone: POP3 too, and no mail comes in.
POP3 = '''\
protocols = imap pop3
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
'''

# Dovecot's own advice for many connections ("high-performance mode" of login processes).
TUNED = '''\
default_process_limit = 20000
default_client_limit = 40000
service imap-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 10000
  vsz_limit = 1G
}
service pop3-login {
  service_count = 0
  process_min_avail = 1
}
service imap {
  service_count = 1000
  process_limit = 20000
  process_min_avail = 10
}
'''


def imap_dovecot(system):
    values = {**_values(system), 'port': 0, 'quota_port': system.port('pop3s'),
              'pop3_port': system.port('pop3')}
    plugins = {'mail_plugins': 'quota', 'imap_plugins': 'imap_quota', 'lmtp_plugins': ''}
    text = DOVECOT.format(**values, **plugins) + DMS_DOVECOT.format(**values)
    text += POP3.format(**values) + (TUNED if system.tuned else '')
    path = system.root / 'dovecot.conf'
    path.write_text(text)
    os.chmod(path, 0o644)
