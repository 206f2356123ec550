"""Run Thunderbird against a Posthorn and write down what they say to each other.

    unshare -n python3 capture.py DIRECTORY

needs Thunderbird, Xvfb and a build of the server (POSTHORN_BUILD), and leaves one record per start
in DIRECTORY, for clean.py, and Thunderbird's own log. Each step calls what a menu entry, a key or
a drag of the mouse would.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from certificates import Authority  # noqa: E402
from server import PASSWORD, Server  # noqa: E402
from thunderbird.marionette import Thunderbird  # noqa: E402
from thunderbird.others import OTHER, USER, perform, prepare  # noqa: E402
from thunderbird.recorder import Record, Recorder  # noqa: E402

CONDSTORE = {'mail.server.default.use_condstore': True}
OLD = {'mail.server.default.use_compress_deflate': False,
       'mail.server.default.allow_utf8_accept': False, 'mail.imap.use_literal_plus': False,
       'mail.server.default.autosync_offline_stores': False}
# (name, preferences, steps): what Thunderbird does by itself, and what it can be told to do.
STARTS = [
    ('1-first', {}, ['read', 'flags', 'folders', 'search', 'compose', 'others', 'delete', 'offline',
                     'again']),
    ('2-again', {}, ['again', 'others']),
    ('3-condstore', CONDSTORE, ['again', 'others']),
    ('4-condstore-again', CONDSTORE, ['again', 'others', 'letters']),
    ('5-old', OLD, ['again', 'search', 'others', 'letters', 'draft', 'close', 'chunks']),
]

OPENED = r"""
    const wanted = Cc["@mozilla.org/messengercompose/composeparams;1"]
      .createInstance(Ci.nsIMsgComposeParams);
    wanted.composeFields = Cc["@mozilla.org/messengercompose/composefields;1"]
      .createInstance(Ci.nsIMsgCompFields);
    wanted.type = Ci.nsIMsgCompType.New;
    wanted.format = Ci.nsIMsgCompFormat.PlainText;
    wanted.identity = MailServices.accounts.defaultAccount.defaultIdentity;
    wanted.composeFields.to = args[0];
    wanted.composeFields.subject = args[1];
    wanted.composeFields.body = "Ein Gruß\n";
    MailServices.compose.OpenComposeWindowWithParams(null, wanted);
    """
FOUND = r"""
    const writing = await until("the compose window", () => {
      const w = Services.wm.getMostRecentWindow("msgcompose");
      return w?.composeEditorReady && w;
    });
    await sleep(1500);
    """


class Capture:
    """The steps. Each leaves a remark in the record, does something, and waits for silence."""

    def __init__(self, server, thunderbird, record):
        self.server, self.thunderbird, self.record = server, thunderbird, record
        self.failed = []

    def step(self, text, script='', *args, quiet=1.0):
        self.record.remark(text)
        try:
            if script:
                value = self.thunderbird.remote.run(script, *args)
                if value is not None:
                    print(f'  {text}: {value}', flush=True)
        except RuntimeError as e:
            self.failed.append(text)
            print(f'FAILED {text}: {e}', flush=True)
        self.record.wait_quiet(quiet)

    def other(self, text, action):
        """Something that happens elsewhere; the replay does the same."""
        self.record.remark(text)
        self.record.add('', '!', action.encode())
        perform(self.server, USER, action)
        self.record.wait_quiet(3)

    def account(self, authority, ports):
        pem = authority.file.read_text()
        der = ''.join(line for line in pem.splitlines() if '-----' not in line)
        self.step('a new account', r"""
            const [ca, imapPort, smtpPort, user, password] = args;
            Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
              .addCertFromBase64(ca, "CT,,");
            const LoginInfo = Components.Constructor("@mozilla.org/login-manager/loginInfo;1",
              "nsILoginInfo", "init");
            for (const url of ["imap://127.0.0.1", "smtp://127.0.0.1"]) {
              await Services.logins.addLoginAsync(
                new LoginInfo(url, null, url, user, password, "", ""));
            }
            const incoming = MailServices.accounts.createIncomingServer(user, "127.0.0.1", "imap");
            incoming.port = imapPort;
            incoming.socketType = Ci.nsMsgSocketType.alwaysSTARTTLS;
            incoming.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
            incoming.loginAtStartUp = true;
            incoming.valid = true;
            const outgoing = MailServices.outgoingServer.createServer("smtp");
            const smtp = outgoing.QueryInterface(Ci.nsISmtpServer);
            smtp.hostname = "127.0.0.1";
            smtp.port = smtpPort;
            outgoing.socketType = Ci.nsMsgSocketType.alwaysSTARTTLS;
            outgoing.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
            outgoing.username = user;
            MailServices.outgoingServer.defaultServer = outgoing;
            const identity = MailServices.accounts.createIdentity();
            identity.fullName = "Zoë";
            identity.email = user;
            identity.composeHtml = false;
            identity.smtpServerKey = outgoing.key;
            identity.valid = true;
            MailServices.accounts.createLocalMailAccount();
            const account = MailServices.accounts.createAccount();
            account.incomingServer = incoming;
            account.addIdentity(identity);
            MailServices.accounts.defaultAccount = account;
            Services.prefs.savePrefFile(null);""",
                  der, *ports, USER,
                  PASSWORD, quiet=2)
        self.step('open the account', r"""
            pane().displayFolder(root.URI);
            root.server.performExpand(win.msgWindow);
            await until("the inbox", () => root.containsChildNamed("INBOX"));""", quiet=2)

    def read(self):
        self.step('open INBOX and download the headers', r"""
            await show("INBOX");
            await until("the messages", () => inbox().getTotalMessages(false) >= 14);
            return messages("INBOX").map(m => m.mime2DecodedSubject).join(", ");""", quiet=4)
        for subject in ['plain 1', 'Grüße aus Köln', 'html', 'attachments', 'large',
                        'forwarded message']:
            self.step(f'read "{subject}"', 'await select("INBOX", args[0]);', subject)

    def flags(self):
        def two(what, script):
            self.step(what, 'await select("INBOX", "plain 2", "plain 3", "plain 5");' + script)
        two('mark three as read', 'command("cmd_markAsRead");')
        two('mark them as unread', 'command("cmd_markAsUnread");')
        two('star them', 'command("cmd_markAsFlagged");')
        two('remove the stars', 'command("cmd_markAsFlagged");')
        two('tag 1', 'command("cmd_tag1");')
        two('tag 3', 'command("cmd_tag3");')
        two('remove tag 1', 'command("cmd_tag1");')
        two('remove all tags', 'command("cmd_removeTags");')
        self.step('a tag of one\'s own', r"""
            MailServices.tags.addTag("Größe", "#0000ff", "");
            const key = MailServices.tags.getAllTags().find(t => t.tag == "Größe").key;
            inbox().addKeywordsToMessages([bySubject("INBOX", "plain 4")], key);
            return key;""")
        self.step('mark as junk', r"""
            await select("INBOX", "last 12"); command("cmd_markAsJunk");""")
        self.step('mark as not junk', r"""
            await select("INBOX", "last 12"); command("cmd_markAsNotJunk");""")
        self.step('mark the folder as read', 'await show("INBOX"); command("cmd_markAllRead");')

    def folders(self):
        self.step('create a folder', r"""
            inbox().server.rootFolder.createSubfolder("Projects", win.msgWindow);
            await until("the folder", () => root.containsChildNamed("Projects"));""")
        self.step('create a folder below it, not in ASCII', r"""
            folder("Projects").createSubfolder("Käse & Brot", win.msgWindow);
            await until("the folder", () => folder("Projects").containsChildNamed("Käse & Brot"));
            """)
        self.step('create, open and rename', r"""
            root.createSubfolder("Old", win.msgWindow);
            await until("the folder", () => root.containsChildNamed("Old"));
            await show("Old");
            await show("INBOX");
            folder("Old").rename("New", win.msgWindow);
            await until("the name", () => root.containsChildNamed("New"));""")
        self.step('move a folder into another', r"""
            MailServices.copy.copyFolder(folder("New"), folder("Projects"), true, null,
              win.msgWindow);
            await until("the move", () => folder("Projects").containsChildNamed("New"));""")
        self.step('unsubscribe and subscribe', r"""
            const known = server.QueryInterface(Ci.nsISubscribableServer);
            const listed = new Promise(done => {
              known.subscribeListener = {
                QueryInterface: ChromeUtils.generateQI(["nsISubscribeListener"]),
                OnDonePopulating: done, OnItemDiscovered() {},
              };
            });
            known.startPopulating(win.msgWindow, true, false);
            await listed;
            known.subscribeCleanup();
            known.unsubscribe("Projects/New");
            await sleep(700);
            known.subscribe("Projects/New");""", quiet=2)
        self.step('copy two messages', r"""
            await select("INBOX", "plain 1", "plain 2");
            command("cmd_copyMessage", folder("Projects"));""", quiet=2)
        self.step('move two messages', r"""
            await select("INBOX", "plain 3", "last 13");
            command("cmd_moveMessage", folder("Projects"));""", quiet=2)
        self.step('undo the move', 'win.messenger.undo(win.msgWindow);', quiet=2)
        self.step('move them again', r"""
            await until("the messages", () => bySubject("INBOX", "last 13"));
            await select("INBOX", "plain 3", "last 13");
            command("cmd_moveMessage", folder("Projects"));""", quiet=2)
        self.step('open the folder', r"""
            await show("Projects");
            await until("its messages", () => folder("Projects").getTotalMessages(false) == 4);
            return messages("Projects").map(m => m.mime2DecodedSubject).join(", ");""", quiet=2)
        self.step('move into the folder not in ASCII', r"""
            await select("Projects", "plain 3");
            command("cmd_moveMessage", folder("Projects/Käse & Brot"));
            await sleep(1000);
            await show("Projects/Käse & Brot");""", quiet=2)
        self.step('archive', r"""
            root.createSubfolder("Archives", win.msgWindow);
            await until("the folder", () => root.containsChildNamed("Archives"));
            const identity = MailServices.accounts.defaultAccount.defaultIdentity;
            identity.archivesFolderURI = folder("Archives").URI;
            await select("INBOX", "last 14");
            command("cmd_archive");""", quiet=3)
        self.step('copy a local folder\'s message here', r"""
            const source = MailServices.accounts.localFoldersServer.rootFolder;
            source.createSubfolder("Near", null);
            const near = await until("a folder", () => source.containsChildNamed("Near") &&
              source.getChildNamed("Near"));
            await copy("html", inbox(), near);
            await copy("html", near, folder("Projects"));""", quiet=2)

    def search(self):
        for attribute, value in [('Subject', 'plain'), ('Sender', 'Müller'), ('Body', 'Schöne')]:
            self.step(f'search on the server: {attribute}',
                      'return search([args[0], "Contains", v => { v.str = args[1]; }]);',
                      attribute, value)
        self.step('search on the server: read, since a day, not from, large, without a tag', r"""
            return search(
              ["MsgStatus", "Is", v => { v.status = Ci.nsMsgMessageFlags.Read; }],
              ["Date", "IsAfter", v => { v.date = Date.UTC(2020, 0, 1) * 1000; }],
              ["Sender", "DoesntContain", v => { v.str = "nobody"; }],
              ["Size", "IsGreaterThan", v => { v.size = 1; }],
              ["Keywords", "DoesntContain", v => { v.str = "$label4"; }]);""")

    def draft(self):
        self.step('save a draft', OPENED + FOUND + 'await writing.SaveAsDraft();', USER, 'sént',
                  quiet=2)
        self.step('save it again', FOUND + 'await writing.SaveAsDraft();', quiet=2)

    def compose(self):
        self.draft()
        self.step('send it', FOUND + r"""
            await writing.SendMessage();
            await until("the end", () => writing.closed);""", quiet=3)
        self.step('reply', r"""
            await select("INBOX", "plain 1");
            command("cmd_replySender");
            """ + FOUND + r"""
            await writing.SendMessage();
            await until("the end", () => writing.closed);""", quiet=3)
        self.step('forward', r"""
            await select("INBOX", "attachments");
            command("cmd_forwardInline");
            """ + FOUND + r"""
            writing.gMsgCompose.compFields.to = args[0];
            const row = writing.document.getElementById("addressRowTo");
            writing.addressRowAddRecipientsArray(row, [args[0]]);
            await sleep(300);
            await writing.SendMessage();
            await until("the end", () => writing.closed);""", USER, quiet=3)

    def delete(self):
        self.step('delete two', r"""
            await select("INBOX", "plain 2", "plain 4"); command("cmd_deleteMessage");""", quiet=2)
        self.step('delete one for good', r"""
            Services.prefs.setBoolPref("mail.warn_on_shift_delete", false);
            await select("INBOX", "plain 5"); command("cmd_shiftDeleteMessage");""", quiet=2)
        self.step('compact', r"""
            await show("INBOX");
            inbox().compact(null, win.msgWindow);""", quiet=2)
        self.step('open the trash', 'await show("Trash");', quiet=2)
        self.step('delete a folder by moving it to the trash', r"""
            MailServices.copy.copyFolder(folder("Projects/Käse & Brot"), folder("Trash"), true,
              null, win.msgWindow);""", quiet=2)
        self.step('empty the trash', r"""
            folder("Trash").emptyTrash(null);""", quiet=3)
        self.step('only mark as deleted, then expunge', r"""
            server.QueryInterface(Ci.nsIImapIncomingServer).deleteModel = 0;
            await select("Projects", "plain 1");
            command("cmd_deleteMessage");
            await sleep(800);
            folder("Projects").compact(null, win.msgWindow);
            await sleep(800);
            server.QueryInterface(Ci.nsIImapIncomingServer).deleteModel = 1;""", quiet=2)

    def others(self):
        """Another client at work, and mail that arrives, while Thunderbird is in IDLE."""
        self.step('wait in IDLE', 'await show("INBOX");', quiet=2)
        self.other('mail arrives', 'deliver')
        self.step('it is shown', 'await until("the mail", () => bySubject("INBOX", "deliver"));')
        self.other('another client flags one', 'flag')
        self.other('another client deletes one', 'delete')
        self.other('another client expunges it', 'expunge')
        self.step('get mail', 'win.MsgGetMessagesForAllAuthenticatedAccounts();', quiet=3)
        self.step('update the folders', 'root.server.performExpand(win.msgWindow);', quiet=2)

    def offline(self):
        self.step('download for offline use', r"""
            inbox().setFlag(Ci.nsMsgFolderFlags.Offline);
            inbox().downloadAllForOffline(null, win.msgWindow);""", quiet=3)
        self.step('go offline', 'Services.io.offline = true;', quiet=2)
        self.step('change things', r"""
            await select("INBOX", "html"); command("cmd_markAsFlagged");
            await select("INBOX", "html"); command("cmd_tag2");
            await select("INBOX", "large");
            command("cmd_moveMessage", folder("Projects"));
            await select("INBOX", "forwarded message");
            command("cmd_copyMessage", folder("Projects"));
            await sleep(500);""", quiet=2)
        self.step('come back', r"""
            Services.io.offline = false;
            Cc["@mozilla.org/messenger/offline-manager;1"].getService(Ci.nsIMsgOfflineManager)
              .goOnline(false, true, win.msgWindow);""", quiet=4)

    def again(self):
        self.step('open the account again', r"""
            root.server.performExpand(win.msgWindow);
            await show("INBOX");""", quiet=3)
        self.step('open other folders', r"""
            await show("Projects"); await sleep(800); await show("Sent"); await sleep(800);
            await show("INBOX");""", quiet=3)

    def close(self):
        self.step('close it', FOUND + 'writing.close();')

    def chunks(self):
        self.other('a large message arrives', 'large')
        self.step('read it', 'await select("INBOX", "large");', quiet=3)

    def letters(self):
        self.step('a folder of other letters', r"""
            root.createSubfolder(args[0], win.msgWindow);
            await until("the folder", () => root.containsChildNamed(args[0]));
            await show(args[0]);""", f'Ünï {self.record.connections}')

    def quit(self):
        self.record.remark('quit')
        self.thunderbird.quit()
        time.sleep(1)


def main():
    results = Path(sys.argv[1]).resolve()
    results.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=False)
    read_end, write_end = os.pipe()
    server = Server(accounts=[USER, OTHER])
    with tempfile.TemporaryDirectory(prefix='thunderbird-') as scratch, \
            subprocess.Popen(['Xvfb', '-displayfd', str(write_end), '-screen', '0', '1280x900x24',
                              '-nolisten', 'tcp'], pass_fds=[write_end],
                             stderr=subprocess.DEVNULL) as xvfb:
        display = ':' + os.read(read_end, 20).decode().strip()
        try:
            run(server, Path(scratch), results, display)
        finally:
            xvfb.terminate()
            server.__exit__(None)


def run(server, scratch, results, display):
    prepare(server, USER)
    authority = Authority(scratch / 'ca')
    certificate = authority.issue('127.0.0.1')
    record = Record()
    ports = [Recorder(record, name, server.port(name), certificate).port
             for name in ('imap', 'submission')]
    thunderbird = Thunderbird(scratch)
    capture = Capture(server, thunderbird, record)
    try:
        for name, preferences, steps in STARTS:
            print(name, flush=True)
            thunderbird.set_preferences(preferences)
            begin = len(record.entries)
            thunderbird.start(display)
            if name == STARTS[0][0]:
                capture.account(authority, ports)
            for step in steps:
                getattr(capture, step)()
            capture.quit()
            entries = record.entries[begin:]
            (results / f'{name}.json').write_text(json.dumps(
                [[*entry[:3], entry[3].decode('latin-1')] for entry in entries]))
    finally:
        thunderbird.kill()
        for log in scratch.glob('moz*'):
            (results / log.name).write_bytes(log.read_bytes())
        (results / 'server.log').write_text(server.log())
    print('failed:', capture.failed)


if __name__ == '__main__':
    main()
