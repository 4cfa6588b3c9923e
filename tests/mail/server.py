"""A mail server for tests: STARTTLS and AUTH are required; what it takes is printed, one JSON object a line."""

import json
import ssl
import sys

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

RIGHT = LoginPassword(b"sales", b"a right password")


def say(**words):
    print(json.dumps(words), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user"
        if address.startswith("full@"):
            return "552 5.2.2 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        say(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            encrypted=session.ssl is not None,
            login=session.auth_data.login.decode(),
            content=envelope.content.decode("ascii"),
        )
        return "250 2.0.0 Ok: kept"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data == RIGHT, handled=False, auth_data=data)


authority = trustme.CA()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("localhost").configure_cert(context)
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=int(sys.argv[1]),
    tls_context=context,
    require_starttls=True,
    auth_required=True,
    authenticator=authenticate,
)
controller.start()
say(port=controller.server.sockets[0].getsockname()[1], authority=authority.cert_pem.bytes().decode())
# Whoever started it closes the pipe when it is not needed any more.
sys.stdin.read()
controller.stop()
