"""What pages and prompts of a sign-in say, in German.

A program and the place to return to stand here in the dative: "von {program}", "in {returns_to}".
"""

from __future__ import annotations

from loopback_auth.words import Words

_CONTRACTIONS = (("in dem ", "im "), ("von dem ", "vom "), ("zu dem ", "zum "))


class German(Words):
    """The same sentences in German, with "Sie"; the groups are those of `Words`."""

    def joined(self, text: str) -> str:
        """Contract a preposition with the article that follows it."""
        for apart, joined in _CONTRACTIONS:
            text = text.replace(apart, joined)
        return text

    PROGRAM = "dem Programm, das Sie zur Anmeldung auffordert"
    RETURNS_TO = "dem Terminal"
    RETURNS_TO_PROGRAM = "dem Programm"

    PAGE_FOOTER = "Diese Seite kommt nicht vom Anbieter, sondern von {program}."
    PAGE_ADVICE = "Was Sie tun können"
    PAGE_CLOSE = "Sie können diesen Tab schließen. Weiter geht es in {returns_to}."
    PAGE_NOT_OWN = (
        "Die eigene Seite des Programms kann nicht gezeigt werden ({why}). "
        "Stattdessen wird die übliche Seite gezeigt."
    )
    PAGE_NO_SCRIPT = (
        "Ohne JavaScript kann diese Seite das Ergebnis nicht zeigen. Sie finden es in {returns_to}."
    )

    SUCCESS_TITLE = "Angemeldet"
    SUCCESS_ACCOUNT = "Konto"
    SUCCESS_PROVIDER = "Anbieter"
    SUCCESS_CLIENT = "Client"
    SUCCESS_SCOPE = "Berechtigungen"
    SUCCESS_SIMULATED = (
        "Eine simulierte Person hat dies am Demonstrationsserver bestätigt. Sie wurden nicht gefragt."
    )

    FAILURE_TITLE = "Nicht angemeldet"
    FAILURE_DETAIL = "Einzelheiten"
    FAILURE_LEAD = "Die Anmeldung ist nicht gelungen."
    FAILURE_EXPIRED = "Die Zeit für die Anmeldung ist abgelaufen."
    FAILURE_AGAIN = "Wenn Sie sich noch anmelden möchten, beginnen Sie in {returns_to} von vorn."
    FAILURE_COMMAND = "Wenn Sie sich noch anmelden möchten, geben Sie ein: {command}"
    FAILURE_DENIED = "Sie haben die Anfrage abgelehnt, oder der Server hat es getan."
    FAILURE_AFTERWARDS = "Der Anbieter hat geantwortet, die Anmeldung scheiterte aber danach in {program}."
    FAILURE_ELSEWHERE = "Sie finden den Grund in {returns_to}."

    CANCELLED_TITLE = "Anmeldung abgebrochen"
    CANCELLED_LEAD = "Die Anmeldung wurde beendet, bevor sie vollständig war."

    CONTINUED_TITLE = "Noch ein Schritt"
    CONTINUED_LEAD = "Die Anmeldung geht in einem anderen Tab weiter."
    CONTINUED_CLOSE = "Sie können diesen Tab schließen."

    RECEIVED_TITLE = "Antwort erhalten"
    RECEIVED_LEAD = "Der Anbieter hat geantwortet. Das Ergebnis finden Sie in {returns_to}."

    TURNED_AWAY_TITLE = "Anfrage abgelehnt"
    TURNED_AWAY_ADVICE = "Wenn Sie sich noch anmelden, öffnen Sie den neuesten Link in {returns_to}."

    REFUSED_NOTHING_HERE = "Unter dieser Adresse gibt es nichts."
    REFUSED_OTHER_NAME = "Diese Adresse wurde unter einem anderen Rechnernamen geöffnet."
    REFUSED_OPENED_BEFORE = "Dieser Link wurde schon geöffnet. Nehmen Sie den neuesten Link."
    REFUSED_WITHDRAWN = (
        "Diese Anmeldung hat mit einem Link begonnen, der nicht mehr gilt. Nehmen Sie den neuesten Link."
    )
    REFUSED_OVER = "Diese Anmeldung ist beendet."
    REFUSED_UNREADABLE = "Die Parameter dieser Adresse konnten nicht gelesen werden."
    REFUSED_NOT_OURS = "Das ist nicht die Antwort auf die Anmeldung, die hier wartet."
    REFUSED_OTHER_PAGE = "Diese Anfrage kommt von einer anderen Seite."
    REFUSED_OTHER_SITE = "Diese Anfrage kommt von einer anderen Website."
    REFUSED_NOT_OUR_PAGE = "Diese Anfrage kommt nicht von der Seite dieser Anmeldung."
    REFUSED_METHOD = "Diese Methode wird hier nicht verwendet."
    REFUSED_NO_FORM = "Hier wurde ein Formular erwartet."
    REFUSED_NO_PATH = "Hier wird nur ein einfacher Pfad verstanden."
    REFUSED_NO_PAGE = (
        "Hier wurde der Aufruf einer Seite erwartet, nicht die Anfrage eines Skripts, Bildes oder Rahmens."
    )
    REFUSED_CONNECTION = "Hier wurde der Aufruf einer Seite erwartet, nicht die Verbindung eines Skripts."
    REFUSED_IN_ADVANCE = "Diese Adresse kann nicht im Voraus geladen werden."
    REFUSED_TOO_MUCH = "Das ist mehr, als eine Anfrage enthalten darf."
    REFUSED_TOO_LONG = "Das ist mehr, als eine Antwort enthalten darf."
    REFUSED_NO_BODY = "Der Inhalt dieser Anfrage konnte nicht gelesen werden."
    REFUSED_NOT_UNDERSTOOD = "Diese Anfrage konnte nicht verstanden werden."
    REFUSED_OUR_FAULT = "Im Programm ist ein Fehler aufgetreten."
    REFUSED_LONG_LINE = "Diese Anfrage ist länger, als eine Antwort eines Servers sein kann."
    REFUSED_HTTPS = "Diese Adresse wurde mit https aufgerufen; sie beginnt mit http."
    REFUSED_OTHER_USER = (
        "Diese Anfrage kommt von einem anderen Benutzer dieses Rechners, der sich hier nicht anmeldet."
    )
    REFUSED_WHY_NO_VISIT = "kam nicht durch den Aufruf der Seite"
    REFUSED_WHY_OTHER_NAME = "hatte einen anderen Rechnernamen als die Redirect-URI"
    REFUSED_WHY_WITHDRAWN = "gehörte zu einem Link, der nicht mehr gilt"
    REFUSED_WHY_LATE = "kam zu spät"
    REFUSED_WHY_UNREADABLE = "konnte nicht gelesen werden"
    REFUSED_WHY_STATE = "hatte einen anderen Wert für state"
    REFUSED_WHY_STATES = "hatte mehr als einen Wert für state"
    REFUSED_WHY_NO_STATE = "hatte keinen Wert für state"
    REFUSED_WHY_NO_ANSWER = "enthielt keine Antwort"
    REFUSED_WHY_DIFFERED = "war anders als die Antwort, die schon da war"
    REFUSED_WHY_METHOD = "kam nicht mit der Methode eines Aufrufs"
    REFUSED_WHY_NO_FORM = "war kein Formular"
    REFUSED_WHY_IN_ADVANCE = "wurde im Voraus gestellt"
    REFUSED_WHY_TOO_LONG = "war zu lang"

    RELAY_TITLE = "Einen Moment"
    RELAY_LEAD = "Diese Seite bringt die Antwort des Anbieters zu {program}."
    RELAY_NO_SCRIPT = (
        "Dieses Verfahren braucht JavaScript. Schalten Sie es für diese Seite ein und laden Sie sie neu, "
        "oder beginnen Sie mit einem anderen Verfahren von vorn."
    )
    RELAY_EMPTY_TITLE = "Keine Antwort in dieser Adresse"
    RELAY_EMPTY = "Beginnen Sie in {returns_to} von vorn, und warten Sie, bis die Seite geladen ist."
    RELAY_ENDED_TITLE = "Nicht zugestellt"
    RELAY_ENDED = "Auf diese Antwort wartet kein Programm mehr. Beginnen Sie in {returns_to} von vorn."

    WAITING_TITLE = "Bestätigen Sie bei {provider}"
    WAITING_LEAD = (
        "Öffnen Sie die Seite des Anbieters und bestätigen Sie dort. Kommen Sie dann zu diesem Tab zurück: "
        "Er zeigt das Ergebnis."
    )
    WAITING_CODE = "Ihr Code"
    WAITING_BUTTON = "{provider} öffnen"
    WAITING_WARNING = (
        "Bestätigen Sie nur, wenn Sie diese Anmeldung gerade selbst an diesem Rechner begonnen haben. "
        "Wenn eine andere Person Sie hierher geschickt hat, bestätigen Sie nicht."
    )
    WAITING_ENDED_TITLE = "Diese Seite wartet nicht mehr"
    WAITING_ENDED = "Sie finden das Ergebnis in {returns_to}. Sie können diesen Tab schließen."

    STARTED = "{program}, gestartet um {time} Uhr auf {host}"

    QUESTION_TITLE = "Bestätigt als {account}"
    QUESTION_LEAD = "Sie werden in {returns_to} gefragt, ob das Ihr Konto ist. Antworten Sie bitte dort."
    UNNAMED_ACCOUNT = "ein Konto, das der Server nicht genannt hat"

    ERROR = "Fehler: {text}"
    WARNING = "Warnung: {text}"

    BROWSER_OPENING = "Ihr Browser ({opener}) wird geöffnet, damit Sie sich bei {name} anmelden."
    BROWSER_NOT_OPENED = "Melden Sie sich bei {name} an. Hier wird kein Browser geöffnet."
    BROWSER_NOT_OPENED_AS = "Melden Sie sich bei {name} an. Hier wird kein Browser geöffnet: {why}."
    LINK_FOR_YOURSELF = "Wenn er sich nicht öffnet, öffnen Sie diesen Link selbst{once}:"
    LINK_HERE = "Öffnen Sie diesen Link in einem Browser auf diesem Rechner{once}:"
    LINK_ANYWHERE = "Öffnen Sie diesen Link in irgendeinem Browser{once}:"
    LINK_ONCE = "; er gilt nur einmal"
    LINK_SECOND = "Oder öffnen Sie diesen Link in einem Browser, der diesen Rechner erreicht{once}:"
    LINK_SECOND_FIRST = (
        "Melden Sie sich bei {name} an. Öffnen Sie diesen Link in einem Browser, der diesen Rechner "
        "erreicht{once}:"
    )
    OPENER_OWN = "der eigene Weg des Programms"
    OPENER_DEFAULT = "der Standardbrowser"
    OPENER_FAILED = "Der Browser hat sich nicht geöffnet ({opener} endete mit {status})."
    OPENER_FAILED_SOMEHOW = "Der Browser hat sich nicht geöffnet."
    OPENER_FAILED_AS = "Der Browser hat sich nicht geöffnet ({why})."
    LINK_OPEN_YOURSELF = "{why} Öffnen Sie den Link selbst."
    ENVIRONMENT = "Das ist {place}."

    PLACE_CI = "ein CI-Job"
    PLACE_AGENT = "die Shell eines KI-Agenten"
    PLACE_CLOUD_SHELL = "eine Cloud Shell"
    PLACE_CODESPACES = "GitHub Codespaces"
    PLACE_VSCODE_SSH = "ein Terminal von VS Code über SSH"
    PLACE_DEV_CONTAINER = "ein Dev-Container"
    PLACE_CLOUD_WORKSPACE = "ein Arbeitsplatz auf einem Server"
    PLACE_SSH_TO_DESKTOP = "eine SSH-Sitzung auf einem Arbeitsplatzrechner"
    PLACE_SSH_X11 = "eine SSH-Sitzung mit X-Weiterleitung"
    PLACE_SSH = "eine SSH-Sitzung"
    PLACE_WSL_SERVICE = "ein Dienst im Windows-Subsystem für Linux"
    PLACE_WSL = "das Windows-Subsystem für Linux"
    PLACE_VSCODE_TUNNEL = "ein Tunnel von VS Code"
    PLACE_POD = "ein Pod in Kubernetes"
    PLACE_CONTAINER = "ein Container"
    PLACE_NO_TERMINAL = "ein Programm ohne Terminal"
    PLACE_SUDO = "ein Befehl für einen anderen Benutzer"
    PLACE_TEXT_BROWSER = "ein Rechner mit einem Textbrowser"
    PLACE_MULTIPLEXER = "eine Sitzung von tmux oder screen"
    PLACE_TERMUX = "Termux auf einem Telefon"
    PLACE_SANDBOXED = "eine Sandbox von Flatpak oder Snap"
    PLACE_MACOS = "macOS"
    PLACE_WINDOWS = "Windows"
    PLACE_LINUX_DESKTOP = "ein Arbeitsplatzrechner"
    PLACE_CONSOLE = "eine Konsole ohne grafische Oberfläche"
    ADVICE_CI = "Dort kann sich gewöhnlich niemand anmelden: Geben Sie dem Job ein eigenes Token."
    ADVICE_AGENT = (
        "Die Ausgabe ist dort oft erst zu sehen, wenn der Befehl beendet ist; der Link wird vorher gebraucht."
    )
    ADVICE_ELSEWHERE = (
        "Bestätigen Sie in irgendeinem Browser, oder fügen Sie die Adresse ein, bei der Ihr Browser endet."
    )
    ADVICE_CODESPACES = (
        "Ports leitet nur das installierte VS Code an Ihren Rechner weiter, nicht das im Browser."
    )
    ADVICE_VSCODE_SSH = "VS Code leitet den Port von selbst weiter."
    ADVICE_FORWARD = (
        "Leiten Sie den Port von dem Rechner mit Ihrem Browser weiter, oder bestätigen Sie anderswo."
    )
    ADVICE_SSH_X11 = (
        "Ein hier geöffneter Browser wäre langsam. Leiten Sie den Port von dem Rechner mit Ihrem Browser "
        "weiter, oder bestätigen Sie anderswo."
    )
    ADVICE_WSL = (
        "Wenn Ihr Browser den Port nicht erreicht, ist vielleicht ein VPN oder eine Firewall von Windows "
        "im Weg."
    )
    ADVICE_VSCODE_TUNNEL = (
        "Er leitet Ports an eine https-Adresse weiter, die hier nicht verwendet werden kann. Bestätigen "
        "Sie in irgendeinem Browser, oder fügen Sie die Adresse ein, bei der Ihr Browser endet."
    )
    ADVICE_CONTAINER = "Veröffentlichen Sie den Port, oder bestätigen Sie anderswo."
    ADVICE_NO_TERMINAL = "Manche Hilfe wird nur in einem Terminal gezeigt."
    ADVICE_SUDO = "Die Tokens würden für den anderen Benutzer gespeichert: Melden Sie sich ohne sudo an."
    ADVICE_TEXT_BROWSER = "Öffnen Sie den Link in einem Browser mit grafischer Oberfläche."
    ADVICE_MULTIPLEXER = "Ihre Umgebungsvariablen sind vielleicht älter als Ihre Verbindung."

    FORWARD_CONTAINER = "Ist Ihr Browser außerhalb des Containers? Dann starten Sie den Container so:"
    FORWARD_EDITOR = "Ist Ihr Browser auf einem anderen Rechner? So erreicht er den Link:"
    FORWARD_COMMAND = (
        "Ist Ihr Browser auf einem anderen Rechner? Führen Sie dort diesen Befehl aus, damit er den Link "
        "erreicht:"
    )

    LINK_UNSEEN = (
        "{opener} hat den Link geöffnet, zeigt aber kein Fenster. Öffnen Sie diesen Link in einem Browser; "
        "er gilt nur einmal:"
    )
    LINK_NO_PAGE = "Ein Programm, das keine Webseite verlangt hat,"
    LINK_FRESH = "Öffnen Sie stattdessen diesen Link; er gilt nur einmal:"
    LINK_OPENED_TWICE = (
        "Der Link wurde ein zweites Mal geöffnet, vielleicht von einer anderen Person. Darum wird die "
        "Anmeldung, die mit dem ersten Öffnen begann, nicht mehr verwendet."
    )
    LINK_OPENED_AFTERWARDS = (
        "Der Link wurde noch einmal geöffnet, als die Antwort schon da war. Vielleicht war also eine andere "
        "Person schneller. Prüfen Sie, ob es Ihr Konto ist."
    )

    APPROVE_AT = "Melden Sie sich unter diesem Link bei {name} an:"
    APPROVE_ANYWHERE = "Melden Sie sich unter diesem Link bei {name} an, auf irgendeinem Gerät:"
    APPROVE_ALSO_AT = "Sie können sich auch unter diesem Link bei {name} anmelden:"
    APPROVE_ALSO_ANYWHERE = (
        "Sie können sich auch unter diesem Link bei {name} anmelden, auf irgendeinem Gerät:"
    )
    APPROVE_OR_OPEN = "Oder öffnen Sie diese Adresse:"
    APPROVE_OR_TYPE = "Oder öffnen Sie diese Adresse und geben Sie den Code ein:"
    APPROVE_CODE = "Prüfen Sie, ob die Seite diesen Code zeigt, oder geben Sie ihn dort ein:"
    APPROVE_CODE_PLAIN = "(zum Kopieren: {code})"
    APPROVE_VALID = "Gültig für {time}."
    APPROVE_WARNING = "Bestätigen Sie nur, wenn Sie diese Anmeldung gerade selbst begonnen haben."
    LIFETIME_MINUTES = "{count} Minuten"
    LIFETIME_SECOND = "{count} Sekunde"
    LIFETIME_SECONDS = "{count} Sekunden"

    QR_HEADING = "Für ein Telefon, der Link zum Bestätigen:"
    QR_TOO_SMALL = (
        "Das Terminal ist zu klein für einen QR-Code des Links: Vergrößern Sie es, und drücken Sie q."
    )
    QR_NO_TERMINAL = "Es wird kein QR-Code gezeichnet: Die Ausgabe ist kein Terminal."
    QR_NO_BLOCKS = "Es wird kein QR-Code gezeichnet: Dieses Terminal hat die Zeichen dafür nicht."
    QR_THIS_MACHINE = (
        "Es wird kein QR-Code gezeichnet: Ein Telefon kann keinen Link zu diesem Rechner öffnen."
    )
    QR_BEGINS = "Für den QR-Code wird ein Link angefordert, der auf jedem Gerät funktioniert."
    QR_NOTHING_TO_DRAW = (
        "Kein QR-Code: Ein Telefon, das diesen Link öffnet, könnte nicht zu diesem Rechner zurückkommen."
    )

    PASTE_LINK = "Melden Sie sich bei {name} an. Öffnen Sie diesen Link in irgendeinem Browser:"
    PASTE_LINK_ALSO = "Sie können diesen Link auch in irgendeinem Browser öffnen:"
    PASTE_EXPECT = "Nach der Anmeldung endet der Browser bei einer Adresse, die er nicht öffnen kann:"
    PASTE_HOW = (
        "Kopieren Sie diese ganze Adresse und fügen Sie sie hier ein, und nirgendwo sonst. "
        "Was Sie einfügen, wird nicht angezeigt."
    )
    PASTE_PROMPT = "Adresse einfügen, dann Enter: "
    PASTE_PROMPT_OR_BACK = "Einfügen, dann Enter (Esc: zurück): "
    PASTE_AGAIN = "{why} Fügen Sie sie noch einmal ein, oder brechen Sie mit Strg-C ab."
    PASTE_NOT_RIGHT = "Das ist nicht die Adresse dieser Anmeldung."
    PASTE_TOO_LONG = "Das sind mehr als {limit} KiB; so lang ist eine Adresse nie."
    PASTE_NOT_NOW = "Sie können jetzt nichts einfügen."
    PASTED_CHARACTER = "({count} Zeichen)"
    PASTED_CHARACTERS = "({count} Zeichen)"

    CONFIRM_ACCOUNT = "{account} hat diese Anmeldung bestätigt."
    CONFIRM_PROMPT = "Ist das Ihr Konto? [j/N] "
    CONFIRM_YES = "j ja y yes"

    KEYS = "Tasten: {keys}."
    KEYS_NONE = "Im Moment bewirkt keine Taste etwas."
    KEY_OPEN = "o öffnen"
    KEY_COPY = "c Link kopieren"
    KEY_DRAW = "q QR-Code"
    KEY_TICKET = "d Link für ein anderes Gerät"
    KEY_DEVICE = "d Gerätecode"
    KEY_PASTE = "p einfügen"
    KEY_OPENING = "Ihr Browser ({opener}) wird geöffnet."
    KEY_CANNOT_OPEN = "Hier kann kein Browser geöffnet werden: {why}."
    KEY_EXPOSED = (
        "Andere Benutzer dieses Rechners könnten den Link in der Befehlszeile des Browsers lesen: "
        "Kopieren Sie ihn mit c."
    )

    LINK_NAME = "Der Link"
    LINK_NAME_APPROVE = "Der Link zum Bestätigen"
    LINK_NAME_PASTE = "Der Link, dessen letzte Adresse Sie einfügen,"
    COPIED = "{link} wurde kopiert ({tool})."
    COPIED_BY_TMUX = "{link} wurde von tmux in die Zwischenablage geschickt ({doubt})."
    COPIED_BY_TERMINAL = "{link} wurde in die Zwischenablage geschickt ({doubt})."
    COPIED_DOUBT = "vielleicht kann Ihr Terminal das nicht"
    COPIED_DOUBT_LONG = (
        "vielleicht kann Ihr Terminal das nicht, oder es kürzt einen so langen Link wie diesen"
    )
    COPIED_NOT = (
        "Der Link kann hier nicht kopiert werden: Es gibt kein Programm für die Zwischenablage. "
        "Wählen Sie ihn mit der Maus aus."
    )

    FLOW_BROWSER = "Die Rückkehr mit dem Browser"
    FLOW_TICKET = "Die Bestätigung auf einem anderen Gerät"
    FLOW_DEVICE = "Die Bestätigung mit einem Gerätecode"
    FLOW_PASTE = "Das Einfügen der Adresse"
    AWAITED_BROWSER = "Ihren Browser"
    AWAITED_TICKET = "Ihre Bestätigung auf einem anderen Gerät"
    AWAITED_DEVICE = "den Gerätecode"
    AWAITED_PASTE = "eine eingefügte Adresse"
    FLOW_ENDED = "{flow} ist beendet: {why}."
    FLOW_OVER = "{flow} ist nicht mehr möglich."
    FLOW_BEGAN = "{flow} ist jetzt auch möglich."
    FLOW_NOT_POSSIBLE = "{flow} ist nicht möglich: {why}."

    STAGE_WAITING = "Warten"
    STAGE_FIRST = "Warten auf einen Browser"
    STAGE_FLOWS = "Warten auf {awaited}"
    STAGE_FLOWS_OR = "{others} oder {last}"
    STAGE_ASKING = "Der Server wird gefragt"
    STAGE_APPROVE = "Warten auf Ihre Bestätigung"
    STAGE_VISITED = "Ihr Browser ist bei {name}; bestätigen Sie dort"
    STAGE_RETURNED = "Sie sind zurück; die Tokens werden abgerufen"
    STAGE_FETCHING = "Die Tokens werden abgerufen"
    STAGE_REFUSED = "Sie sind zurück"
    STAGE_OTHER_PROCESS = "Warten auf den anderen Prozess"
    STAGE_LEFT = "Noch {left}. {stage}"
    STAGE_LEFT_BRIEF = "{stage}, noch {left}"
    STAGE_AT_MOST = "{stage}, höchstens {time}"
    STAGE_REJECTED = "{stage}; {count} andere Anfrage abgelehnt"
    STAGE_REJECTED_MANY = "{stage}; {count} andere Anfragen abgelehnt"
    STAGE_CANCELS = "{stage}. Strg-C bricht ab."
    STAGE_END = "{stage}."

    PREPARING_RESOURCE = "{url} wird gefragt, welcher Server für die Anmeldung zuständig ist."
    PREPARING_SERVER = "Sie melden sich bei {url} an."
    PREPARING_REGISTRATION = "Dieses Programm wird bei {url} registriert."
    FOLLOWS = "Prozess {process} meldet sich schon bei {name} an; es wird auf ihn gewartet. Strg-C bricht ab."
    REQUEST_TURNED_AWAY = "Eine Anfrage wurde abgelehnt: {why}"
    PORT_CALLED_AGAIN = (
        "Ein anderes Programm ruft diesen Port immer wieder auf. Seine Anfragen werden nicht beachtet."
    )
    ANSWER_TURNED_AWAY = "Eine Antwort wurde abgelehnt: Diese Antwort {why}. Die Anmeldung wartet weiter."
    OTHER_USER = (
        "Ein anderer Benutzer dieses Rechners (Benutzernummer {user}) hat den Link zur Anmeldung "
        "geöffnet und wurde abgewiesen. Wenn das Ihr eigener Browser ist, öffnen Sie den Link selbst."
    )
    HTTPS_TRIED = (
        "http://{authority} wurde mit https aufgerufen und kann darauf nicht antworten. Wenn das Ihr Browser "
        "war, besteht er auf https (Nur-HTTPS-Modus, oder HSTS für diesen Namen): Erlauben Sie http "
        "dort, oder öffnen Sie den Link in einem anderen Browser."
    )
    NO_VISIT = "Der Link wurde noch in keinem Browser geöffnet."

    CANCELLED_ACCOUNT = "Anmeldung abgebrochen; die Tokens für {account} wurden verworfen."
    CANCELLED_ACCOUNT_ADVICE = (
        "Melden Sie sich mit dem anderen Konto an. Was bestätigt wurde, kann beim Anbieter entfernt werden."
    )
