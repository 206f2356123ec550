"""A Thunderbird with a profile of its own, driven through Marionette, the remote control that it
has for its own tests."""
import json
import os
import socket
import subprocess
from pathlib import Path

from server import wait_until

PRELUDE = (Path(__file__).parent / 'prelude.js').read_text()
# It asks nothing, and looks for nothing elsewhere.
PREFERENCES = {
    'app.update.enabled': False, 'app.update.auto': False, 'extensions.update.enabled': False,
    'app.donation.eoy.version.viewed': 999, 'datareporting.healthreport.uploadEnabled': False,
    'datareporting.policy.dataSubmissionPolicyBypassNotification': True,
    'toolkit.telemetry.enabled': False, 'network.captive-portal-service.enabled': False,
    'network.connectivity-service.enabled': False, 'mail.shell.checkDefaultClient': False,
    'mail.rights.version': 1, 'mailnews.start_page.enabled': False,
    'mail.inappnotifications.enabled': False, 'mail.spellcheck.inline': False,
    'mail.winsearch.firstRunDone': True, 'mail.provider.enabled': False,
    'mail.warn_on_send_accel_key': False, 'mail.purge.ask': False,
    'mailnews.emptyTrash.dontAskAgain': True, 'mail.phishing.detection.enabled': False,
    'offline.autoDetect': False, 'network.manage-offline-status': False, 'network.offline': False,
    'browser.cache.disk.enable': True, 'security.default_personal_cert': 'Ask Never',
    'mail.compose.attachment_reminder': False, 'mailnews.database.global.indexer.enabled': True,
    'mail.compose.warn_public_recipients.aggressive': False,
    'idle.lastDailyNotification': 2000000000,
}


class Marionette:
    """The remote control: JSON with its length before it."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), 30)
        self.socket.settimeout(120)
        self.count = 0
        self._read()
        self.call('WebDriver:NewSession', {})
        self.call('Marionette:SetContext', {'value': 'chrome'})
        self.call('WebDriver:SetTimeouts', {'script': 60000})

    def _read(self):
        length = b''
        while not length.endswith(b':'):
            byte = self.socket.recv(1)
            if not byte:
                raise ConnectionError('Thunderbird is gone')
            length += byte
        data = b''
        while len(data) < int(length[:-1]):
            data += self.socket.recv(int(length[:-1]) - len(data))
        return json.loads(data)

    def call(self, name, parameters):
        self.count += 1
        packet = json.dumps([0, self.count, name, parameters]).encode()
        self.socket.sendall(str(len(packet)).encode() + b':' + packet)
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f'{name}: {error["message"]}\n{error.get("stacktrace", "")[:600]}')
        return result

    def run(self, script, *args):
        text = f'return (async (...args) => {{\n{PRELUDE}\n{script}\n}})(...arguments);'
        return self.call('WebDriver:ExecuteScript',
                         {'script': text, 'args': list(args), 'sandbox': 'system',
                          'newSandbox': False}).get('value')


class Thunderbird:
    """One profile, which may be started several times."""

    def __init__(self, directory):
        self.profile = directory / 'profile'
        self.profile.mkdir()
        self.directory, self.process, self.remote = directory, None, None
        self.marionette_port = 0

    def set_preferences(self, more):
        with socket.create_server(('127.0.0.1', 0)) as probe:
            self.marionette_port = probe.getsockname()[1]
        values = {**PREFERENCES, 'marionette.port': self.marionette_port, **more}
        (self.profile / 'user.js').write_text(
            ''.join(f'user_pref({json.dumps(k)}, {json.dumps(v)});\n' for k, v in values.items()))

    def start(self, display):
        env = {**os.environ, 'DISPLAY': display, 'HOME': str(self.directory), 'LC_ALL': 'C.UTF-8',
               'TZ': 'UTC', 'MOZ_LOG': 'IMAP:4,timestamp',
               'MOZ_LOG_FILE': str(self.directory / 'moz'), 'MOZ_CRASHREPORTER_DISABLE': '1'}
        with open(self.directory / 'thunderbird.out', 'ab') as output:
            self.process = subprocess.Popen(
                ['thunderbird', '--marionette', '--remote-allow-system-access', '--no-remote',
                 '--profile', str(self.profile)], env=env, stdout=output, stderr=output)

        def remote():
            try:
                return Marionette(self.marionette_port)
            except OSError:
                return None
        self.remote = wait_until(remote, 60, 0.5, 'a Thunderbird that answers')
        wait_until(lambda: self.remote.run(
            'return !!win?.document.getElementById("tabmail")'), 30, 0.5, 'its window')

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def quit(self):
        try:
            self.remote.run('''win.setTimeout(
                () => Services.startup.quit(Ci.nsIAppStartup.eForceQuit), 100);''')
            self.process.wait(30)
        finally:
            self.kill()
