"""What our pages and our terminal say: every sentence once, to be changed or translated here alone.

A name in braces is a field, filled in by `str.format`; what each holds is said at its group. Text that comes
from a server is cleaned before it gets here, and escaped by the page that shows it. Errors and their hints
are not here: they are part of what a function promises, and stand where they are raised.

No imports, and no code but the search for a translation: this is read before the browser is started.
"""

from __future__ import annotations


class Words:
    """What pages and prompts of a sign-in say, in English.

    A subclass has another language, an instance also what a program says of itself. In every sentence there
    may be {program}: its name; {returns_to}: where the user goes on; {command}: what they type to sign in.
    """

    # What stands for a program that did not give these.
    PROGRAM = "the program that asked you to sign in"
    RETURNS_TO = "the terminal"
    RETURNS_TO_PROGRAM = "the program"

    # Every page (pages/frame.py). The footer says who speaks; the label stands above a piece of advice.
    PAGE_FOOTER = "This page comes from {program}, not from the provider."
    PAGE_ADVICE = "What to do"
    PAGE_CLOSE = "You may close this tab and return to {returns_to}."
    PAGE_NOT_OWN = "The program's own page cannot be shown ({why}). The usual page is shown instead."
    PAGE_NO_SCRIPT = "Without JavaScript this page cannot show the result. You find it in {returns_to}."

    # The last page of a sign-in that succeeded. The labels stand beside what was granted.
    SUCCESS_TITLE = "Signed in"
    SUCCESS_ACCOUNT = "Account"
    SUCCESS_PROVIDER = "Provider"
    SUCCESS_CLIENT = "Client"
    SUCCESS_SCOPE = "Scope"
    SUCCESS_SIMULATED = "A simulated person approved this at the demonstration server. You were not asked."

    # The last page of a sign-in that failed; the error says what happened and what to do. The detail is the
    # same in the words of the protocol, folded away. "Elsewhere" is for a visitor who may be another person.
    FAILURE_TITLE = "Not signed in"
    FAILURE_DETAIL = "In detail"
    FAILURE_LEAD = "The sign-in did not succeed."
    FAILURE_EXPIRED = "The time to sign in is over."
    FAILURE_AGAIN = "If you still want to sign in, start again from {returns_to}."
    FAILURE_COMMAND = "If you still want to sign in, run: {command}"
    FAILURE_DENIED = "You denied the request, or the server did."
    FAILURE_AFTERWARDS = "The provider has answered, but {program} could not complete the sign-in."
    FAILURE_ELSEWHERE = "You find the reason in {returns_to}."

    # The last page of a sign-in that the program itself has ended, for example by Ctrl-C.
    CANCELLED_TITLE = "Sign-in cancelled"
    CANCELLED_LEAD = "The sign-in was stopped before it was complete."

    # The last page of an answer after which the program opens another page, in another tab.
    CONTINUED_TITLE = "One more step"
    CONTINUED_LEAD = "The sign-in goes on in another tab."
    CONTINUED_CLOSE = "You may close this tab."

    # The last page where only the program that uses the answer knows how the sign-in ends.
    RECEIVED_TITLE = "Answer received"
    RECEIVED_LEAD = "The provider has answered. You find the outcome in {returns_to}."

    # The answer to a request that is not part of the sign-in; the reason stands in between.
    TURNED_AWAY_TITLE = "Request refused"
    TURNED_AWAY_ADVICE = "If you are still signing in, open the newest link in {returns_to}."

    # The reasons for which a request is refused, on its page and at the terminal; WHY completes "it ...".
    REFUSED_NOTHING_HERE = "There is nothing at this address."
    REFUSED_OTHER_NAME = "This address was opened under another host name."
    REFUSED_OPENED_BEFORE = "This link has been opened before. Use the newest link."
    REFUSED_WITHDRAWN = "This sign-in began with a link that is not valid any more. Use the newest link."
    REFUSED_OVER = "This sign-in is over."
    REFUSED_UNREADABLE = "The parameters of this address could not be read."
    REFUSED_NOT_OURS = "This is not the response to the sign-in that is waiting here."
    REFUSED_OTHER_PAGE = "This request comes from another page."
    REFUSED_OTHER_SITE = "This request comes from another site."
    REFUSED_NOT_OUR_PAGE = "This request does not come from the page of this sign-in."
    REFUSED_METHOD = "This method is not used here."
    REFUSED_NO_FORM = "A form was expected here."
    REFUSED_NO_PATH = "Only a plain path is understood here."
    REFUSED_NO_PAGE = "A page was expected here, not a request by a script, an image or a frame."
    REFUSED_CONNECTION = "A page was expected here, not a connection of a script."
    REFUSED_IN_ADVANCE = "This address cannot be loaded in advance."
    REFUSED_TOO_MUCH = "This is more than a request can hold."
    REFUSED_TOO_LONG = "This is more than an answer can hold."
    REFUSED_NO_BODY = "The body of this request could not be read."
    REFUSED_NOT_UNDERSTOOD = "This request could not be understood."
    REFUSED_OUR_FAULT = "Something went wrong on this side."
    REFUSED_LONG_LINE = "This request is longer than any answer of a server can be."
    REFUSED_HTTPS = "This address was opened with https; it begins with http."
    REFUSED_OTHER_USER = (
        "This request comes from another user of this machine, who did not start this sign-in."
    )
    REFUSED_WHY_NO_VISIT = "was not made by a visit to the page"
    REFUSED_WHY_OTHER_NAME = "had another host name than the redirect URI"
    REFUSED_WHY_WITHDRAWN = "belonged to a link that is not valid any more"
    REFUSED_WHY_LATE = "came too late"
    REFUSED_WHY_UNREADABLE = "could not be read"
    REFUSED_WHY_STATE = "carried another state"
    REFUSED_WHY_STATES = "carried more than one state"
    REFUSED_WHY_NO_STATE = "carried no state"
    REFUSED_WHY_NO_ANSWER = "carried no answer"
    REFUSED_WHY_DIFFERED = "differed from the answer that was taken"
    REFUSED_WHY_METHOD = "was not made by the method of a visit"
    REFUSED_WHY_NO_FORM = "was not a form"
    REFUSED_WHY_IN_ADVANCE = "was made in advance"
    REFUSED_WHY_TOO_LONG = "was too long"

    # The page that reads the fragment of its own address and posts it to the program (RFC 6749 §4.2), and
    # what its script shows when the address holds no answer, or the program has ended.
    RELAY_TITLE = "One moment"
    RELAY_LEAD = "This page passes the answer of the provider on to {program}."
    RELAY_NO_SCRIPT = (
        "This flow needs JavaScript. Switch it on for this page and reload, or start again with another flow."
    )
    RELAY_EMPTY_TITLE = "No answer in this address"
    RELAY_EMPTY = "Start again from {returns_to}, and let the page finish loading."
    RELAY_ENDED_TITLE = "Not delivered"
    RELAY_ENDED = "Nothing waits for this answer any more. Start again from {returns_to}."

    # The page that leads to the approval in another tab and waits for it (ticket and device code).
    # {provider}: the name of the provider. The last two are what its script shows when the program has ended.
    WAITING_TITLE = "Approve at {provider}"
    WAITING_LEAD = (
        "Open the page of the provider and approve there. Then come back to this tab: it shows the result."
    )
    WAITING_CODE = "Your code"
    WAITING_BUTTON = "Open {provider}"
    WAITING_WARNING = (
        "Approve only if you started this yourself, just now, on this machine. "
        "If another person sent you here, do not approve."
    )
    WAITING_ENDED_TITLE = "No longer waiting"
    WAITING_ENDED = "You find the result in {returns_to}. You may close this tab."

    # What the provider's page shows of a ticket, so that the user recognizes it. {time}: hours and minutes.
    STARTED = "{program}, started at {time} on {host}"

    # The page that waits while the terminal asks whether the account is the right one. {account}: who
    # approved.
    QUESTION_TITLE = "Approved as {account}"
    QUESTION_LEAD = "You are asked in {returns_to} whether that is your account. Answer there."
    UNNAMED_ACCOUNT = "an account that the server did not name"

    # What begins a message at the terminal; the first two and SIGNED_IN are shown in colour.
    ERROR = "error: {text}"
    WARNING = "warning: {text}"

    # The terminal: where to sign in. {name}: of the provider; {opener}: the browser; {why}: a clause.
    BROWSER_OPENING = "Opening your browser ({opener}) to sign in to {name}."
    BROWSER_NOT_OPENED = "Sign in to {name}. No browser is opened here."
    BROWSER_NOT_OPENED_AS = "Sign in to {name}. No browser is opened here: {why}."
    LINK_FOR_YOURSELF = "If it does not open, open this link yourself{once}:"
    LINK_HERE = "Open this link in a browser on this machine{once}:"
    LINK_ANYWHERE = "Open this link in any browser{once}:"
    LINK_ONCE = "; it works once"
    LINK_SECOND = "Or open this link in a browser that reaches this machine{once}:"
    LINK_SECOND_FIRST = "Sign in to {name}. Open this link in a browser that reaches this machine{once}:"
    OPENER_OWN = "the program's own way"
    OPENER_DEFAULT = "the default browser"
    OPENER_FAILED = "The browser did not open ({opener} ended with {status})."
    OPENER_FAILED_SOMEHOW = "The browser did not open."
    OPENER_FAILED_AS = "The browser did not open ({why})."
    LINK_OPEN_YOURSELF = "{why} Open the link yourself."
    ENVIRONMENT = "This is {place}."

    # The environment in which the program runs; it completes "This is ...". The advice follows it.
    PLACE_CI = "a CI job"
    PLACE_AGENT = "a coding agent's shell"
    PLACE_CLOUD_SHELL = "a cloud shell"
    PLACE_CODESPACES = "GitHub Codespaces"
    PLACE_VSCODE_SSH = "a terminal of VS Code over SSH"
    PLACE_DEV_CONTAINER = "a dev container"
    PLACE_CLOUD_WORKSPACE = "a workspace on a server"
    PLACE_SSH_TO_DESKTOP = "an SSH session on a desktop machine"
    PLACE_SSH_X11 = "an SSH session with X forwarding"
    PLACE_SSH = "an SSH session"
    PLACE_WSL_SERVICE = "a service in the Windows Subsystem for Linux"
    PLACE_WSL = "the Windows Subsystem for Linux"
    PLACE_VSCODE_TUNNEL = "a VS Code tunnel"
    PLACE_POD = "a Kubernetes pod"
    PLACE_CONTAINER = "a container"
    PLACE_NO_TERMINAL = "a program without a terminal"
    PLACE_SUDO = "a command run for another user"
    PLACE_TEXT_BROWSER = "a machine with a text browser"
    PLACE_MULTIPLEXER = "a tmux or screen session"
    PLACE_TERMUX = "Termux on a phone"
    PLACE_SANDBOXED = "a Flatpak or Snap sandbox"
    PLACE_MACOS = "macOS"
    PLACE_WINDOWS = "Windows"
    PLACE_LINUX_DESKTOP = "a desktop"
    PLACE_CONSOLE = "a console without a display"
    ADVICE_CI = "There is usually no person to sign in: give the job a token of its own."
    ADVICE_AGENT = (
        "Its output is often shown only when the command has ended, and the link is needed before that."
    )
    ADVICE_ELSEWHERE = "Approve in any browser, or paste the address on which your browser ends."
    ADVICE_CODESPACES = "Ports are forwarded to your machine by the desktop VS Code, not in a browser tab."
    ADVICE_VSCODE_SSH = "VS Code forwards the port automatically."
    ADVICE_FORWARD = "Forward the port from the machine with your browser, or approve elsewhere."
    ADVICE_SSH_X11 = (
        "A browser started here would be slow. Forward the port from the machine with your browser, or "
        "approve elsewhere."
    )
    ADVICE_WSL = "If your browser cannot reach the port, a VPN or firewall of Windows may be in the way."
    ADVICE_VSCODE_TUNNEL = (
        "It forwards ports to an https address, which no redirect can use. Approve in any browser, or paste "
        "the address on which your browser ends."
    )
    ADVICE_CONTAINER = "Publish the port, or approve elsewhere."
    ADVICE_NO_TERMINAL = "Some help is shown in a terminal only."
    ADVICE_SUDO = "The tokens would be kept for that user: sign in without sudo."
    ADVICE_TEXT_BROWSER = "Open the link in a graphical browser."
    ADVICE_MULTIPLEXER = "Its variables may be older than your connection."

    # How a browser on another machine reaches this one; a command follows.
    FORWARD_CONTAINER = "Is your browser outside of the container? Then start the container like this:"
    FORWARD_EDITOR = "Is your browser on another machine? Do this, and it reaches the link:"
    FORWARD_COMMAND = "Is your browser on another machine? Run this there, and it reaches the link:"

    # The terminal: what happened to the link. {opener}: the program that opened it without a window.
    LINK_UNSEEN = (
        "{opener} opened the link, but it shows no window. Open this link in a browser; it works once:"
    )
    LINK_NO_PAGE = "a program that did not ask for a web page"
    LINK_FRESH = "Open this link instead; it works once:"
    LINK_OPENED_TWICE = (
        "The link was opened a second time, perhaps by another person. So the sign-in that the first opening "
        "began is not used any more."
    )
    LINK_OPENED_AFTERWARDS = (
        "The link was opened again after the answer had arrived, so another person may have been faster. "
        "Check that the account is yours."
    )

    # The terminal: approval on any device (RFC 8628 §3.3, §5.4). {code}: to compare or type; {time}: how
    # long.
    APPROVE_AT = "Sign in to {name} at this link:"
    APPROVE_ANYWHERE = "Sign in to {name} at this link, on any device:"
    APPROVE_ALSO_AT = "You can also sign in to {name} at this link:"
    APPROVE_ALSO_ANYWHERE = "You can also sign in to {name} at this link, on any device:"
    APPROVE_OR_OPEN = "Or open this address:"
    APPROVE_OR_TYPE = "Or open this address and type the code:"
    APPROVE_CODE = "Check that the page shows this code, or enter it there:"
    APPROVE_CODE_PLAIN = "(to copy: {code})"
    APPROVE_VALID = "Valid for {time}."
    APPROVE_WARNING = "Approve only if you started this yourself just now."
    LIFETIME_MINUTES = "{count} minutes"
    LIFETIME_SECOND = "{count} second"
    LIFETIME_SECONDS = "{count} seconds"

    # The terminal: a QR code of the link to approve.
    QR_HEADING = "For a phone, the link to approve:"
    QR_TOO_SMALL = "The terminal is too small for a QR code of the link: enlarge it, then press q."
    QR_NO_TERMINAL = "No QR code is drawn: the output is not a terminal."
    QR_NO_BLOCKS = "No QR code is drawn: this terminal does not have the characters for it."
    QR_THIS_MACHINE = "No QR code is drawn: a phone cannot open a link to this machine."
    QR_BEGINS = "Asking for a link that works on any device, to draw its QR code."
    QR_NOTHING_TO_DRAW = "No QR code: a phone that opens this link could not come back to this machine."

    # The terminal: an address that the person pastes.
    PASTE_LINK = "Sign in to {name}. Open this link in any browser:"
    PASTE_LINK_ALSO = "You can also open this link in any browser:"
    PASTE_EXPECT = "After you have signed in, the browser ends on an address that it cannot open:"
    PASTE_HOW = "Copy that whole address and paste it here, nowhere else. What you paste is not shown."
    PASTE_PROMPT = "Paste the address, then Enter: "
    PASTE_PROMPT_OR_BACK = "Paste it, then Enter (Esc: back): "
    PASTE_AGAIN = "{why} Paste again, or cancel with Ctrl-C."
    PASTE_NOT_RIGHT = "That is not the address of this sign-in."
    PASTE_TOO_LONG = "That is more than {limit} KiB, and an address is never that long."
    PASTE_NOT_NOW = "You cannot paste anything now."
    PASTED_CHARACTER = "({count} character)"
    PASTED_CHARACTERS = "({count} characters)"

    # The terminal: other questions. {account}: who approved; {note}: what an empty answer means.
    CONFIRM_ACCOUNT = "{account} approved this login."
    CONFIRM_PROMPT = "Is that your account? [y/N] "
    CONFIRM_YES = "y yes"

    # The terminal: keys, while the sign-in waits. Each name begins with its key.
    KEYS = "Keys: {keys}."
    KEYS_NONE = "No key does anything now."
    KEY_OPEN = "o open"
    KEY_COPY = "c copy the link"
    KEY_DRAW = "q QR code"
    KEY_TICKET = "d link for another device"
    KEY_DEVICE = "d device code"
    KEY_PASTE = "p paste"
    KEY_OPENING = "Opening your browser ({opener})."
    KEY_CANNOT_OPEN = "No browser can be opened here: {why}."
    KEY_EXPOSED = (
        "Other users of this machine could read the link in the browser's command line: copy it with c."
    )

    # The terminal: the link on its way to the clipboard. {link}: which one; {tool}: what copied it; {doubt}:
    # one of the two below.
    LINK_NAME = "the link"
    LINK_NAME_APPROVE = "the link to approve"
    LINK_NAME_PASTE = "the link whose last address you paste"
    COPIED = "Copied {link} ({tool})."
    COPIED_BY_TMUX = "Sent {link} to the clipboard by tmux ({doubt})."
    COPIED_BY_TERMINAL = "Sent {link} to the clipboard ({doubt})."
    COPIED_DOUBT = "your terminal may not support this"
    COPIED_DOUBT_LONG = "your terminal may not support this, or may cut a link as long as this one"
    COPIED_NOT = "The link cannot be copied here: there is no clipboard program. Select it with the mouse."

    # The terminal: which flows are open. A flow has a name, and what is awaited completes "Waiting for".
    FLOW_BROWSER = "Coming back by browser"
    FLOW_TICKET = "Approving on another device"
    FLOW_DEVICE = "Approving by device code"
    FLOW_PASTE = "Pasting the address"
    AWAITED_BROWSER = "your browser"
    AWAITED_TICKET = "your approval elsewhere"
    AWAITED_DEVICE = "the device code"
    AWAITED_PASTE = "a pasted address"
    FLOW_ENDED = "{flow} has ended: {why}."
    FLOW_OVER = "{flow} is not possible any more."
    FLOW_BEGAN = "{flow} is possible now, too."
    FLOW_NOT_POSSIBLE = "{flow} is not possible: {why}."

    # The terminal: the stage, in a line that is drawn again and again. {left}: minutes and seconds.
    STAGE_WAITING = "Waiting"
    STAGE_FIRST = "Waiting for a browser"
    STAGE_FLOWS = "Waiting for {awaited}"
    STAGE_FLOWS_OR = "{others} or {last}"
    STAGE_ASKING = "Asking the server"
    STAGE_APPROVE = "Waiting for you to approve"
    STAGE_VISITED = "Your browser is at {name}; approve there"
    STAGE_RETURNED = "You are back; fetching the tokens"
    STAGE_FETCHING = "Fetching the tokens"
    STAGE_REFUSED = "You are back"
    STAGE_OTHER_PROCESS = "Waiting for the other process"
    STAGE_LEFT = "{left} left. {stage}"
    STAGE_LEFT_BRIEF = "{stage}, {left} left"
    STAGE_AT_MOST = "{stage}, {time} at most"
    STAGE_REJECTED = "{stage}; {count} other request refused"
    STAGE_REJECTED_MANY = "{stage}; {count} other requests refused"
    STAGE_CANCELS = "{stage}. Ctrl-C cancels."
    STAGE_END = "{stage}."

    # The terminal: what else happens while the sign-in waits. {why}: a sentence or a clause; {process}: its
    # ID; {url}: of the resource, or the issuer of the server.
    PREPARING_RESOURCE = "Asking {url} which server signs you in."
    PREPARING_SERVER = "You sign in at {url}."
    PREPARING_REGISTRATION = "Registering this program at {url}."
    FOLLOWS = "Process {process} is signing in to {name} already; waiting for its result. Ctrl-C cancels."
    REQUEST_TURNED_AWAY = "A request was refused: {why}"
    PORT_CALLED_AGAIN = "Another program calls this port again and again. Its requests are ignored."
    ANSWER_TURNED_AWAY = "A response was refused: it {why}. The login goes on waiting."
    OTHER_USER = (
        "Another user of this machine (user id {user}) opened the sign-in link and was refused. "
        "If that is your own browser, open the link yourself."
    )
    HTTPS_TRIED = (
        "A program used https for http://{authority}, which cannot answer it. If that was your browser, it "
        "insists on https (HTTPS-only mode, or HSTS for this name): allow http there, or open the link in "
        "another browser."
    )
    NO_VISIT = "The link has not been opened in a browser yet."

    # The terminal: a sign-in that the person does not want, because it is another account's.
    CANCELLED_ACCOUNT = "Login cancelled; the tokens for {account} were discarded."
    CANCELLED_ACCOUNT_ADVICE = (
        "Sign in with the other account. What was approved can be removed at the provider."
    )

    foreign: bool = False
    """Whether this is another language than English."""

    def joined(self, text: str) -> str:
        """Return a sentence into which names were filled, as this language joins it."""
        return text

    def clause(self, english: str) -> str:
        """Return a reason that was given in English; empty if there is none in this language."""
        found = self.of(english)
        return "" if self.foreign and found == english else found

    def of(self, english: str) -> str:
        """Return what stands here for a sentence of ours in English; any other text as it is."""
        name = next((name for name, text in vars(Words).items() if text == english), "")
        found: str = getattr(self, name) if name else english
        return found


# The pages of the demonstration server. {client}: who asks; {account}: who decides; {title}: of the page.
DEMO_FOOTER = "A demonstration inside loopback_auth. No real account is involved."
DEMO_RIBBON = "Demonstration server"
DEMO_TAB = "{title} (demonstration)"
DEMO_CONTINUE = "Continue"
DEMO_SIGN_IN = "Sign in"
DEMO_SIGN_IN_LEAD = "{client} asks you to sign in."
DEMO_CHOOSE = "Choose an account"
DEMO_PRACTICE = "This server is for practice. Its accounts are invented, so there is no password."
DEMO_CONSENT = "Allow access?"
DEMO_CONSENT_LEAD = "{client} asks for access to the account {account}."
DEMO_APPROVE = "Approve"
DEMO_DENY = "Deny"
DEMO_RETURNS = "Returns to"
DEMO_RESOURCE = "Access to"
DEMO_CLIENT_ID = "Client ID"
DEMO_AGAIN = "The program needs to know that it is really you: confirm it by signing in now."
DEMO_CONFIRMED = "You have just confirmed who you are. This is what the program asked for."
DEMO_UNVERIFIED = "The program chose this name itself. The server has not verified it."
DEMO_MESSAGE = "Message from the program"
DEMO_COMPARE = "Compare the code"
DEMO_COMPARE_ADVICE = (
    "The other device or program must show the same code. Deny if the codes differ, or if you did not start "
    "this yourself."
)
DEMO_ENTER_CODE = "Enter the code"
DEMO_ENTER_CODE_LEAD = "Type the code that the other device or program shows you."
DEMO_ENTER_CODE_LABEL = "Code"
DEMO_WRONG_CODE = "That code does not exist, or it has expired."
DEMO_FORM_POST = "One moment"
DEMO_FORM_POST_LEAD = "Your answer goes back to the program that asked. If nothing happens, press Continue."
DEMO_APPROVED = "Approved"
DEMO_APPROVED_LEAD = "The program that asked will continue in a moment."
DEMO_DENIED = "Denied"
DEMO_DENIED_LEAD = "The program that asked gets no access."
DEMO_CLOSE = "You may close this tab."
DEMO_REFUSED = "This sign-in cannot go on"
DEMO_REFUSED_ADVICE = "Start again in the program that sent you here."

# The terminal: a login that is finished later, by another command, which follows.
START_COPY = "Copy that whole address. The command below reads it: paste it there, then Enter."
START_FINISH = "Valid until {until}. Then finish with:"

# The terminal: the result. The labels stand beside what was granted.
SIGNED_IN = "Signed in to {name}."
SIGNED_IN_AS = "Signed in to {name} as {account}."
RESULT_APPROVED = "approved"
RESULT_SERVER = "server"
RESULT_SCOPE = "scope"
RESULT_UNTIL = "until"
RESULT_ID_TOKEN = "ID token"
RESULT_KEPT_IN = "kept in"
RESULT_NOWHERE = "nowhere, because of --no-store"
RESULT_PRINTED = (
    "The token is printed once. logout cannot revoke it: when you do not need it any more, {revoke}remove "
    "the authorization on the web page of the provider."
)
RESULT_PRINTED_REVOKE = "send it to {url} (RFC 7009), or "
RESULT_PRINTED_VENDOR = "send {method} {url} with it in the Authorization header, or "
RESULT_PRINTED_DEMO = (
    "The token is printed once. The demo server has stopped, so nothing accepts it any more."
)
REPLACES = "You are signed in to {name} as {before}, and this login is {account}."
REPLACES_PROMPT = "Replace {before}? [y/N] (no: keep both, this one as {beside}) "
RESULT_SIMULATED = "by a simulated person; you were not asked"
RESULT_NO_SCOPE = "none"
RESULT_SCOPE_DEFAULT = "server default (not stated)"
RESULT_ID_TOKEN_CHECKED = "claims checked, signature {signature}"
RESULT_UNTIL_UNKNOWN = "unknown"
RESULT_UNTIL_BEYOND = "beyond the calendar of this machine"
RESULT_DEMO_STOPPED = "{until} (the demo server has stopped)"
RESULT_NOT_SAID = "{until} (the server did not say)"
RESULT_RENEWED = "{until}, then renewed automatically"
RESULT_SIGN_IN_AGAIN = "{until}, then you sign in again"
RESULT_ID_ONLY = "The ID token says who you are. The server sent no access token."
RESULT_TOKEN_USE = "token"
RESULT_BOUND = "bound to a key of this machine (DPoP)"
RESULT_HEADERS = "Print the headers of a request with: python -m loopback_auth token {name} --headers URL"
RESULT_TOKEN_PROOF = (
    "This token is bound to a key, and each request needs a proof too. Print the headers of a request with: "
    "python -m loopback_auth token {name} --headers URL"
)
RESULT_TOKEN = "Print the token with: python -m loopback_auth token {name}"

# The terminal: a sign-in by a simulated person.
SIMULATED = "A simulated person signs in to the built-in demonstration: {why}."
SIMULATED_INSTEAD = (
    "You are not asked, and no account is used. To sign in yourself: "
    "python -m loopback_auth login --no-simulate-person --wait"
)
SIMULATED_OPENED = "The simulated browser has opened the start page at {authority}."
SIMULATED_APPROVES = "The simulated person approves at the server; the program polls until then."
SIMULATED_APPROVED = "The simulated person has approved, and the browser has come back with the answer."

# The terminal: how far the flows of a comparison are. {flow} names a flow, {stage} is one of the stages.
RUN_STAGE = "{flow}: {stage}"
RUN_NOT_BEGUN = "not started"
RUN_BEGUN = "started"
RUN_OPENED = "the browser is open"
RUN_PROMPTED = "waiting for the approval"
RUN_ANSWERED = "the response has arrived"
RUN_SIGNED_IN = "signed in"
RUN_FAILED = "failed"
RUN_ATTACKED = "under attack"
RUN_COUNT = "{ended} of {count} flows have ended"
RUN_COUNT_OPEN = "{ended} of {count} flows have ended; still open: {flows}"
RUN_NOW = "{now}. {count}"
RUN_ATTACKS = "All flows have ended. Trying the attacks now."

SECRET_PROMPT = "Client secret for {name}{note}: "
SERVER_ERROR_PAGE = (
    "Does the browser show an error of {name}? Press Ctrl-C, and ask the server what it refuses: "
    "python -m loopback_auth doctor, with the arguments of this login."
)
