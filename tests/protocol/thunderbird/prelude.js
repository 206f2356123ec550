// What every step can use. `win` is Thunderbird's main window.
const win = Services.wm.getMostRecentWindow("mail:3pane");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
const sleep = ms => new Promise(done => win.setTimeout(done, ms));
const until = async (what, condition, seconds = 20) => {
  for (let n = 0; n < seconds * 20; n++) {
    const value = await condition();
    if (value) return value;
    await sleep(50);
  }
  throw new Error(`${what} did not come about`);
};
const server = MailServices.accounts.allServers.find(s => s.type == "imap");
const root = server?.rootFolder;
const pane = () => win.document.getElementById("tabmail").currentAbout3Pane;
const folder = path => path.split("/").reduce((f, name) => f.getChildNamed(name), root);
const inbox = () => folder("INBOX");
const show = async path => {
  pane().displayFolder(folder(path).URI);
  await sleep(600);
};
const messages = path => [...folder(path).messages];
const bySubject = (path, subject) => {
  const found = messages(path).find(m => m.mime2DecodedSubject == subject);
  if (!found) throw new Error(`no message "${subject}" in ${path}`);
  return found;
};
// Select messages in the list, as clicks do.
const select = async (path, ...subjects) => {
  await show(path);
  const view = pane().gDBView;
  const rows = subjects.map(s => view.findIndexOfMsgHdr(bySubject(path, s), true));
  pane().threadTree.selectedIndices = rows;
  pane().threadTree.dispatchEvent(new win.CustomEvent("select"));
  await sleep(400);
};
const command = (name, ...more) => pane().commandController.doCommand(name, ...more);
// Copy a message between accounts.
const copy = (subject, from, to) => new Promise(done => MailServices.copy.copyMessages(
  from, [[...from.messages].find(m => m.mime2DecodedSubject == subject)], to, false, {
    QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
    onStartCopy() {}, onProgress() {}, setMessageKey() {},
    getMessageId() { return null; }, onStopCopy: done,
  }, win.msgWindow, false));
// Let the server search INBOX; each term is [attribute, operator, function that sets the value].
const search = (...terms) => new Promise(done => {
  const session = Cc["@mozilla.org/messenger/searchSession;1"]
    .createInstance(Ci.nsIMsgSearchSession);
  session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, inbox());
  for (const [attribute, operator, set] of terms) {
    const term = session.createTerm();
    term.attrib = Ci.nsMsgSearchAttrib[attribute];
    term.op = Ci.nsMsgSearchOp[operator];
    const value = term.value;
    value.attrib = term.attrib;
    set(value);
    term.value = value;
    term.booleanAnd = true;
    session.appendTerm(term);
  }
  const found = [];
  session.registerListener({
    QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
    onSearchHit(hdr) { found.push(hdr.mime2DecodedSubject); },
    onSearchDone() { done(found.join(", ")); }, onNewSearch() {},
  });
  session.search(win.msgWindow);
});
