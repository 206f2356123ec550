"""What happens on the server beside Thunderbird, when it was recorded and when that is replayed."""
from email.message import EmailMessage

from test_imap import Imap
from wire import deliver

USER, OTHER = 'user0@example.test', 'ada@example.test'


def mails(user):
    """What lies in the inbox at the start."""
    found = []

    def add(subject, sender=f'Ada Lovelace <{OTHER}>', body='A few words.\n'):
        mail = EmailMessage()
        number = len(found) + 1
        mail['From'], mail['To'], mail['Subject'] = sender, f'Zoë <{user}>', subject
        mail['Date'] = f'Tue, 0{number % 9 + 1} Jan 2024 10:{number:02}:00 +0000'
        mail['Message-ID'] = f'<m{number}@example.org>'
        mail.set_content(body)
        found.append(mail)
        return mail

    for n in range(1, 6):
        add(f'plain {n}')
    add('Grüße aus Köln', 'Jürgen Müller <juergen@example.org>', 'Schöne Grüße\n')
    add('html').add_alternative('<html><body><p>Hello <b>you</b></p></body></html>',
                                subtype='html')
    mail = add('attachments')
    mail.add_attachment(b'%PDF-1.4 ' + bytes(range(256)), maintype='application',
                        subtype='pdf', filename='paper.pdf')
    mail.add_attachment('a,b\n1,2\n', subtype='csv', filename='täble.csv')
    add('large').add_attachment(bytes(range(256)) * 1600, maintype='application',
                                subtype='octet-stream', filename='large.bin')
    mail = add('forwarded message')
    mail.add_attachment(found[0])
    add('Re: elsewhere')['In-Reply-To'] = '<m1@example.org>'
    for n in range(12, 15):
        add(f'last {n}')
    for mail in found:
        for part in mail.walk():
            if part.is_multipart() and part.get_content_maintype() == 'multipart':
                part.set_boundary(f'boundary-{mail["Message-ID"][1:3]}')
    return [mail.as_bytes().replace(b'\n', b'\r\n') for mail in found]


def prepare(server, user):
    server.write('dovecot-quotas.cf', f'{user}:100M\n')
    server.start()
    for count, mail in enumerate(mails(user), 1):
        deliver(server, user, mail)
        server.wait_stored(user, count)


def perform(server, user, action):
    """`deliver`: a message arrives, `large` a large one. Else another client does it."""
    if action in ('deliver', 'large'):
        mail = EmailMessage()
        mail['From'], mail['To'], mail['Subject'] = 'x@example.org', user, action
        mail.set_content('news\n' if action == 'deliver' else 'a line of a long text\n' * 15000)
        deliver(server, user, mail.as_bytes().replace(b'\n', b'\r\n'))
        return
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        wire.ok({'flag': r'STORE 2 +FLAGS (\Flagged other)', 'delete': r'STORE 1 +FLAGS (\Deleted)',
                 'expunge': 'EXPUNGE'}[action])
