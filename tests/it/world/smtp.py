"""An SMTP server that keeps each mail as a file: smtp.py PORT FOLDER TLS CERT KEY [USER PASSWORD].

TLS is starttls, implicit or none. The file FOLDER/mode says what becomes of a mail: "accept" keeps it,
"451" and "554" refuse it with that code, "silent" never answers. Nobody named gone@ is known here.
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keep:
    def __init__(self, folder):
        self.folder = folder
        self.count = sum(name.endswith(".eml") for name in os.listdir(folder))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        with open(os.path.join(self.folder, "mode")) as file:
            mode = file.read().strip()
        if mode == "silent":
            await asyncio.Event().wait()
        if mode == "451":
            return "451 4.3.0 try again later"
        if mode == "554":
            return "554 5.7.1 refused by policy"
        self.count += 1
        name = os.path.join(self.folder, "%06d" % self.count)
        with open(name + ".part", "wb") as file:
            file.write(b"X-Envelope-From: " + envelope.mail_from.encode() + b"\r\n")
            for address in envelope.rcpt_tos:
                file.write(b"X-Envelope-To: " + address.encode() + b"\r\n")
            file.write(envelope.original_content)
        os.rename(name + ".part", name + ".eml")
        return "250 2.0.0 kept"


def main():
    port, folder, tls, cert, key = sys.argv[1:6]
    login = [part.encode() for part in sys.argv[6:8]]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def check(server, session, envelope, mechanism, data):
        right = [data.login, data.password] == login
        return AuthResult(success=right, handled=right)

    def factory():
        return SMTP(
            Keep.shared,
            hostname="localhost",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=check if login else None,
            auth_required=bool(login),
            auth_require_tls=tls == "starttls",
        )

    async def serve():
        Keep.shared = Keep(folder)
        loop = asyncio.get_running_loop()
        outer = context if tls == "implicit" else None
        server = await loop.create_server(factory, "127.0.0.1", int(port), ssl=outer)
        await server.serve_forever()

    asyncio.run(serve())


main()
