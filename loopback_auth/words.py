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
    SUCCESS_PROGRAM = "Program"
    SUCCESS_SCOPE = "Scope"
    SUCCESS_SIMULATED = "A simulated person approved this at the demonstration server. You were not asked."

    # The last page of a sign-in that failed; the error says what happened and what to do. The detail is the
    # same in the words of the protocol, folded away. "Elsewhere" is for a visitor who may be another person.
    FAILURE_TITLE = "Not signed in"
    FAILURE_DETAIL = "In detail"
    FAILURE_DENIED = "You denied the request, or the server did."
    FAILURE_AFTERWARDS = "The provider has answered, but {program} could not complete the sign-in."
    FAILURE_ELSEWHERE = "You find the reason in {returns_to}."

    # The last page of a sign-in that the program itself has ended, for example by Ctrl-C.
    CANCELLED_TITLE = "Sign-in cancelled"
    CANCELLED_LEAD = "The sign-in was stopped before it was complete."
    CANCELLED_ADVICE = "If you still want to sign in, start again from {returns_to}."

    # The last page of an answer after which the program opens another page, in another tab.
    CONTINUED_TITLE = "One more step"
    CONTINUED_LEAD = "The sign-in goes on in another tab."
    CONTINUED_CLOSE = "You may close this tab."

    # The answer to a request that is not part of the sign-in; the reason stands in between.
    TURNED_AWAY_TITLE = "Request refused"
    TURNED_AWAY_ADVICE = (
        "A sign-in that is still open goes on. To take part in it, open the newest link in {returns_to}."
    )

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
    LINK_OPEN_YOURSELF = "{why} Open the link yourself."
    ENVIRONMENT = "This is {place}."

    # The terminal: what happened to the link. {opener}: the program that opened it without a window.
    LINK_UNSEEN = (
        "{opener} opened the link, but it shows no window. Open this link in a browser; it works once:"
    )
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
    QR_NOTHING_TO_DRAW = "No QR code: a phone that opens this link could not come back to this machine."

    # The terminal: an address that the person pastes.
    PASTE_LINK = "Sign in to {name}. Open this link in any browser:"
    PASTE_LINK_ALSO = "You can also open this link in any browser:"
    PASTE_EXPECT = "After you have signed in, the browser ends on an address that it cannot open:"
    PASTE_HOW = "Copy that whole address and paste it here, nowhere else. What you paste is not shown."
    PASTE_PROMPT = "Paste the address, then Enter: "
    PASTE_PROMPT_OR_BACK = "Paste it, then Enter (Esc: back): "
    PASTE_AGAIN = "{why} Paste again, or cancel with Ctrl-C."
    PASTE_TOO_LONG = "That is more than {limit} KiB, and an address is never that long."
    PASTE_NOT_NOW = "You cannot paste anything now."
    PASTED_CHARACTER = "({count} character)"
    PASTED_CHARACTERS = "({count} characters)"

    # The terminal: other questions. {account}: who approved; {note}: what an empty answer means.
    CONFIRM_ACCOUNT = "{account} approved this login."
    CONFIRM_PROMPT = "Is that your account? [y/N] "

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
    # ID.
    FOLLOWS = "Process {process} is signing in to {name} already; waiting for its result. Ctrl-C cancels."
    REQUEST_TURNED_AWAY = "A request was refused: {why}"
    PORT_CALLED_AGAIN = "Another program calls this port again and again. Its requests are ignored."
    ANSWER_TURNED_AWAY = "A response was refused: {why}. The login goes on waiting."
    OTHER_USER = (
        "{why} If that is your own browser, run this again with --no-browser and open the link yourself."
    )
    NO_VISIT = "The link has not been opened in a browser yet."

    # The terminal: a sign-in that the person does not want, because it is another account's.
    CANCELLED_ACCOUNT = "Login cancelled; the tokens for {account} were discarded."
    CANCELLED_ACCOUNT_ADVICE = (
        "Sign in with the other account. What was approved can be removed at the provider."
    )

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
RESULT_SCOPE = "scope"
RESULT_UNTIL = "until"
RESULT_ID_TOKEN = "ID token"
RESULT_KEPT_IN = "kept in"
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
RESULT_TOKEN = "Print the token with: python -m loopback_auth token {name}"

# The terminal: a sign-in by a simulated person.
SIMULATED = "A simulated person signs in to the built-in demonstration: {why}."
SIMULATED_INSTEAD = (
    "You are not asked, and no account is used. To sign in yourself: "
    "python -m loopback_auth login --no-simulate-person --wait"
)
SIMULATED_OPENED = "The simulated browser has opened the start page at {authority}."
SIMULATED_APPROVES = "The simulated person approves at the server; the program asks it until it says so."
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
