# Speaks with the server as a mail program does, with curl alone. The first thing that does not work
# ends the test. The name in the certificate is not tested: a self-signed one may be intended.
set -eu

talk() {
	curl --silent --show-error --max-time 30 --ssl-reqd --insecure "$@"
}

mailbox() {
	talk --user "$MAIL_USER:$MAIL_PASSWORD" "imap://$HOST:$IMAP_PORT/INBOX$1" --request "$2"
}

talk "smtp://$HOST:$SMTP_PORT" --request NOOP >/dev/null
echo "ok: SMTP with STARTTLS"
talk "smtp://$HOST:$SUBMISSION_PORT" --request NOOP >/dev/null
echo "ok: submission with STARTTLS"
if [ -n "${IMAP_PORT:-}" ]; then
	talk "imap://$HOST:$IMAP_PORT" --request CAPABILITY | grep -q IMAP4rev1
	echo "ok: IMAP with STARTTLS"
fi

if [ -z "${MAIL_USER:-}" ] || [ -z "${IMAP_PORT:-}" ]; then
	echo "No account is given (test.existingSecret): nothing is sent."
	exit 0
fi

TOKEN=helm-test-$(date +%s)
cat >/tmp/message <<MESSAGE
From: <$MAIL_USER>
To: <$MAIL_USER>
Subject: $TOKEN
Message-ID: <$TOKEN@${HOSTNAME_IN_CERTIFICATE:-localhost}>

Sent by helm test.
MESSAGE
talk --user "$MAIL_USER:$MAIL_PASSWORD" "smtp://$HOST:$SUBMISSION_PORT" \
	--mail-from "$MAIL_USER" --mail-rcpt "$MAIL_USER" --upload-file /tmp/message --crlf
echo "ok: logged in and sent a message"

TRIES=0
UID_FOUND=
until [ -n "$UID_FOUND" ]; do
	UID_FOUND=$(mailbox "" "UID SEARCH SUBJECT $TOKEN" | tr -d '\r' |
		sed -n 's/^\* SEARCH \([0-9][0-9]*\)$/\1/p')
	[ -n "$UID_FOUND" ] || sleep 1
	TRIES=$((TRIES + 1))
	if [ "$TRIES" -gt 30 ]; then
		echo "The message did not arrive within 30 seconds." >&2
		exit 1
	fi
done
talk --user "$MAIL_USER:$MAIL_PASSWORD" "imap://$HOST:$IMAP_PORT/INBOX/;UID=$UID_FOUND" |
	grep -q "^Subject: $TOKEN"
echo "ok: fetched the message"

mailbox "" "UID STORE $UID_FOUND +FLAGS.SILENT (\\Deleted)" >/dev/null
mailbox "" "UID EXPUNGE $UID_FOUND" >/dev/null
echo "ok: deleted the message"
