#!/usr/bin/python3
"""Send a message through port 25 and read it back through IMAP, before the user's eyes."""
import argparse
import imaplib
import smtplib
import ssl
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--smtp', type=int, required=True)
    parser.add_argument('--imaps', type=int, required=True)
    parser.add_argument('--user', required=True)
    parser.add_argument('--password', required=True)
    return parser.parse_args()


def demo_message(user):
    message = EmailMessage()
    message['From'] = 'Posthorn <hello@posthorn.example>'
    message['To'] = user
    message['Subject'] = 'Tally-ho'
    message['Date'] = formatdate(localtime=True)
    message['Message-ID'] = make_msgid(domain='posthorn.example')
    message.set_content('This message came in through SMTP, was made durable in the journal,\n'
                        'delivered into a Maildir, and was read back through IMAP.\n')
    return message


def read_back(client, message_id, patience=10):
    """The message with this id, as the server gives it; None when it does not arrive in time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        client.select('INBOX', readonly=True)
        _, found = client.search(None, 'HEADER', 'Message-ID', f'"{message_id}"')
        if found[0]:
            _, data = client.fetch(found[0].split()[-1].decode(), '(BODY.PEEK[])')
            return data[0][1].decode('utf-8', 'replace')
        time.sleep(0.05)
    return None


def main():
    args = arguments()
    message = demo_message(args.user)
    with smtplib.SMTP(args.host, args.smtp, timeout=20) as client:
        client.send_message(message)
    print(f'Sent a message to {args.user} through port {args.smtp}.',
          f'Port {args.imaps} gives back:\n')

    context = ssl.create_default_context()
    context.check_hostname = False      # the demo's certificate is signed by nobody
    context.verify_mode = ssl.CERT_NONE
    client = imaplib.IMAP4_SSL(args.host, args.imaps, ssl_context=context, timeout=20)
    client.login(args.user, args.password)
    text = read_back(client, message['Message-ID'])
    client.logout()
    if text is None:
        sys.exit('The message did not arrive.')
    print('\n'.join('    ' + line for line in text.splitlines()))


if __name__ == '__main__':
    main()
