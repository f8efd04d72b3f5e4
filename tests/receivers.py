"""Those who are told of alerts: a mail server and a web service, both real and both here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from synctasks.embedded.ports import free_ports


class Mailbox:
    """A mail server's handler: keeps what arrives."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def texts(self) -> list[tuple[str, str]]:
        """Subject and plain text of each message."""
        found = []
        for each in self.messages:
            body = each.get_body(("plain", "html"))
            assert body is not None
            found.append((str(each["subject"]), body.get_content()))
        return found


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    """A mailbox and the URL that leads there, without TLS."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    try:
        place = f"127.0.0.1:{controller.port}"
        yield mailbox, f"mailto://{place}/ops@example.org?mode=insecure&from=sync@example.org"
    finally:
        controller.stop()


class Hook:
    """A web service: keeps the title and the text of what it is posted."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.status = 200


@contextmanager
def web_hook(port: int = 0) -> Iterator[tuple[Hook, str]]:
    """A web service and the URL that leads there, with a password and a token in it."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if hook.status == 200:
                hook.messages.append((body["title"], body["message"]))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hook, url_of(server.server_port)
        finally:
            server.shutdown()
            thread.join()


def url_of(port: int) -> str:
    """The URL of a web service here, whether it is there or not."""
    return f"json://me:hush-pass@127.0.0.1:{port}/hush-path?+X-Token=hush-token"
