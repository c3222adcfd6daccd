"""What our pages and our terminal say: every sentence once, to be changed or translated here alone.

A name in braces is a field, filled in by `str.format`; what each holds is said at its group. Text that comes
from a server is cleaned before it gets here, and escaped by the page that shows it. Errors and their hints
are not here: they are part of what a function promises, and stand where they are raised.

No imports, no code: this is read before the browser is started.
"""

from __future__ import annotations

# Every page (pages/frame.py). The footer says who speaks; the label stands above a piece of advice.
PAGE_FOOTER = "This page comes from the program that asked you to sign in, not from the provider."
PAGE_ADVICE = "What to do"
PAGE_CLOSE = "You may close this tab and return to the terminal."
PAGE_NO_SCRIPT = "Without JavaScript this page cannot show the result. The terminal shows it."

# The last page of a sign-in that succeeded. The labels stand beside what was granted.
SUCCESS_TITLE = "Signed in"
SUCCESS_ACCOUNT = "Account"
SUCCESS_PROVIDER = "Provider"
SUCCESS_CLIENT = "Client"
SUCCESS_SCOPE = "Scope"
SUCCESS_SIMULATED = "A simulated person approved this at the demonstration server. You were not asked."

# The last page of a sign-in that failed; the error tells what happened and what to do. The detail is the same
# in the words of the protocol, folded away. "Elsewhere" is for a visitor who may be another person.
FAILURE_TITLE = "Not signed in"
FAILURE_DETAIL = "In detail"
FAILURE_DENIED = "You denied the request, or the server did."
FAILURE_ELSEWHERE = "The terminal shows the reason."

# The last page of a sign-in that the program itself has ended, for example by Ctrl-C.
CANCELLED_TITLE = "Sign-in cancelled"
CANCELLED_LEAD = "The program that asked you to sign in has stopped waiting."
CANCELLED_ADVICE = "If you still want to sign in, run the program again."

# The answer to a request that is not part of the sign-in; the reason stands in between.
TURNED_AWAY_TITLE = "Request turned away"
TURNED_AWAY_ADVICE = (
    "A sign-in that is still open goes on. To take part in it, open the newest link that the terminal shows."
)

# The page that reads the fragment of its own address and posts it to the program (RFC 6749 §4.2), and what
# its script shows when the address holds no answer, or the program has ended.
RELAY_TITLE = "One moment"
RELAY_LEAD = "This page passes the answer of the provider on to the program."
RELAY_NO_SCRIPT = (
    "This flow needs JavaScript. Switch it on for this page and reload, or start again with another flow."
)
RELAY_EMPTY_TITLE = "No answer in this address"
RELAY_EMPTY = "Start again from the terminal, and let the page finish loading."
RELAY_ENDED_TITLE = "Not delivered"
RELAY_ENDED = "The program that waited for this answer has ended. Start again from the terminal."

# The page that leads to the approval in another tab and waits for it (ticket and device code). {provider}:
# the name of the provider. The last two are what its script shows when the program has ended.
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
WAITING_ENDED_TITLE = "The program has ended"
WAITING_ENDED = "The terminal shows the result. You may close this tab."

# The page that waits while the terminal asks whether the account is the right one. {account}: who approved.
QUESTION_TITLE = "Approved as {account}"
QUESTION_LEAD = "The program asks whether that is your account. Answer the question in the terminal."
UNNAMED_ACCOUNT = "an account that the server did not name"

# The terminal: a warning about the page where the sign-in began.
LINK_OPENED_AFTERWARDS = (
    "The link was opened again after the answer had arrived, so another person may have been "
    "faster than you. Check that the account is yours."
)
